//! Proves that work grows with bytes and no faster, for `cargo xtask scaling`: whatever a peer can make long or many
//! is sent to a server in memory, or through a decoder, and once more twice and four times as much.
//!
//! What is counted is a whole process, so the comparison is between differences, which the start of the program is not
//! in. Limits are out of the way, for they would end the growth before it shows.

mod frames;
mod sockets;

use std::process::{Command, ExitCode};
use std::rc::Rc;

use serde_json::{Map, json};
use squall::http::Method;
use squall::http::h1::{Event, Limits, ResponseDecoder};
use squall::ioloop::moment;
use squall::server::{Config, serve_connection};
use squall::{Application, IoLoop, spawn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::arguments::ONE;
use crate::count::Counter;

/// Bytes that arrive together where nothing else is said.
const READ: usize = 16 * 1024;
/// Bytes that the duplex holds: more than any input, so that nobody waits for the other to read.
const ROOM: usize = 64 * 1024 * 1024;

const START: &str = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";

/// Something that a peer can make grow.
struct Growth {
    name: &'static str,
    /// How much of it is little.
    base: usize,
    /// Bytes that arrive together.
    piece: usize,
    side: Side,
    /// What is sent.
    input: fn(usize) -> String,
}

#[derive(Clone, Copy)]
enum Side {
    /// To a client, which reads one answer.
    Client,
    /// To a server, which answers every request.
    Server,
}

const fn growth(
    name: &'static str,
    side: Side,
    base: usize,
    piece: usize,
    input: fn(usize) -> String,
) -> Growth {
    Growth {
        name,
        base,
        piece,
        side,
        input,
    }
}

const GROWTHS: [Growth; 17] = [
    growth(
        "server: one long field",
        Side::Server,
        1_000_000,
        READ,
        long_field,
    ),
    growth(
        "server: many fields of one name",
        Side::Server,
        3_000,
        READ,
        same_fields,
    ),
    growth(
        "server: many fields of different names",
        Side::Server,
        3_000,
        READ,
        fields,
    ),
    growth("server: a long target", Side::Server, 15_000, READ, target),
    growth(
        "server: many connection options",
        Side::Server,
        20_000,
        READ,
        options,
    ),
    growth("server: a long body", Side::Server, 1_000_000, READ, body),
    growth(
        "server: many tiny chunks",
        Side::Server,
        10_000,
        READ,
        chunks,
    ),
    growth(
        "server: long chunk extensions",
        Side::Server,
        200_000,
        READ,
        extensions,
    ),
    growth("server: many trailers", Side::Server, 3_000, READ, trailers),
    growth(
        "server: many pipelined requests",
        Side::Server,
        1_000,
        READ,
        pipelined,
    ),
    growth(
        "server: many empty lines before requests",
        Side::Server,
        1_000,
        READ,
        empty_lines,
    ),
    growth(
        "server: a head byte by byte",
        Side::Server,
        16_000,
        1,
        long_field,
    ),
    growth("server: a body byte by byte", Side::Server, 8_000, 1, body),
    growth(
        "server: trailers byte by byte",
        Side::Server,
        2_000,
        1,
        trailers,
    ),
    growth(
        "client: many fields byte by byte",
        Side::Client,
        4_000,
        1,
        answer_fields,
    ),
    growth(
        "client: many tiny chunks",
        Side::Client,
        50_000,
        READ,
        answer_chunks,
    ),
    growth(
        "client: one long field byte by byte",
        Side::Client,
        50_000,
        1,
        answer_field,
    ),
];

/// Counts all of it at once, twice and four times its size, and prints one object of JSON.
///
/// # Errors
///
/// A sentence when something was not answered as it should be.
pub(crate) fn run() -> Result<bool, String> {
    let Some(counter) = Counter::find() else {
        println!("{}", json!({ "counter": null }));
        return Ok(true);
    };
    let mut rows = Map::new();
    let http = GROWTHS.iter().map(|growth| (growth.name, growth.base));
    let frames = frames::GROWTHS
        .iter()
        .map(|growth| (growth.name, growth.base));
    let sockets = sockets::GROWTHS
        .iter()
        .map(|growth| (growth.name, growth.base));
    for (name, base) in http.chain(frames).chain(sockets) {
        let mut counts = Vec::new();
        for times in [1, 2, 4] {
            let size = (base * times).to_string();
            let program = std::env::current_exe().map_err(|err| err.to_string())?;
            let mut command = Command::new(program);
            command.args([ONE, name, "ours", &size]);
            counts.push(
                count(counter, command).ok_or_else(|| {
                    format!("{} did not count `{name}` of {size}", counter.name())
                })?,
            );
        }
        rows.insert(name.to_owned(), json!(counts));
    }
    println!("{}", json!({ "counter": counter.name(), "rows": rows }));
    Ok(true)
}

/// Instructions of a program that ends well.
fn count(counter: Counter, command: Command) -> Option<f64> {
    let output = counter.wrap(command).output().ok()?;
    let report = String::from_utf8_lossy(&output.stderr);
    output.status.success().then(|| counter.read(&report))?
}

/// Sends one of them, if `name` is one.
pub(crate) fn run_one(name: &str, size: usize) -> Option<ExitCode> {
    let http = GROWTHS.iter().find(|growth| growth.name == name);
    let frames = frames::GROWTHS.iter().find(|growth| growth.name == name);
    let sockets = sockets::GROWTHS.iter().find(|growth| growth.name == name);
    let done = match (http, frames, sockets) {
        (Some(growth), ..) => growth.send(size),
        (_, Some(growth), _) => growth.send(size),
        (.., Some(growth)) => growth.send(size),
        (None, None, None) => return None,
    };
    if let Err(err) = &done {
        eprintln!("{name}: {err}");
    }
    Some(if done.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Growth {
    fn send(&self, size: usize) -> Result<(), String> {
        let input = (self.input)(size);
        match self.side {
            Side::Client => read(input.as_bytes(), self.piece),
            Side::Server => serve(input, self.piece),
        }
    }
}

fn limits() -> Limits {
    Limits {
        head_bytes: usize::MAX,
        target_bytes: usize::MAX,
        headers: usize::MAX,
        chunk_extension_bytes: usize::MAX,
        trailer_bytes: usize::MAX,
        ..Limits::default()
    }
}

/// Sends the requests of `input` to a server in memory; an error unless each is answered with 200.
fn serve(input: String, piece: usize) -> Result<(), String> {
    async fn length(body: String) -> String {
        body.len().to_string()
    }
    let requests = input.matches(" HTTP/1.1\r\n").count();
    let served = IoLoop::run_sync(async move {
        let (mut near, far) = squall::net::duplex(ROOM);
        let application = Application::new().body_limit(usize::MAX).post("/", length);
        let config = Config {
            limits: limits(),
            ..Config::default()
        };
        let serving = spawn(serve_connection(far, Rc::new(application), Rc::new(config)));
        for piece in input.as_bytes().chunks(piece) {
            near.write_all(piece).await?;
            moment().await;
        }
        let mut answers = String::new();
        near.read_to_string(&mut answers).await?;
        drop(near);
        serving.await?;
        Ok::<_, squall::Error>(answers)
    });
    let answers = served.map_err(|err| err.to_string())?;
    match answers.matches("HTTP/1.1 200 OK\r\n").count() {
        count if count == requests => Ok(()),
        count => Err(format!(
            "{count} of {requests} requests got a 200: {}",
            &answers[..answers.len().min(200)]
        )),
    }
}

/// Decodes an answer that arrives in pieces, as whoever drives a decoder does: with the unconsumed rest in front.
fn read(input: &[u8], piece: usize) -> Result<(), String> {
    let mut decoder = ResponseDecoder::new(limits());
    decoder.expect(&Method::GET);
    let (mut start, mut end) = (0, 0);
    while end < input.len() {
        end = (end + piece).min(input.len());
        loop {
            let (used, event) = decoder
                .decode(&input[start..end])
                .map_err(|err| err.to_string())?;
            start += used;
            match event {
                Some(Event::End(_)) if start == input.len() => return Ok(()),
                Some(_) => {}
                None => break,
            }
        }
    }
    Err("the answer has no end".to_owned())
}

fn long_field(size: usize) -> String {
    format!("{START}X: {}\r\n\r\n", "x".repeat(size))
}

fn same_fields(size: usize) -> String {
    format!("{START}{}\r\n", "X: y\r\n".repeat(size))
}

fn fields(size: usize) -> String {
    let lines: String = (0..size).map(|n| format!("X-{n:06}: y\r\n")).collect();
    format!("{START}{lines}\r\n")
}

fn target(size: usize) -> String {
    let query = "x".repeat(size);
    format!("POST /?{query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

fn options(size: usize) -> String {
    format!("{START}Connection: {}close\r\n\r\n", "x,".repeat(size))
}

fn body(size: usize) -> String {
    format!("{START}Content-Length: {size}\r\n\r\n{}", "x".repeat(size))
}

fn chunks(size: usize) -> String {
    let chunks = "1\r\nx\r\n".repeat(size);
    format!("{START}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

fn extensions(size: usize) -> String {
    let extension = "x".repeat(size);
    format!("{START}Transfer-Encoding: chunked\r\n\r\n1;{extension}\r\nx\r\n0\r\n\r\n")
}

fn trailers(size: usize) -> String {
    let lines = "X: y\r\n".repeat(size);
    format!("{START}Transfer-Encoding: chunked\r\n\r\n0\r\n{lines}\r\n")
}

fn pipelined(size: usize) -> String {
    let requests = "POST / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(size);
    format!("{requests}{START}\r\n")
}

fn empty_lines(size: usize) -> String {
    let requests = "\r\n\r\n\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(size);
    format!("{requests}{START}\r\n")
}

fn answer_fields(size: usize) -> String {
    let lines = "X: y\r\n".repeat(size);
    format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{lines}\r\n")
}

fn answer_field(size: usize) -> String {
    let value = "x".repeat(size);
    format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: {value}\r\n\r\n")
}

fn answer_chunks(size: usize) -> String {
    let chunks = "1\r\nx\r\n".repeat(size);
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_grows_is_answered() {
        for growth in &GROWTHS {
            assert_eq!(growth.send(7), Ok(()), "{}", growth.name);
        }
    }

    #[test]
    fn a_request_that_is_refused_is_no_measurement() {
        let refused = serve("POST / HTTP/1.1\r\n\r\n".to_owned(), READ);
        assert!(refused.unwrap_err().starts_with("0 of 1 requests"));
        assert!(read(b"HTTP/1.1 200 OK\r\n", 1).is_err());
    }
}
