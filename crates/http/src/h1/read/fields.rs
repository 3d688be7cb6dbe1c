//! Field lines (RFC 9112 §5): from positions in a block to a map.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::h1::ParseError;
use crate::h1::syntax::{may_trail, trim};

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
pub(super) fn parse_trailers(section: &[u8], ends: &[u32]) -> Result<HeaderMap, ParseError> {
    if ends.is_empty() {
        return Ok(HeaderMap::new());
    }
    let section = Bytes::copy_from_slice(section);
    let map = parse(&section, 0, ends, |_, _| Ok(()))?;
    if !map.keys().all(may_trail) {
        return Err(ParseError::ForbiddenTrailer);
    }
    Ok(map)
}

/// Where the name of a line ends, and where its trimmed value is.
fn split(line: &[u8]) -> Result<(usize, std::ops::Range<usize>), ParseError> {
    if matches!(line, [b' ' | b'\t', ..]) {
        return Err(ParseError::ObsFold);
    }
    // Names are short: a plain loop is cheaper than a call.
    let colon = line
        .iter()
        .position(|&byte| byte == b':')
        .ok_or(ParseError::MissingColon)?;
    if matches!(&line[..colon], [.., b' ' | b'\t']) {
        return Err(ParseError::WhitespaceBeforeColon);
    }
    let after = &line[colon + 1..];
    let leading = after
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(after.len());
    let value = colon + 1 + leading;
    Ok((colon, value..value + trim(&after[leading..]).len()))
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
