//! The header that a proxy of layer 4 puts before everything else: PROXY protocol, versions 1 and 2
//! (haproxy.org/download/3.0/doc/proxy-protocol.txt).
//!
//! Pure: bytes in, addresses out. The header is read in steps that never go beyond its end, for what follows is not ours.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use squall_net::Address;

/// Begins a header of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Begins a header of version 1.
const WORD: &[u8; 6] = b"PROXY ";

/// Fewest bytes of any header.
const SHORTEST: usize = "PROXY UNKNOWN\r\n".len();

/// Most bytes of a header of version 1, its end included.
const LONGEST_LINE: usize = 107;

/// Most bytes after the first 16 of version 2. A certificate's name and the like are a few hundred; a header that
/// is longer has something else in mind.
const LONGEST_REST: usize = 4096;

/// What a proxy says of the connection that it forwards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Header {
    /// The client's end, and the end that the client has connected to.
    Forwarded(Address, Address),
    /// The proxy speaks for itself, to see whether the server is well, or does not know for whom.
    Local,
}

/// How far the reading is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Parsed {
    Header(Header),
    /// So many bytes more are part of the header in any case; at least 1.
    More(usize),
}

/// Why something is no header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProxyError {
    /// An address or a port is none, or does not fit the family.
    BadAddress,
    /// A command or a version of which the standard knows nothing.
    BadCommand,
    /// It does not begin as one.
    NotAHeader,
    /// More than a header may be.
    TooLong,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAddress => "the PROXY header has a bad address",
            Self::BadCommand => "the PROXY header has an unknown version or command",
            Self::NotAHeader => "the connection does not begin with a PROXY header",
            Self::TooLong => "the PROXY header is too long",
        })
    }
}

/// Looks at all bytes that have come so far; begin with none.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    let begins = |mark: &[u8]| {
        let known = bytes.len().min(mark.len());
        bytes[..known] == mark[..known]
    };
    if bytes.is_empty() {
        Ok(Parsed::More(SHORTEST))
    } else if begins(SIGNATURE) {
        binary(bytes)
    } else if begins(WORD) {
        line(bytes)
    } else {
        Err(ProxyError::NotAHeader)
    }
}

/// Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and the end of the line.
fn line(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    if bytes.len() < SHORTEST {
        return Ok(Parsed::More(SHORTEST - bytes.len()));
    }
    let Some(line) = bytes.strip_suffix(b"\r\n") else {
        if bytes.len() >= LONGEST_LINE {
            return Err(ProxyError::TooLong);
        }
        let missing = if bytes.ends_with(b"\r") { 1 } else { 2 };
        return Ok(Parsed::More(missing.min(LONGEST_LINE - bytes.len())));
    };
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::BadAddress)?;
    let words: Vec<&str> = line.split(' ').skip(1).collect();
    let header = match words[..] {
        // What follows is to be ignored.
        ["UNKNOWN", ..] => Header::Local,
        [family @ ("TCP4" | "TCP6"), source, destination, from, to] => {
            let end = |ip: &str, port: &str| {
                let ip: IpAddr = ip.parse().ok()?;
                let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                let port = digits.then(|| port.parse().ok())??;
                (ip.is_ipv4() == (family == "TCP4")).then(|| SocketAddr::new(ip, port).into())
            };
            let source = end(source, from).ok_or(ProxyError::BadAddress)?;
            let destination = end(destination, to).ok_or(ProxyError::BadAddress)?;
            Header::Forwarded(source, destination)
        }
        _ => return Err(ProxyError::BadAddress),
    };
    Ok(Parsed::Header(header))
}

/// Version 2: the signature, version and command, family, length; addresses; whatever else is within the length.
fn binary(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    let Some((start, rest)) = bytes.split_first_chunk::<16>() else {
        return Ok(Parsed::More(16 - bytes.len()));
    };
    let [command, family, high, low] = [start[12], start[13], start[14], start[15]];
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_REST {
        return Err(ProxyError::TooLong);
    }
    if command >> 4 != 2 || command & 0xf > 1 {
        return Err(ProxyError::BadCommand);
    }
    if rest.len() < length {
        return Ok(Parsed::More(length - rest.len()));
    }
    let rest = &rest[..length];
    if command & 0xf == 0 {
        return Ok(Parsed::Header(Header::Local));
    }
    let ends = match family >> 4 {
        // Neither of them known, which is as good as local.
        0 => return Ok(Parsed::Header(Header::Local)),
        1 => rest.first_chunk::<12>().map(|raw| {
            let ip = |at: usize| Ipv4Addr::new(raw[at], raw[at + 1], raw[at + 2], raw[at + 3]);
            let port = |at: usize| u16::from_be_bytes([raw[at], raw[at + 1]]);
            let source = SocketAddr::new(ip(0).into(), port(8));
            let destination = SocketAddr::new(ip(4).into(), port(10));
            (source.into(), destination.into())
        }),
        2 => rest.first_chunk::<36>().map(|raw| {
            let ip = |at: usize| {
                let mut octets = [0; 16];
                octets.copy_from_slice(&raw[at..at + 16]);
                Ipv6Addr::from(octets)
            };
            let port = |at: usize| u16::from_be_bytes([raw[at], raw[at + 1]]);
            let source = SocketAddr::new(ip(0).into(), port(32));
            let destination = SocketAddr::new(ip(16).into(), port(34));
            (source.into(), destination.into())
        }),
        3 => rest.first_chunk::<216>().map(|raw| {
            let (source, destination) = raw.split_at(108);
            (unix(source), unix(destination))
        }),
        _ => None,
    };
    let (source, destination) = ends.ok_or(ProxyError::BadAddress)?;
    Ok(Parsed::Header(Header::Forwarded(source, destination)))
}

/// A path of 108 bytes, filled up with zeros.
fn unix(raw: &[u8]) -> Address {
    use std::os::unix::ffi::OsStrExt;
    let path = raw.split(|byte| *byte == 0).next().unwrap_or_default();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path));
    Address::Unix((!path.as_os_str().is_empty()).then(|| Arc::from(path)))
}

#[cfg(test)]
mod tests;
