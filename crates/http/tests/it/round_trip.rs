//! What an encoder writes, the decoder of the other side reads.

use http::{Method, Request, Response, StatusCode};
use squall_http::h1::{
    BodyKind, Eof, Event, Limits, RequestDecoder, RequestEncoder, RequestStart, ResponseDecoder,
    ResponseEncoder, ResponseStart,
};

use crate::drive::{everywhere, response_decoder};
use crate::write_response::{exchange, fields};

/// Bodies by their pieces.
const BODIES: [&[&[u8]]; 5] = [
    &[],
    &[b"x"],
    &[b"hello, ", b"world"],
    &[b"0\r\n\r\n", b"", b"GET / HTTP/1.1\r\n\r\n"],
    &[&[b'z'; 1500], &[0; 17], &[0xff; 300]],
];

/// Each body with its length known, and not known.
fn bodies() -> impl Iterator<Item = (&'static [&'static [u8]], Vec<u8>, Option<u64>)> {
    BODIES.iter().flat_map(|pieces| {
        let whole = pieces.concat();
        let length = whole.len() as u64;
        [
            (*pieces, whole.clone(), Some(length)),
            (*pieces, whole, None),
        ]
    })
}

#[test]
fn requests() {
    for method in [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
    ] {
        let mut sent = Vec::new();
        let mut wire = Vec::new();
        let mut encoder = RequestEncoder::new();
        for (number, (pieces, whole, length)) in bodies().enumerate() {
            let mut request = Request::new(());
            *request.method_mut() = method.clone();
            *request.uri_mut() = format!("http://a:1/{number}?q").parse().expect("a target");
            *request.headers_mut() = fields("x: 1|x: 2|cookie: a=b; c=d");
            encoder
                .head(&mut wire, &RequestStart::of(&request, length))
                .expect("a head");
            for piece in pieces {
                encoder.data(&mut wire, piece).expect("data");
            }
            encoder
                .end_with(&mut wire, Some(&fields("t: u")))
                .expect("the end");
            sent.push((whole, length));
        }
        let got = everywhere(|| RequestDecoder::new(Limits::default()), &wire);
        assert_eq!(got.end, Ok(Eof::Clean));
        assert_eq!(got.messages.len(), sent.len());
        for (number, (message, (body, length))) in got.messages.iter().zip(sent).enumerate() {
            assert_eq!(message.head.method(), method);
            assert_eq!(message.head.uri(), format!("/{number}?q").as_str());
            assert_eq!(message.head.host(), Some("a:1"));
            assert_eq!(message.head.headers().get_all("x").iter().count(), 2);
            assert_eq!(message.body, body);
            assert_eq!(message.head.body().length(), length);
            let trailers = message.trailers.as_ref().expect("ended");
            assert_eq!(trailers.contains_key("t"), length.is_none());
        }
    }
}

#[test]
fn responses() {
    for request in ["GET", "HEAD", "POST"] {
        let answered = exchange(&format!("{request} / HTTP/1.1⏎Host: a⏎⏎"));
        let method: Method = request.parse().expect("a method");
        let mut encoder = ResponseEncoder::new();
        let mut wire = Vec::new();
        let mut sent = Vec::new();
        for status in [200, 201, 204, 205, 206, 304, 404, 500, 599] {
            for (pieces, whole, length) in bodies() {
                let mut response = Response::new(());
                *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                *response.headers_mut() = fields("x: 1|set-cookie: a|set-cookie: b");
                encoder
                    .head(
                        &mut wire,
                        answered,
                        &ResponseStart::of_parts(&response, length),
                    )
                    .expect("a head");
                for piece in pieces {
                    encoder.data(&mut wire, piece).expect("data");
                }
                encoder.end(&mut wire).expect("the end");
                let empty = request == "HEAD" || [204, 205, 304].contains(&status);
                sent.push((status, if empty { Vec::new() } else { whole }));
            }
        }
        let methods = vec![method; sent.len()];
        let got = everywhere(|| response_decoder(&methods, Limits::default()), &wire);
        assert_eq!(got.end, Ok(Eof::Clean));
        let read: Vec<_> = got
            .messages
            .iter()
            .map(|message| (message.head.status.as_u16(), message.body.clone()))
            .collect();
        assert_eq!(read, sent);
        assert!(got.messages.iter().all(|message| message.head.keep_alive));
        assert!(
            got.messages
                .iter()
                .all(|message| message.head.headers.len() >= 3)
        );
    }
}

#[test]
fn responses_to_old_clients_end_with_the_connection() {
    for (pieces, whole, length) in bodies() {
        let answered = exchange("GET / HTTP/1.0⏎⏎");
        let mut encoder = ResponseEncoder::new();
        let mut wire = Vec::new();
        let response = Response::new(());
        encoder
            .head(
                &mut wire,
                answered,
                &ResponseStart::of_parts(&response, length),
            )
            .expect("a head");
        for piece in pieces {
            encoder.data(&mut wire, piece).expect("data");
        }
        encoder.end(&mut wire).expect("the end");
        assert!(!encoder.keep_alive());
        let got = everywhere(
            || response_decoder(&[Method::GET], Limits::default()),
            &wire,
        );
        let end = if length.is_some() {
            Eof::Clean
        } else {
            Eof::EndOfBody
        };
        assert_eq!(got.end, Ok(end));
        assert_eq!(got.messages[0].body, whole);
        assert!(!got.messages[0].head.keep_alive);
    }
}

#[test]
fn an_upgrade_from_both_sides() {
    let mut wire = Vec::new();
    let request = Request::get("http://a/chat")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .body(())
        .expect("a request");
    let mut client = RequestEncoder::new();
    client
        .head(&mut wire, &RequestStart::of(&request, Some(0)))
        .expect("a head");
    client.end(&mut wire).expect("the end");

    let mut server = RequestDecoder::new(Limits::default());
    let Ok((_, Some(Event::Head(head)))) = server.decode(&wire) else {
        panic!("a head");
    };
    assert!(head.offers_upgrade());
    let response = Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .body(())
        .expect("a response");
    let mut out = Vec::new();
    let mut encoder = ResponseEncoder::new();
    encoder
        .head(
            &mut out,
            head.exchange(),
            &ResponseStart::of_parts(&response, None),
        )
        .expect("a head");
    encoder.data(&mut out, b"frames").expect("raw");

    let mut decoder = ResponseDecoder::new(Limits::default());
    decoder.expect(request.method());
    let Ok((used, Some(Event::Head(head)))) = decoder.decode(&out) else {
        panic!("a head");
    };
    assert_eq!(head.body, BodyKind::Upgrade);
    assert_eq!(&out[used..], b"frames");
    assert_eq!(decoder.decode(&out[used..]), Ok((0, None)));
}
