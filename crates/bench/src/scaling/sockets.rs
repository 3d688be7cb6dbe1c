//! What a peer can make many or long in a WebSocket, for a server that answers it.

use std::cell::Cell;
use std::rc::Rc;

use squall::ioloop::moment;
use squall::websocket::proto::deflate::{DeflateMode, DeflateOptions, DeflateParams, Deflater};
use squall::websocket::proto::{OpCode, Role, write_frame};
use squall::websocket::{
    Acceptor, Agreed, Connection, Message, Result, WebSocket, WebSocketHandler, WebSocketOptions,
};
use squall::{IoLoop, spawn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{READ, ROOM};

/// Something that a client can make grow.
pub(super) struct Growth {
    pub(super) name: &'static str,
    /// How much of it is little.
    pub(super) base: usize,
    /// Bytes that arrive together.
    piece: usize,
    /// The handler waits with each message.
    waits: bool,
    /// Appends what is sent, and returns how many messages the handler gets.
    write: fn(&mut Vec<u8>, usize) -> usize,
}

const fn growth(
    name: &'static str,
    base: usize,
    piece: usize,
    write: fn(&mut Vec<u8>, usize) -> usize,
) -> Growth {
    Growth {
        name,
        base,
        piece,
        waits: false,
        write,
    }
}

pub(super) const GROWTHS: [Growth; 6] = [
    growth("websocket server: many tiny messages", 10_000, READ, tiny),
    Growth {
        waits: true,
        ..growth(
            "websocket server: tiny messages, waited for",
            2_500,
            usize::MAX,
            tiny,
        )
    },
    growth("websocket server: many pings", 10_000, READ, pings),
    growth("websocket server: many parts", 10_000, READ, parts),
    growth(
        "websocket server: what inflates to much",
        50,
        READ,
        inflating,
    ),
    growth(
        "websocket server: a long text byte by byte",
        10_000,
        1,
        long,
    ),
];

impl Growth {
    /// Sends so much of it; an error unless the handler gets every message.
    pub(super) fn send(&self, size: usize) -> std::result::Result<(), String> {
        let mut input = Vec::new();
        let expected = (self.write)(&mut input, size);
        frame(&mut input, OpCode::Close, true, false, &[]);
        let found = serve(&input, self.piece.min(input.len()), self.waits);
        match found.map_err(|err| err.to_string())? {
            found if found == expected => Ok(()),
            found => Err(format!("{found} of {expected} messages came")),
        }
    }
}

/// Answers messages, and counts them.
struct Counting {
    count: Rc<Cell<usize>>,
    waits: bool,
}

impl WebSocketHandler for Counting {
    async fn message(&mut self, ws: &WebSocket, _message: Message<'_>) -> Result {
        if self.waits {
            moment().await;
        }
        self.count.set(self.count.get() + 1);
        ws.send("!")?;
        Ok(())
    }
}

/// Serves a connection in memory, and returns how many messages have come.
fn serve(input: &[u8], piece: usize, waits: bool) -> std::result::Result<usize, squall::Error> {
    let count = Rc::new(Cell::new(0));
    let handler = Counting {
        count: Rc::clone(&count),
        waits,
    };
    IoLoop::run_sync(async move {
        let options = Rc::new(WebSocketOptions {
            max_fragments: usize::MAX,
            max_queued: usize::MAX,
            compression: Some(DeflateOptions {
                mode: DeflateMode::Shared,
                ..DeflateOptions::default()
            }),
            ..WebSocketOptions::default()
        });
        let agreed = Agreed {
            compression: Some(DeflateParams {
                server_no_context_takeover: true,
                client_no_context_takeover: true,
                server_max_window_bits: 15,
                client_max_window_bits: 15,
            }),
            subprotocol: None,
        };
        let (mut near, far) = squall::net::duplex(ROOM);
        let connection = Connection::new(far, Default::default(), Role::Server, &options, agreed);
        Acceptor::new().accept(connection, handler);
        for piece in input.chunks(piece) {
            near.write_all(piece).await?;
            moment().await;
        }
        let reading = spawn(async move {
            let mut answers = Vec::new();
            near.read_to_end(&mut answers).await.map(|_| answers)
        });
        let answers = reading.await??;
        // The last word is the answer to the goodbye.
        let said = answers.ends_with(&[0x88, 0]);
        Ok::<_, squall::Error>(if said { count.get() } else { 0 })
    })
}

fn frame(out: &mut Vec<u8>, opcode: OpCode, fin: bool, compressed: bool, payload: &[u8]) {
    write_frame(out, opcode, fin, compressed, payload, Some([1, 2, 3, 4]));
}

fn tiny(out: &mut Vec<u8>, size: usize) -> usize {
    (0..size).for_each(|_| frame(out, OpCode::Text, true, false, b"?"));
    size
}

fn pings(out: &mut Vec<u8>, size: usize) -> usize {
    (0..size).for_each(|_| frame(out, OpCode::Ping, true, false, b"?"));
    0
}

fn parts(out: &mut Vec<u8>, size: usize) -> usize {
    frame(out, OpCode::Binary, false, false, b"");
    (0..size).for_each(|_| frame(out, OpCode::Continuation, false, false, b"a"));
    frame(out, OpCode::Continuation, true, false, b"");
    1
}

fn inflating(out: &mut Vec<u8>, size: usize) -> usize {
    let mut packed = Vec::new();
    let shorter = Deflater::new(15, 6).deflate(&[b'a'; 100_000], &mut packed, None);
    assert!(shorter, "so many equal bytes are shorter compressed");
    (0..size).for_each(|_| frame(out, OpCode::Text, true, true, &packed));
    size
}

fn long(out: &mut Vec<u8>, size: usize) -> usize {
    frame(out, OpCode::Text, true, false, "a".repeat(size).as_bytes());
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_grows_is_handled() {
        for growth in &GROWTHS {
            assert_eq!(growth.send(70), Ok(()), "{}", growth.name);
        }
    }

    #[test]
    fn what_is_refused_is_no_measurement() {
        let unmasked = Growth {
            write: |out, _| {
                out.extend_from_slice(&[0x82, 0]);
                1
            },
            ..GROWTHS[0]
        };
        assert!(unmasked.send(1).unwrap_err().starts_with("0 of 1"));
    }
}
