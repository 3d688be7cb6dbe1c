//! A decoder that is simple and slow: it takes one byte after the other and copies whatever it looks at.

use std::iter::Peekable;
use std::slice::Iter;
use std::str;

use squall_websocket::proto::{MessageKind, ProtocolError, Role, Scratch};

use super::drive::{Seen, Setup, Transcript};

/// Decodes all of `input`.
pub(crate) fn reference(setup: Setup, input: &[u8]) -> Transcript {
    let mut reference = Reference {
        setup,
        input: input.iter().peekable(),
        message: None,
    };
    let mut seen = Vec::new();
    let mut idle = false;
    let error = loop {
        if reference.input.peek().is_none() {
            idle = reference.message.is_none();
            break None;
        }
        match reference.frame() {
            // The input ends within a frame.
            None => break None,
            Some(Ok(None)) => {}
            Some(Ok(Some(it))) => {
                seen.push(it);
                if matches!(seen.last(), Some(Seen::Close(_))) {
                    idle = reference.message.is_none();
                    break None;
                }
            }
            Some(Err(err)) => break Some(err),
        }
    };
    Transcript { seen, error, idle }
}

struct Reference<'a> {
    setup: Setup,
    input: Peekable<Iter<'a, u8>>,
    message: Option<Message>,
}

#[derive(Default)]
struct Message {
    text: bool,
    compressed: bool,
    payload: Vec<u8>,
    frames: usize,
}

impl Reference<'_> {
    fn number(&mut self, bytes: usize) -> Option<u64> {
        let mut number = 0;
        for _ in 0..bytes {
            number = number << 8 | u64::from(*self.input.next()?);
        }
        Some(number)
    }

    /// Takes one frame; `None` if it is not all there and what is there breaks no rule.
    fn frame(&mut self) -> Option<Result<Option<Seen>, ProtocolError>> {
        let first = self.number(1)?;
        let second = self.number(1)?;
        let (fin, reserved, opcode) = (first >= 128, first / 16 % 8, first % 16);
        let (masked, short) = (second >= 128, second % 128);
        let server = self.setup.role == Role::Server;
        let error = if (3..=7).contains(&opcode) || opcode > 10 {
            Some(ProtocolError::OpCode(opcode as u8))
        } else if reserved == 4 && self.setup.compressed && (opcode == 1 || opcode == 2) {
            None
        } else if reserved != 0 {
            Some(ProtocolError::ReservedBits(reserved as u8))
        } else {
            None
        };
        let error = error.or(match masked {
            true if !server => Some(ProtocolError::Masked),
            false if server => Some(ProtocolError::Unmasked),
            _ => None,
        });
        let error = error.or(match opcode {
            0 if self.message.is_none() => Some(ProtocolError::NothingToContinue),
            1 | 2 if self.message.is_some() => Some(ProtocolError::MessageInterrupted),
            8.. if !fin => Some(ProtocolError::ControlFragmented),
            8.. if short > 125 => Some(ProtocolError::ControlLength),
            _ => None,
        });
        if let Some(err) = error {
            return Some(Err(err));
        }
        let length = match short {
            126 => self.number(2)?,
            127 => self.number(8)?,
            _ => short,
        };
        if length >= 1 << 63 {
            return Some(Err(ProtocolError::LengthSign));
        }
        if short == 126 && length < 126 || short == 127 && length < 65536 {
            return Some(Err(ProtocolError::LengthNotMinimal));
        }
        if opcode < 8
            && let Some(err) = self.limit(length as usize)
        {
            return Some(Err(err));
        }
        let mut mask = [0; 4];
        if server {
            for byte in &mut mask {
                *byte = self.number(1)? as u8;
            }
        }
        if opcode == 1 || opcode == 2 {
            self.message = Some(Message {
                text: opcode == 1,
                compressed: reserved == 4,
                ..Message::default()
            });
        }
        let mut payload = Vec::new();
        while payload.len() < length as usize
            && let Some(byte) = self.input.next()
        {
            payload.push(byte ^ mask[payload.len() % 4]);
        }
        let whole = payload.len() == length as usize;
        match opcode {
            8.. => whole.then(|| control(opcode, payload).map(Some)),
            _ => self.data(&payload, whole, fin),
        }
    }

    fn limit(&self, length: usize) -> Option<ProtocolError> {
        let limits = self.setup.limits;
        let none = Message::default();
        let message = self.message.as_ref().unwrap_or(&none);
        if message.frames + 1 > limits.max_fragments {
            let limit = limits.max_fragments;
            return Some(ProtocolError::TooManyFragments { limit });
        }
        if length > limits.max_frame {
            let limit = limits.max_frame;
            return Some(ProtocolError::FrameTooLong { limit });
        }
        if message.payload.len() + length > limits.max_message {
            let limit = limits.max_message;
            return Some(ProtocolError::MessageTooLong { limit });
        }
        None
    }

    fn data(
        &mut self,
        payload: &[u8],
        whole: bool,
        fin: bool,
    ) -> Option<Result<Option<Seen>, ProtocolError>> {
        let message = self.message.as_mut()?;
        message.payload.extend(payload);
        message.frames += 1;
        let last = whole && fin;
        if message.text && !message.compressed {
            match str::from_utf8(&message.payload) {
                Err(err) if last || err.error_len().is_some() => {
                    return Some(Err(ProtocolError::Text));
                }
                _ => {}
            }
        }
        if !last {
            return whole.then_some(Ok(None));
        }
        let message = self.message.take()?;
        Some(Ok(Some(match (message.compressed, message.text) {
            (true, true) => Seen::Deflated(MessageKind::Text, message.payload),
            (true, false) => Seen::Deflated(MessageKind::Binary, message.payload),
            (false, true) => Seen::Text(String::from_utf8(message.payload).ok()?),
            (false, false) => Seen::Binary(message.payload),
        })))
    }
}

fn control(opcode: u64, payload: Vec<u8>) -> Result<Seen, ProtocolError> {
    Ok(match opcode {
        8 => Seen::Close(
            Scratch {
                message: Vec::new(),
                control: payload,
            }
            .close_frame()?,
        ),
        9 => Seen::Ping(payload),
        _ => Seen::Pong(payload),
    })
}
