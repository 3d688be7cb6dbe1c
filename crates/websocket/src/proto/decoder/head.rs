//! The heads of frames: what they say, and what they may not (RFC 6455 section 5.2).

use super::super::encode::LONGEST_HEAD;
use super::{Decoder, Frame, Limits, MessageKind, OpCode, Open, ProtocolError, Role, Scratch};

/// A head that is whole and allowed.
pub(super) struct Head {
    pub(super) frame: Frame,
    /// What the frame begins, if it is the first one of a message.
    pub(super) opens: Option<Open>,
    pub(super) length: u64,
    pub(super) mask: [u8; 4],
    /// Bytes of the head itself.
    pub(super) size: usize,
}

impl Decoder {
    /// Takes a head, or keeps the beginning of one.
    pub(super) fn read_head(
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
}
