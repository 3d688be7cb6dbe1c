//! What can go wrong with a fetch.

use std::fmt;
use std::io;
use std::time::Duration;

use squall_http::h1::{ParseError, WriteError};

use crate::url::Unusable;

/// A fetch that got no answer, or, by [`Response::rethrow`](crate::Response::rethrow), one whose status is an error.
///
/// Displays as the request and what happened to it: `GET http://127.0.0.1:1/: connection refused, nothing listens there`.
pub struct Error {
    /// Boxed, so that results stay small.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: Kind,
    /// Method and URL, as far as they are known.
    request: String,
    may_retry: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    BadRequest(String),
    BadUrl(String),
    /// The stream that is the request's body failed.
    Body(String),
    /// The server closed the connection before the answer was complete; tells whether any of it had come.
    Closed {
        answered: bool,
    },
    Connect(io::Error),
    ConnectTimeout(Duration),
    Lost(io::Error),
    Malformed(ParseError),
    RequestTimeout(Duration),
    Status(u16, String),
    Tls,
    /// The server switched to a protocol that nobody had asked for.
    Upgraded,
}

impl Error {
    pub(crate) fn new(kind: Kind, request: impl Into<String>, may_retry: bool) -> Self {
        let inner = Inner {
            kind,
            request: request.into(),
            may_retry,
        };
        Self {
            inner: Box::new(inner),
        }
    }

    /// Says whether the URL cannot be fetched: it is no `http://` URL, nor an `https://` one where TLS is built in.
    pub fn is_bad_url(&self) -> bool {
        matches!(self.inner.kind, Kind::BadUrl(_) | Kind::Tls)
    }

    /// Says whether the request is one that must not be sent: a bad method, header or length, or a bad URL.
    pub fn is_bad_request(&self) -> bool {
        self.is_bad_url() || matches!(self.inner.kind, Kind::BadRequest(_))
    }

    /// Says whether the answer's body is larger than it may be.
    pub fn is_body_too_large(&self) -> bool {
        matches!(self.inner.kind, Kind::Malformed(ParseError::BodyTooLarge))
    }

    /// Says whether the server closed the connection, or the connection was lost, before the answer was complete.
    pub fn is_closed(&self) -> bool {
        matches!(self.inner.kind, Kind::Closed { .. } | Kind::Lost(_))
    }

    /// Says whether the server could not be found or reached, in time or at all; it has seen nothing of the request.
    pub fn is_connect(&self) -> bool {
        matches!(self.inner.kind, Kind::Connect(_) | Kind::ConnectTimeout(_))
    }

    /// Says whether the answer broke a rule of HTTP, or a limit.
    pub fn is_malformed(&self) -> bool {
        matches!(self.inner.kind, Kind::Malformed(_) | Kind::Upgraded)
    }

    /// Says whether a time limit was over.
    pub fn is_timeout(&self) -> bool {
        matches!(
            self.inner.kind,
            Kind::ConnectTimeout(_) | Kind::RequestTimeout(_)
        )
    }

    /// Returns the status, if that is the error: see [`Response::rethrow`](crate::Response::rethrow).
    pub fn status(&self) -> Option<u16> {
        match self.inner.kind {
            Kind::Status(code, _) => Some(code),
            _ => None,
        }
    }

    /// Says whether the same request may be sent again without being done twice: the server has seen nothing of it, or
    /// its method is idempotent (RFC 9110 §9.2.2) and nothing of an answer came.
    pub fn may_retry(&self) -> bool {
        self.inner.may_retry
    }
}

impl Kind {
    pub(crate) fn unusable(reason: Unusable) -> Self {
        match reason {
            Unusable::Bad(reason) => Self::BadUrl(reason),
            Unusable::Tls => Self::Tls,
        }
    }

    pub(crate) fn write(err: WriteError) -> Self {
        Self::BadRequest(err.to_string())
    }

    /// Says whether the connection died before anything of an answer came.
    pub(crate) fn is_silent_death(&self) -> bool {
        matches!(self, Self::Closed { answered: false } | Self::Lost(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.inner.request, self.inner.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest(reason) => write!(f, "bad request: {reason}"),
            Self::BadUrl(reason) => write!(f, "bad url: {reason}"),
            Self::Body(reason) => write!(f, "the request's body failed: {reason}"),
            Self::Closed { answered: false } => {
                f.write_str("the server closed the connection without an answer")
            }
            Self::Closed { answered: true } => {
                f.write_str("the server closed the connection amid its answer")
            }
            Self::Connect(err) if err.kind() == io::ErrorKind::ConnectionRefused => {
                f.write_str("connection refused, nothing listens there")
            }
            Self::Connect(err) => write!(f, "cannot connect: {err}"),
            Self::ConnectTimeout(limit) => write!(f, "no connection within {limit:?}"),
            Self::Lost(err) => write!(f, "connection lost: {err}"),
            Self::Malformed(err) => write!(f, "unusable answer: {err}"),
            Self::RequestTimeout(limit) => write!(f, "no complete answer within {limit:?}"),
            // Not ASCII alone, so there may be controls beyond it.
            Self::Status(code, reason) => write!(
                f,
                "the server answered {code} {}",
                reason.replace(char::is_control, "?")
            ),
            Self::Tls => f.write_str("TLS is not built in; turn the feature tls on, or use http"),
            Self::Upgraded => f.write_str("the server switched protocols without being asked"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The texts of the causes are part of this one's, so their own causes come next.
        match &self.inner.kind {
            Kind::Connect(err) | Kind::Lost(err) => err.source(),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(err: Error) -> Self {
        let kind = match &err.inner.kind {
            Kind::Connect(cause) | Kind::Lost(cause) => cause.kind(),
            Kind::BadRequest(_) | Kind::BadUrl(_) => io::ErrorKind::InvalidInput,
            Kind::Closed { .. } => io::ErrorKind::UnexpectedEof,
            Kind::ConnectTimeout(_) | Kind::RequestTimeout(_) => io::ErrorKind::TimedOut,
            Kind::Malformed(_) | Kind::Upgraded => io::ErrorKind::InvalidData,
            Kind::Tls => io::ErrorKind::Unsupported,
            Kind::Body(_) | Kind::Status(..) => io::ErrorKind::Other,
        };
        Self::new(kind, err)
    }
}
