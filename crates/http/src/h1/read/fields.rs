//! Field lines (RFC 9112 §5): from positions in a block to a map.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::h1::syntax::{is_field_value, is_token_byte, may_trail, trails_in_vain, trim_end};
use crate::h1::{ParseError, Trailers};

/// Bytes of the longest name that a [`HeaderName`] can hold.
const LONGEST_NAME: usize = u16::MAX as usize;

/// Parses the field lines of `block`: the first starts at `start`, each ends at its position in `ends`.
///
/// Values are slices of the block. `note` sees each name and value first.
pub(super) fn parse(
    block: &Bytes,
    mut start: usize,
    ends: &[u32],
    mut note: impl FnMut(&HeaderName, &[u8]) -> Result<(), ParseError>,
) -> Result<HeaderMap, ParseError> {
    let mut map = HeaderMap::with_capacity(ends.len());
    for &end in ends {
        let end = end as usize;
        let line = &block[start..end];
        let (name_end, value) = split(line)?;
        let name = HeaderName::from_bytes(&line[..name_end]).map_err(|_| ParseError::FieldName)?;
        note(&name, &line[value.clone()])?;
        let slice = block.slice(start + value.start..start + value.end);
        let value = HeaderValue::from_maybe_shared(slice).map_err(|_| ParseError::FieldValue)?;
        map.try_append(name, value)
            .map_err(|_| ParseError::TooManyHeaders)?;
        start = end + 2;
    }
    Ok(map)
}

/// Parses a trailer section of these lines. What is about the content comes too late, and is left out (RFC 9110 §6.5.1).
pub(super) fn parse_trailers(section: &[u8], ends: &[u32]) -> Result<Trailers, ParseError> {
    if ends.is_empty() {
        return Ok(None);
    }
    let section = Bytes::copy_from_slice(section);
    let mut map = parse(&section, 0, ends, |_, _| Ok(()))?;
    if !map.keys().all(may_trail) {
        if !map
            .keys()
            .all(|name| may_trail(name) || trails_in_vain(name))
        {
            return Err(ParseError::ForbiddenTrailer);
        }
        let in_vain: Vec<HeaderName> = map
            .keys()
            .filter(|name| trails_in_vain(name))
            .cloned()
            .collect();
        for name in in_vain {
            map.remove(name);
        }
    }
    Ok(Some(Box::new(map)))
}

/// Takes the usual field line off the front of `lines`: where its name ends, where its value is, and where the next line
/// begins. `None` if the line is not complete, or has to be looked at more closely.
pub(super) fn split_usual(lines: &[u8]) -> Option<(usize, Range<usize>, usize)> {
    // Names are short: a plain loop is cheaper than a call.
    let colon = lines.iter().position(|&byte| !is_token_byte(byte))?;
    if lines[colon] != b':' || colon == 0 || colon > LONGEST_NAME {
        return None;
    }
    let start = colon
        + if lines.get(colon + 1) == Some(&b' ') {
            2
        } else {
            1
        };
    let end = start + control_byte(lines.get(start..)?)?;
    let value = &lines[start..end];
    if lines[end] != b'\r' || lines.get(end + 1) != Some(&b'\n') {
        return None;
    }
    if let [b' ', ..] | [.., b' '] = value {
        return None;
    }
    Some((colon, start..end, end + 2))
}

/// Finds the first byte of these that may not stand in a value, tabs among them, eight at a time.
fn control_byte(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    const TOPS: u64 = ONES * 0x80;
    let mut words = bytes.chunks_exact(8);
    for (number, word) in words.by_ref().enumerate() {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        // A byte's top bit is set where it is less than a space, or DEL. Borrows may set more of them, but only above the
        // first.
        let low = word.wrapping_sub(ONES * 0x20) & !word;
        let del = (word ^ (ONES * 0x7f)).wrapping_sub(ONES) & !(word ^ (ONES * 0x7f));
        let found = (low | del) & TOPS;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let rest = words.remainder();
    let at = rest.iter().position(|&byte| byte < b' ' || byte == 0x7f)?;
    Some(bytes.len() - rest.len() + at)
}

/// Finds the parts of a field line: where its name ends, and where its value is, without white space around it.
///
/// Both are checked, so that a [`HeaderName`] and a [`HeaderValue`] can be made of them whenever they are wanted.
pub(super) fn split(line: &[u8]) -> Result<(usize, Range<usize>), ParseError> {
    // Names are short: a plain loop is cheaper than a call.
    let name_end = line.iter().position(|&byte| !is_token_byte(byte));
    let Some(colon) = name_end.filter(|&end| line[end] == b':' && end > 0) else {
        return Err(broken_name(line));
    };
    if colon > LONGEST_NAME {
        return Err(ParseError::FieldName);
    }
    let mut start = colon + 1;
    while matches!(line.get(start), Some(b' ' | b'\t')) {
        start += 1;
    }
    let value = trim_end(&line[start..]);
    if !is_field_value(value) {
        return Err(ParseError::FieldValue);
    }
    Ok((colon, start..start + value.len()))
}

/// Says what is wrong with a line that does not begin with a token and a colon.
#[cold]
fn broken_name(line: &[u8]) -> ParseError {
    if matches!(line, [b' ' | b'\t', ..]) {
        return ParseError::ObsFold;
    }
    let Some(colon) = line.iter().position(|&byte| byte == b':') else {
        return ParseError::MissingColon;
    };
    match &line[..colon] {
        [.., b' ' | b'\t'] => ParseError::WhitespaceBeforeColon,
        _ => ParseError::FieldName,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_are_found_wherever_they_are() {
        for length in 0..40 {
            assert_eq!(control_byte(&vec![b'x'; length]), None);
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b' '; length];
                    bytes[at] = byte;
                    bytes[length - 1] = if at == length - 1 { byte } else { 0xff };
                    let control = byte < b' ' || byte == 0x7f;
                    assert_eq!(
                        control_byte(&bytes),
                        control.then_some(at),
                        "{byte} at {at}"
                    );
                }
            }
        }
        assert_eq!(control_byte(b"ab\r\ncd\r\n"), Some(2));
        assert_eq!(control_byte(b"abcdefg\x7f\r\n"), Some(7));
    }

    #[test]
    fn usual_lines_are_split_as_all_lines_are() {
        let rows: [(&[u8], bool); 14] = [
            (b"a: b\r\n", true),
            (b"a:b\r\nc: d\r\n", true),
            (b"a: b  c\r\n", true),
            (b"a: \xff\xa0\r\n", true),
            (b"accept-encoding: gzip, deflate, br, zstd\r\n", true),
            (b"a:\r\n", true),
            (b"a:  b\r\n", false),
            (b"a: b \r\n", false),
            (b"a: b\tc\r\n", false),
            (b"a: b\r", false),
            (b"a: b\n\r\n", false),
            (b"a : b\r\n", false),
            (b": b\r\n", false),
            (b"a: b\rc\r\n", false),
        ];
        for (lines, usual) in rows {
            let split_ = split_usual(lines);
            assert_eq!(split_.is_some(), usual, "{}", lines.escape_ascii());
            if let Some((colon, value, next)) = split_ {
                assert_eq!(split(&lines[..next - 2]), Ok((colon, value)));
            }
        }
    }

    fn parse_lines(lines: &[&[u8]]) -> Result<HeaderMap, ParseError> {
        let mut block = Vec::new();
        let mut ends = Vec::new();
        for line in lines {
            block.extend_from_slice(line);
            ends.push(block.len() as u32);
            block.extend_from_slice(b"\r\n");
        }
        parse(&block.into(), 0, &ends, |_, _| Ok(()))
    }

    #[test]
    fn values_lose_surrounding_white_space_only() {
        let rows: [(&[u8], &[u8]); 8] = [
            (b"a:b", b"b"),
            (b"a: b", b"b"),
            (b"a: \t b \t", b"b"),
            (b"a:", b""),
            (b"a: \t", b""),
            (b"a: b  c", b"b  c"),
            (b"a: b:c", b"b:c"),
            (b"a: \xff\xa0", b"\xff\xa0"),
        ];
        for (line, value) in rows {
            let map = parse_lines(&[line]).expect("valid");
            assert_eq!(map["a"].as_bytes(), value, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn broken_lines() {
        let rows: [(&[u8], ParseError); 14] = [
            (b" a: b", ParseError::ObsFold),
            (b"\ta: b", ParseError::ObsFold),
            (b"a", ParseError::MissingColon),
            (b"a b", ParseError::MissingColon),
            (b": b", ParseError::FieldName),
            (b"a : b", ParseError::WhitespaceBeforeColon),
            (b"a\t: b", ParseError::WhitespaceBeforeColon),
            (b"a b: c", ParseError::FieldName),
            (b"a\0: b", ParseError::FieldName),
            (b"\xe4: b", ParseError::FieldName),
            (b"a(: b", ParseError::FieldName),
            (b"a: b\0c", ParseError::FieldValue),
            (b"a: b\x0bc", ParseError::FieldValue),
            (b"a: \x7f", ParseError::FieldValue),
        ];
        for (line, err) in rows {
            assert_eq!(parse_lines(&[line]), Err(err), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn repeated_fields_keep_their_order() {
        let map = parse_lines(&[b"a: 1", b"b: 2", b"A: 3"]).expect("valid");
        let values: Vec<_> = map.get_all("a").iter().collect();
        assert_eq!(values, ["1", "3"]);
    }
}
