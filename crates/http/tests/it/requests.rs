//! Requests that are fine, and what they say.

use http::header;
use squall_http::Body;
use squall_http::h1::{Event, Limits, RequestDecoder, RequestHead};

use crate::drive::{check, requests, wire};

#[test]
fn framing_and_persistence() {
    check(
        &[
            ("", "clean"),
            ("GET / HTTP/1.1⏎Host: a⏎⏎", "GET / 1.1 keep Empty ; clean"),
            ("GET / HTTP/1.0⏎⏎", "GET / 1.0 Empty ; clean"),
            ("GET / HTTP/1.0⏎Host: a⏎⏎", "GET / 1.0 Empty ; clean"),
            (
                "GET / HTTP/1.0⏎Connection: keep-alive⏎⏎",
                "GET / 1.0 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.0⏎Connection: Keep-Alive, x⏎⏎",
                "GET / 1.0 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.0⏎Connection: close, keep-alive⏎⏎",
                "GET / 1.0 Empty ; clean",
            ),
            (
                "GET / HTTP/1.0⏎Proxy-Connection: keep-alive⏎⏎",
                "GET / 1.0 Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: close⏎⏎",
                "GET / 1.1 Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: foo, CLOSE⏎⏎",
                "GET / 1.1 Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: foo⏎Connection:\tclose ⏎⏎",
                "GET / 1.1 Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: closed⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: keep-alive⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: ,,⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎⏎hello",
                "POST / 1.1 keep Length(5) =hello ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 005⏎⏎hello",
                "POST / 1.1 keep Length(5) =hello ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎content-LENGTH:0⏎⏎",
                "POST / 1.1 keep Empty ; clean",
            ),
            (
                "POST / HTTP/1.0⏎Content-Length: 2⏎⏎hi",
                "POST / 1.0 Length(2) =hi ; clean",
            ),
            ("POST / HTTP/1.0⏎⏎", "POST / 1.0 Empty ; clean"),
            (
                "GET / HTTP/1.1⏎Host: a⏎Content-Length: 2⏎⏎hi",
                "GET / 1.1 keep Length(2) =hi ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎2⏎hi⏎0⏎⏎",
                "POST / 1.1 keep Chunked =hi ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: \tChunkED ⏎⏎0⏎⏎",
                "POST / 1.1 keep Chunked ; clean",
            ),
        ],
        requests,
    );
}

#[test]
fn one_after_another_in_one_stream() {
    check(
        &[
            (
                "GET /1 HTTP/1.1⏎Host: a⏎⏎GET /2 HTTP/1.1⏎Host: a⏎⏎",
                "GET /1 1.1 keep Empty ; GET /2 1.1 keep Empty ; clean",
            ),
            (
                "POST /1 HTTP/1.1⏎Host: a⏎Content-Length: 2⏎⏎hiPOST /2 HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1⏎x⏎0⏎⏎GET /3 HTTP/1.0⏎⏎",
                "POST /1 1.1 keep Length(2) =hi ; POST /2 1.1 keep Chunked =x ; GET /3 1.0 Empty ; clean",
            ),
            (
                "GET /1 HTTP/1.1⏎Host: a⏎Connection: close⏎⏎GET /2 HTTP/1.1⏎Host: a⏎⏎",
                "GET /1 1.1 Empty ; clean ; left GET /2 HTTP/1.1⏎Host: a⏎⏎",
            ),
            (
                "GET /1 HTTP/1.0⏎⏎GET /2 HTTP/1.0⏎⏎",
                "GET /1 1.0 Empty ; clean ; left GET /2 HTTP/1.0⏎⏎",
            ),
            (
                // The length of the first body says where the second request starts, whatever it looks like.
                "POST /1 HTTP/1.1⏎Host: a⏎Content-Length: 30⏎⏎GET /no HTTP/1.1⏎Host: a⏎⏎\0GET /2 HTTP/1.1⏎Host: a⏎⏎",
                "POST /1 1.1 keep Length(30) =GET /no HTTP/1.1⏎Host: a⏎⏎\0 ; GET /2 1.1 keep Empty ; clean",
            ),
        ],
        requests,
    );
}

#[test]
fn a_few_empty_lines_before_a_request_are_skipped() {
    check(
        &[
            ("⏎GET / HTTP/1.1⏎Host: a⏎⏎", "GET / 1.1 keep Empty ; clean"),
            (
                "⏎⏎⏎⏎GET / HTTP/1.1⏎Host: a⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            ("⏎⏎⏎⏎⏎GET / HTTP/1.1⏎Host: a⏎⏎", "LeadingEmptyLines"),
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 1⏎⏎x⏎GET / HTTP/1.0⏎⏎",
                "POST / 1.1 keep Length(1) =x ; GET / 1.0 Empty ; clean",
            ),
            ("⏎", "clean"),
        ],
        requests,
    );
}

#[test]
fn expectations_and_upgrades_are_visible() {
    check(
        &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Expect: 100-continue⏎Content-Length: 1⏎⏎x",
                "POST / 1.1 keep continue Length(1) =x ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎expect: 100-Continue⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
                "POST / 1.1 keep continue Chunked ; clean",
            ),
            // Without a body there is nothing to wait for.
            (
                "GET / HTTP/1.1⏎Host: a⏎Expect: 100-continue⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "POST / HTTP/1.0⏎Expect: 100-continue⏎Content-Length: 1⏎⏎x",
                "POST / 1.0 Length(1) =x ; clean",
            ),
            (
                "POST / HTTP/1.0⏎Expect: wonders⏎Content-Length: 1⏎⏎x",
                "POST / 1.0 Length(1) =x ; clean",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Expect: wonders⏎⏎",
                "ExpectationUnknown",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Expect: 100-continue, wonders⏎⏎",
                "ExpectationUnknown",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: Upgrade⏎Upgrade: websocket⏎⏎",
                "GET / 1.1 keep upgrade Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: keep-alive, upgrade⏎Upgrade: h2c⏎⏎",
                "GET / 1.1 keep upgrade Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Upgrade: websocket⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: upgrade⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: upgrade⏎Upgrade:⏎⏎",
                "GET / 1.1 keep Empty ; clean",
            ),
            (
                "GET / HTTP/1.0⏎Connection: upgrade⏎Upgrade: websocket⏎⏎",
                "GET / 1.0 Empty ; clean",
            ),
            (
                "CONNECT a:443 HTTP/1.1⏎Host: a:443⏎⏎",
                "CONNECT a:443 1.1 keep upgrade Empty ; clean",
            ),
        ],
        requests,
    );
}

#[test]
fn what_follows_an_offer_to_upgrade_is_http_until_somebody_accepts() {
    check(
        &[(
            "GET / HTTP/1.1⏎Host: a⏎Connection: upgrade⏎Upgrade: x⏎⏎GET /admin HTTP/1.1⏎Host: a⏎⏎",
            "GET / 1.1 keep upgrade Empty ; GET /admin 1.1 keep Empty ; clean",
        )],
        requests,
    );
    // A server that accepts stops after the first `End`: nothing beyond the message was consumed.
    let input = wire("GET / HTTP/1.1⏎Host: a⏎Connection: upgrade⏎Upgrade: x⏎⏎\u{81}\u{80}");
    let mut decoder = RequestDecoder::new(Limits::default());
    let (used, _) = decoder.decode(&input).expect("a head");
    let (more, end) = decoder.decode(&input[used..]).expect("its end");
    assert_eq!((used, more), (input.len() - 2, 0));
    assert!(matches!(end, Some(Event::End(_))));
}

#[test]
fn methods_are_tokens() {
    for method in [
        "GET",
        "QUERY",
        "M-SEARCH",
        "BASELINE-CONTROL",
        "patch",
        "X!#$%&'*+-.^_`|~9",
    ] {
        let input = format!("{method} / HTTP/1.1⏎Host: a⏎⏎");
        assert_eq!(
            requests(&input),
            format!("{method} / 1.1 keep Empty ; clean")
        );
    }
}

fn head_of(input: &str) -> RequestHead {
    let mut decoder = RequestDecoder::new(Limits::default());
    match decoder.decode(&wire(input)) {
        Ok((_, Some(Event::Head(head)))) => head,
        other => panic!("no head: {other:?}"),
    }
}

#[test]
fn fields_keep_their_bytes_and_order() {
    let head = head_of("GET / HTTP/1.1⏎Host: a⏎X:  1 \t⏎x:\u{fc}⏎Empty:⏎Cookie: a=b; c=\"d\"⏎⏎");
    let values: Vec<_> = head
        .headers()
        .get_all("x")
        .iter()
        .map(|value| value.as_bytes())
        .collect();
    assert_eq!(values, [&b"1"[..], b"\xfc"]);
    assert_eq!(head.headers()["empty"], "");
    assert_eq!(head.headers()[header::COOKIE], "a=b; c=\"d\"");
    assert_eq!(head.headers().len(), 5);
}

#[test]
fn the_host_is_the_targets_then_the_fields() {
    let rows = [
        ("GET / HTTP/1.1⏎Host: a:8888⏎⏎", Some("a:8888")),
        ("GET http://b/ HTTP/1.1⏎Host: a⏎⏎", Some("b")),
        ("CONNECT c:1 HTTP/1.1⏎Host: a⏎⏎", Some("c:1")),
        ("GET / HTTP/1.1⏎Host:⏎⏎", Some("")),
        ("GET / HTTP/1.0⏎⏎", None),
    ];
    for (input, host) in rows {
        assert_eq!(head_of(input).host(), host, "{input}");
    }
}

#[test]
fn a_head_becomes_a_request() {
    let head = head_of("POST /x?y=1 HTTP/1.0⏎A: b⏎Content-Length: 2⏎⏎hi");
    assert_eq!(head.body().length(), Some(2));
    let request = head.into_request(Body::from("hi"));
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "/x?y=1");
    assert_eq!(request.version(), http::Version::HTTP_10);
    assert_eq!(request.headers()["a"], "b");
    assert_eq!(request.body().length(), Some(2));
}
