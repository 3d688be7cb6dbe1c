//! What comes out of a decoder.

use http::HeaderMap;

/// The trailer fields of a chunked body; `None` when there were none or the body was not chunked.
///
/// They are kept apart from the head's fields for good: merging them is how trailers become smuggling
/// (RFC 9110 §6.5.1).
pub type Trailers = Option<Box<HeaderMap>>;

/// One step of a message; `H` is [`RequestHead`](super::RequestHead) or [`ResponseHead`](super::ResponseHead).
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a, H> {
    /// The message has begun.
    Head(H),
    /// A piece of the body, never empty, borrowed from the input.
    Data(&'a [u8]),
    /// The message is complete; the next event belongs to the next message.
    End(Trailers),
}

/// How a body is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// There is none: [`Event::End`] follows at once (except after an interim response).
    Empty,
    /// Exactly so many bytes, at least one.
    Length(u64),
    /// Chunks, of unknown total length.
    Chunked,
    /// All until the peer closes its side; responses only.
    UntilClose,
    /// Not HTTP any more: what follows the head belongs to the new protocol (101, or 2xx to CONNECT). Responses
    /// only: a request asks with [`RequestHead::upgrade`](super::RequestHead) and the server's answer decides.
    Upgrade,
}

impl BodyKind {
    /// Returns the exact number of bytes of the body, where it is known beforehand.
    pub fn length(self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Length(bytes) => Some(bytes),
            Self::Chunked | Self::UntilClose | Self::Upgrade => None,
        }
    }
}

/// What the end of the peer's bytes meant, if it was not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Eof {
    /// The peer stopped between two messages, or after the protocol was switched.
    Clean,
    /// The body that lasted until the end ([`BodyKind::UntilClose`]) is complete; counts as its [`Event::End`].
    EndOfBody,
}
