//! Texts over a WebSocket in exact numbers: one connection, blocking.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::{PATIENCE, bad};
use crate::ws::frame::{self, Event, Message, Reader};
use crate::ws::handshake::Handshake;
use crate::ws::random::Random;

/// Bytes of a text, as many as the load program sends.
const TEXT_BYTES: usize = 64;

/// An open WebSocket whose server sends back what it gets.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    random: Random,
    reader: Reader,
    sent: u64,
    echoed: u64,
}

impl Socket {
    /// Connects and shakes hands.
    ///
    /// # Errors
    ///
    /// A sentence: nobody listens, or the answer is wrong.
    pub(super) fn open(address: SocketAddr, path: &str, number: u64) -> Result<Self, String> {
        let cannot = |err: io::Error| format!("cannot open a WebSocket: {err}");
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(cannot)?;
        stream.set_nodelay(true).map_err(cannot)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(cannot)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(cannot)?;
        let mut random = Random::new(number);
        let handshake = Handshake::new(&mut random, false);
        let request = handshake.request(path, &address.to_string());
        stream.write_all(request.as_bytes()).map_err(cannot)?;
        let mut answer = Vec::new();
        loop {
            let mut piece = [0; 4096];
            match stream.read(&mut piece).map_err(cannot)? {
                0 => return Err(cannot(bad("the connection ended within the handshake"))),
                length => answer.extend_from_slice(&piece[..length]),
            }
            if let Some(end) = handshake.check(&answer)? {
                if end < answer.len() {
                    return Err("a message that nobody asked for".to_owned());
                }
                return Ok(Self {
                    stream,
                    random,
                    reader: Reader::default(),
                    sent: 0,
                    echoed: 0,
                });
            }
        }
    }

    /// Sends so many texts in one write.
    pub(super) fn send(&mut self, times: usize) -> io::Result<()> {
        let mut out = Vec::new();
        for _ in 0..times {
            let mask = self.random.mask();
            frame::write(&mut out, frame::TEXT, &text(self.sent), mask);
            self.sent += 1;
        }
        self.stream.write_all(&out)
    }

    /// Waits until all have come back.
    ///
    /// # Errors
    ///
    /// A sentence about what came instead.
    pub(super) fn receive(&mut self) -> Result<(), String> {
        let mut piece = [0; 16 * 1024];
        while self.echoed < self.sent {
            let length = self
                .stream
                .read(&mut piece)
                .map_err(|err| format!("no answer: {err}"))?;
            if length == 0 {
                return Err("the server has closed the connection".to_owned());
            }
            let echoed = &mut self.echoed;
            self.reader.feed(&piece[..length], false, |event| {
                let right = Event::Message(Message {
                    text: true,
                    deflated: false,
                    payload: &text(*echoed),
                });
                *echoed += 1;
                match event == right {
                    true => Ok(()),
                    false => Err(format!("expected {right:?}, found {event:?}")),
                }
            })?;
        }
        Ok(())
    }
}

/// A text that is unlike its neighbours.
fn text(turn: u64) -> Vec<u8> {
    let mut text = format!("{turn:016x}").into_bytes();
    text.resize(TEXT_BYTES, b'.');
    text
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::ws::handshake::accept;

    /// A server for one connection, which answers the texts of one volley with `answers`.
    fn server(answers: Vec<u8>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || -> io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let mut lines = head.lines();
            let key = lines.find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
            let accept = accept(key.unwrap_or_default());
            write!(
                stream,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            )?;
            // Two masked frames.
            let mut texts = [0; 2 * (2 + 4 + TEXT_BYTES)];
            stream.read_exact(&mut texts)?;
            stream.write_all(&answers)
        });
        address
    }

    fn frames(turns: &[u64]) -> Vec<u8> {
        let frame = |turn: &u64| [&[0x81, TEXT_BYTES as u8], &text(*turn)[..]].concat();
        turns.iter().flat_map(frame).collect()
    }

    #[test]
    fn texts_come_back_in_their_order() {
        let outcome = |answers| {
            let mut socket = Socket::open(server(answers), "/echo", 0)?;
            socket.send(2).map_err(|err| err.to_string())?;
            socket.receive()
        };
        assert_eq!(outcome(frames(&[0, 1])), Ok(()));
        let swapped = outcome(frames(&[1, 0])).unwrap_err();
        assert!(swapped.starts_with("expected Message"), "{swapped}");
        let lost = outcome(frames(&[0])).unwrap_err();
        assert_eq!(lost, "the server has closed the connection");
    }
}
