//! Bytes to messages (RFC 6455 section 5).

mod head;

use self::head::Head;
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
    /// Bytes at the end of the open text that begin a character; 0 between messages, for no text ends within one.
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

    /// Whether a part of a message stands in the scratch.
    pub(crate) const fn in_message(&self) -> bool {
        self.message.is_some()
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
        if self.is_idle()
            && let Some(event) = self.take_whole(input, limits, scratch)
        {
            return Ok(Some(event));
        }
        if input.is_empty() {
            return Ok(None);
        }
        self.decode_parts(input, limits, scratch)
    }

    /// Takes a message that is one frame, whole in `input`, and of less than 64 KiB, which is what most messages are. `None`
    /// says nothing: [`decode_parts`](Self::decode_parts) takes the same and everything else, and knows what is wrong.
    #[inline]
    fn take_whole(
        &self,
        input: &mut &[u8],
        limits: &Limits,
        scratch: &mut Scratch,
    ) -> Option<Event> {
        let ([first, second], rest) = input.split_first_chunk()?;
        let kind = match first & 0xbf {
            0x81 => MessageKind::Text,
            0x82 => MessageKind::Binary,
            _ => return None,
        };
        let compressed = first & 0x40 != 0;
        let masked = match self.role {
            Role::Client => 0,
            Role::Server => 0x80,
        };
        let (length, rest) = match second ^ masked {
            short @ 0..126 => (usize::from(short), rest),
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            _ => return None,
        };
        if compressed && !self.compressed
            || length < 126 && second & 0x7f == 126
            || length > limits.max_frame.min(limits.max_message)
            || limits.max_fragments == 0
        {
            return None;
        }
        scratch.message.clear();
        let rest = match self.role {
            Role::Client => {
                let (payload, rest) = rest.split_at_checked(length)?;
                scratch.message.extend_from_slice(payload);
                rest
            }
            Role::Server => {
                let (mask, rest) = rest.split_first_chunk()?;
                let (payload, rest) = rest.split_at_checked(length)?;
                mask::append(&mut scratch.message, payload, *mask);
                rest
            }
        };
        *input = rest;
        Some(Event::Message { kind, compressed })
    }

    /// Takes bytes up to the end of a message or a control frame, from wherever the last call stopped.
    #[inline(never)]
    fn decode_parts(
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

    /// Opens the frame of a head.
    fn begin(&mut self, head: &Head, scratch: &mut Scratch) -> Frame {
        if head.frame.opcode.is_control() {
            scratch.control.clear();
        } else {
            if head.opens.is_some() {
                self.message = head.opens;
                self.fragments = 0;
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
