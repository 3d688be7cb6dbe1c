//! Attacks that others fell for: bytes in, what must come out, where it is from.
//!
//! Identifiers are of RustSec, GitHub's and Python's advisory databases; versions name the release that fixed it.

use http::Method;

use crate::drive::{requests, responses};

/// Where it is from, the bytes, what must come out.
type Row = (&'static str, &'static str, &'static str);

const REQUESTS: &[Row] = &[
    // Lengths that some parsers read as numbers and others do not.
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: +1⏎⏎x",
        "ContentLength",
    ),
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 1_0⏎⏎0123456789",
        "ContentLength",
    ),
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: foo⏎⏎",
        "ContentLength",
    ),
    (
        "GHSA-753j-mpmx-qq6g",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 2\u{a0}⏎⏎hi",
        "ContentLength",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: +5⏎⏎hello",
        "ContentLength",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: -0⏎⏎",
        "ContentLength",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 0x5⏎⏎hello",
        "ContentLength",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5, 6⏎⏎hello",
        "ContentLengthRepeated",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5,5⏎⏎hello",
        "ContentLengthRepeated",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length:⏎⏎",
        "ContentLength",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 000000000000000000000000000005⏎⏎hello",
        "ContentLengthOverflow",
    ),
    (
        "RUSTSEC-2021-0078",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 1 5⏎⏎hello",
        "ContentLength",
    ),
    // Both framings, in either order.
    (
        "RUSTSEC-2021-0081",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 4⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        "AmbiguousFraming",
    ),
    (
        "GHSA-xhj4-vrgc-hr34",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Content-Length: 4⏎⏎0⏎⏎",
        "AmbiguousFraming",
    ),
    (
        "CL.TE",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 6⏎Transfer-Encoding: chunked⏎⏎0⏎⏎G",
        "AmbiguousFraming",
    ),
    (
        "TE.CL",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 4⏎Transfer-Encoding: chunked⏎⏎12⏎GPOST / HTTP/1.1⏎⏎⏎0⏎⏎",
        "AmbiguousFraming",
    ),
    // Codings that hide or double `chunked`.
    (
        "RUSTSEC-2021-0020",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Transfer-Encoding: identity⏎⏎0⏎⏎",
        "ChunkedNotLast",
    ),
    (
        "RUSTSEC-2021-0020",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked, chunked⏎⏎0⏎⏎",
        "TransferEncoding",
    ),
    (
        "GHSA-753j-mpmx-qq6g",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: gzip, chunked⏎⏎0⏎⏎",
        "TransferCodingUnknown",
    ),
    (
        "GHSA-753j-mpmx-qq6g",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: \u{a0}chunked⏎⏎0⏎⏎",
        "TransferEncoding",
    ),
    (
        "GHSA-753j-mpmx-qq6g",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        "TransferEncoding",
    ),
    (
        "actix-http 3.13.8",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked, gzip⏎⏎0⏎⏎",
        "ChunkedNotLast",
    ),
    (
        "actix-http 3.13.8",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: gzip⏎⏎0⏎⏎",
        "ChunkedNotLast",
    ),
    (
        "actix-http 3.13.8",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: xchunked⏎⏎0⏎⏎",
        "ChunkedNotLast",
    ),
    (
        "actix-http 3.13.8",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: identity⏎⏎",
        "ChunkedNotLast",
    ),
    (
        "hyper, cow",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: cow, chunked⏎⏎0⏎⏎",
        "TransferCodingUnknown",
    ),
    (
        "hyper, empty member",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: ,chunked⏎⏎0⏎⏎",
        "TransferEncoding",
    ),
    (
        "RUSTSEC-2026-0034",
        "POST / HTTP/1.0⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        "TransferEncodingInHttp10",
    ),
    (
        "RUSTSEC-2026-0034",
        "POST / HTTP/1.0⏎⏎no body",
        "POST / 1.0 Empty ; clean ; left no body",
    ),
    // Chunks.
    (
        "RUSTSEC-2021-0079",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎10000000000000000⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSizeOverflow",
    ),
    (
        "RUSTSEC-2021-0079",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎fffffffffffffffff⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSizeOverflow",
    ),
    (
        "RUSTSEC-2026-0181",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎ffffffffffffffff⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSizeOverflow",
    ),
    (
        "RUSTSEC-2026-0181",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎fffffffffffffffe⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSizeOverflow",
    ),
    (
        "RUSTSEC-2026-0181",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎fffffffffffffffd⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSizeOverflow",
    ),
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0x2⏎hi⏎0⏎⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSize",
    ),
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1_a⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSize",
    ),
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎+2⏎hi⏎0⏎⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSize",
    ),
    (
        "GHSA-qppv-j76h-2rpx",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎-1⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSize",
    ),
    (
        "actix-http 3.18.9",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎⏎0⏎⏎",
        "POST / 1.1 keep Chunked ... ; ChunkSize",
    ),
    (
        "actix-http 3.18.10",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1⏎x⏎0⏎Good: yes⏎⏎",
        "POST / 1.1 keep Chunked =x +good:yes ; clean",
    ),
    (
        "Tornado 6.6.0, terminator",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎5⏎abcdeXX0⏎⏎",
        "POST / 1.1 keep Chunked =abcde ... ; ChunkEnd",
    ),
    (
        "Tornado 6.6.1, extension",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎5;a=b⏎hello⏎0⏎⏎",
        "POST / 1.1 keep Chunked =hello ; clean",
    ),
    (
        "Tornado 6.6.1, bare LF",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎5\nhello⏎0⏎⏎",
        "POST / 1.1 keep Chunked ... ; BareLf",
    ),
    (
        "ntex 4.0, LF in an extension",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎5;a\nb⏎hello⏎0⏎⏎",
        "POST / 1.1 keep Chunked ... ; BareLf",
    ),
    (
        "hyper, trailer",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0⏎Content-Length: 9⏎⏎",
        "POST / 1.1 keep Chunked ... ; ForbiddenTrailer",
    ),
    // Lines.
    (
        "Tornado 6.6.1, bare LF",
        "GET / HTTP/1.1\nHost: a\n\n",
        "BareLf",
    ),
    (
        "Tornado 6.6.0, obs-fold",
        "GET / HTTP/1.1⏎Host: a⏎X: y⏎ z⏎⏎",
        "ObsFold",
    ),
    (
        "Tornado 6.6.1, two empty lines",
        "⏎⏎GET / HTTP/1.1⏎Host: a⏎⏎",
        "GET / 1.1 keep Empty ; clean",
    ),
    (
        "GHSA-w235-7p84-xx57",
        "GET / HTTP/1.1⏎Host: a⏎A: a\rb⏎⏎",
        "BareCr",
    ),
    (
        "space before colon",
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding : chunked⏎⏎0⏎⏎",
        "WhitespaceBeforeColon",
    ),
    ("NUL", "GET / HTTP/1.1⏎Host: a⏎X: \0⏎⏎", "FieldValue"),
    // Hosts.
    ("actix-http 3.18.11", "GET / HTTP/1.1⏎⏎", "HostMissing"),
    (
        "actix-http 3.18.11",
        "GET / HTTP/1.1⏎Host: a⏎Host: b⏎⏎",
        "HostRepeated",
    ),
    (
        "actix-http 3.18.11",
        "GET / HTTP/1.1⏎Host: a b⏎⏎",
        "HostInvalid",
    ),
    (
        "actix-http 3.18.11",
        "GET / HTTP/1.1⏎Host: [::1%eth0]⏎⏎",
        "HostInvalid",
    ),
    (
        "actix-http 3.18.11",
        "GET / HTTP/1.1⏎Host: a:99999⏎⏎",
        "HostInvalid",
    ),
    // Targets and methods.
    (
        "Tornado 6.6.1, absolute-form",
        "GET http://h/ HTTP/1.1⏎Host: h⏎⏎",
        "GET http://h/ 1.1 keep Empty ; clean",
    ),
    (
        "Tornado 6.6.1, OPTIONS",
        "OPTIONS * HTTP/1.1⏎Host: a⏎⏎",
        "OPTIONS * 1.1 keep Empty ; clean",
    ),
    (
        "ntex 4.0, asterisk",
        "GET * HTTP/1.1⏎Host: a⏎⏎",
        "TargetForm",
    ),
    (
        "ntex 4.0, authority",
        "GET a:80 HTTP/1.1⏎Host: a⏎⏎",
        "TargetForm",
    ),
    (
        "ntex 4.0, CONNECT",
        "CONNECT / HTTP/1.1⏎Host: a⏎⏎",
        "TargetForm",
    ),
    ("hyper, target", "GET ! HTTP/1.1⏎Host: a⏎⏎", "TargetForm"),
    ("hyper, method", "-blargh / HTTP/1.1⏎Host: a⏎⏎", "Method"),
    (
        "hyper, non-ASCII target",
        "GET /\u{f6} HTTP/1.1⏎Host: a⏎⏎",
        "Target",
    ),
    // Connections.
    (
        "actix-http 3.18.13",
        "POST / HTTP/1.0⏎Expect: 100-continue⏎Content-Length: 1⏎⏎x",
        "POST / 1.0 Length(1) =x ; clean",
    ),
    (
        "actix-http 3.18.13",
        "GET / HTTP/1.1⏎Host: a⏎Connection: foo, CLOSE⏎⏎",
        "GET / 1.1 Empty ; clean",
    ),
    (
        "Tornado 6.6.1, Connection",
        "GET / HTTP/1.1⏎Host: a⏎Connection: keep-alive, close⏎⏎",
        "GET / 1.1 Empty ; clean",
    ),
    (
        "Tornado 6.6.1, Expect",
        "GET / HTTP/1.1⏎Host: a⏎Expect: foo⏎⏎",
        "ExpectationUnknown",
    ),
    (
        "RUSTSEC-2025-0037",
        "POST / HTTP/1.1⏎Host: a⏎Content-Length: 30⏎⏎GET /poison HTTP/1.1⏎X: 1⏎⏎GET /2 HTTP/1.1⏎Host: a⏎⏎",
        "POST / 1.1 keep Length(30) =GET /poison HTTP/1.1⏎X: 1⏎⏎ ; GET /2 1.1 keep Empty ; clean",
    ),
    (
        "CL.0",
        "POST / HTTP/1.1⏎Host: a⏎⏎GET /2 HTTP/1.1⏎Host: a⏎⏎",
        "POST / 1.1 keep Empty ; GET /2 1.1 keep Empty ; clean",
    ),
];

const RESPONSES: &[Row] = &[
    (
        "GHSA-753j-mpmx-qq6g",
        "HTTP/1.1 200 OK⏎Transfer-Encoding: gzip, chunked⏎⏎0⏎⏎",
        "TransferCodingUnknown",
    ),
    (
        "RUSTSEC-2021-0078",
        "HTTP/1.1 200 OK⏎Content-Length: +5⏎⏎hello",
        "ContentLength",
    ),
    (
        "response with both",
        "HTTP/1.1 200 OK⏎Content-Length: 5⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        "AmbiguousFraming",
    ),
    (
        "Tornado 6.5.9, truncation",
        "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hell",
        "1.1 200 \"OK\" keep Length(5) =hell ... ; Truncated",
    ),
    (
        "response planting",
        "HTTP/1.1 204 X⏎⏎HTTP/1.1 200 OK⏎⏎",
        "1.1 204 \"X\" keep Empty ; Unsolicited",
    ),
];

#[test]
fn requests_of_attackers() {
    for (source, bytes, expected) in REQUESTS {
        assert_eq!(requests(bytes), *expected, "{source}: {bytes}");
    }
}

#[test]
fn responses_of_attackers() {
    for (source, bytes, expected) in RESPONSES {
        assert_eq!(
            responses(&[Method::GET], bytes),
            *expected,
            "{source}: {bytes}"
        );
    }
}

/// Bytes of the table, for tests that change them.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    REQUESTS.iter().chain(RESPONSES).map(|(_, bytes, _)| *bytes)
}
