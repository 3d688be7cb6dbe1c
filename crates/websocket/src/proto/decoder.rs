//! Bytes to messages (RFC 6455 section 5).

use super::encode::LONGEST_HEAD;
use super::{Limits, MessageKind, OpCode, ProtocolError, Role, Scratch, mask, utf8};

/// What has come whole. Its payload stands in the scratch until the next call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// A close frame; [`Scratch::close_frame`] reads it. Nothing that follows it means anything (RFC 6455 section 1.4).
    Close,
    /// A message, in [`Scratch::message`].
    Message {
        /// Text or bytes. Text is to be read with [`Scratch::text`], or to be checked when it has been inflated.
        kind: MessageKind,
        /// Whether it is to be inflated (RFC 7692 section 6.2).
        compressed: bool,
    },
    /// A ping; the payload, in [`Scratch::control`], is to be sent back in a pong.
    Ping,
    /// A pong, with its payload in [`Scratch::control`].
    Pong,
}

/// Reads what the other end sends, however the bytes are cut. It takes 40 bytes and no memory of its own.
///
/// ```
/// use squall_websocket::proto::{Decoder, Event, Limits, MessageKind, Role, Scratch};
///
/// let mut decoder = Decoder::new(Role::Client, false);
/// let (limits, mut scratch) = (Limits::default(), Scratch::new());
/// let mut input = &b"\x81\x05Hello\x89\x00"[..];
///
/// let event = decoder.decode(&mut input, &limits, &mut scratch)?;
/// let text = Event::Message { kind: MessageKind::Text, compressed: false };
/// assert_eq!(event, Some(text));
/// assert_eq!(scratch.text()?, "Hello");
/// assert_eq!(decoder.decode(&mut input, &limits, &mut scratch)?, Some(Event::Ping));
/// assert_eq!(decoder.decode(&mut input, &limits, &mut scratch)?, None);
/// # Ok::<(), squall_websocket::ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Bytes of payload that the open frame still lacks.
    remaining: u64,
    /// Frames that the open message has so far.
    fragments: u32,
    /// The mask for the next byte of the open frame; zeros where nothing is masked.
    mask: [u8; 4],
    /// The beginning of a head that was cut.
    head: [u8; LONGEST_HEAD],
    /// How long that beginning is; 0 while a frame is open.
    head_len: u8,
    /// Bytes at the end of the open text that begin a character.
    unfinished: u8,
    /// The frame whose payload is coming.
    frame: Option<Frame>,
    /// The message whose first frame has come, and whose last one has not ended.
    message: Option<Open>,
    role: Role,
    /// Whether compression was agreed.
    compressed: bool,
}

/// The first byte of a frame.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: OpCode,
    fin: bool,
}

/// What the first frame of a message says of all of it.
#[derive(Clone, Copy, Debug)]
struct Open {
    kind: MessageKind,
    compressed: bool,
}

/// A head that is whole and allowed.
struct Head {
    frame: Frame,
    /// What the frame begins, if it is the first one of a message.
    opens: Option<Open>,
    length: u64,
    mask: [u8; 4],
    /// Bytes of the head itself.
    size: usize,
}

impl Decoder {
    /// Makes the decoder of one end of a connection. `compressed` says that permessage-deflate was agreed, without which no
    /// message may be compressed.
    pub const fn new(role: Role, compressed: bool) -> Self {
        Self {
            remaining: 0,
            fragments: 0,
            mask: [0; 4],
            head: [0; LONGEST_HEAD],
            head_len: 0,
            unfinished: 0,
            frame: None,
            message: None,
            role,
            compressed,
        }
    }

    /// Whether nothing is partial: the last message was whole, and not a byte of another frame has come.
    pub const fn is_idle(&self) -> bool {
        self.head_len == 0 && !self.uses_scratch()
    }

    /// Whether a part of a message or of a control frame stands in the scratch, so that the next call wants the same one
    /// again. The beginning of a frame's head does not: the decoder keeps it.
    pub const fn uses_scratch(&self) -> bool {
        self.frame.is_some() || self.message.is_some()
    }

    /// Takes bytes from the front of `input` up to the end of the next message or control frame. `None` says that all of
    /// `input` is used up.
    ///
    /// A small message that is whole in `input` is copied once and nothing else. Text that arrives in parts is checked as it
    /// arrives and fails at the first byte that cannot be right; the bytes of a compressed message are not looked at.
    ///
    /// # Errors
    ///
    /// The rule that was broken, or the limit. The connection is then to be closed with
    /// [`ProtocolError::close_code`], and no more is to be decoded.
    pub fn decode(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
        scratch: &mut Scratch,
    ) -> Result<Option<Event>, ProtocolError> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.read_head(input, limits, scratch)? {
                    Some(head) => self.begin(&head, scratch),
                    None => return Ok(None),
                },
            };
            let part = self.take_part(input);
            let whole = self.remaining == 0;
            if frame.opcode.is_control() {
                self.append(&mut scratch.control, part);
                if whole {
                    self.frame = None;
                    return Ok(Some(match frame.opcode {
                        OpCode::Ping => Event::Ping,
                        OpCode::Pong => Event::Pong,
                        _ => Event::Close,
                    }));
                }
                return Ok(None);
            }
            let before = scratch.message.len();
            self.append(&mut scratch.message, part);
            // A data frame is open only while its message is.
            let Some(open) = self.message else {
                return Err(ProtocolError::NothingToContinue);
            };
            let last = frame.fin && whole;
            // Text that came in one piece is checked by whoever reads it.
            if open.kind == MessageKind::Text && !open.compressed && !(last && before == 0) {
                self.check_text(&scratch.message, before, last)?;
            }
            if whole {
                self.frame = None;
            }
            if last {
                self.message = None;
                return Ok(Some(Event::Message {
                    kind: open.kind,
                    compressed: open.compressed,
                }));
            }
            if !whole {
                return Ok(None);
            }
        }
    }

    /// Takes a head, or keeps the beginning of one.
    fn read_head(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
        scratch: &Scratch,
    ) -> Result<Option<Head>, ProtocolError> {
        let gathered = match self.message {
            Some(_) => scratch.message.len(),
            None => 0,
        };
        let kept = usize::from(self.head_len);
        if kept == 0
            && let Some(head) = self.parse(input, limits, gathered)?
        {
            *input = &input[head.size..];
            return Ok(Some(head));
        }
        let more = input.len().min(LONGEST_HEAD - kept);
        self.head[kept..kept + more].copy_from_slice(&input[..more]);
        match self.parse(&self.head[..kept + more], limits, gathered)? {
            Some(head) => {
                // The bytes behind the head were looked at and stay in the input.
                *input = &input[head.size - kept..];
                self.head_len = 0;
                Ok(Some(head))
            }
            None => {
                *input = &input[more..];
                self.head_len = (kept + more) as u8;
                Ok(None)
            }
        }
    }

    /// Reads the head at the front of `bytes`, `None` if it is not all there. A rule is applied as soon as the bytes that it
    /// is about are there. `gathered` is how long the open message is.
    fn parse(
        &self,
        bytes: &[u8],
        limits: &Limits,
        gathered: usize,
    ) -> Result<Option<Head>, ProtocolError> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let (frame, opens) = self.check_start(*first, *second)?;
        let (length, rest) = match second & 0x7f {
            126 => {
                let Some((length, rest)) = rest.split_first_chunk() else {
                    return Ok(None);
                };
                let length = u16::from_be_bytes(*length);
                if length < 126 {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (u64::from(length), rest)
            }
            127 => {
                let Some((length, rest)) = rest.split_first_chunk() else {
                    return Ok(None);
                };
                let length = u64::from_be_bytes(*length);
                if length >> 63 != 0 {
                    return Err(ProtocolError::LengthSign);
                }
                if length < 0x1_0000 {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (length, rest)
            }
            short => (u64::from(short), rest),
        };
        if !frame.opcode.is_control() {
            self.check_limits(length, limits, gathered)?;
        }
        let (mask, rest) = match self.role {
            Role::Client => ([0; 4], rest),
            Role::Server => match rest.split_first_chunk() {
                Some((mask, rest)) => (*mask, rest),
                None => return Ok(None),
            },
        };
        Ok(Some(Head {
            frame,
            opens,
            length,
            mask,
            size: bytes.len() - rest.len(),
        }))
    }

    /// Applies the rules about the first two bytes of a frame.
    fn check_start(&self, first: u8, second: u8) -> Result<(Frame, Option<Open>), ProtocolError> {
        let fin = first & 0x80 != 0;
        let reserved = first >> 4 & 7;
        let opcode = OpCode::from_bits(first & 15).ok_or(ProtocolError::OpCode(first & 15))?;
        let kind = match opcode {
            OpCode::Text => Some(MessageKind::Text),
            OpCode::Binary => Some(MessageKind::Binary),
            _ => None,
        };
        let compressed = match reserved {
            0 => false,
            4 if self.compressed && kind.is_some() => true,
            bits => return Err(ProtocolError::ReservedBits(bits)),
        };
        match (self.role, second & 0x80 != 0) {
            (Role::Server, false) => return Err(ProtocolError::Unmasked),
            (Role::Client, true) => return Err(ProtocolError::Masked),
            _ => {}
        }
        match kind {
            Some(_) if self.message.is_some() => return Err(ProtocolError::MessageInterrupted),
            Some(_) => {}
            None if opcode == OpCode::Continuation => {
                if self.message.is_none() {
                    return Err(ProtocolError::NothingToContinue);
                }
            }
            None => {
                if !fin {
                    return Err(ProtocolError::ControlFragmented);
                }
                if second & 0x7f > 125 {
                    return Err(ProtocolError::ControlLength);
                }
            }
        }
        let opens = kind.map(|kind| Open { kind, compressed });
        Ok((Frame { opcode, fin }, opens))
    }

    /// Applies the limits to a data frame that is to come.
    fn check_limits(
        &self,
        length: u64,
        limits: &Limits,
        gathered: usize,
    ) -> Result<(), ProtocolError> {
        let fragments = match self.message {
            Some(_) => self.fragments as usize,
            None => 0,
        };
        if fragments >= limits.max_fragments {
            let limit = limits.max_fragments;
            return Err(ProtocolError::TooManyFragments { limit });
        }
        if length > limits.max_frame as u64 {
            let limit = limits.max_frame;
            return Err(ProtocolError::FrameTooLong { limit });
        }
        if length > limits.max_message.saturating_sub(gathered) as u64 {
            let limit = limits.max_message;
            return Err(ProtocolError::MessageTooLong { limit });
        }
        Ok(())
    }

    /// Opens the frame of a head.
    fn begin(&mut self, head: &Head, scratch: &mut Scratch) -> Frame {
        if head.frame.opcode.is_control() {
            scratch.control.clear();
        } else {
            if head.opens.is_some() {
                self.message = head.opens;
                self.fragments = 0;
                self.unfinished = 0;
                scratch.message.clear();
            }
            self.fragments = self.fragments.saturating_add(1);
        }
        self.frame = Some(head.frame);
        self.remaining = head.length;
        self.mask = head.mask;
        head.frame
    }

    /// Takes what there is of the open frame's payload.
    fn take_part<'a>(&mut self, input: &mut &'a [u8]) -> &'a [u8] {
        let count = usize::try_from(self.remaining).map_or(input.len(), |it| it.min(input.len()));
        let (part, rest) = input.split_at(count);
        *input = rest;
        self.remaining -= count as u64;
        part
    }

    /// Appends a part of the open frame's payload, unmasked.
    fn append(&mut self, out: &mut Vec<u8>, part: &[u8]) {
        match self.role {
            Role::Client => out.extend_from_slice(part),
            Role::Server => {
                mask::append(out, part, self.mask);
                self.mask = mask::advanced(self.mask, part.len());
            }
        }
    }

    /// Checks the text from `before` on, where the last part was appended.
    fn check_text(&mut self, text: &[u8], before: usize, last: bool) -> Result<(), ProtocolError> {
        let from = before.saturating_sub(usize::from(self.unfinished));
        let unfinished = utf8::unfinished(&text[from..])?;
        if last && unfinished > 0 {
            return Err(ProtocolError::Text);
        }
        self.unfinished = unfinished as u8;
        Ok(())
    }
}
