//! What every server under test answers, and how it is started: one text for Squall's program, for the
//! peers and for the bench that checks them, so that they cannot drift apart.
//!
//! | request | answer |
//! |---|---|
//! | `GET /plaintext` | `Hello, World!`, 13 bytes of `text/plain` |
//! | `GET /json` | a [`Message`] made by a serializer for each request, 27 bytes |
//! | `POST /json` | the [`Order`] that the request carried, parsed and serialized again, 1 KiB |
//! | `POST /messages` | a [`Receipt`] for the [`Post`] that the request carried, 1 KiB, parsed |
//! | `GET /route/{n}/item/{id}`, n below what `--routes` says | `item {id}`; each n is a route of its own |
//! | `GET /block/{ms}` | `done`, after the thread has slept for so long, as careless code makes it |
//! | `GET /loop` | a text that tells the loops apart: the thread's name for itself, or the process's number |
//! | `GET /file` | the bytes of the file that `--file` names |
//! | anything else | 404, where the server has a router |
//!
//! | WebSocket | what it does |
//! |---|---|
//! | `/echo` | each text comes back as it went |
//! | `/broadcast` | a text [`publish:K`](published), from any connection, makes the server send K [messages](numbered) of 64 bytes to every connection of this path; any other text comes back to its sender alone, who is then among those that messages are sent to |
//! | `/broadcast-json` | the same with messages of 1 KiB of JSON |
//!
//! Messages are counted from 0 for each path. Those of one `publish` may leave together. Where compression is offered, as
//! `permessage-deflate; server_no_context_takeover; client_no_context_takeover`, a server that has it agrees and
//! compresses what it sends to all; it compresses nothing where it is not offered.
//!
//! `--port N` is where to listen (0, the default, is a free port), and `--routes N` how many routes to have
//! besides; without it there are none, because some servers pay for routes that nobody asks for. `--loops N`
//! is how many threads answer (1), and `--tls FOLDER` that they speak TLS with `cert.pem` and `key.pem` of that
//! folder. Not every server has all of this. The first line of the output is the address, as in
//! `http://127.0.0.1:8888/`.

use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The answer to `GET /plaintext`.
pub const HELLO: &str = "Hello, World!";

/// The message of `/broadcast`, 64 bytes with zeros for its number; in a file, for peers of other languages.
pub const BROADCAST: &str = include_str!("../peers/broadcast.txt");
/// The message of `/broadcast-json`, 1 KiB with zeros for its number, a third of that when it is compressed.
pub const BROADCAST_JSON: &str = include_str!("../peers/broadcast.json");
/// What stands for the number: as many digits in hexadecimal.
pub const ZEROS: &str = "0000000000000000";

/// A message with its number in place of the zeros.
pub fn numbered(message: &str, number: u64) -> String {
    message.replacen(ZEROS, &format!("{number:016x}"), 1)
}

/// How many messages `text` asks for, when it is `publish:K`.
pub fn published(text: &str) -> Option<u64> {
    text.strip_prefix("publish:")?.parse().ok()
}

/// The pattern of route `n`, as most routers write it.
pub fn pattern(n: usize) -> String {
    format!("/route/{n}/item/{{id}}")
}

/// The answer to a route.
pub fn item(id: u64) -> String {
    format!("item {id}")
}

/// The answer to `GET /block/{ms}`, after that time (10 s at most), in which the thread does nothing else.
pub fn block(milliseconds: u64) -> &'static str {
    thread::sleep(Duration::from_millis(milliseconds.min(10_000)));
    "done"
}

/// The answer to `GET /loop`.
pub fn whereabouts() -> String {
    format!("{:?}", thread::current().id())
}

/// The answer to `GET /json`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Message {
    /// Always [`HELLO`].
    pub message: &'static str,
}

/// The one message there is.
pub const MESSAGE: Message = Message { message: HELLO };

/// What `POST /messages` takes: a message as the client of a chat sends it, most of which is text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Post {
    /// Chosen by the client, so that it knows its message again.
    pub id: u64,
    /// Where it is said.
    pub room: String,
    /// Who says it, where that is not known anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// The message that it answers, if it answers one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// What is said.
    pub text: String,
}

/// The answer to a [`Post`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Receipt {
    /// That of the message.
    pub id: u64,
    /// Bytes of its text in UTF-8.
    pub length: usize,
}

/// The answer to a message.
pub fn receipt(post: &Post) -> Receipt {
    Receipt {
        id: post.id,
        length: post.text.len(),
    }
}

/// What `POST /json` takes and gives back: an order as a shop might send it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Order {
    /// A number.
    pub id: u64,
    /// A truth value.
    pub paid: bool,
    /// Who ordered: a nested object.
    pub customer: Customer,
    /// What was ordered: a list of objects.
    pub lines: Vec<Line>,
    /// Text with quotes and letters beyond ASCII, which make a parser leave its fastest path.
    pub note: String,
}

/// Who ordered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Customer {
    /// With a letter beyond ASCII.
    pub name: String,
    /// May be missing.
    pub email: Option<String>,
    /// A list of short texts.
    pub tags: Vec<String>,
}

/// One line of an order.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Line {
    /// The name of the article.
    pub article: String,
    /// How many.
    pub count: u32,
    /// What one costs, in cents.
    pub cents: i64,
}
