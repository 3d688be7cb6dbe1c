//! What `wire` says about WebSockets, by Squall: handlers, or with `--sockets async` a function that asks for messages.

use std::cell::Cell;
use std::rc::Rc;

use squall::Application;
use squall::websocket::proto::deflate::DeflateOptions;
use squall::websocket::{
    Group, Message, Result, WebSocket, WebSocketHandler, WebSocketOptions, WebSocketStream,
};

use crate::wire::{BROADCAST, BROADCAST_JSON, numbered, published};

/// How the connections of `/echo` are served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Style {
    /// A task for each connection.
    Async,
    /// A handler for each connection, and no task.
    Handler,
}

/// Adds the routes.
pub(crate) fn add(application: Application, style: Style) -> Application {
    let application = match style {
        Style::Async => application.websocket_stream_with("/echo", options(), talk),
        Style::Handler => application.websocket_with("/echo", options(), |_| Echo::default()),
    };
    let rooms = [
        ("/broadcast", BROADCAST),
        ("/broadcast-json", BROADCAST_JSON),
    ];
    rooms
        .into_iter()
        .fold(application, |application, (path, message)| {
            let room = Rc::new(Room {
                message,
                next: Cell::new(0),
                members: Group::new(),
            });
            application.websocket_with(path, options(), move |_| Member {
                room: Rc::clone(&room),
            })
        })
}

/// Every default, and compression for those that offer it.
fn options() -> WebSocketOptions {
    WebSocketOptions {
        compression: Some(DeflateOptions::default()),
        ..WebSocketOptions::default()
    }
}

/// Sends back what comes, and remembers 32 bytes about it, as handlers do that are of use.
#[derive(Debug, Default)]
struct Echo {
    messages: u64,
    bytes: u64,
    longest: u64,
    texts: u64,
}

impl WebSocketHandler for Echo {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        let bytes = message.len() as u64;
        self.messages += 1;
        self.bytes += bytes;
        self.longest = self.longest.max(bytes);
        self.texts += u64::from(message.is_text());
        ws.send(&message)?;
        Ok(())
    }
}

async fn talk(mut ws: WebSocketStream) -> Result {
    while let Some(message) = ws.next().await? {
        ws.send(&message)?;
    }
    Ok(())
}

/// A path whose connections all get the same messages.
#[derive(Debug)]
struct Room {
    message: &'static str,
    next: Cell<u64>,
    members: Group,
}

#[derive(Debug)]
struct Member {
    room: Rc<Room>,
}

impl WebSocketHandler for Member {
    fn open(&mut self, ws: &WebSocket) -> Result {
        self.room.members.join(ws);
        Ok(())
    }

    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        let Some(count) = message.as_text().and_then(published) else {
            ws.send(&message)?;
            return Ok(());
        };
        for _ in 0..count {
            let number = self.room.next.replace(self.room.next.get() + 1);
            self.room.members.send(numbered(self.room.message, number));
        }
        Ok(())
    }
}
