//! What can go wrong with a connection.

use std::error::Error;
use std::fmt;
use std::io;

use crate::proto::CloseFrame;

/// What became of a message that was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// Nothing stands before it: it leaves at the end of the loop's turn at the latest.
    Now,
    /// It waits, for the other end is slower than what it is sent.
    Queued {
        /// How many bytes wait, this message included.
        bytes: usize,
    },
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SendError {
    /// The connection is closed, or about to be.
    Closed,
    /// So much waits already that there is no room for more
    /// ([`WebSocketOptions::max_queued`](crate::WebSocketOptions::max_queued)).
    QueueFull {
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the WebSocket is closed"),
            Self::QueueFull { limit } => write!(
                f,
                "the other end is too slow: {limit} bytes wait for it already (max_queued)"
            ),
        }
    }
}

impl Error for SendError {}

/// Why a connection ended otherwise than by a close frame.
#[derive(Debug)]
#[non_exhaustive]
pub enum WebSocketError {
    /// It ended without a goodbye, or this end gave up: the code is 1006, or the one that this end sent for what the other
    /// end did wrong.
    Closed(CloseFrame),
    /// The transport failed.
    Io(io::Error),
}

impl fmt::Display for WebSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(frame) => write!(f, "the WebSocket ended with code {frame}"),
            Self::Io(error) => write!(f, "the WebSocket's connection failed: {error}"),
        }
    }
}

impl Error for WebSocketError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed(_) => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for WebSocketError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
