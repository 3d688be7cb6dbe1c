//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::client::ConnectError;
use crate::error::WebSocketError;
use crate::proto::{CloseCode, CloseFrame};

/// Why a [`ReconnectingWebSocket`](crate::ReconnectingWebSocket) has no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum DisconnectCause {
    /// The server has closed it, or this end has; by which code.
    Closed(CloseFrame),
    /// It could not be opened.
    Connect(ConnectError),
    /// It was lost without a goodbye.
    Lost(WebSocketError),
}

impl DisconnectCause {
    /// A close frame without a code is code 1005.
    pub(super) fn of_close(frame: Option<CloseFrame>) -> Self {
        Self::Closed(frame.unwrap_or_else(|| CloseFrame::new(CloseCode::NO_STATUS, "")))
    }

    /// Whether another attempt would end the same way, or is not wanted.
    ///
    /// That is a failure to connect that [would stay the same](ConnectError::may_retry), and these close codes: 1000 (all is
    /// done), 1002, 1003, 1007, 1009 and 1010 (this end did what it would do again), 1008 (it is not let in), and 3000 and
    /// 3003 (the same, in the words of HTTP). Codes from 4000 on mean what an application says; they are tried again.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Closed(frame) => matches!(
                frame.code.get(),
                1000 | 1002 | 1003 | 1007..=1010 | 3000 | 3003
            ),
            Self::Connect(err) => !err.may_retry(),
            Self::Lost(_) => false,
        }
    }

    /// How long the server wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Connect(err) => err.retry_after(),
            Self::Closed(_) | Self::Lost(_) => None,
        }
    }
}

impl fmt::Display for DisconnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(frame) => write!(f, "closed with code {frame}"),
            Self::Connect(err) => err.fmt(f),
            Self::Lost(err) => err.fmt(f),
        }
    }
}

impl Error for DisconnectCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The texts of the causes are part of this one's, so their own causes come next.
        match self {
            Self::Closed(_) => None,
            Self::Connect(err) => err.source(),
            Self::Lost(err) => err.source(),
        }
    }
}
