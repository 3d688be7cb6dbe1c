//! Connections as a server drives them, over pipes in memory with the clock paused.

mod callbacks;
mod groups;
mod limits;
mod pings;
mod queues;
#[cfg(feature = "tls")]
mod secured;
mod waits;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use squall_ioloop::{moment, sleep};
use squall_net::IoStream;
use squall_websocket::proto::Role;
use squall_websocket::{
    Acceptor, Agreed, CloseFrame, Connection, Message, Result, WebSocket, WebSocketHandler,
    WebSocketOptions, WebSocketStream, duplex,
};

/// Bytes that a pipe holds in each direction.
const PIPE: usize = 64 * 1024;

/// Has nothing to say.
struct Quiet;

impl WebSocketHandler for Quiet {
    async fn message(&mut self, _ws: &WebSocket, _message: Message<'_>) -> Result {
        Ok(())
    }
}

/// Makes a server's end, and the stream of the other end.
fn server(options: &Rc<WebSocketOptions>, agreed: Agreed) -> (Connection, IoStream) {
    let (near, far) = duplex(PIPE);
    let connection = Connection::new(far, Bytes::new(), Role::Server, options, agreed);
    (connection, near)
}

/// Makes a client's end of a stream; it sends no pings.
fn client(stream: IoStream, agreed: Agreed) -> WebSocketStream {
    let options = Rc::new(WebSocketOptions {
        ping_interval: None,
        max_frame: 16 << 20,
        max_message: 16 << 20,
        compression: Some(Default::default()),
        ..WebSocketOptions::default()
    });
    let connection = Connection::new(stream, Bytes::new(), Role::Client, &options, agreed);
    WebSocketStream::new(connection)
}

/// Opens a connection for a handler, and gives the client's end.
fn open<H: WebSocketHandler>(
    options: &Rc<WebSocketOptions>,
    handler: H,
) -> (WebSocket, WebSocketStream) {
    let (connection, stream) = server(options, Agreed::default());
    let ws = Acceptor::new().accept(connection, handler);
    (ws, client(stream, Agreed::default()))
}

/// A frame as a client sends it, with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    assert!(length < 126, "a short payload");
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// Waits until every connection with these options is forgotten; how it ended is in what the connections leave behind.
async fn all_forgotten(options: Rc<WebSocketOptions>) {
    for _ in 0..10_000 {
        if Rc::strong_count(&options) == 1 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "{} connections are still there",
        Rc::strong_count(&options) - 1
    );
}

/// Waits for something that takes some turns of the loop.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        moment().await;
    }
    panic!("it takes more than 1000 turns");
}

/// Reads to the end, and answers how it came.
async fn end(ws: &mut WebSocketStream) -> u16 {
    while let Ok(Some(_)) = ws.next().await {}
    let frame: Option<CloseFrame> = ws.close_frame();
    frame.map_or(0, |frame| frame.code.get())
}

fn on_paused_loop(test: impl Future<Output = crate::Outcome>) {
    crate::on_paused_loop(test);
}
