//! A server that lies once, and is honest from then on.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{sleep, spawn_callback};
use squall_net::{IoStream, TcpListener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Time between two pieces of a lie. The clock is paused: it goes on when nobody has anything to do.
const PAUSE: Duration = Duration::from_millis(1);

const HONEST: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue";

/// What a liar does behind its last byte.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum End {
    Closes,
    Resets,
    #[default]
    Waits,
}

pub(super) struct Liar {
    pub(super) url: String,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    connections: Cell<usize>,
    lie: RefCell<Option<Lie>>,
    /// Pieces of the last lie.
    pieces: Cell<u32>,
}

struct Lie {
    pieces: Vec<Vec<u8>>,
    end: End,
}

impl Liar {
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let shared = Rc::new(Shared::default());
        let accepting = Rc::clone(&shared);
        spawn_callback(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.set(accepting.connections.get() + 1);
                let shared = Rc::clone(&accepting);
                // A client that has heard enough closes in the middle.
                spawn_callback(async move { drop(talk(stream, &shared).await) });
            }
        });
        Ok(Self { url, shared })
    }

    /// Has the next request answered with these pieces; the one after it gets an honest answer.
    pub(super) fn prepare(&self, pieces: &[&[u8]], end: End) {
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        self.shared.pieces.set(pieces.len() as u32);
        *self.shared.lie.borrow_mut() = Some(Lie { pieces, end });
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> usize {
        self.shared.connections.get()
    }

    /// How long the last lie takes, and more.
    pub(super) fn patience(&self) -> Duration {
        PAUSE * (self.shared.pieces.get() + 10)
    }
}

async fn talk(mut stream: IoStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while read_head(&mut stream).await? {
        let lie = shared.lie.take();
        let Some(Lie { pieces, end }) = lie else {
            stream.write_all(HONEST).await?;
            continue;
        };
        for (number, piece) in pieces.iter().enumerate() {
            if number > 0 {
                sleep(PAUSE).await;
            }
            stream.write_all(piece).await?;
        }
        match end {
            End::Closes => return Ok(()),
            End::Resets => {
                // What was sent before is read before the reset is noticed.
                sleep(PAUSE).await;
                stream.reset();
                return Ok(());
            }
            End::Waits => {}
        }
    }
    Ok(())
}

/// Reads the head of a request; false at the end of the connection.
async fn read_head(stream: &mut IoStream) -> io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(err) => return Err(err),
        }
    }
    Ok(true)
}
