//! Feeds decoders, with the input cut in every way.

use squall_websocket::proto::{
    CloseFrame, Decoder, Event, Limits, MessageKind, ProtocolError, Role, Scratch,
};

/// What came out of a decoder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    Binary(Vec<u8>),
    Close(Option<CloseFrame>),
    /// A compressed message, as it came.
    Deflated(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Text(String),
}

impl Seen {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// All that came out of one input, up to the error or a close frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Transcript {
    pub(crate) seen: Vec<Seen>,
    pub(crate) error: Option<ProtocolError>,
    /// Whether nothing was partial at the end.
    pub(crate) idle: bool,
}

/// A decoder, and what it is to be used with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) role: Role,
    pub(crate) compressed: bool,
    pub(crate) limits: Limits,
}

pub(crate) const SERVER: Setup = Setup {
    role: Role::Server,
    compressed: false,
    limits: Limits {
        max_frame: 1 << 20,
        max_message: 1 << 20,
        max_fragments: 4096,
    },
};

pub(crate) const CLIENT: Setup = Setup {
    role: Role::Client,
    ..SERVER
};

/// Memory that is there from the start: a decoder finds what others have left.
const SMALL: usize = 100;

impl Setup {
    pub(crate) const fn compressed(self) -> Self {
        Self {
            compressed: true,
            ..self
        }
    }

    pub(crate) const fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Feeds the pieces one by one.
    pub(crate) fn pieces<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Transcript {
        let mut decoder = Decoder::new(self.role, self.compressed);
        let mut scratch = Scratch::new();
        let mut seen = Vec::new();
        let mut error = None;
        let mut received = 0;
        'pieces: for mut piece in pieces {
            received += piece.len();
            loop {
                let taken = decoder
                    .decode(&mut piece, &self.limits, &mut scratch)
                    .and_then(|event| event.map(|event| see(event, &scratch)).transpose());
                match taken {
                    Ok(Some(it)) => {
                        seen.push(it);
                        if matches!(seen.last(), Some(Seen::Close(_))) {
                            break 'pieces;
                        }
                    }
                    Ok(None) => break,
                    Err(err) => {
                        error = Some(err);
                        break 'pieces;
                    }
                }
            }
            assert!(piece.is_empty(), "all of the input is used up");
            let memory = scratch.message.capacity() + scratch.control.capacity();
            assert!(memory <= 2 * received + SMALL, "{memory} bytes of memory");
            if !decoder.uses_scratch() {
                scratch = garbage();
            }
        }
        Transcript {
            idle: error.is_none() && decoder.is_idle(),
            seen,
            error,
        }
    }

    /// Feeds the input at once, cut in two at every byte, and byte by byte; the same has to come out.
    pub(crate) fn decode(self, input: &[u8]) -> Transcript {
        let whole = self.pieces([input]);
        for cut in 0..=input.len() {
            let (first, second) = input.split_at(cut);
            assert_eq!(self.pieces([first, second]), whole, "cut at {cut}");
        }
        assert_eq!(self.pieces(input.chunks(1)), whole, "byte by byte");
        whole
    }

    /// Decodes what breaks no rule and ends between two messages.
    pub(crate) fn sees(self, input: &[u8]) -> Vec<Seen> {
        let transcript = self.decode(input);
        assert_eq!(transcript.error, None);
        assert!(transcript.idle, "{transcript:?}");
        transcript.seen
    }

    /// Decodes what breaks a rule at once.
    pub(crate) fn fails(self, input: &[u8]) -> ProtocolError {
        let transcript = self.decode(input);
        assert_eq!(transcript.seen, []);
        transcript.error.expect("it breaks a rule")
    }
}

/// What others have left in a scratch that nobody needs is not to be seen.
fn garbage() -> Scratch {
    Scratch {
        message: b"\xff left by somebody else".to_vec(),
        control: b"\xfe and this".to_vec(),
    }
}

fn see(event: Event, scratch: &Scratch) -> Result<Seen, ProtocolError> {
    Ok(match event {
        Event::Close => Seen::Close(scratch.close_frame()?),
        Event::Ping => Seen::Ping(scratch.control.clone()),
        Event::Pong => Seen::Pong(scratch.control.clone()),
        Event::Message {
            kind,
            compressed: true,
        } => Seen::Deflated(kind, scratch.message.clone()),
        Event::Message {
            kind: MessageKind::Binary,
            ..
        } => Seen::Binary(scratch.message.clone()),
        Event::Message {
            kind: MessageKind::Text,
            ..
        } => Seen::text(scratch.text()?),
    })
}
