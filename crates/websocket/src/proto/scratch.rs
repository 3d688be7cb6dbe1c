//! The memory that decoders borrow.

use std::fmt;
use std::str;

use super::{CloseCode, CloseFrame, ProtocolError};

/// Where a decoder gathers payloads.
///
/// A thread needs one for all connections whose decoders are between two messages. A connection in the middle of a message
/// ([`Decoder::uses_scratch`](super::Decoder::uses_scratch)) needs it for itself until the message is whole.
#[derive(Clone, Default)]
pub struct Scratch {
    /// The payload of the message that came last, or the beginning of the one that is coming. It grows with the bytes that
    /// arrive, whatever length was announced.
    pub message: Vec<u8>,
    /// The payload of the control frame that came last; at most 125 bytes.
    pub control: Vec<u8>,
}

impl Scratch {
    /// Makes one without any memory.
    pub const fn new() -> Self {
        Self {
            message: Vec::new(),
            control: Vec::new(),
        }
    }

    /// Reads the message as text.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Text`] if it is not UTF-8 (RFC 6455 section 8.1).
    pub fn text(&self) -> Result<&str, ProtocolError> {
        str::from_utf8(&self.message).map_err(|_| ProtocolError::Text)
    }

    /// Reads the control frame as a close frame (RFC 6455 section 5.5.1); `None` if it says nothing.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::CloseLength`] if there is half a code, [`ProtocolError::CloseCode`] if it is one that must not be
    /// sent, [`ProtocolError::CloseReason`] if what follows is not UTF-8.
    pub fn close_frame(&self) -> Result<Option<CloseFrame>, ProtocolError> {
        match self.control[..] {
            [] => Ok(None),
            [_] => Err(ProtocolError::CloseLength),
            [high, low, ref reason @ ..] => {
                let number = u16::from_be_bytes([high, low]);
                let code = CloseCode::new(number).ok_or(ProtocolError::CloseCode(number))?;
                let reason = str::from_utf8(reason).map_err(|_| ProtocolError::CloseReason)?;
                Ok(Some(CloseFrame::new(code, reason.to_owned())))
            }
        }
    }

    /// Gives memory back that is more than twice what stands here: of a connection that keeps the scratch for the beginning
    /// of a message, behind the longer ones of others.
    pub fn fit(&mut self) {
        for payload in [&mut self.message, &mut self.control] {
            if payload.capacity() > payload.len().saturating_mul(2).max(LEAST) {
                payload.shrink_to_fit();
            }
        }
    }

    /// Forgets the payloads and gives memory beyond `keep` bytes back, so that one long message does not cost its length
    /// forever.
    pub fn trim(&mut self, keep: usize) {
        self.message.clear();
        self.message.shrink_to(keep);
        self.control.clear();
    }
}

/// Bytes of memory that are not worth giving back.
const LEAST: usize = 128;

/// Tells lengths: payloads do not belong in logs.
impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch")
            .field("message", &self.message.len())
            .field("control", &self.control.len())
            .finish()
    }
}
