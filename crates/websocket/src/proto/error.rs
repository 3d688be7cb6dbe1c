//! What the other end may do wrong, and the code that each wrong is answered with.

use std::error::Error;
use std::fmt;

use super::CloseCode;

/// The other end broke the protocol, or a limit of this end. The connection is closed with [`close_code`](Self::close_code).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Compressed data that does not inflate (RFC 7692 section 7.2.2).
    BadDeflate,
    /// A close frame with a code that must not be sent.
    CloseCode(u16),
    /// A close frame whose payload is one byte, which is no code.
    CloseLength,
    /// A close frame whose reason is not UTF-8.
    CloseReason,
    /// A control frame in more than one part.
    ControlFragmented,
    /// A control frame of more than 125 bytes.
    ControlLength,
    /// A frame longer than the limit.
    FrameTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The most significant bit of a 64-bit length, which must be zero.
    LengthSign,
    /// A length in more bytes than it needs.
    LengthNotMinimal,
    /// A frame from a server that is masked.
    Masked,
    /// A message longer than the limit, or longer when inflated.
    MessageTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message that begins inside another one.
    MessageInterrupted,
    /// A continuation of nothing.
    NothingToContinue,
    /// An opcode that is reserved.
    OpCode(u8),
    /// Bits that no extension was agreed for.
    ReservedBits(u8),
    /// Text that is not UTF-8.
    Text,
    /// A message in too many frames.
    TooManyFragments {
        /// The limit.
        limit: usize,
    },
    /// A frame from a client that is not masked.
    Unmasked,
}

impl ProtocolError {
    /// Returns the code to close the connection with.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::BadDeflate | Self::CloseReason | Self::Text => CloseCode::INVALID_DATA,
            Self::FrameTooLong { .. }
            | Self::MessageTooLong { .. }
            | Self::TooManyFragments { .. } => CloseCode::TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadDeflate => f.write_str("compressed data cannot be inflated"),
            Self::CloseCode(code) => write!(f, "close code {code} must not be sent"),
            Self::CloseLength => f.write_str("a close frame of one byte has no whole code"),
            Self::CloseReason => f.write_str("the reason in a close frame is not UTF-8"),
            Self::ControlFragmented => f.write_str("a control frame is fragmented"),
            Self::ControlLength => f.write_str("a control frame of more than 125 bytes"),
            Self::FrameTooLong { limit } => write!(f, "a frame of more than {limit} bytes"),
            Self::LengthSign => f.write_str("the highest bit of a length is set"),
            Self::LengthNotMinimal => f.write_str("a length takes more bytes than it needs"),
            Self::Masked => f.write_str("a frame from the server is masked"),
            Self::MessageTooLong { limit } => write!(f, "a message of more than {limit} bytes"),
            Self::MessageInterrupted => f.write_str("a message begins inside another one"),
            Self::NothingToContinue => f.write_str("a frame continues no message"),
            Self::OpCode(opcode) => write!(f, "opcode {opcode} is reserved"),
            Self::ReservedBits(bits) => write!(f, "reserved bits {bits:#05b} are set"),
            Self::Text => f.write_str("text is not UTF-8"),
            Self::TooManyFragments { limit } => write!(f, "a message in more than {limit} frames"),
            Self::Unmasked => f.write_str("a frame from the client is not masked"),
        }
    }
}

impl Error for ProtocolError {}
