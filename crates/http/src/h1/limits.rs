//! What a peer may make a decoder hold or count.

use super::ParseError;

/// The limits of one decoder; every one is always on.
///
/// The struct is small and `Copy`, and a decoder between two messages knows nothing but its limits, so a server
/// may drop the decoder of an idle connection and make a new one when bytes arrive.
///
/// # Examples
///
/// ```
/// use squall_http::h1::Limits;
/// let limits = Limits { head_bytes: 16 * 1024, ..Limits::default() };
/// assert_eq!(limits.headers, 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, from the first byte of its first line to its closing empty line. Default 65,536, enough
    /// for the largest cookies in the wild. A longer head is [`ParseError::HeadTooLarge`](super::ParseError), 431.
    ///
    /// The caller keeps an incomplete head in its own buffer, so that must be able to hold as much.
    pub head_bytes: usize,
    /// Bytes of a request target. Default 8,192 (RFC 9112 §3 asks for at least 8,000); 65,534 is the most that
    /// [`http::Uri`] can hold, and larger settings mean that. A longer one is
    /// [`ParseError::TargetTooLong`](super::ParseError), 414.
    pub target_bytes: usize,
    /// Field lines of a head, and separately of a trailer section. Default 100, several times what browsers and
    /// proxies send; larger settings than 16,384 mean that. One more is
    /// [`ParseError::TooManyHeaders`](super::ParseError), 431.
    pub headers: usize,
    /// Bytes of a body after its framing is taken off. Default 104,857,600 (100 MiB). A longer one is
    /// [`ParseError::BodyTooLarge`](super::ParseError), 413: at the head when `Content-Length` says so, when the
    /// chunk that crosses the limit is announced, or, in a response that lasts until the end of the connection, when the
    /// bytes within the limit have been handed out and there is one more. `u64::MAX` leaves the choice to whoever reads the body.
    pub body_bytes: u64,
    /// Bytes of all chunk extensions of one body together. Default 16,384; nobody sends any, they are skipped.
    /// More is [`ParseError::ChunkExtensionsTooLong`](super::ParseError), 400.
    pub chunk_extension_bytes: usize,
    /// Bytes of a trailer section with its closing empty line. Default 4,096. More is
    /// [`ParseError::TrailersTooLarge`](super::ParseError), 431.
    pub trailer_bytes: usize,
    /// Interim responses (1xx) before the final one, for [`ResponseDecoder`](super::ResponseDecoder) only. Default 10.
    /// One more is [`ParseError::TooManyInterim`](super::ParseError).
    pub interim_responses: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            target_bytes: 8 * 1024,
            headers: 100,
            body_bytes: 100 * 1024 * 1024,
            chunk_extension_bytes: 16 * 1024,
            trailer_bytes: 4 * 1024,
            interim_responses: 10,
        }
    }
}

/// Field lines that [`http::HeaderMap`] takes without a doubt.
const MOST_HEADERS: usize = 16 * 1024;

impl Limits {
    /// Returns the value of the limit that `err` names; `None` if it is about something else.
    ///
    /// For whoever reports the error: its text has the name alone, because the value is a matter of configuration.
    ///
    /// ```
    /// use squall_http::h1::{Limits, ParseError};
    /// assert_eq!(Limits::default().value(ParseError::HeadTooLarge), Some(65_536));
    /// assert_eq!(Limits::default().value(ParseError::BareLf), None);
    /// ```
    pub fn value(&self, err: ParseError) -> Option<u64> {
        let bytes_or_number = match err {
            ParseError::BodyTooLarge => return Some(self.body_bytes),
            ParseError::TooManyInterim => return Some(self.interim_responses.into()),
            ParseError::ChunkExtensionsTooLong => self.chunk_extension_bytes,
            ParseError::HeadTooLarge => self.head_bytes,
            ParseError::TargetTooLong => self.target_bytes,
            ParseError::TooManyHeaders => self.headers,
            ParseError::TrailersTooLarge => self.trailer_bytes,
            _ => return None,
        };
        Some(bytes_or_number as u64)
    }

    /// Returns the limits as decoders use them.
    pub(super) fn bounded(self) -> Self {
        Self {
            headers: self.headers.min(MOST_HEADERS),
            ..self
        }
    }
}
