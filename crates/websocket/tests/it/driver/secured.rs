//! Connections over TLS on sockets, which are parked as others are.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use squall_ioloop::{IoLoop, moment, sleep, spawn, spawn_callback};
use squall_net::tls::{ClientTls, Pem, ServerTls};
use squall_net::{IoStream, TcpListener};
use squall_websocket::proto::Role;
use squall_websocket::{
    Acceptor, Agreed, CloseCode, Connection, Group, Message, Result, WebSocket, WebSocketHandler,
    WebSocketOptions, WebSocketStream, duplex,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};

use super::{Quiet, client, on_paused_loop};
use crate::on_loop;

/// Both ends of a secured connection; the first is the client's.
async fn secured() -> std::io::Result<(IoStream, IoStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = IoStream::connect_addr(listener.local_addr()?).await?;
    let (far, _) = listener.accept().await?;
    secured_over(near, far).await
}

async fn secured_over(near: IoStream, far: IoStream) -> std::io::Result<(IoStream, IoStream)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])
        .map_err(std::io::Error::other)?;
    let chain = Pem::bytes(made.cert.pem());
    let server = ServerTls::new(chain.clone(), Pem::bytes(made.key_pair.serialize_pem()))?;
    let accepting = spawn(async move { server.accept(far).await });
    let near = ClientTls::trusting(chain)?
        .connect("localhost", near)
        .await?;
    let far = accepting.await.map_err(std::io::Error::other)??;
    Ok((near, far))
}

async fn open<H: WebSocketHandler>(handler: H) -> std::io::Result<(WebSocket, WebSocketStream)> {
    let options = Rc::new(WebSocketOptions {
        max_queued: 64 << 20,
        ..WebSocketOptions::default()
    });
    let (near, far) = secured().await?;
    let connection = Connection::new(far, Bytes::new(), Role::Server, &options, Agreed::default());
    let ws = Acceptor::new().accept(connection, handler);
    Ok((ws, client(near, Agreed::default())))
}

/// Sends back what comes.
#[derive(Clone, Default)]
struct Echo {
    heard: Rc<Cell<usize>>,
    drained: Rc<Cell<usize>>,
}

impl WebSocketHandler for Echo {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        self.heard.set(self.heard.get() + 1);
        ws.send(message)?;
        Ok(())
    }

    fn drain(&mut self, _ws: &WebSocket) {
        self.drained.set(self.drained.get() + 1);
    }
}

#[test]
fn messages_come_back_alone_and_together() {
    on_loop(async {
        let (_ws, mut peer) = open(Echo::default()).await?;
        for size in [0, 1, 125, 5_000, 16_384, 70_000, 300_000] {
            let text = "x".repeat(size);
            peer.send(&text)?;
            assert_eq!(peer.next().await?, Some(text.into()), "{size}");
        }
        for number in 0..500 {
            peer.send(number.to_string().as_str())?;
        }
        for number in 0..500 {
            assert_eq!(peer.next().await?, Some(number.to_string().into()));
        }
        peer.close(CloseCode::NORMAL, "");
        assert_eq!(peer.next().await?, None);
        let frame = peer.close_frame().ok_or("no frame")?;
        assert_eq!(frame.code, CloseCode::NORMAL);
        Ok(())
    });
}

#[test]
fn idle_ones_have_no_tasks() {
    on_loop(async {
        let mut kept = Vec::new();
        let mut counts = Vec::new();
        for _ in 0..4 {
            let (ws, mut peer) = open(Echo::default()).await?;
            if std::env::var_os("SQUALL_IO").is_some() || !cfg!(target_os = "linux") {
                return Ok(());
            }
            peer.send("hello")?;
            assert_eq!(peer.next().await?, Some("hello".to_owned().into()));
            kept.push((ws, peer));
            counts.push(IoLoop::current().task_count());
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        Ok(())
    });
}

#[test]
fn what_a_slow_reader_is_sent_comes_whole_and_the_handler_hears_of_the_end() {
    on_loop(async {
        let echo = Echo::default();
        let (ws, mut peer) = open(echo.clone()).await?;
        let text = "y".repeat(50_000);
        // More than sockets hold, from nobody's turn.
        for number in 0..400 {
            ws.send(format!("{number:03}{text}").as_str())?;
            moment().await;
        }
        assert!(ws.queued() > 0);
        for number in 0..400 {
            let next = peer.next().await?.ok_or("the end")?;
            assert!(
                next.as_bytes()
                    .starts_with(format!("{number:03}y").as_bytes())
            );
        }
        while echo.drained.get() == 0 {
            moment().await;
        }
        assert_eq!(ws.queued(), 0);
        peer.send("still there")?;
        assert_eq!(peer.next().await?, Some("still there".to_owned().into()));
        Ok(())
    });
}

#[test]
fn members_of_a_group_are_told_and_the_slow_ones_later() {
    on_loop(async {
        let (ws, mut peer) = open(Quiet).await?;
        let (slow, mut slow_peer) = open(Quiet).await?;
        let group = Group::new();
        group.join(&ws);
        group.join(&slow);
        let text = "z".repeat(100_000);
        for number in 0..150 {
            group.send(format!("{number:03}{text}").as_str());
            let next = peer.next().await?.ok_or("the end")?;
            assert!(
                next.as_bytes()
                    .starts_with(format!("{number:03}z").as_bytes())
            );
        }
        assert!(slow.queued() > 0);
        for number in 0..150 {
            let next = slow_peer.next().await?.ok_or("the end")?;
            assert!(
                next.as_bytes()
                    .starts_with(format!("{number:03}z").as_bytes())
            );
        }
        Ok(())
    });
}

#[test]
fn a_reader_who_takes_slowly_what_tls_holds_back_gets_it_all() {
    on_paused_loop(async {
        // 1000 bytes a second come to the client.
        let (near, near_relay) = duplex(1000);
        let (far_relay, far) = duplex(1000);
        let (mut from_client, mut to_client) = split(near_relay);
        let (mut from_server, mut to_server) = split(far_relay);
        spawn_callback(async move {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        });
        spawn_callback(async move {
            let mut buffer = [0; 1000];
            while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                sleep(Duration::from_secs(1)).await;
                if to_client.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
        });
        let (near, far) = secured_over(near, far).await?;
        let options = Rc::new(WebSocketOptions::default());
        let agreed = Agreed::default();
        let connection = Connection::new(far, Bytes::new(), Role::Server, &options, agreed);
        let ws = Acceptor::new().accept(connection, Quiet);
        // As much as TLS takes, so that nothing is left in the queue itself.
        let payload = vec![b'x'; 60_000];
        ws.send(&payload)?;
        let mut peer = client(near, Agreed::default());
        let begin = IoLoop::current().time();
        assert_eq!(peer.next().await?, Some(payload.into()));
        let took = IoLoop::current().time() - begin;
        assert!(took > options.write_timeout, "{took:?}");
        assert!(ws.is_open());
        Ok(())
    });
}
