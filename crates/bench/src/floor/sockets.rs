//! The floor of messages to all: the handshake, and then one `send` of a ready frame to each connection.
//!
//! That is the least that a server can do which writes to sockets one at a time, and what it costs is the kernel's.
//! It speaks as `wire` says, as far as the load program needs it: texts of less than 126 bytes in one frame, on any
//! path, which are all one room. Whoever says something else, or does not take what it is sent, is disconnected.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};

use super::wire::{BROADCAST, numbered, published};
use super::ws::frame;
use super::ws::handshake::accept;

const READ_BYTES: usize = 16 * 1024;
const EVENTS: usize = 1024;
const LISTENER: u64 = u64::MAX;
/// The most bytes of a text whose length stands in the second byte of its frame (RFC 6455 section 5.2).
const LONGEST_TEXT: usize = 125;
/// Bytes of the handshake's request.
const LARGEST_HEAD: usize = 16 * 1024;

/// Everybody, by the number of the descriptor, which is the order in which they came.
#[derive(Debug)]
struct Room {
    listener: TcpListener,
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    input: Vec<u8>,
    /// The number of the next message.
    next: u64,
}

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    /// Whether the handshake is done.
    open: bool,
    /// What has come and is not whole yet.
    rest: Vec<u8>,
}

/// Why a connection is over; nobody asks which it was.
#[derive(Debug)]
struct Over;

/// Serves who connects to `listener`.
pub(crate) fn serve(listener: TcpListener) -> io::Result<Infallible> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        epoll::EventData::new_u64(LISTENER),
        epoll::EventFlags::IN,
    )?;
    let mut room = Room {
        listener,
        epoll,
        connections: Vec::new(),
        input: vec![0; READ_BYTES],
        next: 0,
    };
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        events.clear();
        match epoll::wait(&room.epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(err) => return Err(err.into()),
        }
        for event in &events {
            match event.data.u64() {
                LISTENER => room.accept()?,
                token => room.turn(token as usize),
            }
        }
    }
}

impl Room {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match rustix::net::accept_with(&self.listener, flags) {
                Ok(socket) => self.add(socket)?,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(err) => return Err(err.into()),
            }
        }
    }

    fn add(&mut self, socket: OwnedFd) -> io::Result<()> {
        rustix::net::sockopt::set_tcp_nodelay(&socket, true)?;
        let index = socket.as_raw_fd() as usize;
        epoll::add(
            &self.epoll,
            &socket,
            epoll::EventData::new_u64(index as u64),
            epoll::EventFlags::IN,
        )?;
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(Connection {
            socket,
            open: false,
            rest: Vec::new(),
        });
        Ok(())
    }

    /// Reads once, and does what was asked for; what was not read yet is another event.
    fn turn(&mut self, index: usize) {
        let slot = &mut self.connections[index];
        let Some(connection) = slot else {
            return;
        };
        match connection.turn(&mut self.input) {
            Ok(asked) => self.publish(asked),
            Err(Over) => *slot = None,
        }
    }

    /// Sends so many messages to everybody, in one write each.
    fn publish(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        let mut frames = Vec::new();
        for number in self.next..self.next + count {
            put(&mut frames, numbered(BROADCAST, number).as_bytes());
        }
        self.next += count;
        for slot in &mut self.connections {
            if let Some(connection) = slot
                && connection.open
                && connection.send(&frames).is_err()
            {
                *slot = None;
            }
        }
    }
}

impl Connection {
    /// Answers what has come, and returns how many messages to all were asked for.
    fn turn(&mut self, input: &mut [u8]) -> Result<u64, Over> {
        match rustix::net::recv(&self.socket, &mut *input, RecvFlags::empty()) {
            Ok((0, _)) => return Err(Over),
            Ok((length, _)) => self.rest.extend_from_slice(&input[..length]),
            Err(Errno::AGAIN | Errno::INTR) => return Ok(0),
            Err(_) => return Err(Over),
        }
        if !self.open {
            self.greet()?;
        }
        let mut asked = 0;
        while self.open
            && let Some(text) = self.take_text()?
        {
            match std::str::from_utf8(&text).ok().and_then(published) {
                Some(count) => asked += count,
                None => {
                    let mut frame = Vec::new();
                    put(&mut frame, &text);
                    self.send(&frame)?;
                }
            }
        }
        if self.rest.is_empty() {
            self.rest = Vec::new();
        }
        Ok(asked)
    }

    /// Answers the handshake once its request is whole.
    fn greet(&mut self) -> Result<(), Over> {
        let Some(end) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") else {
            return match self.rest.len() > LARGEST_HEAD {
                true => Err(Over),
                false => Ok(()),
            };
        };
        let head = std::str::from_utf8(&self.rest[..end]).map_err(|_| Over)?;
        let key = head
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let (_, key) = key.ok_or(Over)?;
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept(key.trim())
        );
        self.send(answer.as_bytes())?;
        self.rest.drain(..end + 4);
        self.open = true;
        Ok(())
    }

    /// Takes the next text, unmasked; `None` while it is not whole.
    fn take_text(&mut self) -> Result<Option<Vec<u8>>, Over> {
        let [first, second, ..] = self.rest[..] else {
            return Ok(None);
        };
        // With both the last bit of a message and that of a mask.
        let length = usize::from(second & 0x7f);
        if first != 0x80 | frame::TEXT || second & 0x80 == 0 || length > LONGEST_TEXT {
            return Err(Over);
        }
        let (Some(mask), Some(payload)) = (
            self.rest.get(2..6).and_then(<[u8]>::first_chunk),
            self.rest.get(6..6 + length),
        ) else {
            return Ok(None);
        };
        let (mask, mut text) = (*mask, payload.to_vec());
        frame::apply(&mut text, mask);
        self.rest.drain(..6 + length);
        Ok(Some(text))
    }

    /// Sends all of it at once or gives up.
    fn send(&self, bytes: &[u8]) -> Result<(), Over> {
        match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(length) if length == bytes.len() => Ok(()),
            _ => Err(Over),
        }
    }
}

/// Appends a text of at most [`LONGEST_TEXT`] bytes in one frame, as servers send it.
fn put(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&[0x80 | frame::TEXT, text.len() as u8]);
    out.extend_from_slice(text);
}
