//! Why a body did not arrive whole.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use http::StatusCode;

use crate::h1::ParseError;

/// A body that did not arrive whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// Its sender was dropped before it had finished.
    Aborted,
    /// The connection ended before the body did.
    Disconnected,
    /// The peer broke a rule of framing, or a limit of the decoder.
    Malformed(ParseError),
    /// The application's own stream failed.
    Other(Rc<dyn Error>),
    /// It did not arrive in time.
    TimedOut,
    /// It has more bytes than the reader wanted.
    TooLarge {
        /// What the reader wanted at most, in bytes.
        limit: usize,
    },
}

impl BodyError {
    /// Wraps an error of the application.
    pub fn other(cause: impl Into<Box<dyn Error>>) -> Self {
        Self::Other(Rc::from(cause.into()))
    }

    /// Returns the status that answers a request whose body failed so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Aborted | Self::Disconnected => StatusCode::BAD_REQUEST,
            Self::Malformed(err) => err.status(),
            Self::Other(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted => f.write_str("body abandoned by its sender"),
            Self::Disconnected => f.write_str("connection ended before the body"),
            Self::Malformed(_) => f.write_str("malformed body"),
            Self::Other(_) => f.write_str("body stream failed"),
            Self::TimedOut => f.write_str("body did not arrive in time"),
            Self::TooLarge { limit } => write!(f, "body of more than {limit} bytes"),
        }
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed(err) => Some(err),
            Self::Other(err) => Some(&**err),
            _ => None,
        }
    }
}

impl From<ParseError> for BodyError {
    fn from(err: ParseError) -> Self {
        match err {
            ParseError::Truncated => Self::Disconnected,
            err => Self::Malformed(err),
        }
    }
}
