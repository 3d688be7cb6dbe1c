//! The first line of a request and the four forms of its target (RFC 9112 §3).

use http::{Method, Uri, Version};

use crate::h1::ParseError;
use crate::h1::head::Block;
use crate::h1::syntax::{is_host, is_host_and_port, table};

/// Bytes of the longest method; the longest registered one has 17.
const METHOD_BYTES: usize = 32;

/// Bytes of the longest target: [`Uri`] cannot hold more.
const TARGET_BYTES: usize = u16::MAX as usize - 1;

/// Bytes of the longest line that can be right, CRLF included.
pub(super) fn longest(target_bytes: usize) -> usize {
    METHOD_BYTES + target_bytes.min(TARGET_BYTES) + " ".len() + " HTTP/1.1\r\n".len()
}

/// Takes the usual line off the front of `head`, into `block`: method and version are common ones, the target is in
/// origin-form, and CRLF is there. Says how long it is with its CRLF, or `None` if it has to be looked at more closely.
pub(super) fn parse_usual(head: &[u8], target_bytes: usize, block: &mut Block) -> Option<usize> {
    let (method, start) = match head {
        [b'G', b'E', b'T', b' ', ..] => (Method::GET, 4),
        [b'P', b'O', b'S', b'T', b' ', ..] => (Method::POST, 5),
        _ => return None,
    };
    let after = &head[start..];
    let (path_end, end) = origin_form(after)?;
    let version = after[end..].strip_prefix(b" HTTP/1.1\r\n");
    if version.is_none() || end > target_bytes.min(TARGET_BYTES) {
        return None;
    }
    block.method = method;
    block.version = Version::HTTP_11;
    block.target = (start as u32, (start + end) as u32);
    block.path_end = Some((start + path_end) as u32);
    Some(start + end + " HTTP/1.1\r\n".len())
}

/// Takes a line apart, into `block`. A prefix longer than [`longest`] gives the error of the whole line.
pub(super) fn parse(line: &[u8], target_bytes: usize, block: &mut Block) -> Result<(), ParseError> {
    let method_end = find_space(line, METHOD_BYTES, ParseError::MethodTooLong)?;
    block.method = read_method(&line[..method_end])?;
    let start = method_end + 1;
    let target = read_target(&line[start..], target_bytes.min(TARGET_BYTES), block)?;
    // Positions fit: the line is far shorter than 4 GiB.
    block.target = (start as u32, (start + target) as u32);
    block.path_end = block.path_end.map(|end| end + start as u32);
    block.version = version(&line[start + target + 1..])?;
    Ok(())
}

/// Reads `HTTP/1.0` or `HTTP/1.1` (RFC 9112 §2.3: case-sensitive, one digit each).
pub(super) fn version(text: &[u8]) -> Result<Version, ParseError> {
    match text {
        b"HTTP/1.1" => Ok(Version::HTTP_11),
        b"HTTP/1.0" => Ok(Version::HTTP_10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(ParseError::VersionUnsupported)
        }
        _ => Err(ParseError::Version),
    }
}

/// Finds the space after a part of at most `limit` bytes.
fn find_space(line: &[u8], limit: usize, too_long: ParseError) -> Result<usize, ParseError> {
    let window = &line[..line.len().min(limit + 1)];
    // Methods and targets are short: a plain loop is cheaper than a call.
    match window.iter().position(|&byte| byte == b' ') {
        Some(at) => Ok(at),
        None if line.len() > limit => Err(too_long),
        None => Err(ParseError::RequestLine),
    }
}

/// A token (RFC 9110 §5.6.2) that starts with a letter: no registered method does otherwise, and it tells
/// other protocols from HTTP by their first byte.
fn read_method(method: &[u8]) -> Result<Method, ParseError> {
    match method {
        b"GET" => return Ok(Method::GET),
        b"POST" => return Ok(Method::POST),
        _ => {}
    }
    if !method.first().is_some_and(u8::is_ascii_alphabetic) {
        return Err(ParseError::Method);
    }
    Method::from_bytes(method).map_err(|_| ParseError::Method)
}

/// Reads the target in front of the next space, into `block`; says how long it is.
fn read_target(after: &[u8], limit: usize, block: &mut Block) -> Result<usize, ParseError> {
    if block.method != Method::CONNECT
        && let Some((path_end, end)) = origin_form(after)
        && end <= limit
    {
        block.path_end = Some(path_end as u32);
        return Ok(end);
    }
    let end = find_space(after, limit, ParseError::TargetTooLong)?;
    let target = &after[..end];
    if target.is_empty() {
        return Err(ParseError::RequestLine);
    }
    check_target_bytes(target)?;
    // Another protocol's targets have forms of their own, and its version says what is wrong better.
    version(&after[end + 1..])?;
    let uri = other_form(&block.method, target)?;
    block.path_end = None;
    block.uri = uri.into();
    Ok(end)
}

/// Finds where the path and where the query of a target in origin-form end, if it is one that [`Uri`] takes and a space
/// follows it.
fn origin_form(after: &[u8]) -> Option<(usize, usize)> {
    let path_end = after.iter().position(|&byte| !is_path_byte(byte))?;
    if after[0] != b'/' {
        return None;
    }
    match after[path_end] {
        b' ' => Some((path_end, path_end)),
        b'?' => {
            let query = &after[path_end + 1..];
            let length = query.iter().position(|&byte| !is_query_byte(byte))?;
            let end = path_end + 1 + length;
            (after[end] == b' ').then_some((path_end, end))
        }
        _ => None,
    }
}

/// What [`Uri`] takes in a path: RFC 3986 §3.3 and some bytes that are sent in practice.
fn is_path_byte(byte: u8) -> bool {
    const TABLE: [bool; 256] = table(b"!$%&'()*+,-./:;=@[]_|~");
    TABLE[usize::from(byte)]
}

/// What [`Uri`] takes in a query: RFC 3986 §3.4 and some bytes that are sent in practice.
fn is_query_byte(byte: u8) -> bool {
    const TABLE: [bool; 256] = table(b"!$%&'()*+,-./:;=?@[\\]^_`{|}~");
    TABLE[usize::from(byte)]
}

/// Visible ASCII; a fragment never goes over the wire (RFC 9110 §7.1).
fn check_target_bytes(target: &[u8]) -> Result<(), ParseError> {
    if target
        .iter()
        .all(|&byte| matches!(byte, 0x21..=0x7e) && byte != b'#')
    {
        Ok(())
    } else {
        Err(ParseError::Target)
    }
}

/// The forms that are rare, and the origin-forms that are wrong.
fn other_form(method: &Method, target: &[u8]) -> Result<Uri, ParseError> {
    if *method == Method::CONNECT {
        if !is_host_and_port(target) {
            return Err(ParseError::TargetForm);
        }
        return parse_uri(target);
    }
    match target {
        [b'/', ..] => parse_uri(target),
        b"*" if *method == Method::OPTIONS => parse_uri(target),
        b"*" => Err(ParseError::TargetForm),
        _ => read_absolute(target),
    }
}

/// RFC 9112 §3.2.2. A target without a scheme is authority-form, which only CONNECT may use.
fn read_absolute(target: &[u8]) -> Result<Uri, ParseError> {
    let uri = parse_uri(target)?;
    let (Some(_), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(ParseError::TargetForm);
    };
    // User information would be refused as well (RFC 9110 §4.2.4), and an empty host (§4.2.1).
    let host = authority.as_str().as_bytes();
    if !is_host(host) || matches!(host, [] | [b':', ..]) {
        return Err(ParseError::Target);
    }
    Ok(uri)
}

fn parse_uri(target: &[u8]) -> Result<Uri, ParseError> {
    Uri::try_from(target).map_err(|_| ParseError::Target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &[u8]) -> Option<Uri> {
        let mut block = Block::take();
        let line = [b"GET ", target, b" HTTP/1.1"].concat();
        parse(&line, 100, &mut block).ok()?;
        block.bytes = line;
        assert_eq!(block.target(), target);
        Some(block.uri().clone())
    }

    /// The promise on which a `Uri` is made only when somebody asks for it.
    #[test]
    fn a_target_is_taken_if_and_only_if_it_makes_a_uri() {
        for byte in 0x21..=0x7eu8 {
            for (before, after) in [(&b"/a"[..], &b"b"[..]), (b"/a?b", b"c"), (b"/", b"")] {
                let target = [before, &[byte], after].concat();
                let made = Uri::try_from(&target[..]).ok().filter(|_| byte != b'#');
                assert_eq!(read(&target), made, "{}", target.escape_ascii());
            }
        }
        for byte in (0..=b' ').chain(0x7f..=0xff).chain([b'#']) {
            assert_eq!(read(&[b'/', byte]), None, "{byte:#x}");
        }
    }

    #[test]
    fn path_and_query_are_where_the_uri_has_them() {
        for target in [
            "/",
            "/?",
            "/a?",
            "/a?b?c",
            "//a/b",
            "/a%20b/?x=%3f&y",
            "/?/?",
        ] {
            let mut block = Block::take();
            let line = format!("GET {target} HTTP/1.1\r\n").into_bytes();
            parse(&line[..line.len() - 2], 100, &mut block).expect(target);
            let slowly = (block.target, block.path_end);
            let usual = parse_usual(&line, 100, &mut block);
            assert_eq!(usual, Some(line.len()), "{target}");
            assert_eq!((block.target, block.path_end), slowly, "{target}");
            block.bytes = line;
            let head = crate::h1::RequestHead::new(block);
            let uri: Uri = target.parse().expect(target);
            assert_eq!(
                (head.path(), head.query()),
                (uri.path(), uri.query()),
                "{target}"
            );
        }
    }
}
