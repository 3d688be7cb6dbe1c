//! Requests, as a server reads and answers them.

use http::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS};
use http::{HeaderName, Method, StatusCode, Version};

use super::{fields, read, request};
use crate::proto::handshake::{HandshakeError, Offer};

#[test]
fn the_example_of_the_standard_is_answered_as_there() {
    let headers = request("Sec-WebSocket-Protocol: chat, superchat");
    let offer = read(&headers).expect("RFC 6455 section 1.2");
    let response = offer.response(Some("chat"), None).expect("offered");
    let expected = fields(
        "Upgrade: websocket
         Connection: upgrade
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
         Sec-WebSocket-Protocol: chat",
    );
    assert_eq!(response, expected);
}

#[test]
fn names_count_in_any_case_and_anywhere_in_a_list() {
    for changes in [
        "Upgrade: WebSocket",
        "Upgrade: h2c, WEBSOCKET",
        "Upgrade: h2c\nUpgrade: websocket",
        "Connection: keep-alive, Upgrade",
        "Connection: keep-alive,\tuPGRADE ,",
        "Connection: keep-alive\nConnection: upgrade",
        "Content-Length: 0",
        "Origin: https://elsewhere.example",
        // The bits of the last digit that stand for nothing are not zero; nobody needs them.
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
        "Sec-WebSocket-Key: +/hlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: , chat ,,",
        "Sec-WebSocket-Extensions: \"not, even; one",
    ] {
        if let Err(err) = read(&request(changes)) {
            panic!("{changes:?}: {err}");
        }
    }
}

#[test]
fn every_broken_rule_of_a_request_is_refused_by_its_status() {
    let repeated = |name| HandshakeError::Repeated(HeaderName::from_static(name));
    let version = |text: &str| HandshakeError::Version(Some(text.to_owned()));
    let subprotocol = |text: &str| HandshakeError::Subprotocol(text.to_owned());
    for (changes, error, status) in [
        ("Upgrade:", HandshakeError::Upgrade, 426),
        ("Upgrade: h2c", HandshakeError::Upgrade, 426),
        ("Upgrade: websockets", HandshakeError::Upgrade, 426),
        ("Upgrade: \"websocket\"", HandshakeError::Upgrade, 426),
        ("Connection:", HandshakeError::Connection, 400),
        ("Connection: keep-alive", HandshakeError::Connection, 400),
        ("Connection: upgraded", HandshakeError::Connection, 400),
        ("Content-Length: 5", HandshakeError::Body, 400),
        ("Content-Length: 00x", HandshakeError::Body, 400),
        ("Transfer-Encoding: chunked", HandshakeError::Body, 400),
        ("Sec-WebSocket-Version:", HandshakeError::Version(None), 426),
        ("Sec-WebSocket-Version: 8", version("8"), 426),
        ("Sec-WebSocket-Version: 013", version("013"), 426),
        ("Sec-WebSocket-Version: 13, 8", version("13, 8"), 426),
        ("Sec-WebSocket-Version: \u{e4}", version("\\xc3\\xa4"), 426),
        (
            "Sec-WebSocket-Version: 13\nSec-WebSocket-Version: 13",
            repeated("sec-websocket-version"),
            400,
        ),
        ("Sec-WebSocket-Key:", HandshakeError::KeyMissing, 400),
        ("Sec-WebSocket-Key: x", HandshakeError::Key, 400),
        // Fifteen bytes, seventeen, and sixteen in another alphabet, without padding, with white space.
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j",
            HandshakeError::Key,
            400,
        ),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=",
            HandshakeError::Key,
            400,
        ),
        (
            "Sec-WebSocket-Key: -_hlIHNhbXBsZSBub25jZQ==",
            HandshakeError::Key,
            400,
        ),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ",
            HandshakeError::Key,
            400,
        ),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZ==",
            HandshakeError::Key,
            400,
        ),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, x",
            HandshakeError::Key,
            400,
        ),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            repeated("sec-websocket-key"),
            400,
        ),
        (
            "Sec-WebSocket-Protocol: chat room",
            subprotocol("chat room"),
            400,
        ),
        ("Sec-WebSocket-Protocol: chat, a/b", subprotocol("a/b"), 400),
        ("Sec-WebSocket-Protocol: \"a,b\"", subprotocol("\\\"a"), 400),
    ] {
        let err = read(&request(changes)).expect_err(changes);
        assert_eq!((err.status().as_u16(), &err), (status, &error), "{changes}");
    }
}

#[test]
fn other_methods_and_versions_of_http_are_refused() {
    let headers = request("");
    for method in [Method::POST, Method::HEAD, Method::CONNECT, Method::OPTIONS] {
        let err = Offer::read(&method, Version::HTTP_11, &headers).expect_err("no GET");
        assert_eq!(err, HandshakeError::Method);
        assert_eq!(err.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(err.headers(), fields("Allow: GET"));
    }
    for version in [Version::HTTP_09, Version::HTTP_10] {
        let err = Offer::read(&Method::GET, version, &headers).expect_err("too old");
        assert_eq!(err, HandshakeError::HttpVersion);
        assert_eq!(err.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn an_answer_that_asks_for_an_upgrade_says_to_what() {
    for changes in ["Upgrade:", "Sec-WebSocket-Version: 7"] {
        let err = read(&request(changes)).expect_err(changes);
        let expected = "Upgrade: websocket\nConnection: upgrade\nSec-WebSocket-Version: 13";
        assert_eq!(err.headers(), fields(expected), "{changes}");
    }
    assert!(HandshakeError::Key.headers().is_empty());
}

#[test]
fn what_is_shown_of_a_request_is_short_and_printable() {
    for (changes, text) in [
        (
            format!("Sec-WebSocket-Version: {}", "9".repeat(8000)),
            format!(
                "websocket version {}... is not spoken here, 13 is",
                "9".repeat(100)
            ),
        ),
        (
            "Sec-WebSocket-Protocol: \u{9b}31m".to_owned(),
            "invalid name of a subprotocol: \\xc2\\x9b31m".to_owned(),
        ),
    ] {
        let err = read(&request(&changes)).expect_err(&changes);
        assert_eq!(err.to_string(), text);
    }
}

#[test]
fn subprotocols_are_chosen_by_the_order_of_either_side() {
    let headers = request("Sec-WebSocket-Protocol: v3, v2\nSec-WebSocket-Protocol: v1, v2");
    let offer = read(&headers).expect("good");
    assert_eq!(
        offer.subprotocols().collect::<Vec<_>>(),
        ["v3", "v2", "v1", "v2"]
    );
    for (supported, by_client, by_server) in [
        (&["v1", "v2"][..], Some("v2"), Some("v1")),
        (&["V3", "v1"][..], Some("v1"), Some("v1")),
        (&["v4"][..], None, None),
        (&[][..], None, None),
    ] {
        assert_eq!(
            offer.select_subprotocol(supported),
            by_client,
            "{supported:?}"
        );
        assert_eq!(
            offer.prefer_subprotocol(supported),
            by_server,
            "{supported:?}"
        );
    }
}

#[test]
fn a_subprotocol_that_was_not_offered_is_not_answered() {
    let headers = request("Sec-WebSocket-Protocol: v1");
    let offer = read(&headers).expect("good");
    let err = offer.response(Some("v2"), None).expect_err("not offered");
    assert_eq!(err, HandshakeError::NotOffered("v2".to_owned()));
    assert_eq!(err.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn extensions_are_handed_on_as_they_came() {
    let lines = "Sec-WebSocket-Extensions: permessage-deflate; foo=1, permessage-deflate
                 Sec-WebSocket-Extensions: x-other";
    let headers = request(lines);
    let offer = read(&headers).expect("good");
    let values: Vec<_> = offer.extensions().collect();
    assert_eq!(
        values,
        ["permessage-deflate; foo=1, permessage-deflate", "x-other"]
    );

    let agreed = HeaderValue::from_static("permessage-deflate");
    let response = offer.response(None, Some(agreed.clone())).expect("good");
    assert_eq!(response[SEC_WEBSOCKET_EXTENSIONS], agreed);
}
