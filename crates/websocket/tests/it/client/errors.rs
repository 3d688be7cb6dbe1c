//! Every way in which connecting can fail, and what is said of it.

use std::time::Duration;

use squall_ioloop::{IoLoop, moment, spawn, spawn_callback, with_timeout};
use squall_net::{IoStream, TcpListener, duplex};
use squall_websocket::{ConnectError, WebSocketConnect, websocket_connect};
use tokio::io::AsyncWriteExt;

use super::peer;
use crate::{on_loop, on_paused_loop};

/// Connects to a peer that answers with this text, in which `ACCEPT` stands for the right value, and then closes.
async fn answered(text: impl Into<String>) -> ConnectError {
    let (near, mut far) = duplex(64 * 1024);
    let text = text.into();
    spawn_callback(async move {
        let head = peer::head(&mut far).await?;
        let right = peer::answer(&head, None);
        let accept = right
            .lines()
            .find_map(|line| line.strip_prefix("sec-websocket-accept: "));
        let text = text.replace("ACCEPT", accept.expect("it is there"));
        far.write_all(text.as_bytes()).await
    });
    refused(websocket_connect("ws://peer/"), near).await
}

async fn refused(connect: WebSocketConnect, stream: IoStream) -> ConnectError {
    connect
        .connect_over(stream)
        .await
        .expect_err("it is refused")
}

#[test]
fn an_answer_without_an_upgrade_is_kept_with_its_body() {
    on_paused_loop(async {
        for (answer, status, body, text, again) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                200,
                "hello",
                "ws://peer/: answered 200 OK",
                false,
            ),
            (
                "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n1\r\n?\r\n0\r\n\r\n",
                401,
                "who?",
                "ws://peer/: answered 401 Unauthorized",
                false,
            ),
            (
                "HTTP/1.0 404 \r\n\r\nnot here",
                404,
                "not here",
                "answered 404 Not Found",
                false,
            ),
            (
                "HTTP/1.1 429 Wait\r\nContent-Length: 0\r\n\r\n",
                429,
                "",
                "429",
                true,
            ),
            (
                "HTTP/1.1 503 Busy\r\n\r\n",
                503,
                "",
                "answered 503 Service Unavailable",
                true,
            ),
            ("HTTP/1.1 501 No\r\n\r\n", 501, "", "answered 501", false),
            ("HTTP/1.1 204 \r\n\r\n", 204, "", "answered 204", false),
            ("HTTP/1.1 599 \r\n\r\n", 599, "", "answered 599", true),
            (
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
                403,
                "no",
                "answered 403 Forbidden",
                false,
            ),
            // What is wrong behind the head makes no difference to what it says.
            (
                "HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\ncut",
                403,
                "cut",
                "403",
                false,
            ),
            (
                "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nnoXX",
                403,
                "no",
                "403",
                false,
            ),
        ] {
            let err = answered(answer).await;
            assert_eq!(
                err.status().map(|status| status.as_u16()),
                Some(status),
                "{answer}"
            );
            assert_eq!(err.body(), body.as_bytes(), "{answer}");
            assert!(err.to_string().contains(text), "{err}");
            assert_eq!(err.may_retry(), again, "{answer}");
            assert!(!err.is_proxy() && !err.is_malformed() && !err.is_timeout());
        }
        Ok(())
    });
}

#[test]
fn a_redirect_is_not_followed_and_says_where_it_leads() {
    on_paused_loop(async {
        for (location, shown) in [
            (
                "https://login.example/",
                "a redirect to https://login.example/, which is not followed",
            ),
            ("ws://user:secret@h/", "a redirect to ws://***@h/, which"),
        ] {
            let err = answered(format!(
                "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            ))
            .await;
            assert!(err.to_string().contains(shown), "{err}");
            assert_eq!(err.headers().expect("fields")["location"], location);
            assert!(!err.may_retry());
        }
        Ok(())
    });
}

#[test]
fn of_a_long_body_the_beginning_is_kept() {
    on_paused_loop(async {
        let long = "x".repeat(60_000);
        for answer in [
            format!("HTTP/1.1 500 No\r\nContent-Length: 60000\r\n\r\n{long}"),
            format!("HTTP/1.1 500 No\r\n\r\n{long}"),
        ] {
            let err = answered(answer).await;
            assert_eq!(err.body(), &long.as_bytes()[..4096]);
        }
        Ok(())
    });
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    on_paused_loop(async {
        let (near, mut far) = duplex(1024);
        let begun = IoLoop::current().time();
        let serving = spawn(async move {
            peer::head(&mut far).await?;
            far.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nbut")
                .await?;
            Ok::<_, std::io::Error>(far)
        });
        let err = refused(websocket_connect("ws://peer/"), near).await;
        assert_eq!(
            (err.status().map(|status| status.as_u16()), err.body()),
            (Some(403), &b"but"[..])
        );
        assert_eq!(IoLoop::current().time() - begun, Duration::from_secs(2));
        drop(serving.await??);
        Ok(())
    });
}

#[test]
fn the_time_to_wait_is_read_in_both_forms() {
    on_paused_loop(async {
        for (value, wait) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("99999999999999999999999", None),
        ] {
            let text =
                format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
            let err = answered(text).await;
            assert_eq!(err.retry_after(), wait.map(Duration::from_secs), "{value}");
        }
        let err = answered(
            "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
        assert!(err.retry_after() > Some(Duration::from_secs(1 << 30)));
        assert_eq!(
            answered("HTTP/1.1 503 Busy\r\n\r\n").await.retry_after(),
            None
        );
        Ok(())
    });
}

#[test]
fn an_upgrade_to_something_else_is_named() {
    const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";
    const RIGHT: &str = "Connection: upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n";
    on_paused_loop(async {
        for (answer, text) in [
            (
                format!("HTTP/1.1 101 \r\nUpgrade: h2c\r\n{RIGHT}\r\n"),
                "something else than a websocket",
            ),
            (
                format!("HTTP/1.1 101 \r\n{RIGHT}\r\n"),
                "something else than a websocket",
            ),
            (
                format!("{UPGRADE}Sec-WebSocket-Accept: ACCEPT\r\n\r\n"),
                "does not list upgrade",
            ),
            (
                format!("{UPGRADE}Connection: upgrade\r\n\r\n"),
                "sec-websocket-accept is missing",
            ),
            (
                format!("{UPGRADE}Connection: upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"),
                "does not belong to the key",
            ),
            (
                format!("{UPGRADE}{RIGHT}Sec-WebSocket-Protocol: x\r\n\r\n"),
                "subprotocol x was not offered",
            ),
            (
                format!("{UPGRADE}{RIGHT}Sec-WebSocket-Extensions: x\r\n\r\n"),
                "extension x was not offered",
            ),
        ] {
            let err = answered(answer.clone()).await;
            let said = err.to_string();
            assert!(
                said.contains("the handshake failed: ") && said.contains(text),
                "{answer}: {err}"
            );
            assert!(err.is_malformed() && !err.may_retry() && err.status().is_none());
        }
        Ok(())
    });
}

#[test]
fn an_answer_that_is_no_http_is_refused() {
    on_paused_loop(async {
        for answer in [
            "\u{81}\u{5}hello this is no answer\r\n\r\n".to_owned(),
            "HTTP/2 101 \r\n\r\n".to_owned(),
            "HTTP/1.1 101 \r\nUpgrade websocket\r\n\r\n".to_owned(),
            "HTTP/1.1 103 \r\n\r\n".repeat(20),
            format!("HTTP/1.1 101 \r\nX: {}\r\n\r\n", "x".repeat(70_000)),
            format!("HTTP/1.1 101 \r\n{}\r\n", "X: y\r\n".repeat(200)),
        ] {
            let err = answered(answer).await;
            assert!(err.is_malformed() && !err.may_retry(), "{err}");
            assert!(err.to_string().contains("unusable answer: "), "{err}");
        }
        Ok(())
    });
}

#[test]
fn an_end_before_or_amid_the_answer_may_be_tried_again() {
    on_paused_loop(async {
        for (answer, text) in [
            ("", "ws://peer/: closed without an answer"),
            ("HTTP/1.1 101 Sw", "ws://peer/: closed amid the answer"),
            (
                "HTTP/1.1 103 \r\n\r\n",
                "ws://peer/: closed amid the answer",
            ),
        ] {
            let err = answered(answer).await;
            assert_eq!(err.to_string(), text);
            assert!(err.is_closed() && err.may_retry());
        }
        // It is cut in the middle.
        let (near, mut far) = duplex(1024);
        spawn_callback(async move {
            peer::head(&mut far).await?;
            far.write_all(b"HTTP/1.1 101 Sw").await?;
            // The reset would overtake what was not read yet.
            moment().await;
            moment().await;
            far.reset();
            Ok::<_, std::io::Error>(())
        });
        let err = refused(websocket_connect("ws://peer/"), near).await;
        assert_eq!(err.to_string(), "ws://peer/: closed amid the answer");
        // The other end is gone before anything is said.
        let (near, far) = duplex(1024);
        drop(far);
        let err = refused(websocket_connect("ws://peer/"), near).await;
        assert!(
            err.is_closed() && err.to_string().contains("connection lost: "),
            "{err}"
        );
        Ok(())
    });
}

#[test]
fn a_peer_that_is_silent_is_given_up() {
    on_paused_loop(async {
        for (set, limit) in [(None, 20), (Some(3), 3)] {
            let (near, far) = duplex(1024);
            let begun = IoLoop::current().time();
            let mut connect = websocket_connect("ws://peer/");
            if let Some(seconds) = set {
                connect = connect.connect_timeout(Duration::from_secs(seconds));
            }
            let err = refused(connect, near).await;
            assert!(err.is_timeout() && err.may_retry());
            assert_eq!(
                err.to_string(),
                format!("ws://peer/: no WebSocket within {limit}s")
            );
            assert_eq!(IoLoop::current().time() - begun, Duration::from_secs(limit));
            drop(far);
        }
        Ok(())
    });
}

#[test]
fn a_limit_of_zero_is_none() {
    on_paused_loop(async {
        let (near, far) = duplex(1024);
        let connect = websocket_connect("ws://peer/").connect_timeout(Duration::ZERO);
        let waited = with_timeout(Duration::from_secs(100_000), connect.connect_over(near)).await;
        assert!(waited.is_err());
        drop(far);
        Ok(())
    });
}

#[test]
fn what_must_not_be_sent_is_refused_before_anybody_is_asked() {
    let ws = || websocket_connect("ws://peer/");
    on_paused_loop(async move {
        for (connect, text, bad_url) in [
            (
                websocket_connect("ws://peer/#top"),
                "bad url: fragments",
                true,
            ),
            (
                websocket_connect("ftp://peer/"),
                "bad url: the scheme ftp",
                true,
            ),
            (
                websocket_connect("ws://me:secret@/"),
                "ws://***@/: bad url: ",
                true,
            ),
            (
                ws().header("Upgrade", "h2c"),
                "bad request: the field upgrade is set",
                false,
            ),
            (
                ws().header("Sec-WebSocket-Key", "x"),
                "the field sec-websocket-key is set",
                false,
            ),
            (ws().header("a b", "x"), "\"a b\" is no header name", false),
            (
                ws().header("X", "a\r\nb"),
                "the value of the header \"X\"",
                false,
            ),
            (
                ws().header("Host", "a b"),
                "bad request: invalid host",
                false,
            ),
            (
                ws().subprotocols(["a b"]),
                "invalid name of a subprotocol: \"a b\"",
                false,
            ),
            (
                ws().subprotocols(["a", "a"]),
                "the subprotocol \"a\" is offered twice",
                false,
            ),
        ] {
            let (near, far) = duplex(1024);
            let err = refused(connect, near).await;
            let said = err.to_string();
            assert!(said.contains(text) && !said.contains("secret"), "{err}");
            assert!(
                err.is_bad_request() && err.is_bad_url() == bad_url && !err.may_retry(),
                "{err}"
            );
            drop(far);
        }
        Ok(())
    });
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_that_is_not_built_in_is_missed_by_name() {
    on_loop(async {
        let err = websocket_connect("wss://peer/").await.expect_err("no TLS");
        assert_eq!(
            err.to_string(),
            "wss://peer/: TLS is not built in; turn the feature tls on, or do without it"
        );
        assert!(err.is_bad_url());
        Ok(())
    });
}

#[test]
fn a_port_where_nobody_listens_is_refused() {
    on_loop(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        drop(listener);
        let err = websocket_connect(format!("ws://{addr}/"))
            .await
            .expect_err("nobody");
        assert_eq!(
            err.to_string(),
            format!("ws://{addr}/: connection refused, nothing listens there")
        );
        assert!(err.is_connect() && err.may_retry() && !err.is_proxy());
        let err = std::io::Error::from(err);
        assert_eq!(err.kind(), std::io::ErrorKind::ConnectionRefused);
        Ok(())
    });
}
