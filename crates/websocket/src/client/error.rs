//! What can go wrong with connecting.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use squall_http::h1::ParseError;

use super::exchange::Answer;
use super::url::Unusable;
use crate::proto::deflate::ExtensionError;
use crate::proto::handshake::AnswerError;

/// A WebSocket that was not opened.
///
/// Displays as the URL and what happened: `ws://127.0.0.1:1/: connection refused, nothing listens there`. Passwords are left
/// out.
pub struct ConnectError {
    /// Boxed, so that results stay small.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: Kind,
    /// The URL, as far as it may be shown.
    url: String,
    /// The proxy, if it was on the way to it, or at it, that things went wrong.
    proxy: Option<String>,
}

/// An answer that opens nothing.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The beginning.
    pub(crate) body: Bytes,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// 101, but not to what was asked.
    Answer(AnswerError),
    BadRequest(String),
    BadUrl(String),
    /// The server closed the connection before the answer was complete; tells whether any of it had come.
    Closed {
        answered: bool,
    },
    Connect(io::Error),
    /// 101, but with extensions that make no sense.
    Extension(ExtensionError),
    Lost(io::Error),
    Malformed(ParseError),
    Refused(Box<Refusal>),
    Timeout(Duration),
    Tls,
    /// Bytes came through the tunnel before anything was said.
    Unasked,
}

impl ConnectError {
    pub(crate) fn new(kind: Kind, url: String, proxy: Option<String>) -> Self {
        Self {
            inner: Box::new(Inner { kind, url, proxy }),
        }
    }

    /// Says whether the URL, or that of the proxy, is none that can be used. The latter if
    /// [`is_proxy`](Self::is_proxy), too.
    pub fn is_bad_url(&self) -> bool {
        matches!(self.inner.kind, Kind::BadUrl(_) | Kind::Tls)
    }

    /// Says whether the request is one that must not be sent: a bad field or subprotocol, or a bad URL.
    pub fn is_bad_request(&self) -> bool {
        self.is_bad_url() || matches!(self.inner.kind, Kind::BadRequest(_))
    }

    /// Says whether the connection was closed or lost before the answer was complete.
    pub fn is_closed(&self) -> bool {
        matches!(self.inner.kind, Kind::Closed { .. } | Kind::Lost(_))
    }

    /// Says whether the server, or the proxy, could not be found, reached, or trusted.
    pub fn is_connect(&self) -> bool {
        matches!(self.inner.kind, Kind::Connect(_))
    }

    /// Says whether the answer broke a rule of HTTP or of the opening handshake.
    pub fn is_malformed(&self) -> bool {
        matches!(
            self.inner.kind,
            Kind::Answer(_) | Kind::Extension(_) | Kind::Malformed(_) | Kind::Unasked
        )
    }

    /// Says whether it was on the way to the proxy, or at it, that things went wrong.
    pub fn is_proxy(&self) -> bool {
        self.inner.proxy.is_some()
    }

    /// Says whether the time limit was over ([`WebSocketConnect::connect_timeout`](crate::WebSocketConnect::connect_timeout)).
    pub fn is_timeout(&self) -> bool {
        matches!(self.inner.kind, Kind::Timeout(_))
    }

    /// Returns the status of an answer that opened nothing: 401, 403, a redirect (which is not followed), 503.
    pub fn status(&self) -> Option<StatusCode> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// Returns the fields of an answer that opened nothing.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.refusal().map(|refusal| &refusal.headers)
    }

    /// Returns the beginning of the body of an answer that opened nothing, at most 4096 bytes; nothing of other errors.
    pub fn body(&self) -> &[u8] {
        self.refusal().map_or(&[], |refusal| &refusal.body)
    }

    /// Returns how long an answer asks to wait before the next attempt: `Retry-After` (RFC 9110 section 10.2.3), in seconds
    /// or as a date, which is held against the clock of this machine. The server may have written anything: it should not be
    /// followed without a limit.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.refusal()?.headers.get(RETRY_AFTER)?.to_str().ok()?;
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Says whether the same attempt may succeed later: a server that could not be reached or did not answer in time, or that
    /// answered 408, 425, 429, or a status from 500 on but for 501 and 505. Other answers, and what is wrong with the
    /// request itself, would stay the same.
    pub fn may_retry(&self) -> bool {
        match &self.inner.kind {
            Kind::Closed { .. } | Kind::Connect(_) | Kind::Lost(_) | Kind::Timeout(_) => true,
            Kind::Refused(refusal) => match refusal.status.as_u16() {
                408 | 425 | 429 => true,
                501 | 505 => false,
                status => status >= 500,
            },
            _ => false,
        }
    }

    fn refusal(&self) -> Option<&Refusal> {
        match &self.inner.kind {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl Kind {
    pub(crate) fn refused(answer: Answer) -> Self {
        Self::Refused(Box::new(Refusal {
            status: answer.head.status,
            headers: answer.head.headers,
            body: answer.body,
        }))
    }

    pub(crate) fn unusable(reason: Unusable) -> Self {
        match reason {
            Unusable::Bad(reason) => Self::BadUrl(reason),
            Unusable::Tls => Self::Tls,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, url, proxy } = &*self.inner;
        match proxy {
            Some(proxy) => write!(f, "{url}: by the proxy {proxy}: {kind}"),
            None => write!(f, "{url}: {kind}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(err) => write!(f, "the handshake failed: {err}"),
            Self::BadRequest(reason) => write!(f, "bad request: {reason}"),
            Self::BadUrl(reason) => write!(f, "bad url: {reason}"),
            Self::Closed { answered: false } => f.write_str("closed without an answer"),
            Self::Closed { answered: true } => f.write_str("closed amid the answer"),
            Self::Connect(err) if err.kind() == io::ErrorKind::ConnectionRefused => {
                f.write_str("connection refused, nothing listens there")
            }
            Self::Connect(err) => write!(f, "cannot connect: {err}"),
            Self::Extension(err) => write!(f, "the handshake failed: {err}"),
            Self::Lost(err) => write!(f, "connection lost: {err}"),
            Self::Malformed(err) => write!(f, "unusable answer: {err}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Timeout(limit) => write!(f, "no WebSocket within {limit:?}"),
            Self::Tls => {
                f.write_str("TLS is not built in; turn the feature tls on, or do without it")
            }
            Self::Unasked => f.write_str("bytes came before anything was said to the server"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}", self.status.as_u16())?;
        if let Some(reason) = self.status.canonical_reason() {
            write!(f, " {reason}")?;
        }
        if let Some(place) = self.headers.get(LOCATION)
            && self.status.is_redirection()
        {
            let place = super::url::label(&String::from_utf8_lossy(place.as_bytes()));
            write!(f, ": a redirect to {place}, which is not followed")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectError({self})")
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The texts of the causes are part of this one's, so their own causes come next.
        match &self.inner.kind {
            Kind::Connect(err) | Kind::Lost(err) => err.source(),
            _ => None,
        }
    }
}

impl From<ConnectError> for io::Error {
    fn from(err: ConnectError) -> Self {
        let kind = match &err.inner.kind {
            Kind::Connect(cause) | Kind::Lost(cause) => cause.kind(),
            Kind::BadRequest(_) | Kind::BadUrl(_) => io::ErrorKind::InvalidInput,
            Kind::Closed { .. } => io::ErrorKind::UnexpectedEof,
            Kind::Answer(_) | Kind::Extension(_) | Kind::Malformed(_) | Kind::Unasked => {
                io::ErrorKind::InvalidData
            }
            Kind::Refused(_) => io::ErrorKind::Other,
            Kind::Timeout(_) => io::ErrorKind::TimedOut,
            Kind::Tls => io::ErrorKind::Unsupported,
        };
        Self::new(kind, err)
    }
}
