//! Field lines on their way out.

use http::{HeaderMap, HeaderName, header};

use crate::h1::WriteError;
use crate::h1::syntax::{decimal, may_trail, members};

/// What [`write`] found among the fields that it does not write itself.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The length the application set.
    pub(super) content_length: Option<u64>,
    /// The application wants the connection closed.
    pub(super) close: bool,
    /// There is a `Date`.
    pub(super) date: bool,
}

/// Appends the fields, all but those that the encoder decides: `Content-Length`, the `close` and `keep-alive` of
/// `Connection`, and `Host`, if `host_is_written`.
///
/// Names and values cannot hold a CR, an LF or a NUL: their types do not let them.
pub(super) fn write(
    out: &mut Vec<u8>,
    headers: &HeaderMap,
    host_is_written: bool,
) -> Result<Seen, WriteError> {
    let mut seen = Seen::default();
    for (name, value) in headers {
        if *name == header::CONTENT_LENGTH {
            note_length(&mut seen, value.as_bytes())?;
        } else if *name == header::CONNECTION {
            seen.close |= write_options(out, value.as_bytes());
        } else if *name == header::TRANSFER_ENCODING {
            return Err(WriteError::TransferEncodingSet);
        } else if !(host_is_written && *name == header::HOST) {
            seen.date |= *name == header::DATE;
            line(out, name, value.as_bytes());
        }
    }
    Ok(seen)
}

/// Appends one field line.
pub(super) fn line(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends a `Content-Length`.
pub(super) fn length_line(out: &mut Vec<u8>, bytes: u64) {
    out.extend_from_slice(b"content-length: ");
    number(out, bytes);
    out.extend_from_slice(b"\r\n");
}

/// The length to announce: the one set as a field, the body's own, or both if they agree.
pub(super) fn agreed_length(
    set: Option<u64>,
    known: Option<u64>,
) -> Result<Option<u64>, WriteError> {
    match (set, known) {
        (Some(set), Some(known)) if set != known => Err(WriteError::ContentLengthMismatch),
        _ => Ok(set.or(known)),
    }
}

/// Appends the end of a chunked body: the last chunk, trailer fields, the empty line (RFC 9112 §7.1.2).
pub(super) fn last_chunk(
    out: &mut Vec<u8>,
    trailers: Option<&HeaderMap>,
) -> Result<(), WriteError> {
    if !trailers.is_none_or(|trailers| trailers.keys().all(may_trail)) {
        return Err(WriteError::ForbiddenTrailer);
    }
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        line(out, name, value.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends a decimal number.
pub(super) fn number(out: &mut Vec<u8>, mut number: u64) {
    if number < 10 {
        // A digit fits.
        return out.push(b'0' + number as u8);
    }
    if number < 100 {
        // Two digits fit.
        return out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        // A digit fits.
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a hexadecimal number.
pub(super) fn hexadecimal(out: &mut Vec<u8>, number: u64) {
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let nibble = (number >> (4 * digit)) & 0xf;
        // A nibble is an index.
        out.push(b"0123456789abcdef"[nibble as usize]);
    }
}

fn note_length(seen: &mut Seen, value: &[u8]) -> Result<(), WriteError> {
    match decimal(value) {
        Some(Some(length)) if seen.content_length.is_none() => {
            seen.content_length = Some(length);
            Ok(())
        }
        _ => Err(WriteError::ContentLength),
    }
}

/// Appends a `Connection` line of the options that are not the encoder's business, if there are any; says whether
/// one was `close`.
fn write_options(out: &mut Vec<u8>, value: &[u8]) -> bool {
    let mut close = false;
    let mut separator: &[u8] = b"connection: ";
    for option in members(value).filter(|option| !option.is_empty()) {
        if option.eq_ignore_ascii_case(b"close") {
            close = true;
        } else if !option.eq_ignore_ascii_case(b"keep-alive") {
            out.extend_from_slice(separator);
            out.extend_from_slice(option);
            separator = b", ";
        }
    }
    if separator == b", " {
        out.extend_from_slice(b"\r\n");
    }
    close
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ascii")
    }

    #[test]
    fn numbers() {
        for value in [
            0,
            1,
            9,
            10,
            15,
            16,
            255,
            256,
            4096,
            65_535,
            u64::MAX - 1,
            u64::MAX,
        ] {
            assert_eq!(written(|out| number(out, value)), format!("{value}"));
            assert_eq!(written(|out| hexadecimal(out, value)), format!("{value:x}"));
        }
    }

    #[test]
    fn connection_options_are_kept_but_for_persistence() {
        let rows: [(&str, &str, bool); 7] = [
            ("close", "", true),
            ("keep-alive", "", false),
            ("upgrade", "connection: upgrade\r\n", false),
            ("Keep-Alive, Upgrade", "connection: Upgrade\r\n", false),
            ("a,CLOSE , b", "connection: a, b\r\n", true),
            (" , ,", "", false),
            ("", "", false),
        ];
        for (value, line, closes) in rows {
            let mut close = false;
            let out = written(|out| close = write_options(out, value.as_bytes()));
            assert_eq!((out.as_str(), close), (line, closes), "{value:?}");
        }
    }
}
