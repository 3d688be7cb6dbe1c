//! The part of a file that a request asks for (RFC 9110 §14).

/// What a `Range` field means for a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: there is no field, or one that may be passed over.
    All,
    /// Nothing that is there: status 416.
    Nothing,
    /// The bytes from the first to the last, both inside of the file.
    Part { first: u64, last: u64 },
}

/// Reads the value of a `Range` field for a file of `length` bytes.
///
/// Several ranges, other units and malformed values mean the whole file (RFC 9110 §14.2 lets a server pass a range over).
pub(super) fn wanted(value: &[u8], length: u64) -> Wanted {
    match parse(value, length) {
        None => Wanted::All,
        Some(Some((first, last))) => Wanted::Part { first, last },
        Some(None) => Wanted::Nothing,
    }
}

/// `None` for what is not understood, `Some(None)` for what is not there.
#[expect(
    clippy::option_option,
    reason = "two ways to have no range, told apart by the caller above"
)]
fn parse(value: &[u8], length: u64) -> Option<Option<(u64, u64)>> {
    let value = std::str::from_utf8(value).ok()?;
    let (unit, range) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    if first.is_empty() {
        let count = digits(last)?.min(length);
        return Some((count > 0).then(|| (length - count, length - 1)));
    }
    let first = digits(first)?;
    let last = match last {
        "" => u64::MAX,
        last => digits(last)?,
    };
    if last < first {
        return None;
    }
    Some((first < length).then(|| (first, last.min(length - 1))))
}

/// A plain number; one too large for the type is as good as the largest.
fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        let part = |first, last| Wanted::Part { first, last };
        let cases = [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-4", part(2, 4)),
            ("bytes=2-", part(2, 9)),
            ("bytes=2-999999999999999999999999", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("Bytes=9-9", part(9, 9)),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=4-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=", Wanted::All),
            ("bytes", Wanted::All),
            ("lines=1-2", Wanted::All),
        ];
        for (value, expected) in cases {
            assert_eq!(wanted(value.as_bytes(), 10), expected, "{value}");
        }
    }

    #[test]
    fn nothing_is_in_an_empty_file() {
        for value in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(wanted(value.as_bytes(), 0), Wanted::Nothing, "{value}");
        }
    }
}
