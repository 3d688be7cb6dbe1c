//! The first line of a response (RFC 9112 §4).

use http::{StatusCode, Version};

use super::request_line::version;
use crate::h1::ParseError;

/// A checked first line; the reason is kept as a position until the head is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusLine {
    pub(super) version: Version,
    pub(super) status: StatusCode,
    /// Where the reason phrase starts; it ends with the line.
    pub(super) reason: usize,
}

impl StatusLine {
    /// Takes a line apart. The space before an empty reason may be missing: many servers forget it.
    pub(super) fn parse(line: &[u8]) -> Result<Self, ParseError> {
        let (start, rest) = line.split_at_checked(8).ok_or(ParseError::StatusLine)?;
        let version = version(start)?;
        let [b' ', a, b, c, after @ ..] = rest else {
            return Err(ParseError::StatusLine);
        };
        let status = StatusCode::from_bytes(&[*a, *b, *c]).map_err(|_| ParseError::StatusLine)?;
        let reason_ok = match after {
            [] => true,
            [b' ', reason @ ..] => reason.iter().all(|&byte| is_reason_byte(byte)),
            _ => false,
        };
        if !reason_ok {
            return Err(ParseError::StatusLine);
        }
        Ok(Self {
            version,
            status,
            reason: line.len().min("HTTP/1.1 200 ".len()),
        })
    }
}

/// Visible characters, space, tab and whatever is beyond ASCII.
fn is_reason_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
