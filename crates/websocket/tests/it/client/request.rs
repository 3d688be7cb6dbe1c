//! What is asked for, byte by byte, and answers however they are cut.

use squall_ioloop::spawn;
use squall_net::duplex;
use squall_websocket::{WebSocketConnect, websocket_connect};
use tokio::io::AsyncWriteExt;

use super::peer;
use crate::on_paused_loop;

/// Returns the head that is sent, but for the key.
async fn asked(connect: WebSocketConnect) -> Result<String, Box<dyn std::error::Error>> {
    let (near, mut far) = duplex(16 * 1024);
    let serving = spawn(async move { peer::accept(&mut far).await });
    connect.connect_over(near).await?;
    let head = serving.await??;
    let (before, rest) = head.split_once("sec-websocket-key: ").ok_or("no key")?;
    Ok(before.to_owned() + &rest[26..])
}

#[test]
fn the_request_is_a_get_with_the_fields_of_the_handshake() {
    on_paused_loop(async {
        let agent = concat!("user-agent: Squall/", env!("CARGO_PKG_VERSION"), "\r\n");
        assert_eq!(
            asked(websocket_connect("ws://Peer:80/chat?room=1")).await?,
            format!(
                "GET /chat?room=1 HTTP/1.1\r\nhost: peer\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                 sec-websocket-version: 13\r\n{agent}\r\n"
            ),
        );
        Ok(())
    });
}

#[test]
fn options_are_in_the_request() {
    let ws = |url: &str| websocket_connect(url);
    on_paused_loop(async move {
        for (connect, line) in [
            (ws("ws://peer:81/"), "host: peer:81\r\n"),
            (ws("ws://[::1]:81/"), "host: [::1]:81\r\n"),
            (ws("ws://peer?a=b"), "GET /?a=b HTTP/1.1\r\n"),
            (ws("ws://peer/").header("Host", "other"), "host: other\r\n"),
            (
                ws("ws://peer/").header("User-Agent", "me"),
                "user-agent: me\r\n",
            ),
            (
                ws("ws://peer/").header("Origin", "http://peer"),
                "origin: http://peer\r\n",
            ),
            (
                ws("ws://peer/")
                    .header("Cookie", "a=b")
                    .header("Cookie", "c=d"),
                "cookie: a=b\r\ncookie: c=d\r\n",
            ),
            (ws("ws://me:you@peer/"), "authorization: Basic bWU6eW91\r\n"),
            (ws("ws://me:you@peer/"), "host: peer\r\n"),
            (
                ws("ws://me@peer/").header("Authorization", "Bearer x"),
                "authorization: Bearer x\r\n",
            ),
            (
                ws("ws://peer/").subprotocols(["v2", "v1"]),
                "sec-websocket-protocol: v2, v1\r\n",
            ),
        ] {
            let head = asked(connect).await?;
            assert!(head.contains(line), "{line:?} is not in {head:?}");
            assert!(
                !head.contains("Basic") || !head.contains("Bearer"),
                "{head:?}"
            );
        }
        Ok(())
    });
}

#[test]
fn each_connection_has_a_key_of_its_own() {
    on_paused_loop(async {
        let mut keys = Vec::new();
        for _ in 0..3 {
            let (near, mut far) = duplex(1024);
            let serving = spawn(async move { peer::accept(&mut far).await });
            websocket_connect("ws://peer/").connect_over(near).await?;
            let fields = peer::fields(&serving.await??);
            keys.push(fields["sec-websocket-key"].clone());
        }
        keys.dedup();
        assert_eq!(keys.len(), 3);
        Ok(())
    });
}

#[test]
fn an_answer_may_be_cut_anywhere() {
    on_paused_loop(async {
        let mut cut = 0;
        loop {
            let (near, mut far) = duplex(1024);
            let serving = spawn(async move {
                let head = peer::head(&mut far).await?;
                let answer = format!(
                    "HTTP/1.1 103 Wait\r\nA: b\r\n\r\n{}",
                    peer::answer(&head, None)
                );
                let (first, second) = answer.split_at(cut.min(answer.len()));
                far.write_all(first.as_bytes()).await?;
                squall_ioloop::moment().await;
                squall_ioloop::moment().await;
                far.write_all(second.as_bytes()).await?;
                Ok::<_, std::io::Error>(answer.len())
            });
            websocket_connect("ws://peer/").connect_over(near).await?;
            if serving.await?? == cut {
                return Ok(());
            }
            cut += 1;
        }
    });
}

#[test]
fn dropping_the_future_closes_the_connection() {
    on_paused_loop(async {
        let (near, mut far) = duplex(1024);
        let connecting = spawn(websocket_connect("ws://peer/").connect_over(near));
        peer::head(&mut far).await?;
        connecting.cancel();
        drop(connecting);
        let err = peer::head(&mut far).await.expect_err("it is closed");
        assert_eq!(err.kind(), std::io::ErrorKind::UnexpectedEof);
        Ok(())
    });
}

#[test]
fn what_is_printed_of_a_request_has_no_secrets() {
    let connect = websocket_connect("ws://me:secret@peer/")
        .header("Authorization", "secret")
        .proxy("http://me:secret@proxy:3128");
    let text = format!("{connect:?}");
    assert!(
        text.contains("ws://***@peer/") && text.contains("http://***@proxy:3128"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}
