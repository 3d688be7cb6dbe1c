//! A small blocking WebSocket server, a thread for each connection, that answers as the test wants.

#[path = "../../../src/ws/sha1.rs"]
mod sha1;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub(super) const TEXT: u8 = 0x81;
/// The message of broadcasts, and where its number is.
pub(super) const TEMPLATE: &[u8] = b"{\"n\":\"0000000000000000\",\"end\":true}";
const NUMBER_AT: usize = 6;

/// What the server says, each in place of what a right one would say.
pub(super) trait Manners: Send + Sync + 'static {
    /// The answer to a handshake that should be `right`.
    fn handshake(&self, right: String) -> String {
        right
    }

    /// The bytes in answer to text `turn` of a connection, 0 being the first one of all.
    fn echo(&self, _turn: u64, text: &[u8]) -> Vec<u8> {
        frame(TEXT, text)
    }

    /// The bytes that connection `place` gets for message `number`.
    fn deliver(&self, _place: usize, _number: u64, text: &[u8]) -> Vec<u8> {
        frame(TEXT, text)
    }
}

/// The server that makes no mistake.
#[derive(Debug)]
pub(super) struct Right;

impl Manners for Right {}

/// One whose echoes are what a function says.
pub(super) struct Echoes<F>(pub(super) F);

impl<F: Fn(u64, &[u8]) -> Vec<u8> + Send + Sync + 'static> Manners for Echoes<F> {
    fn echo(&self, turn: u64, text: &[u8]) -> Vec<u8> {
        self.0(turn, text)
    }
}

/// One whose broadcasts are what a function says.
pub(super) struct Deliveries<F>(pub(super) F);

impl<F: Fn(usize, u64, &[u8]) -> Vec<u8> + Send + Sync + 'static> Manners for Deliveries<F> {
    fn deliver(&self, place: usize, number: u64, text: &[u8]) -> Vec<u8> {
        self.0(place, number, text)
    }
}

/// One whose handshakes are what a function says.
pub(super) struct Handshakes<F>(pub(super) F);

impl<F: Fn(String) -> String + Send + Sync + 'static> Manners for Handshakes<F> {
    fn handshake(&self, right: String) -> String {
        self.0(right)
    }
}

/// A server; dropping it ends the listener.
pub(super) struct Sockets {
    pub(super) addr: SocketAddr,
    over: Arc<AtomicBool>,
}

struct Shared {
    manners: Box<dyn Manners>,
    published: AtomicU64,
    all: Mutex<Vec<TcpStream>>,
}

impl Sockets {
    pub(super) fn new(manners: impl Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let over = Arc::<AtomicBool>::default();
        let shared = Arc::new(Shared {
            manners: Box::new(manners),
            // A server need not begin at 0.
            published: AtomicU64::new(41),
            all: Mutex::default(),
        });
        let is_over = Arc::clone(&over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A connection that breaks is the load program's affair.
                std::thread::spawn(move || serve(stream?, &shared));
            }
        });
        Self { addr, over }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.addr));
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let key = "Sec-WebSocket-Key: ";
    let key = head.lines().find_map(|line| line.strip_prefix(key));
    let text = format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key.unwrap());
    let accept = sha1::base64(&sha1::digest(text.as_bytes()));
    let extension = match head.contains("permessage-deflate; server_no_context_takeover") {
        true => {
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                 client_no_context_takeover\r\n"
        }
        false => "",
    };
    let right = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extension}\r\n"
    );
    output.write_all(shared.manners.handshake(right).as_bytes())?;
    shared.all.lock().unwrap().push(output.try_clone()?);
    for turn in 0.. {
        let text = read(&mut input)?;
        match text.strip_prefix(b"publish:") {
            None => output.write_all(&shared.manners.echo(turn, &text))?,
            Some(count) => {
                let count = std::str::from_utf8(count).unwrap().parse().unwrap();
                publish(shared, count)?;
            }
        }
    }
    Ok(())
}

fn publish(shared: &Shared, count: u64) -> std::io::Result<()> {
    for _ in 0..count {
        let number = shared.published.fetch_add(1, Ordering::SeqCst);
        let text = numbered(number);
        for (place, stream) in shared.all.lock().unwrap().iter_mut().enumerate() {
            stream.write_all(&shared.manners.deliver(place, number, &text))?;
        }
    }
    Ok(())
}

/// Message `number` of a broadcast.
pub(super) fn numbered(number: u64) -> Vec<u8> {
    let mut text = TEMPLATE.to_vec();
    text[NUMBER_AT..NUMBER_AT + 16].copy_from_slice(format!("{number:016x}").as_bytes());
    text
}

/// The text of the next frame, which must be masked; other frames than texts are passed over.
fn read(input: &mut impl Read) -> std::io::Result<Vec<u8>> {
    loop {
        let mut header = [0; 2];
        input.read_exact(&mut header)?;
        assert_ne!(header[1] & 0x80, 0, "a client masks");
        let length = match header[1] & 0x7f {
            126 => {
                let mut length = [0; 2];
                input.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                input.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            length => u64::from(length),
        };
        let mut mask = [0; 4];
        input.read_exact(&mut mask)?;
        let mut payload = vec![0; length as usize];
        input.read_exact(&mut payload)?;
        for (place, byte) in payload.iter_mut().enumerate() {
            *byte ^= mask[place % 4];
        }
        if header[0] == TEXT {
            return Ok(payload);
        }
    }
}

/// A whole frame with this first byte.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut wire = vec![first];
    match payload.len() {
        length @ 0..126 => wire.push(length as u8),
        length @ 126..65_536 => {
            wire.push(126);
            wire.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            wire.push(127);
            wire.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    wire.extend_from_slice(payload);
    wire
}
