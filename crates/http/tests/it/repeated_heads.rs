//! Heads with the very bytes of the last one, which are not decoded again.

use http::HeaderValue;
use http::header::HOST;
use squall_http::h1::{Event, Limits, ParseError, RequestDecoder, RequestHead};

use crate::drive::wire;

/// Heads of all kinds that are decoded in one pass, and one that is not.
const HEADS: [&str; 8] = [
    "GET / HTTP/1.1⏎Host: a⏎⏎",
    "GET /plaintext HTTP/1.1⏎Host: a⏎⏎",
    "GET / HTTP/1.1⏎Host: a⏎Connection: close⏎⏎",
    "GET /a/b?c=d HTTP/1.1⏎Host: localhost:8080⏎User-Agent: test⏎Accept: */*⏎Cookie: a=b; c=d⏎⏎",
    "POST /form HTTP/1.1⏎Host: a⏎Content-Length: 3⏎Expect: 100-continue⏎⏎",
    "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎",
    "GET /chat HTTP/1.1⏎Host: a⏎Connection: Upgrade⏎Upgrade: websocket⏎⏎",
    "PUT /x HTTP/1.0⏎Content-Length: 0⏎⏎",
];

/// Decodes one head with a decoder of its own.
fn decode(bytes: &[u8], limits: Limits) -> Result<Option<(usize, RequestHead)>, ParseError> {
    match RequestDecoder::new(limits).decode(bytes)? {
        (used, Some(Event::Head(head))) => Ok(Some((used, head))),
        _ => Ok(None),
    }
}

/// Has the thread decode a head that is like no other.
fn forget() {
    let other = wire("GET /something-else HTTP/1.1⏎Host: other⏎⏎");
    assert!(matches!(decode(&other, Limits::default()), Ok(Some(_))));
}

/// What a decoder makes of `bytes` after `last`, and after something else.
fn after(last: &[u8], bytes: &[u8]) {
    forget();
    let expected = decode(bytes, Limits::default());
    forget();
    drop(decode(last, Limits::default()).expect("a good head"));
    let got = decode(bytes, Limits::default());
    assert_eq!(got, expected, "{}", bytes.escape_ascii());
}

#[test]
fn a_head_means_the_same_whatever_was_decoded_before() {
    let heads = HEADS.map(wire);
    for last in &heads {
        for head in &heads {
            after(last, head);
            after(last, &[head.as_slice(), head].concat());
        }
        for at in 0..last.len() {
            after(last, &last[..at]);
            for byte in [0, b'\t', b'\n', b'\r', b' ', b':', b'a', b'A', 0x7f, 0xff] {
                let mut changed = last.clone();
                changed[at] = byte;
                after(last, &changed);
                let mut longer = last.clone();
                longer.insert(at, byte);
                after(last, &longer);
            }
        }
    }
}

#[test]
fn the_limits_are_those_of_the_decoder_at_hand() {
    let head = wire("POST /0123456789 HTTP/1.1⏎Host: a⏎Content-Length: 10⏎⏎");
    let usual = Limits::default();
    let limits = [
        (
            Limits {
                head_bytes: head.len() - 1,
                ..usual
            },
            ParseError::HeadTooLarge,
        ),
        (
            Limits {
                target_bytes: 10,
                ..usual
            },
            ParseError::TargetTooLong,
        ),
        (
            Limits {
                headers: 1,
                ..usual
            },
            ParseError::TooManyHeaders,
        ),
        (
            Limits {
                body_bytes: 9,
                ..usual
            },
            ParseError::BodyTooLarge,
        ),
    ];
    for (limits, err) in limits {
        assert!(matches!(decode(&head, usual), Ok(Some(_))));
        assert_eq!(decode(&head, limits), Err(err));
    }
    let exact = Limits {
        head_bytes: head.len(),
        target_bytes: 11,
        headers: 2,
        body_bytes: 10,
        ..usual
    };
    assert!(matches!(decode(&head, usual), Ok(Some(_))));
    assert!(matches!(decode(&head, exact), Ok(Some(_))));
}

#[test]
fn what_is_done_to_a_head_does_not_show_in_the_next() {
    let bytes = wire("GET /a HTTP/1.1⏎Host: a⏎X: y⏎Accept: */*⏎⏎");
    let decode = || match decode(&bytes, Limits::default()) {
        Ok(Some((_, head))) => head,
        other => panic!("not a head: {other:?}"),
    };
    let mut head = decode();
    head.headers_mut().remove(HOST);
    head.headers_mut()
        .insert("x", HeaderValue::from_static("z"));
    drop(head);
    let head = decode();
    assert_eq!(head.header(&HOST), Some(&b"a"[..]));
    assert_eq!(head.headers()["x"], "y");
    drop(head.into_parts());
    let (one, other) = (decode(), decode());
    assert_eq!(one, other, "both at once");
    assert_eq!(one.headers().len(), 3);
    assert_eq!(one.clone().into_parts().uri, "/a");
}

#[test]
fn a_mark_stays_with_its_bytes() {
    let decode = |text: &str| match decode(&wire(text), Limits::default()) {
        Ok(Some((_, head))) => head,
        other => panic!("not a head: {other:?}"),
    };
    let (one, other) = (
        "GET /a HTTP/1.1⏎Host: localhost⏎⏎",
        "GET /b HTTP/1.1⏎Host: localhost⏎⏎",
    );
    let head = decode(one);
    assert_eq!(head.mark(), 0);
    head.set_mark(7);
    drop(head);
    assert_eq!(decode(one).mark(), 7);
    assert_eq!(decode(other).mark(), 0);
    decode(other).set_mark(8);
    assert_eq!(decode(one).mark(), 0);
    // Made of parts it is nobody's.
    let made = RequestHead::from(decode(other).into_parts());
    assert_eq!(made.mark(), 0);
    made.set_mark(9);
    drop(made);
    assert_eq!(decode(other).mark(), 0);
}
