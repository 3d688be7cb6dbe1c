//! What can be wrong with either side of an opening handshake.

use std::error::Error;
use std::fmt;

use http::header::{ALLOW, CONNECTION, HeaderValue, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, StatusCode};

use super::{VERSION, WEBSOCKET};

/// Why a request does not become a WebSocket; a rule of RFC 6455 section 4.2.1 unless another one is named.
///
/// Its text is for the client to see.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The request has a body, which would be taken for frames.
    Body,
    /// `Connection` does not list `upgrade`.
    Connection,
    /// HTTP/1.0, which knows no upgrades (RFC 9110 section 7.8).
    HttpVersion,
    /// `Sec-WebSocket-Key` is not sixteen bytes in base64.
    Key,
    /// There is no `Sec-WebSocket-Key`.
    KeyMissing,
    /// The method is not GET.
    Method,
    /// The application has chosen a subprotocol that the client has not offered (RFC 6455 section 4.2.2): a mistake of ours.
    NotOffered(String),
    /// The page that asks is of another origin (RFC 6455 section 10.2); which, as far as it is known.
    Origin(String),
    /// A field that must come once comes again.
    Repeated(HeaderName),
    /// A subprotocol whose name is not a token.
    Subprotocol(String),
    /// `Upgrade` does not list `websocket`: a usual request at a place where a WebSocket is.
    Upgrade,
    /// `Sec-WebSocket-Version` is missing or is not 13 (RFC 6455 section 4.4).
    Version(Option<String>),
}

impl HandshakeError {
    /// Returns the status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotOffered(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::Upgrade | Self::Version(_) => StatusCode::UPGRADE_REQUIRED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Returns the fields that the answer has to have: `Allow` with a 405 (RFC 9110 section 15.5.6), `Upgrade` (RFC 9110
    /// section 15.5.22) and `Sec-WebSocket-Version` (RFC 6455 section 4.4) with a 426.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match self.status() {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
            }
            _ => {}
        }
        headers
    }
}

impl From<HeaderName> for HandshakeError {
    fn from(repeated: HeaderName) -> Self {
        Self::Repeated(repeated)
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("a request for a websocket has no body"),
            Self::Connection => f.write_str("connection does not list upgrade"),
            Self::HttpVersion => f.write_str("a websocket needs HTTP/1.1"),
            Self::Key => f.write_str("sec-websocket-key is not sixteen bytes in base64"),
            Self::KeyMissing => f.write_str("sec-websocket-key is missing"),
            Self::Method => f.write_str("a websocket is asked for by GET"),
            Self::NotOffered(name) => {
                write!(
                    f,
                    "the chosen subprotocol {name:?} was not offered by the client"
                )
            }
            Self::Origin(origin) if origin.is_empty() => {
                f.write_str("pages of other origins may not open this websocket")
            }
            Self::Origin(origin) => write!(f, "pages of {origin} may not open this websocket"),
            Self::Repeated(field) => write!(f, "more than one {field}"),
            Self::Subprotocol(name) => write!(f, "invalid name of a subprotocol: {name}"),
            Self::Upgrade => f.write_str("there is a websocket here, upgrade to it"),
            Self::Version(None) => {
                write!(
                    f,
                    "sec-websocket-version is missing, {VERSION} is spoken here"
                )
            }
            Self::Version(Some(version)) => {
                write!(
                    f,
                    "websocket version {version} is not spoken here, {VERSION} is"
                )
            }
        }
    }
}

impl Error for HandshakeError {}

/// Why a request for a WebSocket must not be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// A field that the handshake itself sets.
    Header(HeaderName),
    /// A subprotocol whose name is not a token (RFC 6455 section 4.1).
    Subprotocol(String),
    /// A subprotocol that is offered twice (RFC 6455 section 4.1).
    SubprotocolRepeated(String),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "the field {name} is set by the handshake itself"),
            Self::Subprotocol(name) => write!(f, "invalid name of a subprotocol: {name:?}"),
            Self::SubprotocolRepeated(name) => {
                write!(f, "the subprotocol {name:?} is offered twice")
            }
        }
    }
}

impl Error for RequestError {}

/// Why an answer opens no WebSocket; a rule of RFC 6455 section 4.1 ("Once the client's opening handshake has been sent").
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnswerError {
    /// `Sec-WebSocket-Accept` does not belong to the key: the answer is to something else, from a cache perhaps.
    Accept,
    /// There is no `Sec-WebSocket-Accept`.
    AcceptMissing,
    /// `Connection` does not list `upgrade`.
    Connection,
    /// An extension that was not offered, or more often than it was; its name.
    Extension(String),
    /// A field that must come once comes again.
    Repeated(HeaderName),
    /// The status is not 101.
    Status(StatusCode),
    /// A subprotocol that was not offered.
    Subprotocol(String),
    /// `Upgrade` does not name `websocket`.
    Upgrade,
}

impl From<HeaderName> for AnswerError {
    fn from(repeated: HeaderName) -> Self {
        Self::Repeated(repeated)
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept => f.write_str("sec-websocket-accept does not belong to the key"),
            Self::AcceptMissing => f.write_str("sec-websocket-accept is missing"),
            Self::Connection => f.write_str("connection does not list upgrade"),
            Self::Extension(name) => write!(f, "the extension {name} was not offered"),
            Self::Repeated(field) => write!(f, "more than one {field}"),
            Self::Status(status) => write!(f, "status {}", status.as_u16()),
            Self::Subprotocol(name) => write!(f, "the subprotocol {name} was not offered"),
            Self::Upgrade => f.write_str("the answer upgrades to something else than a websocket"),
        }
    }
}

impl Error for AnswerError {}
