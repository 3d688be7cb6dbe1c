//! Field lines (RFC 9112 §5): from positions in a block to a map.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::h1::syntax::{is_field_value, is_token_byte, may_trail, trim_end};
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

/// Parses a trailer section of these lines.
pub(super) fn parse_trailers(section: &[u8], ends: &[u32]) -> Result<Trailers, ParseError> {
    if ends.is_empty() {
        return Ok(None);
    }
    let section = Bytes::copy_from_slice(section);
    let map = parse(&section, 0, ends, |_, _| Ok(()))?;
    if !map.keys().all(may_trail) {
        return Err(ParseError::ForbiddenTrailer);
    }
    Ok(Some(Box::new(map)))
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
