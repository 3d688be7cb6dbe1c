//! Decoders of frames that are driven to the end, and what comes out of them.

use squall_websocket::proto::{
    CloseFrame, Decoder, Event, Limits, MessageKind, OpCode, ProtocolError, Role, Scratch, mask,
    write_close, write_frame,
};

use crate::Input;

const MASK: [u8; 4] = [0x9a, 0x00, 0xff, 0x51];

/// The end that reads, and what it has agreed to.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub role: Role,
    pub compressed: bool,
    pub limits: Limits,
}

impl Setup {
    /// What the control asks for: limits of default or short ones, which end, whether compression was agreed.
    pub fn new(input: &Input<'_>) -> Self {
        let limits = match input.control[0] & 1 {
            0 => Limits::default(),
            _ => Limits {
                max_frame: 60,
                max_message: 100,
                max_fragments: 4,
            },
        };
        Self {
            role: match input.control[1] & 1 {
                0 => Role::Server,
                _ => Role::Client,
            },
            compressed: input.control[1] & 2 != 0,
            limits,
        }
    }
}

/// The bytes of an input, masked if the control says that they are frames of a server.
pub fn bytes(input: &Input<'_>) -> Vec<u8> {
    match input.control[1] & 4 {
        0 => input.bytes.to_vec(),
        _ => masked(input.bytes),
    }
}

/// Masks the frames that `bytes` consist of, whatever else is wrong with them.
fn masked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        out.extend([*first, second | 0x80]);
        let size = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((length, rest)) = rest.split_at_checked(size) else {
            out.extend_from_slice(rest);
            return out;
        };
        out.extend_from_slice(length);
        out.extend(MASK);
        let announced = match size {
            0 => u64::from(second & 0x7f),
            _ => length
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let count = usize::try_from(announced).map_or(rest.len(), |it| it.min(rest.len()));
        mask::append(&mut out, &rest[..count], MASK);
        bytes = &rest[count..];
    }
    out.extend_from_slice(bytes);
    out
}

/// Something that came out of a decoder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    Binary(Vec<u8>),
    Close(Option<CloseFrame>),
    Deflated(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Text(String),
}

impl Seen {
    /// Writes it as the other end of `role` would.
    pub fn write(&self, out: &mut Vec<u8>, role: Role) {
        let mask = (role == Role::Server).then_some(MASK);
        let mut write = |opcode, compressed, payload: &[u8]| {
            write_frame(out, opcode, true, compressed, payload, mask);
        };
        match self {
            Self::Binary(payload) => write(OpCode::Binary, false, payload),
            Self::Close(frame) => write_close(out, frame.as_ref(), mask),
            Self::Deflated(kind, payload) => write((*kind).into(), true, payload),
            Self::Ping(payload) => write(OpCode::Ping, false, payload),
            Self::Pong(payload) => write(OpCode::Pong, false, payload),
            Self::Text(text) => write(OpCode::Text, false, text.as_bytes()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Close(_) => 0,
            Self::Binary(payload)
            | Self::Deflated(_, payload)
            | Self::Ping(payload)
            | Self::Pong(payload) => payload.len(),
            Self::Text(text) => text.len(),
        }
    }
}

/// All that came out of one input, up to a close frame or an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transcript {
    pub seen: Vec<Seen>,
    pub error: Option<ProtocolError>,
    pub idle: bool,
}

/// Feeds the pieces one by one, and checks what a decoder owes its caller.
pub fn drive(setup: Setup, pieces: &[&[u8]]) -> Transcript {
    let mut decoder = Decoder::new(setup.role, setup.compressed);
    let mut scratch = Scratch::new();
    let mut transcript = Transcript {
        seen: Vec::new(),
        error: None,
        idle: false,
    };
    let (mut received, mut told) = (0, 0);
    for &piece in pieces {
        let mut input = piece;
        received += piece.len();
        loop {
            let taken = decoder
                .decode(&mut input, &setup.limits, &mut scratch)
                .and_then(|event| event.map(|event| see(event, &scratch)).transpose());
            let memory = scratch.message.capacity() + scratch.control.capacity();
            assert!(memory <= 2 * received + 100, "memory is for what has come");
            match taken {
                Ok(Some(it)) => {
                    told += it.len();
                    assert!(told <= received, "nothing is made up");
                    let close = matches!(it, Seen::Close(_));
                    transcript.seen.push(it);
                    if close {
                        transcript.idle = decoder.is_idle();
                        return transcript;
                    }
                }
                Ok(None) => break,
                Err(err) => {
                    assert!(err.close_code().may_be_sent());
                    assert!(!err.to_string().is_empty());
                    transcript.error = Some(err);
                    return transcript;
                }
            }
        }
        assert!(input.is_empty(), "all of the input is used up");
        if !decoder.uses_scratch() {
            // Somebody else has used it meanwhile.
            scratch.message = b"\xff".to_vec();
            scratch.control = b"\xfe".to_vec();
        }
    }
    transcript.idle = decoder.is_idle();
    transcript
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
        } => Seen::Text(scratch.text()?.to_owned()),
    })
}
