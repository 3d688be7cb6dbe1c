//! The heads of requests and responses, with everything framing needs already worked out.

mod block;
mod request;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};

use super::BodyKind;

pub(super) use block::{Block, Field};
pub use request::{Fields, RequestHead};

/// The head of a response.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResponseHead {
    /// The status: 100 to 999, though what is beyond 599 should be taken for a 500 (RFC 9110 §15).
    pub status: StatusCode,
    /// The reason phrase as sent, without a CR, LF or other control; may be empty, may be other than UTF-8.
    pub reason: Bytes,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// All fields, values without surrounding white space.
    pub headers: HeaderMap,
    /// How the body is delimited.
    pub body: BodyKind,
    /// Whether the connection can carry another request once this response is complete (RFC 9112 §9.3).
    pub keep_alive: bool,
}

impl ResponseHead {
    /// Says whether this is an interim response (1xx other than 101): no `End` follows it, but another head.
    pub fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }
}

/// What a response has to know of its request: a few bits to keep after the head has become a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The methods that change what a response may carry.
    pub(super) method: MethodKind,
    /// The peer speaks HTTP/1.0: no chunks, no interim responses, keep-alive only when said.
    pub(super) http10: bool,
    /// The connection stays open unless the response says otherwise.
    pub(super) keep_alive: bool,
    /// 101 is a possible answer.
    pub(super) upgrade: bool,
}

impl Exchange {
    /// For the answer to something that could not be read: HTTP/1.1, and the connection closes after it.
    pub const UNREADABLE: Exchange = Exchange {
        method: MethodKind::Other,
        http10: false,
        keep_alive: false,
        upgrade: false,
    };

    /// Returns the same exchange as the last one of its connection: the response will say `Connection: close`.
    ///
    /// For a server that stops, or that does not want to read the rest of a request's body.
    #[must_use]
    pub fn closing(self) -> Self {
        Self {
            keep_alive: false,
            ..self
        }
    }

    /// Says whether nothing but a plain answer with a body is called for: HTTP/1.1, not HEAD, not CONNECT, kept open.
    pub(super) fn is_usual(self) -> bool {
        self.method == MethodKind::Other && self.keep_alive && !self.http10
    }

    /// Says whether the request lets the connection stay open.
    pub fn keep_alive(self) -> bool {
        self.keep_alive
    }
}

/// The methods that have a say in framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MethodKind {
    Connect,
    Head,
    Other,
}

impl MethodKind {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::CONNECT => Self::Connect,
            Method::HEAD => Self::Head,
            _ => Self::Other,
        }
    }
}
