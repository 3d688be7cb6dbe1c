//! The body on its way out, of either side.

use http::HeaderMap;

use super::fields::{hexadecimal, last_chunk};
use crate::h1::WriteError;

/// How the body of the current message is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BodyWriter {
    /// Between two messages.
    #[default]
    Idle,
    /// In chunks.
    Chunked,
    /// So many bytes are missing.
    Length(u64),
    /// As it comes: until the connection closes, or after HTTP.
    Raw,
    /// Not at all: the response must not have one.
    Suppressed,
}

impl BodyWriter {
    /// Says whether a head may be written now.
    pub(super) fn is_idle(self) -> bool {
        self == Self::Idle
    }

    /// Appends one piece.
    pub(super) fn data(&mut self, out: &mut Vec<u8>, piece: &[u8]) -> Result<(), WriteError> {
        self.data_start(out, piece.len())?;
        if !piece.is_empty() && *self != Self::Suppressed {
            out.extend_from_slice(piece);
            self.data_end(out);
        }
        Ok(())
    }

    /// Appends what goes before a piece; nothing for an empty one, since an empty chunk would end the body.
    pub(super) fn data_start(&mut self, out: &mut Vec<u8>, bytes: usize) -> Result<(), WriteError> {
        let bytes = bytes as u64;
        match self {
            Self::Idle => return Err(WriteError::OutOfOrder),
            Self::Chunked if bytes > 0 => {
                hexadecimal(out, bytes);
                out.extend_from_slice(b"\r\n");
            }
            Self::Length(left) => {
                *left = left.checked_sub(bytes).ok_or(WriteError::BodyTooLong)?;
            }
            Self::Chunked | Self::Raw | Self::Suppressed => {}
        }
        Ok(())
    }

    /// Appends what goes after a piece.
    pub(super) fn data_end(self, out: &mut Vec<u8>) {
        if self == Self::Chunked {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Ends the message.
    pub(super) fn end(
        &mut self,
        out: &mut Vec<u8>,
        trailers: Option<&HeaderMap>,
    ) -> Result<(), WriteError> {
        match self {
            Self::Idle => return Err(WriteError::OutOfOrder),
            Self::Chunked => last_chunk(out, trailers)?,
            Self::Length(0) | Self::Raw | Self::Suppressed => {}
            Self::Length(_) => return Err(WriteError::BodyTooShort),
        }
        *self = Self::Idle;
        Ok(())
    }
}
