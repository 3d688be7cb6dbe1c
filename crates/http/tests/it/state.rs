//! What a decoder says of itself between the events.

use http::Method;
use squall_http::h1::{Eof, Event, Limits, ParseError, RequestDecoder, ResponseDecoder};

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";

fn in_a_body() -> RequestDecoder {
    let mut decoder = RequestDecoder::new(Limits::default());
    let (used, event) = decoder.decode(HEAD).expect("a head");
    assert_eq!(used, HEAD.len());
    assert!(matches!(event, Some(Event::Head(_))));
    decoder
}

#[test]
fn idle_is_between_requests_only() {
    let mut decoder = RequestDecoder::new(Limits::default());
    assert!(decoder.is_idle());
    assert_eq!(decoder.decode(b""), Ok((0, None)));
    assert_eq!(decoder.decode(b"\r\n"), Ok((2, None)));
    assert!(decoder.is_idle());
    assert_eq!(decoder.decode(b"P"), Ok((0, None)));
    assert!(!decoder.is_idle());

    let mut decoder = in_a_body();
    assert!(!decoder.is_idle());
    assert_eq!(
        decoder.decode(b"abcdef"),
        Ok((4, Some(Event::Data(b"abcd"))))
    );
    assert!(!decoder.is_idle());
    assert!(matches!(
        decoder.decode(b"ef"),
        Ok((0, Some(Event::End(_))))
    ));
    assert!(decoder.is_idle());
}

#[test]
fn a_close_before_the_last_event_was_fetched_is_clean() {
    let mut decoder = in_a_body();
    decoder.decode(b"abcd").expect("data");
    assert_eq!(decoder.finish(), Ok(Eof::Clean));
}

#[test]
fn a_close_in_the_middle_is_not() {
    let mut decoder = in_a_body();
    decoder.decode(b"abc").expect("data");
    assert_eq!(decoder.finish(), Err(ParseError::Truncated));
    assert_eq!(decoder.decode(b"d"), Err(ParseError::Truncated));
}

#[test]
fn an_error_stays() {
    let mut decoder = RequestDecoder::new(Limits::default());
    assert_eq!(decoder.decode(b"\n"), Err(ParseError::BareLf));
    assert_eq!(decoder.decode(HEAD), Err(ParseError::BareLf));
    assert_eq!(decoder.finish(), Err(ParseError::BareLf));
    assert!(!decoder.is_idle());
}

#[test]
fn a_route_may_allow_less() {
    let mut decoder = in_a_body();
    decoder.set_body_limit(4);
    assert!(decoder.decode(b"ab").is_ok());

    let mut decoder = in_a_body();
    decoder.set_body_limit(3);
    assert_eq!(decoder.decode(b"ab"), Err(ParseError::BodyTooLarge));

    let mut decoder = RequestDecoder::new(Limits::default());
    decoder
        .decode(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .expect("a head");
    decoder.set_body_limit(3);
    assert_eq!(
        decoder.decode(b"3\r\nabc\r\n"),
        Ok((6, Some(Event::Data(b"abc"))))
    );
    assert_eq!(decoder.decode(b"\r\n1\r\nx"), Err(ParseError::BodyTooLarge));
}

#[test]
fn data_is_borrowed_from_the_input() {
    let mut decoder = in_a_body();
    let input = b"abcd".to_vec();
    let Ok((4, Some(Event::Data(data)))) = decoder.decode(&input) else {
        panic!("data");
    };
    assert_eq!(data.as_ptr(), input.as_ptr());
}

#[test]
fn a_body_until_close_ends_with_the_connection() {
    let mut decoder = ResponseDecoder::new(Limits::default());
    decoder.expect(&Method::GET);
    decoder.decode(b"HTTP/1.0 200 OK\r\n\r\n").expect("a head");
    assert_eq!(decoder.decode(b"x"), Ok((1, Some(Event::Data(b"x")))));
    assert_eq!(decoder.decode(b""), Ok((0, None)));
    assert_eq!(decoder.finish(), Ok(Eof::EndOfBody));
    assert_eq!(decoder.finish(), Ok(Eof::Clean));
    assert_eq!(decoder.decode(b"y"), Ok((0, None)));
}

#[test]
fn a_server_that_closes_without_a_word_is_clean() {
    let mut decoder = ResponseDecoder::new(Limits::default());
    decoder.expect(&Method::GET);
    assert!(decoder.is_idle());
    assert_eq!(decoder.decode(b""), Ok((0, None)));
    assert_eq!(decoder.finish(), Ok(Eof::Clean));
}

#[test]
fn decoders_are_small() {
    // Connections keep one each; see the memory goals of the server.
    assert!(
        size_of::<RequestDecoder>() <= 208,
        "{}",
        size_of::<RequestDecoder>()
    );
    assert!(
        size_of::<ResponseDecoder>() <= 240,
        "{}",
        size_of::<ResponseDecoder>()
    );
}
