//! tokio-tungstenite: a task for each connection on one current-thread runtime.
//!
//! Settings: TCP_NODELAY; buffers of 128 KiB, its defaults, or with `--buffer 4096` the 4 KiB that its documentation
//! names for many connections. Echoes are sent as they are read. Messages to all take the way of its own example
//! `server`: an unbounded channel to each connection, forwarded to its sink, which writes what is there in one go. It
//! has no compression.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_util::future::{Either, select};
use futures_util::{SinkExt as _, StreamExt as _};
use peer_shared::{BROADCAST, BROADCAST_JSON, address, announce, buffer, numbered, published};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

type Socket = WebSocketStream<TcpStream>;

/// A path whose connections all get the same messages.
struct Room {
    message: &'static str,
    next: Cell<u64>,
    /// By the number of the connection.
    members: RefCell<Vec<(u64, UnboundedSender<Message>)>>,
    joined: Cell<u64>,
}

impl Room {
    fn new(message: &'static str) -> Self {
        Self {
            message,
            next: Cell::new(0),
            members: RefCell::default(),
            joined: Cell::new(0),
        }
    }

    fn publish(&self, count: u64) {
        for _ in 0..count {
            let text = numbered(self.message, self.next.replace(self.next.get() + 1));
            let message = Message::text(text);
            for (_, member) in self.members.borrow().iter() {
                // One that is gone is taken off by its own task.
                let _ = member.unbounded_send(message.clone());
            }
        }
    }

    async fn serve(&self, socket: Socket) {
        let number = self.joined.replace(self.joined.get() + 1);
        let (sender, receiver) = unbounded();
        self.members.borrow_mut().push((number, sender.clone()));
        let (outgoing, mut incoming) = socket.split();
        let receive = async {
            while let Some(Ok(message)) = incoming.next().await {
                let Message::Text(text) = &message else {
                    continue;
                };
                match published(text) {
                    Some(count) => self.publish(count),
                    None => {
                        let _ = sender.unbounded_send(message);
                    }
                }
            }
        };
        let forward = receiver.map(Ok).forward(outgoing);
        match select(Box::pin(receive), forward).await {
            Either::Left(_) | Either::Right(_) => {}
        }
        self.members.borrow_mut().retain(|(other, _)| *other != number);
    }
}

struct Rooms {
    text: Room,
    json: Room,
}

async fn echo(mut socket: Socket) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn connection(stream: TcpStream, config: WebSocketConfig, rooms: Rc<Rooms>) {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's type")]
    let note = |request: &Request, response: Response| {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    // A client that leaves is no event here.
    let Ok(socket) = accept_hdr_async_with_config(stream, note, Some(config)).await else {
        return;
    };
    match path.as_str() {
        "/broadcast" => rooms.text.serve(socket).await,
        "/broadcast-json" => rooms.json.serve(socket).await,
        _ => echo(socket).await,
    }
}

async fn serve() -> io::Result<()> {
    let mut config = WebSocketConfig::default();
    if let Some(bytes) = buffer() {
        config = config.read_buffer_size(bytes).write_buffer_size(bytes);
    }
    let rooms = Rc::new(Rooms {
        text: Room::new(BROADCAST),
        json: Room::new(BROADCAST_JSON),
    });
    let address = address();
    let listener = TcpListener::bind(address).await?;
    announce(address);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::task::spawn_local(connection(stream, config, Rc::clone(&rooms)));
    }
}

fn main() -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build_local(tokio::runtime::LocalOptions::default())?
        .block_on(serve())
}
