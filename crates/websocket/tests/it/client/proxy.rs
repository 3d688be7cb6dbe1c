//! Through a proxy.

use squall_ioloop::{Task, spawn};
use squall_net::{IoStream, TcpListener};
use squall_websocket::{ConnectError, WebSocketConnect, websocket_connect};
use tokio::io::AsyncWriteExt;

use super::peer;
use crate::{Outcome, on_loop};

/// A proxy that is also the server behind it: it answers CONNECT with this text, and then shakes hands if it may. Gives the
/// heads that it was sent.
fn proxy(answer: &'static str) -> std::io::Result<(String, Task<std::io::Result<Vec<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let place = listener.local_addr()?.to_string();
    let serving = spawn(async move {
        let (mut stream, _peer) = listener.accept().await?;
        let mut heads = vec![peer::head(&mut stream).await?];
        stream.write_all(answer.as_bytes()).await?;
        if answer.starts_with("HTTP/1.1 2") && answer.ends_with("\r\n\r\n") {
            heads.push(peer::accept(&mut stream).await?);
        }
        finish(stream).await;
        Ok(heads)
    });
    Ok((place, serving))
}

/// Waits for the other end, so that what was sent is not lost with the connection.
async fn finish(mut stream: IoStream) {
    let _ = stream.shutdown().await;
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await;
}

async fn refused(connect: WebSocketConnect) -> ConnectError {
    connect.await.expect_err("it is refused")
}

#[test]
fn a_tunnel_is_asked_for_also_without_tls() {
    on_loop(async {
        let (place, serving) = proxy("HTTP/1.1 200 Connection established\r\n\r\n")?;
        let ws =
            websocket_connect("ws://server.example/chat").proxy(format!("http://me:you@{place}"));
        drop(ws.await?);
        let heads = serving.await??;
        assert_eq!(
            heads[0],
            format!(
                "CONNECT server.example:80 HTTP/1.1\r\nhost: server.example:80\r\nuser-agent: Squall/{}\r\n\
                 proxy-authorization: Basic bWU6eW91\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            )
        );
        assert!(
            heads[1].starts_with("GET /chat HTTP/1.1\r\nhost: server.example\r\n"),
            "{}",
            heads[1]
        );
        assert!(!heads[1].contains("authorization"), "{}", heads[1]);
        Ok(())
    });
}

#[test]
fn what_the_proxy_does_wrong_is_said_of_the_proxy() {
    on_loop(async {
        for (answer, text, status, again) in [
            (
                "HTTP/1.1 407 Who\r\nContent-Length: 4\r\n\r\nwho?",
                "answered 407 Proxy Authentication Required",
                Some(407),
                false,
            ),
            (
                "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n",
                "answered 502 Bad Gateway",
                Some(502),
                true,
            ),
            (
                "HTTP/1.1 101 What\r\n\r\n",
                "answered 101",
                Some(101),
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\nhello",
                "bytes came before anything was said",
                None,
                false,
            ),
            ("hello\r\n\r\n", "unusable answer", None, false),
            ("", "closed without an answer", None, true),
        ] {
            let (place, serving) = proxy(answer)?;
            let err = refused(
                websocket_connect("ws://server.example/").proxy(format!("http://me:you@{place}/")),
            )
            .await;
            let begin = format!("ws://server.example/: by the proxy http://***@{place}/: ");
            let said = err.to_string();
            assert!(said.starts_with(&begin) && said.contains(text), "{err}");
            assert_eq!(err.status().map(|status| status.as_u16()), status);
            assert!(err.is_proxy());
            assert_eq!(err.may_retry(), again, "{err}");
            serving.await??;
        }
        Ok(())
    });
}

#[test]
fn what_the_server_behind_it_does_wrong_is_said_of_the_server() {
    on_loop(async { behind().await });
}

async fn behind() -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let place = listener.local_addr()?;
    let serving = spawn(async move {
        let (mut stream, _peer) = listener.accept().await?;
        peer::head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        peer::head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
            .await?;
        finish(stream).await;
        Ok::<_, std::io::Error>(())
    });
    let err =
        refused(websocket_connect("ws://server.example/").proxy(format!("http://{place}"))).await;
    assert_eq!(
        err.to_string(),
        "ws://server.example/: answered 404 Not Found"
    );
    assert!(!err.is_proxy());
    serving.await??;
    Ok(())
}

#[test]
fn a_proxy_that_is_not_there_or_is_none_is_named() {
    on_loop(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let place = listener.local_addr()?;
        drop(listener);
        let err = refused(websocket_connect("ws://server/").proxy(format!("http://{place}"))).await;
        let text = format!(
            "ws://server/: by the proxy http://{place}: connection refused, nothing listens there"
        );
        assert_eq!(err.to_string(), text);
        assert!(err.is_proxy() && err.is_connect() && err.may_retry());

        let err = refused(websocket_connect("ws://server/").proxy("socks5://proxy")).await;
        assert!(
            err.is_proxy() && err.is_bad_url() && !err.may_retry(),
            "{err}"
        );
        assert!(
            err.to_string().contains("the scheme socks5 is not known"),
            "{err}"
        );
        Ok(())
    });
}
