//! What an answer has to know of its request.

use http::{Method, Version};

use super::MethodKind;

/// What a response has to know of its request: a few bits to keep after the head has become a request.
///
/// The default is [`UNREADABLE`](Self::UNREADABLE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchange(u8);

/// The peer speaks HTTP/1.0: no chunks, no interim responses, keep-alive only when said.
const HTTP10: u8 = 1;
/// The connection stays open unless the response says otherwise.
const KEEP_ALIVE: u8 = 2;
/// 101 is a possible answer.
const UPGRADE: u8 = 4;
/// The methods that change what a response may carry.
const CONNECT: u8 = 8;
const HEAD: u8 = 16;

impl Exchange {
    /// For the answer to something that could not be read: HTTP/1.1, and the connection closes after it.
    pub const UNREADABLE: Exchange = Exchange(0);

    /// Notes what the answer to a request with this method and version has to know.
    pub(in crate::h1) fn new(
        method: &Method,
        version: Version,
        keep_alive: bool,
        upgrade: bool,
    ) -> Self {
        let method = match MethodKind::of(method) {
            MethodKind::Connect => CONNECT,
            MethodKind::Head => HEAD,
            MethodKind::Other => 0,
        };
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let http10 = flag(version == Version::HTTP_10, HTTP10);
        Self(method | http10 | flag(keep_alive, KEEP_ALIVE) | flag(upgrade, UPGRADE))
    }

    /// Returns the same exchange as the last one of its connection: the response will say `Connection: close`.
    ///
    /// For a server that stops, or that does not want to read the rest of a request's body.
    #[must_use]
    pub fn closing(self) -> Self {
        Self(self.0 & !KEEP_ALIVE)
    }

    /// Says whether nothing but a plain answer with a body is called for: HTTP/1.1, not HEAD, not CONNECT, kept open.
    pub(in crate::h1) fn is_usual(self) -> bool {
        self.0 & !UPGRADE == KEEP_ALIVE
    }

    /// Says whether the request lets the connection stay open.
    pub fn keep_alive(self) -> bool {
        self.has(KEEP_ALIVE)
    }

    /// Says whether the peer speaks HTTP/1.0, where a body of unknown length ends with the connection.
    pub fn is_http10(self) -> bool {
        self.has(HTTP10)
    }

    /// Says whether the peer offers to change the protocol.
    pub fn offers_upgrade(self) -> bool {
        self.has(UPGRADE)
    }

    pub(in crate::h1) fn is_connect(self) -> bool {
        self.has(CONNECT)
    }

    pub(in crate::h1) fn is_head(self) -> bool {
        self.has(HEAD)
    }

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}
