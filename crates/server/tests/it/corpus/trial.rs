//! One connection that sends an attack in pieces, and what came of it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use squall_http::h1::{Event, Limits, ResponseDecoder};
use squall_ioloop::{IoLoop, sleep, spawn};
use squall_net::IoStream;
use squall_server::{HttpServer, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::attack::{Attack, BODY_TIMEOUT, HEAD_TIMEOUT, KEEP_ALIVE_TIMEOUT, Then};
use super::victim::{Book, Seen, victim};
use crate::log::Log;

/// Bytes that the duplex holds in each direction: more than any row, so that nobody waits for the other to read.
const ROOM: usize = 4 << 20;

thread_local! {
    /// The book of the service that a server is about to make: what makes services may go to other threads, a book not.
    static BOOK: RefCell<Book> = RefCell::default();
}

/// What came of an attack.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The statuses of the final answers.
    pub(super) answers: Vec<u16>,
    /// How many interim answers there were.
    pub(super) continues: usize,
    pub(super) then: Then,
    pub(super) saw: Vec<Seen>,
    /// What was logged above `info`.
    pub(super) complaints: Vec<String>,
    /// Everything that was answered.
    pub(super) wire: Vec<u8>,
}

pub(super) struct Trial<'a> {
    attack: &'a Attack,
}

/// Cuts `bytes` into pieces of `size`.
pub(super) fn pieces(bytes: &[u8], size: usize) -> Vec<&[u8]> {
    bytes.chunks(size).collect()
}

impl<'a> Trial<'a> {
    pub(super) fn of(attack: &'a Attack) -> Self {
        Self { attack }
    }

    /// Sends the pieces over an in-memory connection, each once the server has nothing left to do, and waits for the
    /// end of the connection.
    pub(super) async fn run(&self, pieces: &[&[u8]]) -> Result<Outcome, String> {
        let log = Log::catch();
        let book = Book::default();
        let (near, far) = squall_net::duplex(ROOM);
        let config = Rc::new(self.attack.config.clone());
        let served = spawn(serve_connection(far, Rc::new(victim(&book)), config));
        let (wire, then) = self.talk(near, pieces).await?;
        served.await.map_err(|err| format!("a panic: {err}"))?;
        outcome(&log, &book, wire, then)
    }

    /// Does the same over a socket, where connections are parked.
    pub(super) async fn run_on_socket(&self, pieces: &[&[u8]]) -> Result<Outcome, String> {
        let log = Log::catch();
        let book = Book::default();
        BOOK.set(Rc::clone(&book));
        let serving = HttpServer::new(|| victim(&BOOK.with_borrow(Rc::clone)))
            .config(self.attack.config.clone())
            .listen("127.0.0.1:0")
            .and_then(HttpServer::serve)
            .map_err(|err| err.to_string())?;
        let near = IoStream::connect_addr(serving.local_addr())
            .await
            .map_err(|err| err.to_string())?;
        let (wire, then) = self.talk(near, pieces).await?;
        serving.stop(Duration::from_secs(10)).await;
        outcome(&log, &book, wire, then)
    }

    /// Sends the pieces, and returns what is answered until the end.
    async fn talk(&self, mut near: IoStream, pieces: &[&[u8]]) -> Result<(Vec<u8>, Then), String> {
        for (number, piece) in pieces.iter().enumerate() {
            if number > 0 {
                // The clock is paused: it goes on when nobody has anything to do.
                sleep(Duration::from_millis(1)).await;
            }
            // Fails once the server has heard enough.
            let _ = near.write_all(piece).await;
        }
        if self.attack.ends {
            near.shutdown().await.map_err(|err| err.to_string())?;
        }
        listen(&mut near).await
    }
}

/// Puts together what is known once the connection has ended.
fn outcome(log: &Log, book: &Book, wire: Vec<u8>, then: Then) -> Result<Outcome, String> {
    let saw = book.take();
    let methods: Vec<&str> = saw.iter().map(|seen| seen.method.as_str()).collect();
    let (answers, continues) = read_answers(&wire, &methods, then)
        .map_err(|err| format!("{err} in {}", wire.escape_ascii()))?;
    let complaints = ["WARN", "ERROR"].iter().flat_map(|level| log.at(level));
    Ok(Outcome {
        answers,
        continues,
        then,
        saw,
        complaints: complaints.collect(),
        wire,
    })
}

/// Reads until the server ends the connection, and tells by the time that took what it had waited for.
async fn listen(stream: &mut IoStream) -> Result<(Vec<u8>, Then), String> {
    let begun = IoLoop::current().time();
    let mut wire = Vec::new();
    let end = stream.read_to_end(&mut wire).await;
    let waited = IoLoop::current().time() - begun;
    // The server may have had its first byte before the last one was sent.
    let about = |limit: Duration| waited > limit / 2 && waited < 2 * limit;
    let then = match end {
        Err(err) if err.kind() == io::ErrorKind::ConnectionReset => Then::Reset,
        Err(err) => return Err(format!("reading failed: {err}")),
        Ok(_) if waited < Duration::from_secs(1) => Then::Close,
        Ok(_) if about(HEAD_TIMEOUT) => Then::Head,
        Ok(_) if about(BODY_TIMEOUT) => Then::Body,
        Ok(_) if about(KEEP_ALIVE_TIMEOUT) => Then::Open,
        Ok(_) => return Err(format!("closed after {waited:?}")),
    };
    Ok((wire, then))
}

/// Reads the answers to requests of these methods, and to whatever was refused after them, as a strict client does.
fn read_answers(wire: &[u8], methods: &[&str], then: Then) -> Result<(Vec<u16>, usize), String> {
    let mut decoder = ResponseDecoder::new(Limits::default());
    for method in methods {
        let method = Method::from_bytes(method.as_bytes()).map_err(|err| err.to_string())?;
        decoder.expect(&method);
    }
    decoder.expect(&Method::GET);
    let (mut statuses, mut continues) = (Vec::new(), 0);
    let mut kept = true;
    let mut rest = wire;
    loop {
        let (used, event) = decoder.decode(rest).map_err(|err| err.to_string())?;
        rest = &rest[used..];
        match event {
            Some(Event::Head(head)) if head.is_interim() => continues += 1,
            Some(Event::Head(head)) => {
                if !head.headers.contains_key("date") {
                    return Err(format!("no date in the {}", head.status));
                }
                kept = head.keep_alive;
                statuses.push(head.status.as_u16());
            }
            Some(Event::Data(_) | Event::End(_)) => {}
            None if rest.is_empty() => break,
            None => return Err(format!("{} bytes after the last answer", rest.len())),
        }
    }
    if then != Then::Reset {
        decoder
            .finish()
            .map_err(|err| format!("the last answer: {err}"))?;
    }
    if then == Then::Open && !kept {
        return Err("an open connection that was to close".to_owned());
    }
    Ok((statuses, continues))
}
