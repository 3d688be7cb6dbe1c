//! The `Date` of a response.

use http::HeaderValue;

/// Bytes of `Sun, 06 Nov 1994 08:49:37 GMT`, as long as every date in the preferred format (RFC 9110 §5.6.7).
const DATE: usize = 29;
const LINE: usize = "date: ".len() + DATE + "\r\n".len();
/// What stands before the line in the usual response, and behind it.
const STATUS: &[u8; 17] = b"HTTP/1.1 200 OK\r\n";
const TYPE: &[u8; 14] = b"content-type: ";

/// The field line of a date, made once for all the answers of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateLine {
    /// With its neighbours in the usual response, which is written with one copy.
    usual: [u8; STATUS.len() + LINE + TYPE.len()],
}

impl DateLine {
    /// Makes the line of a date in the preferred format (RFC 9110 §5.6.7); `None` if it is in another.
    ///
    /// ```
    /// use squall_http::DateLine;
    ///
    /// assert!(DateLine::new("Sun, 06 Nov 1994 08:49:37 GMT").is_some());
    /// assert!(DateLine::new("Sun Nov  6 08:49:37 1994").is_none());
    /// ```
    pub fn new(date: &str) -> Option<Self> {
        if date.len() != DATE || !date.ends_with(" GMT") || HeaderValue::from_str(date).is_err() {
            return None;
        }
        let parts: [&[u8]; 5] = [STATUS, b"date: ", date.as_bytes(), b"\r\n", TYPE];
        let mut usual = [0; STATUS.len() + LINE + TYPE.len()];
        for (place, byte) in usual.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        Some(Self { usual })
    }

    /// Returns the line, CRLF included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.usual[STATUS.len()..STATUS.len() + LINE]
    }

    /// Returns the start of the usual response: its status line, the date, and the name of its one field.
    pub(crate) fn usual(&self) -> &[u8; STATUS.len() + LINE + TYPE.len()] {
        &self.usual
    }
}
