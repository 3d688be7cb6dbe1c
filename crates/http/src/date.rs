//! The `Date` of a response.

use http::HeaderValue;

/// Bytes of `Sun, 06 Nov 1994 08:49:37 GMT`, as long as every date in the preferred format (RFC 9110 §5.6.7).
const DATE: usize = 29;
const LINE: usize = "date: ".len() + DATE + "\r\n".len();

/// The field line of a date, made once for all the answers of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateLine {
    line: [u8; LINE],
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
        let parts: [&[u8]; 3] = [b"date: ", date.as_bytes(), b"\r\n"];
        let mut line = [0; LINE];
        for (place, byte) in line.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        Some(Self { line })
    }

    /// Returns the line, CRLF included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.line
    }
}
