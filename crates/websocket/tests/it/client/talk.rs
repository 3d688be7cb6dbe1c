//! Messages after the handshake, with this crate's own server.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, Version};
use squall_ioloop::{IoLoop, Task, spawn};
use squall_net::{IoStream, TcpListener, duplex};
use squall_websocket::proto::Role;
use squall_websocket::proto::deflate::DeflateOptions;
use squall_websocket::proto::handshake::Offer;
use squall_websocket::{
    Agreed, CloseCode, Connection, WebSocketError, WebSocketOptions, WebSocketStream,
    websocket_connect,
};
use tokio::io::AsyncWriteExt;

use super::peer;
use crate::{Outcome, on_loop, on_paused_loop};

/// Accepts a WebSocket on a stream as these options say.
pub(crate) async fn accept(
    mut stream: IoStream,
    options: WebSocketOptions,
) -> std::io::Result<WebSocketStream> {
    let head = peer::head(&mut stream).await?;
    let request = peer::fields(&head);
    let offer = Offer::read(&Method::GET, Version::HTTP_11, &request).expect("a handshake");
    let chosen = offer.select_subprotocol(&options.subprotocols);
    let accepted = options.compression.as_ref().and_then(|options| {
        let accepted = options.accept(offer.extensions());
        accepted.expect("good offers")
    });
    let (compression, extensions): (_, Option<HeaderValue>) = accepted.unzip();
    let response = offer.response(chosen, extensions).expect("offered");
    let mut text = "HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: seen=1\r\n".to_owned();
    for (name, value) in &response {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().expect("ASCII")));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await?;
    let mut known = options.subprotocols.iter();
    let agreed = Agreed {
        compression,
        subprotocol: chosen.and_then(|chosen| known.position(|name| name == chosen)),
    };
    let options = Rc::new(options);
    let connection = Connection::new(stream, Bytes::new(), Role::Server, &options, agreed);
    Ok(WebSocketStream::new(connection))
}

/// Sends every message back, until the connection ends.
pub(crate) async fn echo(mut ws: WebSocketStream) -> Result<WebSocketStream, WebSocketError> {
    while let Some(message) = ws.next().await? {
        ws.send(message).expect("it is open");
    }
    Ok(ws)
}

/// Starts a server of one connection in memory; returns the client's end.
fn echoing(options: WebSocketOptions) -> (IoStream, Task<Result<WebSocketStream, WebSocketError>>) {
    let (near, far) = duplex(16 * 1024);
    let serving = spawn(async move { echo(accept(far, options).await?).await });
    (near, serving)
}

#[test]
fn messages_go_there_and_back_until_one_end_closes() {
    on_paused_loop(async {
        let (near, serving) = echoing(WebSocketOptions::default());
        let mut ws = websocket_connect("ws://peer/").connect_over(near).await?;
        let long = "long ".repeat(20_000);
        for text in ["hello", "", "\u{1f300}", &long] {
            ws.send(text)?;
            let message = ws.next().await?.ok_or("it ended")?;
            assert_eq!(message.as_text(), Some(text));
        }
        ws.send(&[0_u8, 255])?;
        let message = ws.next().await?.ok_or("it ended")?;
        assert_eq!(
            (message.is_text(), message.as_bytes()),
            (false, &[0, 255][..])
        );

        ws.close(CloseCode::NORMAL, "bye");
        assert_eq!(ws.next().await?, None);
        let frame = serving.await??.close_frame().ok_or("no frame")?;
        assert_eq!((frame.code, &*frame.reason), (CloseCode::NORMAL, "bye"));
        Ok(())
    });
}

#[test]
fn frames_that_come_with_the_answer_are_not_lost() {
    on_paused_loop(async {
        // A text of one byte, and the first half of another one.
        let (near, mut far) = duplex(1024);
        let serving = spawn(async move {
            let head = peer::head(&mut far).await?;
            let mut bytes = peer::answer(&head, None).into_bytes();
            bytes.extend_from_slice(b"\x81\x01a\x81\x02b");
            far.write_all(&bytes).await?;
            far.write_all(b"c\x88\x02\x03\xe9").await?;
            Ok::<_, std::io::Error>(far)
        });
        let mut ws = websocket_connect("ws://peer/").connect_over(near).await?;
        assert_eq!(ws.next().await?, Some("a".into()));
        assert_eq!(ws.next().await?, Some("bc".into()));
        drop(serving.await??);
        assert_eq!(ws.next().await?, None);
        let frame = ws.close_frame().ok_or("no frame")?;
        assert_eq!(frame.code, CloseCode::GOING_AWAY);
        Ok(())
    });
}

#[test]
fn the_subprotocol_is_the_one_that_the_server_has_chosen() {
    on_paused_loop(async {
        for (known, chosen) in [(&["v1"][..], Some("v1")), (&["v9"], None), (&[], None)] {
            let options = WebSocketOptions {
                subprotocols: known.iter().map(|&name| name.into()).collect(),
                ..WebSocketOptions::default()
            };
            let (near, serving) = echoing(options);
            let connect = websocket_connect("ws://peer/").subprotocols(["v2", "v1"]);
            let ws = connect.connect_over(near).await?;
            assert_eq!(ws.subprotocol(), chosen);
            drop(ws);
            assert_eq!(serving.await??.subprotocol(), chosen);
        }
        Ok(())
    });
}

#[test]
fn messages_are_compressed_if_both_ends_want_that() {
    on_paused_loop(async {
        for (there, here) in [(true, true), (true, false), (false, true)] {
            let options = WebSocketOptions {
                compression: there.then(DeflateOptions::default),
                ..WebSocketOptions::default()
            };
            let (near, serving) = echoing(options);
            let mut connect = websocket_connect("ws://peer/");
            if here {
                connect = connect.compression(DeflateOptions::default());
            }
            let mut ws = connect.connect_over(near).await?;
            assert_eq!(ws.is_compressed(), there && here);
            let text = "again and again ".repeat(1000);
            for _ in 0..3 {
                ws.send(&text)?;
                assert_eq!(ws.next().await?, Some((&text).into()));
            }
            drop(ws);
            assert_eq!(serving.await??.is_compressed(), there && here);
        }
        Ok(())
    });
}

#[test]
fn an_agreement_to_other_parameters_is_refused() {
    on_paused_loop(async {
        for parameters in [
            "permessage-deflate; x=1",
            "permessage-deflate, permessage-deflate",
        ] {
            let (near, mut far) = duplex(1024);
            let serving = spawn(async move {
                let head = peer::head(&mut far).await?;
                let answer = peer::answer(&head, None);
                let answer = answer.trim_end();
                let text = format!("{answer}\r\nSec-WebSocket-Extensions: {parameters}\r\n\r\n");
                far.write_all(text.as_bytes()).await?;
                Ok::<_, std::io::Error>(far)
            });
            let connect = websocket_connect("ws://peer/").compression(DeflateOptions::default());
            let err = connect.connect_over(near).await.expect_err(parameters);
            assert!(err.is_malformed() && !err.may_retry(), "{err}");
            assert!(err.to_string().contains("the handshake failed: "), "{err}");
            drop(serving.await??);
        }
        Ok(())
    });
}

#[test]
fn a_message_may_be_as_long_as_was_set_in_one_frame_or_several() {
    on_paused_loop(async {
        let options = WebSocketOptions {
            max_message: 4 << 20,
            max_frame: 4 << 20,
            ..WebSocketOptions::default()
        };
        let (near, serving) = echoing(options);
        let connect = websocket_connect("ws://peer/").max_message(2 << 20);
        let mut ws = connect.connect_over(near).await?;
        let text = "x".repeat(2 << 20);
        ws.send(&text)?;
        assert_eq!(ws.next().await?, Some(text.into()));
        ws.send("x".repeat((2 << 20) + 1))?;
        let err = ws.next().await.expect_err("it is too long");
        assert!(err.to_string().contains("1009"), "{err}");
        drop(serving.await?);

        let (near, mut far) = duplex(1024);
        let serving = spawn(async move {
            peer::accept(&mut far).await?;
            far.write_all(b"\x01\x03abc\x80\x03def").await?;
            far.write_all(b"\x01\x03abc\x80\x04defg").await?;
            Ok::<_, std::io::Error>(far)
        });
        let connect = websocket_connect("ws://peer/").max_message(6);
        let mut ws = connect.connect_over(near).await?;
        assert_eq!(ws.next().await?, Some("abcdef".into()));
        let err = ws.next().await.expect_err("it is too long");
        assert!(err.to_string().contains("1009"), "{err}");
        drop(serving.await??);
        Ok(())
    });
}

#[test]
fn a_server_that_answers_no_ping_is_given_up() {
    on_paused_loop(async {
        let (near, mut far) = duplex(1024);
        let serving = spawn(async move {
            peer::accept(&mut far).await?;
            Ok::<_, std::io::Error>(far)
        });
        let connect = websocket_connect("ws://peer/");
        let connect = connect.ping(Duration::from_secs(4), Duration::from_secs(2));
        let mut ws = connect.connect_over(near).await?;
        let far = serving.await??;
        let begun = IoLoop::current().time();
        assert!(ws.next().await.is_err());
        let waited = IoLoop::current().time() - begun;
        assert!(
            waited >= Duration::from_secs(5) && waited <= Duration::from_secs(8),
            "{waited:?}"
        );
        drop(far);
        Ok(())
    });
}

#[test]
fn a_socket_does_the_same_and_the_answers_fields_can_be_had() {
    on_loop(async { over_tcp().await });
}

async fn over_tcp() -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let serving = spawn(async move {
        let (stream, _peer) = listener.accept().await?;
        echo(accept(stream, WebSocketOptions::default()).await?).await
    });
    let (mut ws, headers) = websocket_connect(url).connect_with_headers().await?;
    assert_eq!(headers["set-cookie"], "seen=1");
    ws.send("hello")?;
    assert_eq!(ws.next().await?, Some("hello".into()));
    drop(ws);
    let frame = serving.await??.close_frame().ok_or("no frame")?;
    assert_eq!(frame.code, CloseCode::NORMAL);
    Ok(())
}
