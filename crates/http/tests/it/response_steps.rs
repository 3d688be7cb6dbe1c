//! The encoder of responses step by step: what may follow what, and what an error leaves.

use http::{HeaderMap, StatusCode};
use squall_http::DateLine;
use squall_http::h1::{CONTINUE, Exchange, ResponseEncoder, ResponseStart, WriteError};

use crate::drive::text;
use crate::write_response::{exchange, fields, get, get_10, head};

#[test]
fn an_error_leaves_the_buffer_as_it_was() {
    let mut encoder = ResponseEncoder::new();
    let mut out = b"before".to_vec();
    let headers = fields("a: b|transfer-encoding: x");
    let bad = ResponseStart {
        status: StatusCode::OK,
        reason: None,
        headers: Some(&headers),
        content_type: None,
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
        .head(
            &mut out,
            get(),
            &ResponseStart::of_parts(&response, Some(2)),
        )
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
    let date = DateLine::new("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
    let write = |lines: &str, reason| {
        let headers = fields(lines);
        let start = ResponseStart {
            status: StatusCode::OK,
            reason,
            headers: Some(&headers),
            content_type: None,
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
        .head(
            &mut out,
            get(),
            &ResponseStart::of_parts(&response, Some(1)),
        )
        .expect("a head");
    let late = encoder.interim(&mut out, get(), StatusCode::CONTINUE, &none);
    assert_eq!(late, Err(WriteError::OutOfOrder));
}

#[test]
fn order_is_kept() {
    let mut encoder = ResponseEncoder::default();
    let mut out = Vec::new();
    let response = http::Response::new(());
    let start = ResponseStart::of_parts(&response, Some(1));
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
        .head(&mut out, get(), &ResponseStart::of_parts(&response, None))
        .expect("a head");
    out.clear();
    encoder.data_start(&mut out, 65_536).expect("the size");
    assert_eq!(text(&out), "10000⏎");
    encoder.data_end(&mut out);
    assert_eq!(text(&out), "10000⏎⏎");
    encoder.end(&mut out).expect("the end");
    out.clear();
    encoder
        .head(
            &mut out,
            get(),
            &ResponseStart::of_parts(&response, Some(10)),
        )
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
            .head(
                &mut out,
                exchange,
                &ResponseStart::of_parts(&response, length),
            )
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
}
