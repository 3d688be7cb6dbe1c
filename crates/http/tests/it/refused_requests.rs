//! Requests that must not get through, and the rule that each breaks.

use http::StatusCode;
use squall_http::h1::ParseError;

use crate::drive::{check, requests};

#[test]
fn first_lines() {
    check(
        &[
            ("GET / HTTP/1.1 ⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/1.1\t⏎Host: a⏎⏎", "Version"),
            ("GET /  HTTP/1.1⏎Host: a⏎⏎", "Version"),
            ("GET  / HTTP/1.1⏎Host: a⏎⏎", "RequestLine"),
            ("GET\t/ HTTP/1.1⏎Host: a⏎⏎", "Method"),
            (" GET / HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("GET /a b HTTP/1.1⏎Host: a⏎⏎", "Version"),
            ("GET /⏎⏎", "RequestLine"),
            ("GET ⏎⏎", "RequestLine"),
            ("GET⏎⏎", "RequestLine"),
            ("G", "Truncated"),
            ("/ HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("-blargh / HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("!ET / HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("GET / HTTP/5.6", "VersionUnsupported"),
            ("GET / HTTP/5.67⏎Host: a⏎⏎", "VersionUnsupported"),
            ("GET / HTTP/1.12⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/2.0\n", "VersionUnsupported"),
            ("GET /a HTTP/5.6 HTTP/1.1⏎Host: a⏎⏎", "VersionUnsupported"),
            ("GET / HTTP/1.1 HTTP/5.6⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/1.1⏎ H", "ObsFold"),
            ("GET / HTTP/1.1⏎Host: a⏎\tb: c\n", "ObsFold"),
            ("G{T / HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("G\0T / HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("G\u{c4}T / HTTP/1.1⏎Host: a⏎⏎", "Method"),
            ("\u{16}\u{3}\u{1}", "Method"),
            ("\0", "Method"),
            ("GET / HTTP/1.2⏎Host: a⏎⏎", "VersionUnsupported"),
            ("GET / HTTP/0.9⏎Host: a⏎⏎", "VersionUnsupported"),
            ("GET / HTTP/2.0⏎Host: a⏎⏎", "VersionUnsupported"),
            ("PRI * HTTP/2.0⏎⏎SM⏎⏎", "VersionUnsupported"),
            ("GET / HTTP/1.10⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/11⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/1,1⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/1.⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/x.1⏎Host: a⏎⏎", "Version"),
            ("GET / http/1.1⏎Host: a⏎⏎", "Version"),
            ("GET / ICE/1.0⏎Host: a⏎⏎", "Version"),
            ("GET / HTTP/\u{b2}.1⏎⏎", "Version"),
            ("HTTP/1.1 200 OK⏎⏎", "Method"),
        ],
        requests,
    );
}

#[test]
fn line_ends() {
    check(
        &[
            ("GET / HTTP/1.1\nHost: a\n\n", "BareLf"),
            ("GET / HTTP/1.1⏎Host: a\n⏎", "BareLf"),
            ("GET / HTTP/1.1⏎Host: a⏎\n", "BareLf"),
            ("GET / HTTP/1.1\rHost: a\r\r", "BareCr"),
            ("GET / HTTP/1.1⏎Host: a\rb⏎⏎", "BareCr"),
            ("GET / HTTP/1.1⏎Host: a⏎X: b\r\r\n⏎", "BareCr"),
            ("GET / HTTP/1.1⏎Host: a⏎\r\r\n", "BareCr"),
            ("\nGET / HTTP/1.1⏎Host: a⏎⏎", "BareLf"),
            ("\r\rGET / HTTP/1.1⏎Host: a⏎⏎", "BareCr"),
            ("GET / HTTP/1.1⏎Host: a⏎", "Truncated"),
            ("GET / HTTP/1.1⏎Host: a⏎\r", "Truncated"),
        ],
        requests,
    );
}

#[test]
fn field_lines() {
    check(
        &[
            ("GET / HTTP/1.1⏎ Host: a⏎⏎", "ObsFold"),
            ("GET / HTTP/1.1⏎Host: a⏎X: y⏎ z⏎⏎", "ObsFold"),
            ("GET / HTTP/1.1⏎Host: a⏎X: y⏎\tz⏎⏎", "ObsFold"),
            ("GET / HTTP/1.1⏎Host: a⏎X: y⏎ ⏎⏎", "ObsFold"),
            ("GET / HTTP/1.1⏎Host : a⏎⏎", "WhitespaceBeforeColon"),
            (
                "GET / HTTP/1.1⏎Host: a⏎Content-Length\t: 5⏎⏎",
                "WhitespaceBeforeColon",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Transfer-Encoding : chunked⏎⏎",
                "WhitespaceBeforeColon",
            ),
            ("GET / HTTP/1.1⏎Host: a⏎: b⏎⏎", "FieldName"),
            ("GET / HTTP/1.1⏎Host: a⏎X Y: b⏎⏎", "FieldName"),
            ("GET / HTTP/1.1⏎Host: a⏎X\u{b}: b⏎⏎", "FieldName"),
            ("GET / HTTP/1.1⏎Host: a⏎\0X: b⏎⏎", "FieldName"),
            ("GET / HTTP/1.1⏎Host: a⏎X\u{e4}: b⏎⏎", "FieldName"),
            ("GET / HTTP/1.1⏎Host: a⏎\"X\": b⏎⏎", "FieldName"),
            ("GET / HTTP/1.1⏎Host: a⏎Host⏎⏎", "MissingColon"),
            ("GET / HTTP/1.1⏎Host: a⏎GET / HTTP/1.1⏎⏎", "MissingColon"),
            ("GET / HTTP/1.1⏎Host: a⏎X: a\0b⏎⏎", "FieldValue"),
            ("GET / HTTP/1.1⏎Host: a⏎X: \u{7f}⏎⏎", "FieldValue"),
            ("GET / HTTP/1.1⏎Host: a⏎X: \u{1}⏎⏎", "FieldValue"),
        ],
        requests,
    );
}

#[test]
fn hosts() {
    check(
        &[
            ("GET / HTTP/1.1⏎⏎", "HostMissing"),
            ("GET http://a/ HTTP/1.1⏎⏎", "HostMissing"),
            ("CONNECT a:1 HTTP/1.1⏎⏎", "HostMissing"),
            ("GET / HTTP/1.1⏎Host: a⏎Host: a⏎⏎", "HostRepeated"),
            ("GET / HTTP/1.1⏎Host: a⏎hOsT: b⏎⏎", "HostRepeated"),
            ("GET / HTTP/1.0⏎Host: a⏎Host: b⏎⏎", "HostRepeated"),
            ("GET / HTTP/1.1⏎Host: a b⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: a, b⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: u@a⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: a/b⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: a:99999⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: a:x⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: [::1%eth0]⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: [::1⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.0⏎Host: a b⏎⏎", "HostInvalid"),
            ("GET / HTTP/1.1⏎Host: <script>⏎⏎", "HostInvalid"),
        ],
        requests,
    );
}

#[test]
fn lengths() {
    let bad = [
        ("+5", "ContentLength"),
        ("-0", "ContentLength"),
        ("-1", "ContentLength"),
        ("0x5", "ContentLength"),
        ("1_0", "ContentLength"),
        ("5 5", "ContentLength"),
        ("5.0", "ContentLength"),
        ("5e0", "ContentLength"),
        ("foo", "ContentLength"),
        ("", "ContentLength"),
        (" ", "ContentLength"),
        ("5,", "ContentLength"),
        (",5", "ContentLength"),
        ("5,5", "ContentLengthRepeated"),
        ("5, 6", "ContentLengthRepeated"),
        ("2\u{a0}", "ContentLength"),
        ("\u{b2}", "ContentLength"),
        ("\"5\"", "ContentLength"),
        ("5;a", "ContentLength"),
        ("20000000000000000000", "ContentLengthOverflow"),
        ("18446744073709551616", "ContentLengthOverflow"),
        ("123456789012345678901234567890", "ContentLengthOverflow"),
        ("9999999999999999999", "BodyTooLarge"),
        ("9223372036854775808", "BodyTooLarge"),
    ];
    for (value, error) in bad {
        let got = requests(&format!(
            "POST / HTTP/1.1⏎Host: a⏎Content-Length: {value}⏎⏎hello"
        ));
        assert_eq!(got, error, "{value:?}");
    }
}

#[test]
fn two_lengths_or_a_length_and_a_coding() {
    check(
        &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎Content-Length: 6⏎⏎hello",
                "ContentLengthRepeated",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎content-length: 5⏎⏎hello",
                "ContentLengthRepeated",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
                "AmbiguousFraming",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Content-Length: 5⏎⏎0⏎⏎",
                "AmbiguousFraming",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Content-Length: 0⏎⏎0⏎⏎",
                "AmbiguousFraming",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: x⏎Content-Length: 5⏎⏎hello",
                "AmbiguousFraming",
            ),
            (
                "CONNECT a:1 HTTP/1.1⏎Host: a:1⏎Content-Length: 5⏎⏎hello",
                "ConnectWithBody",
            ),
            (
                "CONNECT a:1 HTTP/1.1⏎Host: a:1⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
                "ConnectWithBody",
            ),
        ],
        requests,
    );
}

#[test]
fn transfer_codings() {
    let bad = [
        ("gzip, chunked", "TransferCodingUnknown"),
        ("cow, chunked", "TransferCodingUnknown"),
        ("identity, chunked", "TransferCodingUnknown"),
        ("chunked, chunked", "TransferEncoding"),
        ("chunked, identity", "ChunkedNotLast"),
        ("chunked, gzip", "ChunkedNotLast"),
        ("gzip", "ChunkedNotLast"),
        ("identity", "ChunkedNotLast"),
        ("xchunked", "ChunkedNotLast"),
        ("chunkedx", "ChunkedNotLast"),
        ("", "TransferEncoding"),
        (",chunked", "TransferEncoding"),
        ("chunked,", "ChunkedNotLast"),
        (" , chunked", "TransferEncoding"),
        ("\u{a0}chunked", "TransferEncoding"),
        ("chunked\u{a0}", "TransferEncoding"),
        ("\"chunked\"", "TransferEncoding"),
        ("chunked;q=1", "TransferEncoding"),
        ("chun ked", "TransferEncoding"),
        ("\u{b}chunked", "FieldValue"),
        ("chunked⏎Transfer-Encoding: identity", "ChunkedNotLast"),
        (
            "identity⏎Transfer-Encoding: chunked",
            "TransferCodingUnknown",
        ),
        ("chunked⏎Transfer-Encoding: chunked", "TransferEncoding"),
        ("chunked⏎Transfer-Encoding:", "ChunkedNotLast"),
    ];
    for (value, error) in bad {
        let got = requests(&format!(
            "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: {value}⏎⏎0⏎⏎"
        ));
        assert_eq!(got, error, "{value:?}");
    }
    let old = requests("POST / HTTP/1.0⏎Transfer-Encoding: chunked⏎⏎0⏎⏎");
    assert_eq!(old, "TransferEncodingInHttp10");
}

#[test]
fn cut_off_bodies_are_not_whole() {
    check(
        &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎⏎hell",
                "POST / 1.1 keep Length(5) =hell ... ; Truncated",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎⏎",
                "POST / 1.1 keep Length(5) ... ; Truncated",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎",
                "POST / 1.1 keep Chunked ... ; Truncated",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎2⏎hi⏎",
                "POST / 1.1 keep Chunked =hi ... ; Truncated",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎2⏎hi⏎0⏎",
                "POST / 1.1 keep Chunked =hi ... ; Truncated",
            ),
        ],
        requests,
    );
}

#[test]
fn each_error_knows_its_status() {
    let rows = [
        (ParseError::AmbiguousFraming, 400),
        (ParseError::BareLf, 400),
        (ParseError::BodyTooLarge, 413),
        (ParseError::ContentLength, 400),
        (ParseError::ExpectationUnknown, 417),
        (ParseError::HeadTooLarge, 431),
        (ParseError::HostMissing, 400),
        (ParseError::MethodTooLong, 501),
        (ParseError::StatusLine, 502),
        (ParseError::TargetTooLong, 414),
        (ParseError::TooManyHeaders, 431),
        (ParseError::TrailersTooLarge, 431),
        (ParseError::TransferCodingUnknown, 501),
        (ParseError::Version, 400),
        (ParseError::VersionUnsupported, 505),
    ];
    for (error, status) in rows {
        assert_eq!(
            error.status(),
            StatusCode::from_u16(status).expect("a status"),
            "{error}"
        );
    }
}
