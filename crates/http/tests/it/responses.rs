//! Responses: how each ends depends on the request it answers.

use http::Method;

use crate::drive::{check, responses};

fn to_get(input: &str) -> String {
    responses(&[Method::GET], input)
}

fn to_head(input: &str) -> String {
    responses(&[Method::HEAD], input)
}

fn to_connect(input: &str) -> String {
    responses(&[Method::CONNECT], input)
}

#[test]
fn framing_and_persistence() {
    check(
        &[
            (
                "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hello",
                "1.1 200 \"OK\" keep Length(5) =hello ; clean",
            ),
            (
                "HTTP/1.1 200 OK⏎Content-Length: 0⏎⏎",
                "1.1 200 \"OK\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 200 OK⏎Connection: close⏎Content-Length: 1⏎⏎x",
                "1.1 200 \"OK\" Length(1) =x ; clean",
            ),
            (
                "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎1⏎x⏎0⏎A: b⏎⏎",
                "1.1 200 \"OK\" keep Chunked =x +a:b ; clean",
            ),
            (
                "HTTP/1.1 200 OK⏎⏎all that comes",
                "1.1 200 \"OK\" UntilClose =all that comes ... ; end of body",
            ),
            (
                "HTTP/1.1 200 OK⏎⏎",
                "1.1 200 \"OK\" UntilClose ... ; end of body",
            ),
            (
                "HTTP/1.0 200 OK⏎⏎x",
                "1.0 200 \"OK\" UntilClose =x ... ; end of body",
            ),
            (
                "HTTP/1.0 200 OK⏎Content-Length: 1⏎⏎x",
                "1.0 200 \"OK\" Length(1) =x ; clean",
            ),
            (
                "HTTP/1.0 200 OK⏎Content-Length: 1⏎Connection: keep-alive⏎⏎x",
                "1.0 200 \"OK\" keep Length(1) =x ; clean",
            ),
            // A server may repeat itself, if it says the same (RFC 9110 §8.6).
            (
                "HTTP/1.1 200 OK⏎Content-Length: 1⏎Content-Length: 1⏎⏎x",
                "1.1 200 \"OK\" keep Length(1) =x ; clean",
            ),
            (
                "HTTP/1.1 200 OK⏎Content-Length: 1, 1⏎⏎x",
                "1.1 200 \"OK\" keep Length(1) =x ; clean",
            ),
            // A response has no Host that could be wrong.
            (
                "HTTP/1.1 200 OK⏎Host: a b⏎Content-Length: 0⏎⏎",
                "1.1 200 \"OK\" keep Empty ; clean",
            ),
        ],
        to_get,
    );
}

#[test]
fn status_lines() {
    check(
        &[
            (
                "HTTP/1.1 200 ⏎Content-Length: 0⏎⏎",
                "1.1 200 \"\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 200⏎Content-Length: 0⏎⏎",
                "1.1 200 \"\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 404 Not \tFound ⏎Content-Length: 0⏎⏎",
                "1.1 404 \"Not \\tFound \" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 299 Gr\u{fc}n⏎Content-Length: 0⏎⏎",
                "1.1 299 \"Grün\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 999 Denied⏎Content-Length: 0⏎⏎",
                "1.1 999 \"Denied\" keep Empty ; clean",
            ),
            ("HTTP/1.1 99 X⏎⏎", "StatusLine"),
            ("HTTP/1.1 099 X⏎⏎", "StatusLine"),
            ("HTTP/1.1 2000 X⏎⏎", "StatusLine"),
            ("HTTP/1.1 20x X⏎⏎", "StatusLine"),
            ("HTTP/1.1 +20 X⏎⏎", "StatusLine"),
            ("HTTP/1.1  200 X⏎⏎", "StatusLine"),
            ("HTTP/1.1\t200 X⏎⏎", "StatusLine"),
            ("HTTP/1.1⏎⏎", "StatusLine"),
            ("HTTP/1.1 ⏎⏎", "StatusLine"),
            ("200 OK⏎⏎", "StatusLine"),
            ("⏎HTTP/1.1 200 OK⏎⏎", "StatusLine"),
            ("HTTP/1.1 200 a\0⏎⏎", "StatusLine"),
            ("HTTP/1.1 200 a\u{7f}⏎⏎", "StatusLine"),
            ("HTTP/2.0 200 OK⏎⏎", "VersionUnsupported"),
            ("HTTP/1.2 200 OK⏎⏎", "VersionUnsupported"),
            ("HTTP/x.1 200 OK⏎⏎", "Version"),
            ("ICY 200 OK⏎⏎", "Version"),
            ("<html><body>⏎⏎", "Version"),
            ("HTTP/1.1 200 OK\n\n", "BareLf"),
            ("HTTP/1.1 200 O\rK⏎⏎", "BareCr"),
        ],
        to_get,
    );
}

#[test]
fn responses_without_a_body() {
    check(
        &[
            (
                "HTTP/1.1 204 No Content⏎⏎",
                "1.1 204 \"No Content\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 304 Not Modified⏎Content-Length: 500⏎⏎",
                "1.1 304 \"Not Modified\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 304 X⏎Transfer-Encoding: chunked⏎⏎",
                "1.1 304 \"X\" keep Empty ; clean",
            ),
            // Content after a 204 is a way to plant a response.
            (
                "HTTP/1.1 204 X⏎Content-Length: 5⏎⏎",
                "1.1 204 \"X\" Empty ; clean",
            ),
            (
                "HTTP/1.1 204 X⏎Transfer-Encoding: chunked⏎⏎",
                "1.1 204 \"X\" Empty ; clean",
            ),
        ],
        to_get,
    );
    check(
        &[
            (
                "HTTP/1.1 200 OK⏎Content-Length: 500⏎⏎",
                "1.1 200 \"OK\" keep Empty ; clean",
            ),
            (
                "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎",
                "1.1 200 \"OK\" keep Empty ; clean",
            ),
            ("HTTP/1.1 200 OK⏎⏎", "1.1 200 \"OK\" keep Empty ; clean"),
            ("HTTP/1.0 200 OK⏎⏎", "1.0 200 \"OK\" Empty ; clean"),
        ],
        to_head,
    );
}

#[test]
fn interim_responses_come_before_the_final_one() {
    check(
        &[
            (
                "HTTP/1.1 100 Continue⏎⏎HTTP/1.1 200 OK⏎Content-Length: 1⏎⏎x",
                "1.1 100 \"Continue\" keep Empty ... ; 1.1 200 \"OK\" keep Length(1) =x ; clean",
            ),
            (
                "HTTP/1.1 103 Early Hints⏎Link: </a>⏎⏎HTTP/1.1 102 P⏎⏎HTTP/1.1 204 X⏎⏎",
                "1.1 103 \"Early Hints\" keep Empty ... ; 1.1 102 \"P\" keep Empty ... ; 1.1 204 \"X\" keep Empty ; clean",
            ),
            ("HTTP/1.1 100 C⏎⏎", "1.1 100 \"C\" keep Empty ... ; clean"),
        ],
        to_get,
    );
    let rows = [(
        "HTTP/1.1 100 C⏎⏎HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎",
        "1.1 100 \"C\" keep Empty ... ; 1.1 200 \"OK\" keep Empty ; clean",
    )];
    check(&rows, to_head);
}

#[test]
fn http_ends_where_the_protocol_is_switched() {
    check(
        &[(
            "HTTP/1.1 101 Switching Protocols⏎Upgrade: x⏎Connection: upgrade⏎⏎\u{81}\u{0}",
            "1.1 101 \"Switching Protocols\" keep Upgrade ... ; clean ; left \u{81}\u{0}",
        )],
        to_get,
    );
    check(
        &[
            (
                "HTTP/1.1 200 OK⏎⏎raw",
                "1.1 200 \"OK\" keep Upgrade ... ; clean ; left raw",
            ),
            // Framing fields mean nothing there (RFC 9110 §9.3.6).
            (
                "HTTP/1.1 200 OK⏎Content-Length: 3⏎⏎raw",
                "1.1 200 \"OK\" keep Upgrade ... ; clean ; left raw",
            ),
            (
                "HTTP/1.1 407 No⏎Content-Length: 3⏎⏎no!",
                "1.1 407 \"No\" keep Length(3) =no! ; clean",
            ),
        ],
        to_connect,
    );
}

#[test]
fn what_cannot_be_framed() {
    check(
        &[
            (
                "HTTP/1.1 200 OK⏎Content-Length: 1⏎Content-Length: 2⏎⏎",
                "ContentLengthRepeated",
            ),
            (
                "HTTP/1.1 200 OK⏎Content-Length: 1, 2⏎⏎",
                "ContentLengthRepeated",
            ),
            ("HTTP/1.1 200 OK⏎Content-Length: 1,⏎⏎", "ContentLength"),
            ("HTTP/1.1 200 OK⏎Content-Length: +1⏎⏎", "ContentLength"),
            (
                "HTTP/1.1 200 OK⏎Content-Length: 1⏎Transfer-Encoding: chunked⏎⏎",
                "AmbiguousFraming",
            ),
            (
                "HTTP/1.1 200 OK⏎Transfer-Encoding: gzip, chunked⏎⏎",
                "TransferCodingUnknown",
            ),
            (
                "HTTP/1.1 200 OK⏎Transfer-Encoding: gzip⏎⏎",
                "ChunkedNotLast",
            ),
            (
                "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked, chunked⏎⏎",
                "TransferEncoding",
            ),
            (
                "HTTP/1.0 200 OK⏎Transfer-Encoding: chunked⏎⏎",
                "TransferEncodingInHttp10",
            ),
            ("HTTP/1.1 200 OK⏎X : y⏎⏎", "WhitespaceBeforeColon"),
            ("HTTP/1.1 200 OK⏎X: y⏎ z⏎⏎", "ObsFold"),
            ("HTTP/1.1 200 OK⏎X: \0⏎⏎", "FieldValue"),
            ("HTTP/1.1 200 OK⏎X: y", "Truncated"),
            (
                "HTTP/1.1 200 OK⏎Content-Length: 2⏎⏎x",
                "1.1 200 \"OK\" keep Length(2) =x ... ; Truncated",
            ),
        ],
        to_get,
    );
}

#[test]
fn each_response_answers_one_request_in_order() {
    let got = responses(
        &[Method::GET, Method::HEAD, Method::POST],
        "HTTP/1.1 200 A⏎Content-Length: 1⏎⏎xHTTP/1.1 200 B⏎Content-Length: 9⏎⏎HTTP/1.1 200 C⏎Content-Length: 1⏎⏎y",
    );
    let expected = "1.1 200 \"A\" keep Length(1) =x ; 1.1 200 \"B\" keep Empty ; 1.1 200 \"C\" keep Length(1) =y ; clean";
    assert_eq!(got, expected);
}

#[test]
fn bytes_that_answer_nothing_are_refused() {
    assert_eq!(responses(&[], ""), "clean");
    assert_eq!(responses(&[], "H"), "Unsolicited");
    let got = to_get("HTTP/1.1 200 OK⏎Content-Length: 1⏎⏎xHTTP/1.1 200 OK⏎⏎");
    assert_eq!(got, "1.1 200 \"OK\" keep Length(1) =x ; Unsolicited");
    let got = to_get("HTTP/1.1 204 X⏎⏎⏎");
    assert_eq!(got, "1.1 204 \"X\" keep Empty ; Unsolicited");
    // After the last response nothing is looked at.
    let got = to_get("HTTP/1.1 200 OK⏎Connection: close⏎Content-Length: 1⏎⏎xyz");
    assert_eq!(got, "1.1 200 \"OK\" Length(1) =x ; clean ; left yz");
}
