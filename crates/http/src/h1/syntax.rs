//! Small grammars that reading and writing share.

use http::HeaderName;
use http::header;

/// Fields that mean nothing, or mischief, in a trailer section: framing, routing, connection, authentication and
/// how to read the content (RFC 9110 §6.5.1).
const HEAD_ONLY: [HeaderName; 16] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::SET_COOKIE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::WWW_AUTHENTICATE,
];

/// Those of them that say how to read the content, for which it is too late in a trailer section. They come from senders
/// in good faith, and nobody finds the body's end, or its service, by them.
const ABOUT_CONTENT: [HeaderName; 3] = [
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
];

/// Says whether a field may stand in a trailer section.
pub(super) fn may_trail(name: &HeaderName) -> bool {
    !HEAD_ONLY.contains(name)
}

/// Says whether a field in a trailer section is one to pass over.
pub(super) fn trails_in_vain(name: &HeaderName) -> bool {
    ABOUT_CONTENT.contains(name)
}

/// Cuts spaces and tabs off both ends.
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    trim_end(value)
}

/// Takes white space off the end.
pub(super) fn trim_end(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Says whether a byte may stand in a token (RFC 9110 §5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Says whether bytes may be the value of a field (RFC 9110 §5.5): visible ones, spaces, tabs, and what is beyond ASCII.
pub(super) fn is_field_value(value: &[u8]) -> bool {
    // No early exit, so that many bytes are looked at together.
    let bad = value.iter().fold(false, |bad, &byte| {
        bad | ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f)
    });
    !bad
}

/// The members of a comma-separated list, trimmed; empty ones included (RFC 9110 §5.6.1).
pub(super) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim)
}

/// Reads at most 19 plain decimal digits; `None` for anything else, `Some(None)` for more digits.
#[expect(
    clippy::option_option,
    reason = "malformed and too large are answered differently"
)]
pub(super) fn decimal(digits: &[u8]) -> Option<Option<u64>> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() > 19 {
        return Some(None);
    }
    let number = digits
        .iter()
        .fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(Some(number))
}

/// Says whether `value` is `uri-host [ ":" port ]` (RFC 9110 §7.2); empty is allowed, user information is not.
///
/// The port may be empty as in RFC 3986 §3.2.3, and is at most 65,535. An IPv6 address has no zone.
pub(super) fn is_host(value: &[u8]) -> bool {
    let (host_ok, port) = if let [b'[', rest @ ..] = value {
        let Some(end) = memchr::memchr(b']', rest) else {
            return false;
        };
        (is_ipv6(&rest[..end]), &rest[end + 1..])
    } else {
        // Hosts are short: a plain loop is cheaper than a call.
        let end = value.iter().position(|&byte| byte == b':');
        let (name, port) = value.split_at(end.unwrap_or(value.len()));
        (is_reg_name(name), port)
    };
    host_ok
        && match port {
            [] => true,
            [b':', digits @ ..] => is_port(digits),
            _ => false,
        }
}

/// Says whether `value` is a host with a port that is there (RFC 9112 §3.2.3).
pub(super) fn is_host_and_port(value: &[u8]) -> bool {
    let host_ends = value.iter().rposition(|&byte| byte == b':');
    is_host(value)
        && host_ends.is_some_and(|at| {
            let port = &value[at + 1..];
            at > 0 && !port.is_empty() && port.iter().all(u8::is_ascii_digit)
        })
}

fn is_ipv6(address: &[u8]) -> bool {
    str::from_utf8(address).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_port(digits: &[u8]) -> bool {
    digits.is_empty()
        || (digits.len() <= 5 && matches!(decimal(digits), Some(Some(port)) if port <= 65_535))
}

/// Marks letters, digits and these marks in a table of all bytes.
pub(super) const fn table(marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        table[marks[mark] as usize] = true;
        mark += 1;
    }
    table
}

/// The bytes of a token (RFC 9110 §5.6.2).
const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Bytes of a registered name that stand for themselves (RFC 3986 §3.2.2: unreserved and sub-delims).
const REG_NAME: [bool; 256] = table(b"-._~!$&'()*+,;=");

/// RFC 3986 §3.2.2: as the table says, and percent-encoded bytes, which nobody sends.
fn is_reg_name(name: &[u8]) -> bool {
    name.iter().all(|&byte| REG_NAME[usize::from(byte)]) || is_encoded_reg_name(name)
}

fn is_encoded_reg_name(name: &[u8]) -> bool {
    let mut pieces = name.split(|&byte| byte == b'%');
    let plain = |piece: &[u8]| piece.iter().all(|&byte| REG_NAME[usize::from(byte)]);
    pieces.next().is_none_or(plain)
        && pieces.all(|piece| match piece {
            [high, low, rest @ ..] => {
                high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && plain(rest)
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let good = [
            "",
            "a",
            "a:",
            "a:80",
            "a.b-c_d:65535",
            "127.0.0.1:8888",
            "[::1]",
            "[::1]:80",
            "a%20b",
            "[::ffff:1.2.3.4]:1",
            ":80",
            "a,b",
        ];
        for host in good {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        let bad = [
            "a b",
            "a/b",
            "a@b",
            "a:b",
            "a:-1",
            "a:+1",
            "a:65536",
            "a:99999",
            "a:000080",
            "[::1%eth0]",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:x",
            "[]",
            "[v1.a]",
            "a%2",
            "a%zz",
            "a\\b",
            "\u{e4}",
            "a?b",
            "a#b",
            "a<b",
            "\"a\"",
            "a\0",
            "http://a",
        ];
        for host in bad {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn hosts_of_tunnels_have_a_port() {
        for host in ["a:80", "127.0.0.1:1", "[::1]:443"] {
            assert!(is_host_and_port(host.as_bytes()), "{host}");
        }
        for host in ["a", "a:", ":80", "[::1]", "[::1]:", "", "a:b", "u@a:80"] {
            assert!(!is_host_and_port(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn decimals() {
        let rows: [(&str, Option<Option<u64>>); 15] = [
            ("0", Some(Some(0))),
            ("5", Some(Some(5))),
            ("007", Some(Some(7))),
            ("9999999999999999999", Some(Some(9_999_999_999_999_999_999))),
            ("10000000000000000000", Some(None)),
            ("00000000000000000005", Some(None)),
            ("", None),
            ("+5", None),
            ("-0", None),
            ("0x5", None),
            ("1_0", None),
            (" 5", None),
            ("5 ", None),
            ("5,5", None),
            ("\u{665}", None),
        ];
        for (digits, number) in rows {
            assert_eq!(decimal(digits.as_bytes()), number, "{digits:?}");
        }
    }

    #[test]
    fn list_members_are_trimmed_and_kept_empty() {
        let list: Vec<_> = members(b" a,\tb c ,,d").collect();
        assert_eq!(list, [&b"a"[..], b"b c", b"", b"d"]);
    }

    #[test]
    fn framing_fields_do_not_trail() {
        assert!(!may_trail(&header::CONTENT_LENGTH));
        assert!(!may_trail(&header::TRANSFER_ENCODING));
        assert!(may_trail(&HeaderName::from_static("x-checksum")));
        for name in &ABOUT_CONTENT {
            assert!(!may_trail(name), "{name} may come, but is never sent");
        }
    }
}
