//! The protocol alone (RFC 6455, RFC 7692): bytes in, events and bytes out. No I/O, no clock, no randomness.

mod close;
mod decoder;
pub mod deflate;
mod encode;
mod error;
pub mod handshake;
mod limits;
pub mod mask;
mod scratch;
mod utf8;

pub use close::{CloseCode, CloseFrame};
pub use decoder::{Decoder, Event};
pub use encode::{FrameHead, write_close, write_frame};
pub use error::ProtocolError;
pub use limits::Limits;
pub use scratch::Scratch;

/// Which end of a connection this is. A client masks what it sends, a server must not (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// The end that has asked for the connection.
    Client,
    /// The end that has accepted it.
    Server,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

/// What a frame is for (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum OpCode {
    /// Goes on with a message that has begun.
    Continuation = 0,
    /// Begins a message of text.
    Text = 1,
    /// Begins a message of bytes.
    Binary = 2,
    /// Ends the connection.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping, or shows life unasked.
    Pong = 10,
}

impl OpCode {
    /// Reads it from the low four bits of a frame's first byte; `None` if they are reserved.
    pub fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it controls the connection, in place of carrying a message.
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

impl From<MessageKind> for OpCode {
    fn from(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }
}
