//! The whole opening handshake by tables: what is let in, and every refusal. Autobahn's suite has no such cases.

use http::header::{HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS};
use http::{HeaderMap, HeaderName, Method, StatusCode, Version};

use super::{
    Agreed, AnswerError, ClientHandshake, HandshakeError, Offer, Origins, RequestError,
    accept_value,
};

/// Fields as they stand in a head, a line each.
fn fields(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').expect("a field has a colon");
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_bytes(value.trim().as_bytes()).expect("a value"),
        );
    }
    headers
}

const REQUEST: &str = "
    Host: server.example.com
    Upgrade: websocket
    Connection: Upgrade
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
    Sec-WebSocket-Version: 13";

/// The request above with some fields in place of its own, which go if there is no value.
fn request(changes: &str) -> HeaderMap {
    let mut headers = fields(REQUEST);
    let changes = fields(changes);
    for name in changes.keys() {
        headers.remove(name);
    }
    for (name, value) in &changes {
        if !value.is_empty() {
            headers.append(name, value.clone());
        }
    }
    headers
}

fn read(headers: &HeaderMap) -> Result<Offer<'_>, HandshakeError> {
    Offer::read(&Method::GET, Version::HTTP_11, headers)
}

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

#[test]
fn pages_are_let_in_by_where_they_come_from() {
    let list =
        |entries: &[&str]| Origins::List(entries.iter().map(|&entry| entry.into()).collect());
    let listed = list(&[
        "https://Example.com",
        "http://dev.example:3000",
        "https://[::1]:9",
    ]);
    let odd_port = list(&["https://example.com:8080"]);
    let with_null = list(&["null"]);
    for (origins, lines, passes) in [
        // No browser, or one from the time before either field.
        (&Origins::Same, "Host: a.example", true),
        (&listed, "Host: a.example", true),
        // The same host and port, whatever a proxy makes of the scheme.
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example",
            true,
        ),
        (
            &Origins::Same,
            "Host: A.example\nOrigin: https://a.EXAMPLE",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example:443\nOrigin: https://a.example",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: https://a.example:443",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example:80\nOrigin: http://a.example",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example:8888\nOrigin: http://a.example:8888",
            true,
        ),
        (
            &Origins::Same,
            "Host: [::1]:8888\nOrigin: http://[::1]:8888",
            true,
        ),
        (&Origins::Same, "Host: [::1]\nOrigin: http://[::1]", true),
        (&listed, "Host: a.example\nOrigin: http://a.example", true),
        // Another port, host or kind of page.
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example:8080",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example:80\nOrigin: https://a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example:8888\nOrigin: http://a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://b.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://x.a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example.evil.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example@evil.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://evil.example#a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example/",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example:http",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example:99999",
            false,
        ),
        (&Origins::Same, "Host: a.example\nOrigin: http://", false),
        (&Origins::Same, "Host: a.example\nOrigin: a.example", false),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: app://a.example",
            false,
        ),
        (&Origins::Same, "Host: a.example\nOrigin: null", false),
        (&Origins::Same, "Host: null\nOrigin: null", false),
        (&Origins::Same, "Host: a.example\nOrigin:", false),
        (&Origins::Same, "Origin: http://a.example", false),
        (&Origins::Same, "Host: [::1\nOrigin: http://[::1", false),
        (
            &Origins::Same,
            "Host: a.example\nHost: a.example\nOrigin: http://a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example \u{e4}",
            false,
        ),
        // Newer browsers say it themselves, and are believed in front of any proxy.
        (
            &Origins::Same,
            "Host: inner\nOrigin: https://a.example\nSec-Fetch-Site: same-origin",
            true,
        ),
        (&Origins::Same, "Host: inner\nSec-Fetch-Site: none", true),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example\nSec-Fetch-Site: same-site",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example\nSec-Fetch-Site: cross-site",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example\nSec-Fetch-Site: what",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nSec-Fetch-Site: cross-site",
            false,
        ),
        // Lists.
        (
            &listed,
            "Host: a.example\nOrigin: https://example.com",
            true,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: https://example.com:443",
            true,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: https://example.com\nSec-Fetch-Site: cross-site",
            true,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: http://dev.example:3000\nSec-Fetch-Site: same-site",
            true,
        ),
        (&listed, "Host: a.example\nOrigin: https://[::1]:9", true),
        (
            &listed,
            "Host: a.example\nOrigin: http://example.com",
            false,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: http://dev.example",
            false,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: https://sub.example.com",
            false,
        ),
        (&listed, "Host: a.example\nOrigin: null", false),
        (
            &listed,
            "Host: a.example\nSec-Fetch-Site: cross-site",
            false,
        ),
        (
            &with_null,
            "Host: a.example\nOrigin: null\nSec-Fetch-Site: cross-site",
            true,
        ),
        (
            &odd_port,
            "Host: a.example\nOrigin: https://example.com:8080",
            true,
        ),
        (
            &odd_port,
            "Host: a.example\nOrigin: http://example.com:8080",
            false,
        ),
        (
            &odd_port,
            "Host: a.example\nOrigin: https://example.com",
            false,
        ),
        // Everybody.
        (
            &Origins::Any,
            "Host: a.example\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site",
            true,
        ),
        (&Origins::Any, "Host: a.example\nOrigin: null", true),
    ] {
        let checked = origins.check(&fields(lines));
        assert_eq!(checked.is_ok(), passes, "{origins:?}\n{lines}\n{checked:?}");
        if let Err(err) = checked {
            assert_eq!(err.status(), StatusCode::FORBIDDEN, "{lines}");
        }
    }
}

#[test]
fn a_page_that_comes_from_two_places_is_refused() {
    for (lines, name) in [
        ("Host: a\nOrigin: http://a\nOrigin: http://a", "origin"),
        (
            "Host: a\nSec-Fetch-Site: same-origin\nSec-Fetch-Site: same-origin",
            "sec-fetch-site",
        ),
    ] {
        let repeated = HandshakeError::Repeated(HeaderName::from_static(name));
        assert_eq!(Origins::Same.check(&fields(lines)), Err(repeated.clone()));
        assert_eq!(repeated.status(), StatusCode::BAD_REQUEST);
    }
}

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
    let mut headers = fields(
        "Upgrade: websocket
         Connection: Upgrade
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    );
    let changes = fields(changes);
    for name in changes.keys() {
        headers.remove(name);
    }
    for (name, value) in &changes {
        if !value.is_empty() {
            headers.append(name, value.clone());
        }
    }
    headers
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
