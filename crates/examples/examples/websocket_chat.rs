//! A chat with rooms: who is in a room hears what is said there, and newcomers get the last lines.
//!
//! A room is a `Group`: what is sent to it is put into a frame once, however many are in. The rooms belong to one loop, so the
//! server has only one.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example websocket_chat -- 8080
//!
//! Type next: open http://127.0.0.1:8080/ in two windows. Without a port two guests talk in memory.
//!
//! Prints:
//!     Bob hears: {"here":2,"kind":"joined","name":"Bob"}
//!     Ada hears: {"here":2,"kind":"joined","name":"Bob"}
//!     Ada hears: {"kind":"said","name":"Bob","text":"hello, Ada"}
//!     Ada hears: {"here":1,"kind":"left","name":"Bob"}

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::process::ExitCode;
use std::rc::Rc;

use serde_json::{Value, json};
use squall::http::header::CONTENT_TYPE;
use squall::web::testing::TestClient;
use squall::web::{Context, HttpError};
use squall::websocket::proto::deflate::DeflateOptions;
use squall::websocket::{CloseCode, CloseFrame, Group, Result, WebSocketOptions, WebSocketStream};
use squall::{Application, HttpServer, IoLoop, Message, WebSocket, WebSocketHandler};
use squall_examples::{Failure, say};

/// The page, which is all there is to load.
const PAGE: &str = include_str!("../pages/chat.html");
/// Lines that a newcomer gets.
const REMEMBERED: usize = 50;
/// Characters of a name or of a room.
const LONGEST_NAME: usize = 24;

/// Who is in a room, and what was said there.
#[derive(Clone, Default)]
struct Room {
    guests: Group,
    said: Rc<RefCell<VecDeque<String>>>,
}

impl Room {
    fn tell(&self, event: &Value) {
        self.guests.send(event.to_string());
    }
}

type Rooms = Rc<RefCell<HashMap<String, Room>>>;

struct Guest {
    name: String,
    room: Room,
}

impl Guest {
    fn event(&self, kind: &str) -> Value {
        json!({ "kind": kind, "name": self.name, "here": self.room.guests.len() })
    }
}

impl WebSocketHandler for Guest {
    fn open(&mut self, ws: &WebSocket) -> Result {
        for line in &*self.room.said.borrow() {
            ws.send(line)?;
        }
        self.room.guests.join(ws);
        self.room.tell(&self.event("joined"));
        Ok(())
    }

    async fn message(&mut self, _ws: &WebSocket, message: Message<'_>) -> Result {
        if let Some(text) = message.as_text().filter(|text| !text.trim().is_empty()) {
            let event = json!({ "kind": "said", "name": self.name, "text": text });
            let mut said = self.room.said.borrow_mut();
            said.push_back(event.to_string());
            if said.len() > REMEMBERED {
                said.pop_front();
            }
            self.room.tell(&event);
        }
        Ok(())
    }

    fn close(&mut self, ws: &WebSocket, _frame: &CloseFrame) {
        self.room.guests.leave(ws);
        self.room.tell(&self.event("left"));
    }
}

/// Makes the handler of a connection, from `/rooms/{room}/{name}`.
fn guest(rooms: &Rooms, cx: &mut Context) -> std::result::Result<Guest, HttpError> {
    let named = |text: &str| {
        let length = text.trim().chars().count();
        let good = (1..=LONGEST_NAME).contains(&length);
        good.then(|| text.trim().to_owned()).ok_or_else(|| {
            HttpError::bad_request(format!("a name has 1 to {LONGEST_NAME} letters"))
        })
    };
    let room = named(&cx.path("room")?)?;
    let name = named(&cx.path("name")?)?;
    let room = rooms.borrow_mut().entry(room).or_default().clone();
    Ok(Guest { name, room })
}

fn application() -> Application {
    let rooms = Rooms::default();
    let options = WebSocketOptions {
        max_message: 4096,
        compression: Some(DeflateOptions::default()),
        ..WebSocketOptions::default()
    };
    Application::new()
        .get("/", async || {
            ([(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE)
        })
        .websocket_with("/rooms/{room}/{name}", options, move |cx| guest(&rooms, cx))
}

/// Serves at the port of the arguments until Ctrl-C; without one, lets two guests talk in memory.
pub fn run(args: &[String]) -> squall::Result<()> {
    let Some(port) = args.first() else {
        return IoLoop::run_sync(talk());
    };
    let port: u16 = port
        .parse()
        .map_err(|_| Failure::new(format!("expected a port, found `{port}`")))?;
    let server = HttpServer::new(application).loops(1);
    let server = server.listen(("127.0.0.1", port))?;
    for address in server.addresses()? {
        say!("listening on http://{address}/");
    }
    Ok(server.run()?)
}

async fn talk() -> squall::Result<()> {
    let client = TestClient::new(application());
    let refused = |_| Failure::new("the WebSocket was refused");
    let mut ada = client.websocket("/rooms/tea/Ada").await.map_err(refused)?;
    hear("Ada", &mut ada).await?;
    let mut bob = client.websocket("/rooms/tea/Bob").await.map_err(refused)?;
    hear("Bob", &mut bob).await?;
    hear("Ada", &mut ada).await?;
    bob.send("hello, Ada")?;
    hear("Ada", &mut ada).await?;
    bob.close(CloseCode::NORMAL, "");
    hear("Ada", &mut ada).await
}

async fn hear(name: &str, ws: &mut WebSocketStream) -> squall::Result<()> {
    if let Some(message) = ws.next().await? {
        say!("{name} hears: {}", message.as_text().unwrap_or_default());
    }
    Ok(())
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
