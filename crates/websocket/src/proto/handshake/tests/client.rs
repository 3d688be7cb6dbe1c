//! Requests that a client makes, and the answers that it takes.

use http::header::{HeaderValue, SEC_WEBSOCKET_ACCEPT};
use http::{HeaderMap, HeaderName, StatusCode};

use super::{changed, fields, read};
use crate::proto::handshake::{Agreed, AnswerError, ClientHandshake, RequestError, accept_value};

#[test]
fn a_request_is_one_that_this_server_takes() {
    let client = ClientHandshake::new(*b"the sample nonce")
        .subprotocols(["v2", "v1"])
        .extensions(HeaderValue::from_static("permessage-deflate"));
    let headers = client.headers(&fields("Host: a.example\nCookie: a=b"));
    let headers = headers.expect("nothing clashes");
    let expected = fields(
        "Host: a.example
         Cookie: a=b
         Upgrade: websocket
         Connection: Upgrade
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
         Sec-WebSocket-Version: 13
         Sec-WebSocket-Protocol: v2, v1
         Sec-WebSocket-Extensions: permessage-deflate",
    );
    assert_eq!(headers, expected);
    let offer = read(&headers).expect("a server takes it");
    assert_eq!(offer.subprotocols().collect::<Vec<_>>(), ["v2", "v1"]);
}

#[test]
fn what_must_not_be_asked_is_refused_before_it_is_sent() {
    let client = || ClientHandshake::new([0; 16]);
    for name in [
        "connection",
        "content-length",
        "expect",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ] {
        let others = fields(&format!("{name}: x"));
        let clash = RequestError::Header(HeaderName::from_static(name));
        assert_eq!(client().headers(&others), Err(clash));
    }
    for (names, error) in [
        (&["a", ""][..], RequestError::Subprotocol(String::new())),
        (&["a b"], RequestError::Subprotocol("a b".into())),
        (&["a,b"], RequestError::Subprotocol("a,b".into())),
        (
            &["a\r\nX: y"],
            RequestError::Subprotocol("a\r\nX: y".into()),
        ),
        (&["\u{e4}"], RequestError::Subprotocol("\u{e4}".into())),
        (
            &["a", "b", "a"],
            RequestError::SubprotocolRepeated("a".into()),
        ),
    ] {
        let client = client().subprotocols(names.iter().copied());
        assert_eq!(client.headers(&HeaderMap::new()), Err(error));
    }
}

/// The client of the tables below: two subprotocols, one extension in two wordings.
fn asking() -> ClientHandshake {
    ClientHandshake::new(*b"the sample nonce")
        .subprotocols(["v2", "v1"])
        .extensions(HeaderValue::from_static(
            "permessage-deflate; client_max_window_bits, permessage-deflate",
        ))
}

/// The fields of a good answer with some in place of its own.
fn answer(changes: &str) -> HeaderMap {
    let usual = "
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    changed(usual, changes)
}

#[test]
fn good_answers_say_what_was_agreed() {
    let agreed = |subprotocol: Option<&str>, extensions: &[&'static str]| Agreed {
        subprotocol: subprotocol.map(Into::into),
        extensions: extensions
            .iter()
            .map(|value| HeaderValue::from_static(value))
            .collect(),
    };
    for (changes, expected) in [
        ("", agreed(None, &[])),
        ("Upgrade: WebSocket", agreed(None, &[])),
        ("Connection: keep-alive, upgrade", agreed(None, &[])),
        ("Sec-WebSocket-Protocol: v1", agreed(Some("v1"), &[])),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=\"10\"",
            agreed(None, &["permessage-deflate; server_max_window_bits=\"10\""]),
        ),
        ("Sec-WebSocket-Extensions: ,", agreed(None, &[","])),
    ] {
        let checked = asking().check(StatusCode::SWITCHING_PROTOCOLS, &answer(changes));
        assert_eq!(checked, Ok(expected), "{changes}");
    }
}

#[test]
fn every_broken_rule_of_an_answer_is_named() {
    let extension = |name: &str| AnswerError::Extension(name.to_owned());
    let subprotocol = |name: &str| AnswerError::Subprotocol(name.to_owned());
    let repeated = |name| AnswerError::Repeated(HeaderName::from_static(name));
    for (changes, error) in [
        ("Upgrade:", AnswerError::Upgrade),
        ("Upgrade: h2c", AnswerError::Upgrade),
        ("Upgrade: websocket, h2c", AnswerError::Upgrade),
        (
            "Upgrade: websocket\nUpgrade: websocket",
            repeated("upgrade"),
        ),
        ("Connection:", AnswerError::Connection),
        ("Connection: close", AnswerError::Connection),
        ("Sec-WebSocket-Accept:", AnswerError::AcceptMissing),
        ("Sec-WebSocket-Accept: x", AnswerError::Accept),
        (
            "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            AnswerError::Accept,
        ),
        // The key itself, of a peer that only echoes.
        (
            "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==",
            AnswerError::Accept,
        ),
        (
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nSec-WebSocket-Accept: x",
            repeated("sec-websocket-accept"),
        ),
        ("Sec-WebSocket-Protocol: v3", subprotocol("v3")),
        ("Sec-WebSocket-Protocol: V1", subprotocol("V1")),
        ("Sec-WebSocket-Protocol: v2, v1", subprotocol("v2, v1")),
        (
            "Sec-WebSocket-Protocol: v2\nSec-WebSocket-Protocol: v1",
            repeated("sec-websocket-protocol"),
        ),
        ("Sec-WebSocket-Extensions: x-other", extension("x-other")),
        (
            "Sec-WebSocket-Extensions: permessage-deflate, x",
            extension("x"),
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; a=\"b, c\", x",
            extension("x"),
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; a=\"\\\", c\", x",
            extension("x"),
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate, permessage-deflate",
            extension("permessage-deflate"),
        ),
    ] {
        let checked = asking().check(StatusCode::SWITCHING_PROTOCOLS, &answer(changes));
        assert_eq!(checked, Err(error), "{changes}");
    }
    for status in [
        StatusCode::OK,
        StatusCode::FOUND,
        StatusCode::UPGRADE_REQUIRED,
    ] {
        assert_eq!(
            asking().check(status, &answer("")),
            Err(AnswerError::Status(status))
        );
    }
}

#[test]
fn what_was_not_offered_at_all_is_not_agreed_to() {
    let asking = ClientHandshake::new(*b"the sample nonce");
    for changes in [
        "Sec-WebSocket-Protocol: v1",
        "Sec-WebSocket-Extensions: permessage-deflate",
    ] {
        let checked = asking.check(StatusCode::SWITCHING_PROTOCOLS, &answer(changes));
        assert!(checked.is_err(), "{changes}");
    }
}

#[test]
fn each_key_has_its_own_accept_value() {
    for (key, value) in [
        (
            &b"dGhlIHNhbXBsZSBub25jZQ=="[..],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ),
        (b"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
    ] {
        assert_eq!(accept_value(key), value);
    }
    let headers = answer("");
    let other = ClientHandshake::new([1; 16]).check(StatusCode::SWITCHING_PROTOCOLS, &headers);
    assert_eq!(other, Err(AnswerError::Accept));
    assert!(headers.contains_key(SEC_WEBSOCKET_ACCEPT));
}
