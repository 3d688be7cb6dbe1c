//! UTF-8 that arrives in parts.

use std::str;

use super::ProtocolError;

/// Checks `bytes`, which begin with a character, and returns how many at their end begin one that is not whole: 0 to 3.
///
/// Whoever gets more bytes goes on from there. Bytes that no continuation can make a character fail at once, be they the
/// last ones (RFC 3629 section 4).
pub(super) fn unfinished(bytes: &[u8]) -> Result<usize, ProtocolError> {
    match str::from_utf8(bytes) {
        Ok(_) => Ok(0),
        Err(err) if err.error_len().is_none() => Ok(bytes.len() - err.valid_up_to()),
        Err(_) => Err(ProtocolError::Text),
    }
}
