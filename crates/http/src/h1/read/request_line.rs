//! The first line of a request and the four forms of its target (RFC 9112 §3).

use bytes::Bytes;
use http::{Method, Uri, Version};

use crate::h1::ParseError;
use crate::h1::syntax::{is_host, is_host_and_port};

/// Bytes of the longest method; the longest registered one has 17.
const METHOD_BYTES: usize = 32;

/// Bytes of the longest target: [`Uri`] cannot hold more.
const TARGET_BYTES: usize = u16::MAX as usize - 1;

/// A checked first line: everything but the target, which is kept as a position until the head is complete.
#[derive(Debug)]
pub(super) struct RequestLine {
    pub(super) method: Method,
    target_start: usize,
    target_end: usize,
    pub(super) version: Version,
}

impl RequestLine {
    /// Bytes of the longest line that can be right, CRLF included.
    pub(super) fn longest(target_bytes: usize) -> usize {
        METHOD_BYTES + target_bytes.min(TARGET_BYTES) + " ".len() + " HTTP/1.1\r\n".len()
    }

    /// Takes a line apart. A prefix longer than [`longest`](Self::longest) gives the error of the whole line.
    pub(super) fn parse(line: &[u8], target_bytes: usize) -> Result<Self, ParseError> {
        let method_end = find_space(line, METHOD_BYTES, ParseError::MethodTooLong)?;
        let method = read_method(&line[..method_end])?;
        let after = &line[method_end + 1..];
        let limit = target_bytes.min(TARGET_BYTES);
        let target = find_space(after, limit, ParseError::TargetTooLong)?;
        if target == 0 {
            return Err(ParseError::RequestLine);
        }
        check_target_bytes(&after[..target])?;
        Ok(Self {
            method,
            target_start: method_end + 1,
            target_end: method_end + 1 + target,
            version: version(&after[target + 1..])?,
        })
    }

    /// Reads the target from the head that starts with the line.
    pub(super) fn target(&self, head: &Bytes) -> Result<Uri, ParseError> {
        read_target(&self.method, head.slice(self.target_start..self.target_end))
    }
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
    if !method.first().is_some_and(u8::is_ascii_alphabetic) {
        return Err(ParseError::Method);
    }
    Method::from_bytes(method).map_err(|_| ParseError::Method)
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

fn read_target(method: &Method, target: Bytes) -> Result<Uri, ParseError> {
    if *method == Method::CONNECT {
        if !is_host_and_port(&target) {
            return Err(ParseError::TargetForm);
        }
        return parse_uri(target);
    }
    match &target[..] {
        [b'/', ..] => parse_uri(target),
        b"*" if *method == Method::OPTIONS => parse_uri(target),
        b"*" => Err(ParseError::TargetForm),
        _ => read_absolute(target),
    }
}

/// RFC 9112 §3.2.2. A target without a scheme is authority-form, which only CONNECT may use.
fn read_absolute(target: Bytes) -> Result<Uri, ParseError> {
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

fn parse_uri(target: Bytes) -> Result<Uri, ParseError> {
    Uri::from_maybe_shared(target).map_err(|_| ParseError::Target)
}
