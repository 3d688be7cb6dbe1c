//! Responses: what is asked for, and the bytes that go out.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use squall_http::h1::{
    CONTINUE, Event, Exchange, Limits, RequestDecoder, ResponseEncoder, ResponseStart, WriteError,
};

use crate::drive::{text, wire};

/// What a request leaves for its response to know.
pub(crate) fn exchange(request: &str) -> Exchange {
    let mut decoder = RequestDecoder::new(Limits::default());
    match decoder.decode(&wire(request)) {
        Ok((_, Some(Event::Head(head)))) => head.exchange(),
        other => panic!("no head: {other:?}"),
    }
}

fn get() -> Exchange {
    exchange("GET / HTTP/1.1⏎Host: a⏎⏎")
}

fn get_10() -> Exchange {
    exchange("GET / HTTP/1.0⏎⏎")
}

fn get_10_keep() -> Exchange {
    exchange("GET / HTTP/1.0⏎Connection: keep-alive⏎⏎")
}

fn head() -> Exchange {
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
        headers: &headers,
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
fn an_error_leaves_the_buffer_as_it_was() {
    let mut encoder = ResponseEncoder::new();
    let mut out = b"before".to_vec();
    let headers = fields("a: b|transfer-encoding: x");
    let bad = ResponseStart {
        status: StatusCode::OK,
        reason: None,
        headers: &headers,
        length: None,
        date: None,
    };
    assert_eq!(
        encoder.head(&mut out, get(), &bad),
        Err(WriteError::TransferEncodingSet)
    );
    assert_eq!(out, b"before");
    // So a server can say 500 instead.
    let response = http::Response::builder()
        .status(500)
        .body(())
        .expect("a response");
    encoder
        .head(&mut out, get(), &ResponseStart::of(&response, Some(2)))
        .expect("a head");
    let length = out.len();
    assert_eq!(encoder.data(&mut out, b"abc"), Err(WriteError::BodyTooLong));
    assert_eq!(out.len(), length);
    assert!(
        !encoder.keep_alive(),
        "the peer cannot know where the response ends"
    );
}

#[test]
fn dates_and_reasons() {
    let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
    let write = |lines: &str, reason| {
        let headers = fields(lines);
        let start = ResponseStart {
            status: StatusCode::OK,
            reason,
            headers: &headers,
            length: Some(0),
            date: Some(&date),
        };
        let mut out = Vec::new();
        ResponseEncoder::new()
            .head(&mut out, get(), &start)
            .map(|()| text(&out))
    };
    assert_eq!(
        write("", None).as_deref(),
        Ok("HTTP/1.1 200 OK⏎date: Sun, 06 Nov 1994 08:49:37 GMT⏎content-length: 0⏎⏎")
    );
    assert_eq!(
        write("date: now", None).as_deref(),
        Ok("HTTP/1.1 200 OK⏎date: now⏎content-length: 0⏎⏎")
    );
    // UTF-8 goes out as it is; `text` shows its bytes.
    assert_eq!(
        write("date: now", Some("Tr\u{e8}s\t!")).as_deref(),
        Ok("HTTP/1.1 200 Tr\u{c3}\u{a8}s\t!⏎date: now⏎content-length: 0⏎⏎")
    );
    for reason in ["a\rb", "OK\r\nX-Injection: i", "a\nb", "a\0b", "\u{7f}"] {
        assert_eq!(
            write("", Some(reason)),
            Err(WriteError::Reason),
            "{reason:?}"
        );
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
fn interim_responses() {
    let mut encoder = ResponseEncoder::new();
    let mut out = Vec::new();
    let none = HeaderMap::new();
    encoder
        .interim(&mut out, get(), StatusCode::CONTINUE, &none)
        .expect("100");
    assert_eq!(out, CONTINUE);
    let hints = fields("link: </a>; rel=preload");
    encoder
        .interim(&mut out, get(), StatusCode::EARLY_HINTS, &hints)
        .expect("103");
    assert!(text(&out).ends_with("⏎⏎HTTP/1.1 103 Early Hints⏎link: </a>; rel=preload⏎⏎"));

    let length = out.len();
    encoder
        .interim(&mut out, get_10(), StatusCode::CONTINUE, &none)
        .expect("nothing");
    let rows = [
        (StatusCode::OK, "", WriteError::InterimStatus),
        (
            StatusCode::SWITCHING_PROTOCOLS,
            "",
            WriteError::InterimStatus,
        ),
        (
            StatusCode::CONTINUE,
            "content-length: 0",
            WriteError::ContentLength,
        ),
        (
            StatusCode::CONTINUE,
            "a: b|transfer-encoding: chunked",
            WriteError::TransferEncodingSet,
        ),
    ];
    for (status, lines, error) in rows {
        assert_eq!(
            encoder.interim(&mut out, get(), status, &fields(lines)),
            Err(error)
        );
    }
    assert_eq!(out.len(), length, "nothing was written");

    let response = http::Response::new(());
    encoder
        .head(&mut out, get(), &ResponseStart::of(&response, Some(1)))
        .expect("a head");
    let late = encoder.interim(&mut out, get(), StatusCode::CONTINUE, &none);
    assert_eq!(late, Err(WriteError::OutOfOrder));
}

#[test]
fn order_is_kept() {
    let mut encoder = ResponseEncoder::default();
    let mut out = Vec::new();
    let response = http::Response::new(());
    let start = ResponseStart::of(&response, Some(1));
    assert!(!encoder.wants_body());
    assert_eq!(encoder.data(&mut out, b"x"), Err(WriteError::OutOfOrder));
    assert!(!encoder.keep_alive());

    let mut encoder = ResponseEncoder::new();
    encoder.head(&mut out, get(), &start).expect("a head");
    assert!(encoder.wants_body());
    assert_eq!(
        encoder.head(&mut out, get(), &start),
        Err(WriteError::OutOfOrder)
    );
    encoder.data(&mut out, b"x").expect("data");
    encoder.end(&mut out).expect("the end");
    encoder
        .head(&mut out, head(), &start)
        .expect("another head");
    assert!(!encoder.wants_body());
    encoder.end(&mut out).expect("the end");
    // After a response that closes there is no other.
    encoder
        .head(&mut out, get().closing(), &start)
        .expect("a head");
    encoder.data(&mut out, b"x").expect("data");
    encoder.end(&mut out).expect("the end");
    assert_eq!(
        encoder.head(&mut out, get(), &start),
        Err(WriteError::OutOfOrder)
    );
}

#[test]
fn large_pieces_can_be_written_by_the_caller() {
    let response = http::Response::new(());
    let mut encoder = ResponseEncoder::new();
    let mut out = Vec::new();
    encoder
        .head(&mut out, get(), &ResponseStart::of(&response, None))
        .expect("a head");
    out.clear();
    encoder.data_start(&mut out, 65_536).expect("the size");
    assert_eq!(text(&out), "10000⏎");
    encoder.data_end(&mut out);
    assert_eq!(text(&out), "10000⏎⏎");
    encoder.end(&mut out).expect("the end");
    out.clear();
    encoder
        .head(&mut out, get(), &ResponseStart::of(&response, Some(10)))
        .expect("a head");
    out.clear();
    encoder.data_start(&mut out, 10).expect("nothing");
    encoder.data_end(&mut out);
    encoder.end(&mut out).expect("the end");
    assert_eq!(text(&out), "");
}

#[test]
fn trailers_follow_chunks_only() {
    let end_with = |exchange: Exchange, length, lines: &str| {
        let response = http::Response::new(());
        let mut encoder = ResponseEncoder::new();
        let mut out = Vec::new();
        encoder
            .head(&mut out, exchange, &ResponseStart::of(&response, length))
            .expect("a head");
        out.clear();
        encoder
            .end_with(&mut out, Some(&fields(lines)))
            .map(|()| text(&out))
    };
    assert_eq!(
        end_with(get(), None, "a: b|c: d").as_deref(),
        Ok("0⏎a: b⏎c: d⏎⏎")
    );
    assert_eq!(end_with(get(), None, "").as_deref(), Ok("0⏎⏎"));
    assert_eq!(end_with(get(), Some(0), "a: b").as_deref(), Ok(""));
    assert_eq!(end_with(head(), None, "a: b").as_deref(), Ok(""));
    assert_eq!(end_with(get_10(), None, "a: b").as_deref(), Ok(""));
    assert_eq!(
        end_with(get(), None, "content-length: 5"),
        Err(WriteError::ForbiddenTrailer)
    );
}

#[test]
fn an_exchange_remembers_what_matters() {
    assert!(get().keep_alive());
    assert!(!get().closing().keep_alive());
    assert!(!Exchange::UNREADABLE.keep_alive());
    assert_ne!(head(), get());
    assert_eq!(exchange("POST / HTTP/1.1⏎Host: a⏎⏎"), get());
    assert_eq!(Method::GET, "GET");
}
