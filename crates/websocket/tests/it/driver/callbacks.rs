//! Handlers that do everything everywhere.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use squall_ioloop::{sleep, spawn_callback, with_timeout};
use squall_net::{IoStream, TcpListener};
use squall_websocket::proto::Role;
use squall_websocket::{
    Acceptor, Agreed, CloseCode, CloseFrame, Connection, Message, Result, WebSocket,
    WebSocketHandler, WebSocketOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Quiet, all_forgotten, client, end, frame, on_paused_loop, open, server, until};

const CALLBACKS: [&str; 7] = ["open", "message", "later", "drain", "ping", "pong", "close"];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    CloseBoth,
    CloseItself,
    Panic,
    SendAndCloseOther,
}

/// Does one thing in one of its callbacks, and sends in all of them.
struct Actor {
    callback: &'static str,
    act: Act,
    /// Bytes that do not leave at once.
    much: usize,
    other: WebSocket,
    /// Whether it has done it.
    done: Rc<Cell<bool>>,
}

impl Actor {
    fn play(&self, callback: &str, ws: &WebSocket) {
        let _ = ws.send(callback);
        let _ = self.other.send(callback);
        if callback != self.callback {
            return;
        }
        self.done.set(true);
        let bye = CloseCode::NORMAL;
        match self.act {
            Act::CloseBoth => {
                self.other.close(bye, "");
                ws.close(bye, "");
            }
            Act::CloseItself => ws.close(bye, ""),
            Act::Panic => panic!("told to"),
            Act::SendAndCloseOther => {
                self.other.close(bye, "");
                let _ = self.other.send("too late");
            }
        }
        let _ = ws.send("behind");
    }
}

impl WebSocketHandler for Actor {
    fn open(&mut self, ws: &WebSocket) -> Result {
        // The answer calls `pong`.
        let _ = ws.ping(b"are you there?");
        self.play("open", ws);
        Ok(())
    }

    async fn message(&mut self, ws: &WebSocket, _message: Message<'_>) -> Result {
        self.play("message", ws);
        // So much that `drain` is called once it has left.
        let _ = ws.send(vec![0; self.much]);
        sleep(Duration::from_millis(5)).await;
        self.play("later", ws);
        Ok(())
    }

    fn drain(&mut self, ws: &WebSocket) {
        self.play("drain", ws);
    }

    fn ping(&mut self, ws: &WebSocket, _payload: &[u8]) {
        self.play("ping", ws);
    }

    fn pong(&mut self, ws: &WebSocket, _payload: &[u8]) {
        self.play("pong", ws);
    }

    fn close(&mut self, ws: &WebSocket, _frame: &CloseFrame) {
        self.play("close", ws);
    }
}

#[test]
fn every_callback_may_close_send_and_panic() {
    on_paused_loop(play_all(None));
}

#[test]
fn every_callback_may_do_so_over_a_socket() {
    crate::on_loop(async { play_all(Some(TcpListener::bind("127.0.0.1:0")?)).await });
}

/// Does each thing in each callback, over pipes in memory or over sockets.
async fn play_all(listener: Option<TcpListener>) -> crate::Outcome {
    let acts = [
        Act::CloseBoth,
        Act::CloseItself,
        Act::Panic,
        Act::SendAndCloseOther,
    ];
    let patience = Duration::from_millis(if listener.is_some() { 100 } else { 1_000 });
    for callback in CALLBACKS {
        for act in acts {
            let options = Rc::new(WebSocketOptions {
                max_queued: 16 << 20,
                ..WebSocketOptions::default()
            });
            let (other, mut witness) = open(&options, Quiet);
            let (connection, stream) = match &listener {
                None => server(&options, Agreed::default()),
                Some(listener) => accepted(listener, &options).await?,
            };
            let done = Rc::new(Cell::new(false));
            let actor = Actor {
                callback,
                act,
                done: Rc::clone(&done),
                much: if listener.is_some() { 8 << 20 } else { 200_000 },
                other: other.clone(),
            };
            // A panic in `open` is its caller's.
            spawn_callback(async move {
                Acceptor::new().accept(connection, actor);
            });
            let mut far = client(stream, Agreed::default());
            let _ = far.send("go");
            let _ = far.ping(b"hello");
            // Until it has done all it does, it is read from; then it is closed, if it is not yet.
            for _ in 0..100 {
                let reading = async { while let Ok(Some(_)) = far.next().await {} };
                let ended = with_timeout(patience, reading).await.is_ok();
                // Being closed is what it waits for in `close`; the rest may take a busy machine long.
                if ended || done.get() || callback == "close" {
                    break;
                }
            }
            far.close(CloseCode::NORMAL, "");
            let code = end(&mut far).await;
            let expected = match (act, callback) {
                // What is sent while it unwinds may not be the last word.
                (Act::Panic, "close") => 1000,
                (Act::Panic, _) => 1011,
                _ => 1000,
            };
            // A socket with something unread is reset, and takes the last word along.
            let lost = listener.is_some() && expected == 1011 && code == 1006;
            assert!(code == expected || lost, "{act:?} in {callback}: {code}");
            drop(far);
            let closes = matches!(act, Act::CloseBoth | Act::SendAndCloseOther);
            if !closes {
                other.close(CloseCode::NORMAL, "");
            }
            assert_eq!(end(&mut witness).await, 1000, "{act:?} in {callback}");
            drop((other, witness));
            all_forgotten(options).await;
        }
    }
    Ok(())
}

/// Makes a server's end of a socket, and the other end.
async fn accepted(
    listener: &TcpListener,
    options: &Rc<WebSocketOptions>,
) -> io::Result<(Connection, IoStream)> {
    let near = IoStream::connect("127.0.0.1", listener.local_addr()?.port()).await?;
    let (far, _) = listener.accept().await?;
    let agreed = Agreed::default();
    let connection = Connection::new(far, Bytes::new(), Role::Server, options, agreed);
    Ok((connection, near))
}

/// Says hello, and something to another one.
struct Greeter {
    other: WebSocket,
}

impl WebSocketHandler for Greeter {
    fn open(&mut self, ws: &WebSocket) -> Result {
        ws.send("new")?;
        self.other.send("from the new one")?;
        Ok(())
    }

    async fn message(&mut self, _ws: &WebSocket, _message: Message<'_>) -> Result {
        Ok(())
    }
}

/// Opens a connection while it has something to send itself.
struct Opener {
    options: Rc<WebSocketOptions>,
    acceptor: Acceptor<Greeter>,
    opened: Rc<RefCell<Option<IoStream>>>,
}

impl WebSocketHandler for Opener {
    async fn message(&mut self, ws: &WebSocket, _message: Message<'_>) -> Result {
        ws.send("one")?;
        let (connection, stream) = server(&self.options, Agreed::default());
        self.acceptor
            .accept(connection, Greeter { other: ws.clone() });
        self.opened.replace(Some(stream));
        ws.send("two")?;
        Ok(())
    }
}

#[test]
fn a_handler_may_open_connections_and_nothing_goes_astray() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let opened = Rc::new(RefCell::new(None));
        let (connection, mut stream) = server(&options, Agreed::default());
        let opener = Opener {
            options: Rc::clone(&options),
            acceptor: Acceptor::new(),
            opened: Rc::clone(&opened),
        };
        Acceptor::new().accept(connection, opener);
        stream.write_all(&frame(0x81, b"go")).await?;
        until(|| opened.borrow().is_some()).await;
        let mut other = opened.take().expect("it was opened");
        let mut read = [0; 5 + 18 + 5];
        stream.read_exact(&mut read).await?;
        assert_eq!(&read, b"\x81\x03one\x81\x10from the new one\x81\x03two");
        let mut read = [0; 5];
        other.read_exact(&mut read).await?;
        assert_eq!(&read, b"\x81\x03new");
        Ok(())
    });
}
