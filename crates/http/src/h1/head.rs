//! The heads of requests and responses, with everything framing needs already worked out.

mod block;
mod exchange;
mod name;
mod request;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};

use super::BodyKind;

pub(super) use block::{Block, Field};
pub use exchange::Exchange;
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
