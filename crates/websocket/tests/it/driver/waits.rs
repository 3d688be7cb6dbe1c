//! Handlers and functions that wait while something happens.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use squall_ioloop::{IoLoop, moment, sleep, spawn_callback, with_timeout};
use squall_net::{IoStream, TcpListener};
use squall_websocket::proto::Role;
use squall_websocket::{
    Acceptor, Agreed, CloseCode, CloseFrame, Connection, Message, Result, WebSocket,
    WebSocketHandler, WebSocketOptions, WebSocketStream, duplex,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PIPE, Quiet, all_forgotten, frame, on_paused_loop, server};

/// Takes its time for a message.
struct Slow {
    ended: Rc<Cell<u16>>,
    messages: Rc<Cell<u32>>,
}

impl WebSocketHandler for Slow {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        sleep(Duration::from_secs(3)).await;
        self.messages.set(self.messages.get() + 1);
        let _ = ws.send(message);
        Ok(())
    }

    fn close(&mut self, _ws: &WebSocket, frame: &CloseFrame) {
        self.ended.set(frame.code.get());
    }
}

#[test]
fn a_peer_may_leave_in_any_way_while_a_handler_waits() {
    on_paused_loop(async {
        for (way, code) in [
            ("closes", 4000),
            ("closes and is gone", 4000),
            ("is cut", 1006),
            ("ends its half", 1006),
            ("is told goodbye and does not answer", 1006),
            ("is told goodbye and answers", 1000),
            ("breaks the protocol", 1002),
        ] {
            let options = Rc::new(WebSocketOptions::default());
            let (ended, messages) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let (connection, mut stream) = server(&options, Agreed::default());
            let handler = Slow {
                ended: Rc::clone(&ended),
                messages: Rc::clone(&messages),
            };
            let ws = Acceptor::new().accept(connection, handler);
            // Two at once, so that one has not been looked at.
            let both = [frame(0x81, b"one"), frame(0x81, b"two")].concat();
            stream.write_all(&both).await?;
            sleep(Duration::from_secs(1)).await;
            match way {
                "closes" => stream.write_all(&frame(0x88, &[0x0f, 0xa0])).await?,
                "closes and is gone" => {
                    stream.write_all(&frame(0x88, &[0x0f, 0xa0])).await?;
                    stream.shutdown().await?;
                }
                "is cut" => stream = duplex(PIPE).0,
                "ends its half" => stream.shutdown().await?,
                "is told goodbye and does not answer" => ws.close(CloseCode::NORMAL, ""),
                "is told goodbye and answers" => {
                    ws.close(CloseCode::NORMAL, "");
                    stream.write_all(&frame(0x88, &[0x03, 0xe8])).await?;
                }
                _ => stream.write_all(&frame(0x83, b"")).await?,
            }
            drop(ws);
            all_forgotten(options).await;
            assert_eq!(ended.get(), code, "a peer that {way}");
            let told = way.starts_with("is told");
            let handled = if told { 1 } else { 2 };
            assert_eq!(messages.get(), handled, "of a peer that {way}");
            drop(stream);
        }
        Ok(())
    });
}

#[test]
fn goodbyes_may_cross() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        let ws = Acceptor::new().accept(connection, Quiet);
        stream.write_all(&frame(0x88, &[0x0f, 0xa1])).await?;
        ws.close(CloseCode::NORMAL, "");
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await?;
        assert_eq!(read, [0x88, 2, 0x03, 0xe8], "one close frame, its own");
        let code = ws.close_frame().map(|frame| frame.code.get());
        assert_eq!(code, Some(4001), "the other end's");
        drop(ws);
        all_forgotten(options).await;
        Ok(())
    });
}

#[test]
fn giving_up_a_call_loses_nothing() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        let mut ws = WebSocketStream::new(connection);
        let mut sent = Vec::new();
        for number in 0..100_u8 {
            // In two frames with a ping between them.
            sent.extend(frame(0x02, &[number; 3]));
            sent.extend(frame(0x89, b"?"));
            sent.extend(frame(0x80, &[number; 2]));
        }
        let writing = async move {
            for byte in sent {
                let _ = stream.write_all(&[byte]).await;
                sleep(Duration::from_millis(1)).await;
            }
            // Nobody reads the pongs, for there is room for them.
            stream
        };
        let writing = squall_ioloop::spawn(writing);
        for number in 0..100_u8 {
            let message = loop {
                // Dropped again and again, wherever it is.
                match with_timeout(Duration::from_micros(700), ws.next()).await {
                    Ok(next) => break next?,
                    Err(_) => moment().await,
                }
            };
            assert_eq!(message, Some((&[number; 5]).into()));
        }
        drop(writing);
        Ok(())
    });
}

#[test]
fn what_is_held_for_a_connection_is_held_until_it_has_ended() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        let mut ws = WebSocketStream::new(connection);
        let held = Rc::new(());
        ws.hold(Rc::clone(&held) as _);
        drop(ws);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(Rc::strong_count(&held), 2, "the goodbye is not answered");
        stream.write_all(&frame(0x88, &[])).await?;
        all_forgotten(options).await;
        assert_eq!(Rc::strong_count(&held), 1);
        Ok(())
    });
}

thread_local! {
    static KEPT: RefCell<Option<WebSocketStream>> = const { RefCell::new(None) };
}

#[test]
fn a_thread_may_end_with_connections_in_every_state() {
    let ending = thread::spawn(|| {
        KEPT.with(|kept| assert!(kept.borrow().is_none()));
        let opened = IoLoop::run_sync(async {
            let options = Rc::new(WebSocketOptions::default());
            let acceptor = Rc::new(Acceptor::new());
            // Parked, waiting for its handler, kept beyond the loop, and about to end.
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let mut peers = Vec::new();
            for message in [None, Some(frame(0x81, b"wait"))] {
                let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
                let (stream, _) = listener.accept().await?;
                if let Some(message) = message {
                    peer.write_all(&message)?;
                }
                let handler = Slow {
                    ended: Rc::default(),
                    messages: Rc::default(),
                };
                let connection = over(stream, &options);
                let ws = acceptor.accept(connection, handler);
                peers.push((ws, peer));
            }
            let (near, far) = duplex(PIPE);
            let kept = WebSocketStream::new(over(far, &options));
            KEPT.with(|place| place.replace(Some(kept)));
            let (close_near, far) = duplex(PIPE);
            drop(WebSocketStream::new(over(far, &options)));
            sleep(Duration::from_millis(20)).await;
            // The acceptor outlives the loop's run as an application may.
            spawn_callback(async move {
                let _all = (peers, near, close_near, acceptor, listener);
                std::future::pending::<()>().await;
            });
            Ok::<_, std::io::Error>(())
        });
        opened.expect("connections");
    });
    ending.join().expect("the thread ends well");
}

fn over(stream: IoStream, options: &Rc<WebSocketOptions>) -> Connection {
    Connection::new(
        stream,
        Bytes::new(),
        Role::Server,
        options,
        Agreed::default(),
    )
}
