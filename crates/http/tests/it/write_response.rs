//! Responses: what is asked for, and the bytes that go out.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use squall_http::h1::{
    Event, Exchange, Limits, RequestDecoder, ResponseEncoder, ResponseStart, UsualHead, WriteError,
};
use squall_http::{DateLine, Response};

use crate::drive::{text, wire};

/// What a request leaves for its response to know.
pub(crate) fn exchange(request: &str) -> Exchange {
    let mut decoder = RequestDecoder::new(Limits::default());
    match decoder.decode(&wire(request)) {
        Ok((_, Some(Event::Head(head)))) => head.exchange(),
        other => panic!("no head: {other:?}"),
    }
}

pub(crate) fn get() -> Exchange {
    exchange("GET / HTTP/1.1⏎Host: a⏎⏎")
}

pub(crate) fn get_10() -> Exchange {
    exchange("GET / HTTP/1.0⏎⏎")
}

fn get_10_keep() -> Exchange {
    exchange("GET / HTTP/1.0⏎Connection: keep-alive⏎⏎")
}

pub(crate) fn head() -> Exchange {
    exchange("HEAD / HTTP/1.1⏎Host: a⏎⏎")
}

fn connect() -> Exchange {
    exchange("CONNECT a:1 HTTP/1.1⏎Host: a⏎⏎")
}

fn upgrade() -> Exchange {
    exchange("GET / HTTP/1.1⏎Host: a⏎Connection: upgrade⏎Upgrade: x⏎⏎")
}

/// Turns `name: value` lines, separated by `|`, into fields.
pub(crate) fn fields(lines: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in lines.split('|').filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("name: value");
        let name: HeaderName = name.parse().expect("a name");
        map.append(
            name,
            HeaderValue::from_bytes(&wire(value)).expect("a value"),
        );
    }
    map
}

/// Writes a response with the body in these pieces; `~` marks the end if the connection closes after it.
fn write(
    exchange: Exchange,
    status: u16,
    lines: &str,
    length: Option<u64>,
    pieces: &[&str],
) -> Result<String, WriteError> {
    let mut encoder = ResponseEncoder::new();
    let mut out = Vec::new();
    let headers = fields(lines);
    let start = ResponseStart {
        status: StatusCode::from_u16(status).expect("a status"),
        reason: None,
        headers: Some(&headers),
        content_type: None,
        length,
        date: None,
    };
    encoder.head(&mut out, exchange, &start)?;
    for piece in pieces {
        encoder.data(&mut out, piece.as_bytes())?;
    }
    encoder.end(&mut out)?;
    let close = if encoder.keep_alive() { "" } else { "~" };
    Ok(text(&out) + close)
}

/// Exchange, status, fields, length, pieces, bytes.
type Row = (
    fn() -> Exchange,
    u16,
    &'static str,
    Option<u64>,
    &'static [&'static str],
    &'static str,
);

#[test]
fn bodies_are_framed_by_what_is_known() {
    let rows: [Row; 12] = [
        (
            get,
            200,
            "",
            Some(5),
            &["hello"],
            "HTTP/1.1 200 OK⏎content-length: 5⏎⏎hello",
        ),
        (
            get,
            200,
            "",
            Some(5),
            &["he", "", "llo"],
            "HTTP/1.1 200 OK⏎content-length: 5⏎⏎hello",
        ),
        (
            get,
            200,
            "",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 0⏎⏎",
        ),
        (
            get,
            404,
            "",
            Some(0),
            &[],
            "HTTP/1.1 404 Not Found⏎content-length: 0⏎⏎",
        ),
        (
            get,
            299,
            "",
            Some(0),
            &[],
            "HTTP/1.1 299 ⏎content-length: 0⏎⏎",
        ),
        (
            get,
            200,
            "",
            None,
            &["hello", "", "0123456789abcdef!"],
            "HTTP/1.1 200 OK⏎transfer-encoding: chunked⏎⏎5⏎hello⏎11⏎0123456789abcdef!⏎0⏎⏎",
        ),
        (
            get,
            200,
            "",
            None,
            &[],
            "HTTP/1.1 200 OK⏎transfer-encoding: chunked⏎⏎0⏎⏎",
        ),
        (
            get_10,
            200,
            "",
            Some(2),
            &["hi"],
            "HTTP/1.1 200 OK⏎content-length: 2⏎connection: close⏎⏎hi~",
        ),
        (
            get_10_keep,
            200,
            "",
            Some(2),
            &["hi"],
            "HTTP/1.1 200 OK⏎content-length: 2⏎connection: keep-alive⏎⏎hi",
        ),
        (
            get_10,
            200,
            "",
            None,
            &["h", "i"],
            "HTTP/1.1 200 OK⏎connection: close⏎⏎hi~",
        ),
        (
            get_10_keep,
            200,
            "",
            None,
            &["h", "i"],
            "HTTP/1.1 200 OK⏎connection: close⏎⏎hi~",
        ),
        (
            get,
            200,
            "content-length: 2",
            None,
            &["hi"],
            "HTTP/1.1 200 OK⏎content-length: 2⏎⏎hi",
        ),
    ];
    check(&rows);
}

#[test]
fn bodies_that_must_not_be_are_left_out() {
    let rows: [Row; 13] = [
        (
            head,
            200,
            "",
            Some(5),
            &["hello"],
            "HTTP/1.1 200 OK⏎content-length: 5⏎⏎",
        ),
        (head, 200, "", Some(0), &[], "HTTP/1.1 200 OK⏎⏎"),
        (
            head,
            200,
            "content-length: 7",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 7⏎⏎",
        ),
        (head, 200, "", None, &["hello"], "HTTP/1.1 200 OK⏎⏎"),
        (
            head,
            404,
            "",
            Some(9),
            &["not found"],
            "HTTP/1.1 404 Not Found⏎content-length: 9⏎⏎",
        ),
        (
            head,
            204,
            "content-length: 7",
            Some(0),
            &[],
            "HTTP/1.1 204 No Content⏎⏎",
        ),
        (
            get,
            204,
            "",
            Some(5),
            &["hello"],
            "HTTP/1.1 204 No Content⏎⏎",
        ),
        (
            get,
            204,
            "content-length: 0",
            Some(0),
            &[],
            "HTTP/1.1 204 No Content⏎⏎",
        ),
        (
            get,
            205,
            "",
            Some(5),
            &["hello"],
            "HTTP/1.1 205 Reset Content⏎content-length: 0⏎⏎",
        ),
        (
            get,
            304,
            "etag: \"1\"",
            Some(5),
            &["hello"],
            "HTTP/1.1 304 Not Modified⏎etag: \"1\"⏎content-length: 5⏎⏎",
        ),
        (
            get,
            304,
            "content-length: 7",
            Some(0),
            &[],
            "HTTP/1.1 304 Not Modified⏎content-length: 7⏎⏎",
        ),
        (get, 304, "", None, &["x"], "HTTP/1.1 304 Not Modified⏎⏎"),
        (
            get_10,
            304,
            "",
            None,
            &["x"],
            "HTTP/1.1 304 Not Modified⏎connection: close⏎⏎~",
        ),
    ];
    check(&rows);
}

#[test]
fn connections_close_when_either_side_wants_it() {
    let closing: fn() -> Exchange = || get().closing();
    let asked: fn() -> Exchange = || exchange("GET / HTTP/1.1⏎Host: a⏎Connection: close⏎⏎");
    let rows: [Row; 7] = [
        (
            get,
            200,
            "connection: close",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 0⏎connection: close⏎⏎~",
        ),
        (
            get,
            200,
            "connection: x, CLOSE",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎connection: x⏎content-length: 0⏎connection: close⏎⏎~",
        ),
        (
            get,
            200,
            "connection: keep-alive",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 0⏎⏎",
        ),
        (
            closing,
            200,
            "",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 0⏎connection: close⏎⏎~",
        ),
        (
            asked,
            200,
            "connection: keep-alive",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 0⏎connection: close⏎⏎~",
        ),
        (
            get_10_keep,
            200,
            "connection: close",
            Some(0),
            &[],
            "HTTP/1.1 200 OK⏎content-length: 0⏎connection: close⏎⏎~",
        ),
        (
            || Exchange::UNREADABLE,
            400,
            "",
            Some(0),
            &[],
            "HTTP/1.1 400 Bad Request⏎content-length: 0⏎connection: close⏎⏎~",
        ),
    ];
    check(&rows);
}

#[test]
fn switched_protocols_are_passed_as_they_are() {
    let rows: [Row; 3] = [
        (
            upgrade,
            101,
            "upgrade: x|connection: upgrade",
            Some(0),
            &["\u{1}raw"],
            "HTTP/1.1 101 Switching Protocols⏎upgrade: x⏎connection: upgrade⏎⏎\u{1}raw~",
        ),
        (
            connect,
            200,
            "content-length: 5",
            None,
            &["raw"],
            "HTTP/1.1 200 OK⏎⏎raw~",
        ),
        (
            connect,
            403,
            "",
            Some(2),
            &["no"],
            "HTTP/1.1 403 Forbidden⏎content-length: 2⏎⏎no",
        ),
    ];
    check(&rows);
}

fn check(rows: &[Row]) {
    for (exchange, status, lines, length, pieces, bytes) in rows {
        let got = write(exchange(), *status, lines, *length, pieces);
        assert_eq!(
            got.as_deref(),
            Ok(*bytes),
            "{status} {lines} {length:?} {pieces:?}"
        );
    }
}

#[test]
fn what_must_not_go_out() {
    type Bad = (
        fn() -> Exchange,
        u16,
        &'static str,
        Option<u64>,
        &'static [&'static str],
        WriteError,
    );
    let rows: [Bad; 16] = [
        (
            get,
            200,
            "transfer-encoding: chunked",
            None,
            &[],
            WriteError::TransferEncodingSet,
        ),
        (
            get,
            200,
            "transfer-encoding: gzip",
            Some(0),
            &[],
            WriteError::TransferEncodingSet,
        ),
        (
            head,
            200,
            "transfer-encoding: chunked",
            None,
            &[],
            WriteError::TransferEncodingSet,
        ),
        (
            get,
            200,
            "content-length: 5",
            Some(4),
            &[],
            WriteError::ContentLengthMismatch,
        ),
        (
            get,
            200,
            "content-length: 0",
            Some(4),
            &[],
            WriteError::ContentLengthMismatch,
        ),
        (
            get,
            200,
            "content-length: +5",
            None,
            &[],
            WriteError::ContentLength,
        ),
        (
            get,
            200,
            "content-length: 5, 5",
            Some(5),
            &[],
            WriteError::ContentLength,
        ),
        (
            get,
            200,
            "content-length: 5|content-length: 5",
            Some(5),
            &[],
            WriteError::ContentLength,
        ),
        (
            get,
            200,
            "content-length: 99999999999999999999",
            None,
            &[],
            WriteError::ContentLength,
        ),
        (get, 100, "", Some(0), &[], WriteError::InterimStatus),
        (get, 103, "", Some(0), &[], WriteError::InterimStatus),
        (get, 101, "", Some(0), &[], WriteError::UpgradeNotAsked),
        (connect, 101, "", Some(0), &[], WriteError::UpgradeNotAsked),
        (get, 200, "", Some(4), &["hello"], WriteError::BodyTooLong),
        (get, 200, "", Some(6), &["hello"], WriteError::BodyTooShort),
        (get, 200, "", Some(0), &["hello"], WriteError::BodyTooLong),
    ];
    for (exchange, status, lines, length, pieces, error) in rows {
        let got = write(exchange(), status, lines, length, pieces);
        assert_eq!(got, Err(error), "{status} {lines} {length:?}");
    }
}

#[test]
fn fields_keep_their_bytes() {
    let got = write(
        get(),
        200,
        "x: 1|set-cookie: a=b|set-cookie: c=d|y: \u{fc}",
        Some(0),
        &[],
    );
    let expected =
        "HTTP/1.1 200 OK⏎x: 1⏎set-cookie: a=b⏎set-cookie: c=d⏎y: \u{fc}⏎content-length: 0⏎⏎";
    assert_eq!(got.as_deref(), Ok(expected));
}

#[test]
fn a_usual_answer_is_written_at_once_and_as_it_is_written_in_steps() {
    let date = DateLine::new("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
    let methods = ["GET", "POST", "HEAD", "CONNECT"];
    let sizes = [0, 1, 9, 10, 13, 99, 100, 1000, 70_000];
    let mut head = UsualHead::new(date);
    let mut usual = 0;
    for (method, status, size) in methods.iter().flat_map(|method| {
        [200, 204, 404]
            .iter()
            .flat_map(move |status| sizes.map(|size| (method, *status, size)))
    }) {
        let target = if *method == "CONNECT" { "a:1" } else { "/" };
        for close in ["", "Connection: close⏎"] {
            let exchange = exchange(&format!("{method} {target} HTTP/1.1⏎Host: a⏎{close}⏎"));
            let body = vec![b'x'; size];
            let kind = ["text/plain", "text/html"][size % 2];
            let mut response = Response::with_type(kind, body.clone());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            let start = ResponseStart {
                date: Some(&date),
                ..ResponseStart::of(&response)
            };
            let (mut at_once, mut steps) = (Vec::new(), Vec::new());
            if !ResponseEncoder::new().usual(&mut at_once, exchange, &response, &mut head) {
                assert!(at_once.is_empty());
                continue;
            }
            usual += 1;
            let mut encoder = ResponseEncoder::new();
            encoder
                .head(&mut steps, exchange, &start)
                .and_then(|()| encoder.data(&mut steps, &body))
                .and_then(|()| encoder.end(&mut steps))
                .expect("it may be sent");
            assert_eq!(at_once, steps, "{method} {status} {size}");
            assert!(encoder.keep_alive());
        }
    }
    assert_eq!(usual, 2 * sizes.len(), "GET and POST with 200, kept open");
}
