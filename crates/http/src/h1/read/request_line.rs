//! The first line of a request and the four forms of its target (RFC 9112 §3).

use std::borrow::Cow;

use http::{Method, Uri, Version};

use crate::h1::ParseError;
use crate::h1::head::Block;
use crate::h1::syntax::{is_host, is_host_and_port, table};

/// Bytes of the longest method; the longest registered one has 17.
const METHOD_BYTES: usize = 32;

/// Bytes of a version.
const VERSION_BYTES: usize = "HTTP/1.1".len();

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
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', ..] => Err(ParseError::Version),
        // Whatever follows: so it can be told as soon as the two digits are there.
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, ..]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(ParseError::VersionUnsupported)
        }
        _ => Err(ParseError::Version),
    }
}

/// Says what is wrong with the beginning of a line, if its version is there and is none of ours; `seen` bytes of it were
/// judged before. It looks at those that are new, and at all of them only to tell an error.
pub(super) fn judge_version(
    line: &[u8],
    seen: usize,
    target_bytes: usize,
) -> Result<(), ParseError> {
    let window = &line[..line.len().min(METHOD_BYTES + 1)];
    let Some(method_end) = window.iter().position(|&byte| byte == b' ') else {
        return Ok(());
    };
    let from = seen.saturating_sub(VERSION_BYTES).max(method_end + 1);
    let new = line.get(from..).unwrap_or_default();
    let Some(space) = memchr::memchr(b' ', new) else {
        return Ok(());
    };
    let found = line.get(from + space + 1..from + space + 1 + VERSION_BYTES);
    let unsupported =
        found.is_some_and(|found| version(found) == Err(ParseError::VersionUnsupported));
    // Behind a third space there is no version.
    if unsupported && !line[method_end + 1..from].contains(&b' ') {
        return parse(line, target_bytes, &mut Block::take());
    }
    Ok(())
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
    // Of an origin-form the path is the bytes as they came, which the `Uri` may not be able to have.
    block.path_end = match target {
        [b'/', ..] => Some(target.iter().position(|&byte| byte == b'?').unwrap_or(end) as u32),
        _ => None,
    };
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

/// Visible ASCII.
fn check_target_bytes(target: &[u8]) -> Result<(), ParseError> {
    if target.iter().all(|&byte| matches!(byte, 0x21..=0x7e)) {
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
        b"*" if *method == Method::OPTIONS || !is_of_the_standard(method) => parse_uri(target),
        b"*" => Err(ParseError::TargetForm),
        _ => read_absolute(target),
    }
}

/// Whether RFC 9110 §9 or RFC 5789 says what the method means, and so what its target can be.
fn is_of_the_standard(method: &Method) -> bool {
    [
        Method::CONNECT,
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
        Method::TRACE,
    ]
    .contains(method)
}

/// RFC 9112 §3.2.2. A target without a scheme is authority-form, which only CONNECT may use.
fn read_absolute(target: &[u8]) -> Result<Uri, ParseError> {
    let uri = parse_uri(&without_user(target))?;
    let (Some(_), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(ParseError::TargetForm);
    };
    // An `@` that is left would be refused as well (RFC 9110 §4.2.4), and an empty host (§4.2.1).
    let host = authority.as_str().as_bytes();
    if !is_host(host) || matches!(host, [] | [b':', ..]) {
        return Err(ParseError::Target);
    }
    Ok(uri)
}

/// Cuts the user information out of a target with a scheme (RFC 9110 §4.2.4): what nobody is to use, nobody gets to see. Of
/// several `@` the last one stays, so that the host is none.
fn without_user(target: &[u8]) -> Cow<'_, [u8]> {
    let Some(start) = memchr::memmem::find(target, b"://").map(|at| at + 3) else {
        return target.into();
    };
    let authority = &target[start..];
    let ends = |byte: &u8| b"/?#".contains(byte);
    let authority = &authority[..authority.iter().position(ends).unwrap_or(authority.len())];
    match memchr::memchr(b'@', authority) {
        None => target.into(),
        Some(at) => [&target[..start], &target[start + at + 1..]]
            .concat()
            .into(),
    }
}

/// Makes a [`Uri`] of a target. A fragment is nothing that a target can have (RFC 9110 §7.1), and a `Uri` would lose it: so
/// `#` is a byte of the path or the query, and encoded in the `Uri`. If it were cut off, `/admin#` would be `/admin` to the
/// service and something else to a filter before it.
fn parse_uri(target: &[u8]) -> Result<Uri, ParseError> {
    let query = target.iter().position(|&byte| byte == b'?');
    let query = query.unwrap_or(target.len());
    let strange = |(at, byte): (usize, &u8)| *byte == b'#' || (*byte == b'"' && at > query);
    let made = if target.iter().enumerate().any(strange) {
        let encoded = target
            .iter()
            .enumerate()
            .flat_map(|one| match (strange(one), one.1) {
                (true, b'#') => b"%23",
                (true, _) => b"%22",
                (false, byte) => std::slice::from_ref(byte),
            });
        Uri::try_from(encoded.copied().collect::<Vec<u8>>())
    } else {
        Uri::try_from(target)
    };
    made.map_err(|_| ParseError::Target)
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
                if [b'#', b'"'].contains(&byte) {
                    continue;
                }
                let made = Uri::try_from(&target[..]).ok();
                assert_eq!(read(&target), made, "{}", target.escape_ascii());
            }
        }
        for byte in (0..=b' ').chain(0x7f..=0xff) {
            assert_eq!(read(&[b'/', byte]), None, "{byte:#x}");
        }
    }

    #[test]
    fn what_a_uri_cannot_have_is_encoded_in_it_and_nowhere_else() {
        for (target, made, path, query) in [
            ("/a#b", "/a%23b", "/a#b", None),
            ("/a#?b#", "/a%23?b%23", "/a#", Some("b#")),
            ("/#", "/%23", "/#", None),
            ("/a\"b?c=\"d\"", "/a\"b?c=%22d%22", "/a\"b", Some("c=\"d\"")),
            ("http://a/b#c", "http://a/b%23c", "/b%23c", None),
            ("http://u:p@a/b@c", "http://a/b@c", "/b@c", None),
        ] {
            let mut block = Block::take();
            let line = format!("GET {target} HTTP/1.1").into_bytes();
            parse(&line, 100, &mut block).expect(target);
            block.bytes = line;
            let head = crate::h1::RequestHead::new(block);
            assert_eq!(
                (head.target(), head.path(), head.query()),
                (target, path, query)
            );
            assert_eq!(head.uri(), made, "{target}");
        }
        for wrong in [
            "#",
            "#/",
            "a#b",
            "*#",
            "http://a#b@c/",
            "http://u@a@b/",
            "http://u@/",
            "\"/",
        ] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
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
