//! The epoll floor: what a server on a socket costs before it does anything.
//!
//! ```sh
//! squall-floor --port 0      # prints http://127.0.0.1:PORT/
//! squall-floor --sockets     # the same for WebSockets
//! ```
//!
//! Answers each request with the same 78 bytes. It reads nothing of a request but where its head
//! ends (`\r\n\r\n`), so a body must not hold these four bytes, and what the method, the path or the
//! `Connection` header say is all the same to it. Heads that repeat the first one it saw are not even
//! searched: one comparison tells how many have come. It answers pipelined requests in one write, also
//! when they are cut anywhere. It is no server; it is the line below which no server on epoll gets.
//!
//! One thread, edge-triggered epoll, one read and one write for whatever has come. A connection is a
//! descriptor and two numbers; one that does not take its answers is not read from any more.
//!
//! With `--sockets` it is another program, the floor of [messages to all](sockets).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

#[path = "../floor/sockets.rs"]
mod sockets;
#[expect(dead_code, unreachable_pub, reason = "the other programs use the rest")]
#[path = "../wire.rs"]
mod wire;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "it is the client's half, of which a server needs little"
    )
)]
#[path = "../ws.rs"]
mod ws;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::ExitCode;

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const HELP: &str = "\
The epoll floor: answers every request on 127.0.0.1 with the same 13 bytes.

Usage: squall-floor [--sockets] [--port PORT]

Options:
  --sockets    WebSockets instead: `publish:K` sends K messages to all, other texts come back
  --port PORT  the port to listen on; 0, the default, takes a free one
  --help       this text

Prints `http://127.0.0.1:PORT/` and runs until it is killed.
";

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
/// Answers that one write can carry; more requests in one read take several.
const ANSWERS_A_WRITE: usize = 1024;
const READ_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1024;
const LISTENER: u64 = u64::MAX;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(arguments) = Arguments::parse(&words) else {
        eprintln!(
            "squall-floor: expected `--sockets`, or `--port` and a number up to 65535, found `{}`; see --help",
            words.join(" ")
        );
        return ExitCode::from(2);
    };
    if arguments.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let port = arguments.port;
    let served = listen(port).and_then(|listener| match arguments.sockets {
        true => sockets::serve(listener),
        false => serve(listener),
    });
    match served {
        Ok(never) => match never {},
        Err(err) => {
            eprintln!("squall-floor: cannot serve on 127.0.0.1:{port}: {err}");
            ExitCode::from(3)
        }
    }
}

/// What was asked for on the command line.
#[derive(Debug, Default)]
struct Arguments {
    help: bool,
    port: u16,
    sockets: bool,
}

impl Arguments {
    /// `None` when there is something that nobody knows.
    fn parse(words: &[String]) -> Option<Self> {
        let mut arguments = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--help" | "-h" => arguments.help = true,
                "--port" => arguments.port = words.next()?.parse().ok()?,
                "--sockets" => arguments.sockets = true,
                _ => return None,
            }
        }
        Some(arguments)
    }
}

/// Listens, and says where.
fn listen(port: u16) -> std::io::Result<TcpListener> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    println!("http://{}/", listener.local_addr()?);
    std::io::stdout().flush()?;
    Ok(listener)
}

fn serve(listener: TcpListener) -> std::io::Result<std::convert::Infallible> {
    let mut floor = Floor::new(listener)?;
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        events.clear();
        match epoll::wait(&floor.epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(err) => return Err(err.into()),
        }
        for event in &events {
            // Copied out: events are packed.
            let flags = event.flags;
            match event.data.u64() {
                LISTENER => floor.accept()?,
                token => floor.turn(token as usize, flags.contains(epoll::EventFlags::RDHUP)),
            }
        }
    }
}

#[derive(Debug)]
struct Floor {
    listener: TcpListener,
    epoll: OwnedFd,
    /// By the number of the descriptor.
    connections: Vec<Option<Connection>>,
    /// Given up for a moment when descriptors run out, so that a connection can be taken and closed
    /// instead of waking the loop for ever.
    spare: Option<OwnedFd>,
    input: Vec<u8>,
    shared: Shared,
}

/// What all connections use.
#[derive(Debug)]
struct Shared {
    /// `ANSWER` many times over.
    answers: Vec<u8>,
    /// The first head that came as a whole, as often as fits into a read; empty before.
    known: Vec<u8>,
    /// Bytes of one of them.
    length: usize,
}

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    /// How many bytes of `\r\n\r\n` ended the last read.
    seen: u8,
    /// Bytes of answers that the kernel did not take yet.
    owed: usize,
    /// The peer will send no more than what has arrived.
    ended: bool,
}

impl Floor {
    fn new(listener: TcpListener) -> std::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(
            &epoll,
            &listener,
            epoll::EventData::new_u64(LISTENER),
            epoll::EventFlags::IN,
        )?;
        Ok(Self {
            spare: Some(epoll.try_clone()?),
            listener,
            epoll,
            connections: Vec::new(),
            input: vec![0; READ_BYTES],
            shared: Shared {
                answers: ANSWER.repeat(ANSWERS_A_WRITE),
                known: Vec::new(),
                length: 0,
            },
        })
    }

    fn accept(&mut self) -> std::io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match rustix::net::accept_with(&self.listener, flags) {
                Ok(socket) => self.add(socket)?,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::MFILE | Errno::NFILE) => {
                    self.spare = None;
                    drop(rustix::net::accept_with(&self.listener, flags));
                    self.spare = self.epoll.try_clone().ok();
                    return Ok(());
                }
                // The peer has left already; what is behind it in the queue has not.
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(err) => return Err(err.into()),
            }
        }
    }

    fn add(&mut self, socket: OwnedFd) -> std::io::Result<()> {
        rustix::net::sockopt::set_tcp_nodelay(&socket, true)?;
        let index = socket.as_raw_fd() as usize;
        epoll::add(
            &self.epoll,
            &socket,
            epoll::EventData::new_u64(index as u64),
            epoll::EventFlags::IN
                | epoll::EventFlags::OUT
                | epoll::EventFlags::RDHUP
                | epoll::EventFlags::ET,
        )?;
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(Connection {
            socket,
            seen: 0,
            owed: 0,
            ended: false,
        });
        Ok(())
    }

    /// Reads and answers until there is nothing more to do now; forgets a connection that ended.
    fn turn(&mut self, index: usize, ended: bool) {
        let slot = &mut self.connections[index];
        if let Some(connection) = slot {
            connection.ended |= ended;
            if connection.turn(&mut self.input, &mut self.shared).is_err() {
                *slot = None;
            }
        }
    }
}

impl Connection {
    /// An error is the end of the connection, whichever it is.
    fn turn(&mut self, input: &mut [u8], shared: &mut Shared) -> Result<(), Errno> {
        if !self.write(&shared.answers)? {
            return Ok(());
        }
        loop {
            let received = rustix::net::recv(self.socket.as_fd(), &mut *input, RecvFlags::empty());
            let length = match received {
                Ok((0, _)) => return Err(Errno::PIPE),
                Ok((length, _)) => length,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(err) => return Err(err),
            };
            self.owed += shared.heads_in(&mut self.seen, &input[..length]) * ANSWER.len();
            // A short read emptied the socket: whatever comes now raises the next edge. The end that
            // was there already does not.
            if !self.write(&shared.answers)? || (length < input.len() && !self.ended) {
                return Ok(());
            }
        }
    }

    /// True when nothing is owed any more.
    fn write(&mut self, answers: &[u8]) -> Result<bool, Errno> {
        while self.owed > 0 {
            // Answers are all alike, so what is owed says where in one the last write stopped.
            let from = (ANSWER.len() - self.owed % ANSWER.len()) % ANSWER.len();
            let bytes = &answers[from..answers.len().min(from + self.owed)];
            match rustix::net::send(self.socket.as_fd(), bytes, SendFlags::NOSIGNAL) {
                Ok(length) => self.owed -= length,
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(err) => return Err(err),
            }
        }
        Ok(true)
    }
}

impl Shared {
    /// As [`heads_in`], but by one comparison where the same head has come so many times.
    #[inline]
    fn heads_in(&mut self, seen: &mut u8, data: &[u8]) -> usize {
        if *seen == 0
            && let Some(heads) = self.repeated(data)
        {
            return heads;
        }
        let fresh = *seen == 0 && self.known.is_empty();
        let heads = heads_in(seen, data);
        if fresh && heads > 0 {
            self.learn(data);
        }
        heads
    }

    /// How often the known head makes up `data`; `None` when something else does.
    #[inline]
    fn repeated(&self, data: &[u8]) -> Option<usize> {
        let known = self.known.get(..data.len())?;
        let heads = data.len().checked_div(self.length)?;
        (heads * self.length == data.len() && known == data).then_some(heads)
    }

    /// `data` begins with a head.
    #[cold]
    fn learn(&mut self, data: &[u8]) {
        let end = data.windows(4).position(|window| window == b"\r\n\r\n");
        self.length = end.map_or(0, |end| end + 4);
        if let Some(times) = READ_BYTES.checked_div(self.length) {
            self.known = data[..self.length].repeat(times);
        }
    }
}

/// Counts the ends of heads in `data`; `seen` carries a cut one over to the next read.
fn heads_in(seen: &mut u8, data: &[u8]) -> usize {
    let mut heads = 0;
    let mut at = 0;
    while *seen > 0 && at < data.len() {
        heads += step(seen, data[at]);
        at += 1;
    }
    // Each place where the four bytes can be covers exactly one byte that is looked at here.
    while let Some(window) = data.get(at..at + 4) {
        at += match window[3] {
            b'\r' | b'\n' if window == b"\r\n\r\n" => {
                heads += 1;
                4
            }
            b'\r' | b'\n' => 1,
            _ => 4,
        };
    }
    for byte in &data[at..] {
        heads += step(seen, *byte);
    }
    heads
}

/// One byte of the automaton that knows `\r\n\r\n`; 1 at its last byte.
fn step(seen: &mut u8, byte: u8) -> usize {
    *seen = match (*seen, byte) {
        (0 | 2, b'\r') | (1 | 3, b'\n') => *seen + 1,
        (_, b'\r') => 1,
        _ => 0,
    };
    if *seen == 4 {
        *seen = 0;
        return 1;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_counted_wherever_they_are_cut() {
        let request = b"GET /a/long/path HTTP/1.1\r\nHost: x\r\nA: \r\r\nB: \n\n\r\n\r\n";
        for lead in 0..9 {
            let mut data = vec![b'x'; lead];
            for _ in 0..3 {
                data.extend_from_slice(request);
            }
            for first in 0..=data.len() {
                for second in first..=data.len() {
                    let mut seen = 0;
                    let heads: usize = [&data[..first], &data[first..second], &data[second..]]
                        .into_iter()
                        .map(|part| heads_in(&mut seen, part))
                        .sum();
                    assert_eq!((heads, seen), (3, 0), "cut at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn heads_that_repeat_are_counted_as_others_are() {
        let (first, second) = ("GET /a HTTP/1.1\r\n\r\n", "GET /bc HTTP/1.1\r\n\r\n");
        let mut shared = Shared {
            answers: Vec::new(),
            known: Vec::new(),
            length: 0,
        };
        let mut seen = 0;
        for (data, heads, left) in [
            (first.repeat(2), 2, 0),
            (first.repeat(16), 16, 0),
            // As long as two, but with another one; cut; the rest of it; and after that again as before.
            (second.repeat(22), 22, 0),
            (first.repeat(3) + "GET /a HTTP/1.1\r\n\r", 3, 3),
            ("\n".to_owned() + first, 2, 0),
            (first.repeat(5), 5, 0),
        ] {
            let counted = shared.heads_in(&mut seen, data.as_bytes());
            assert_eq!((counted, seen), (heads, left), "{data:?}");
        }
        assert_eq!(shared.length, first.len());
        assert_eq!(shared.repeated(first.repeat(4).as_bytes()), Some(4));
        assert_eq!(shared.repeated(&first.as_bytes()[..5]), None);
    }

    #[test]
    fn a_carriage_return_too_many_does_not_hide_the_end() {
        let mut seen = 0;
        assert_eq!(heads_in(&mut seen, b"a\r\n\r\r\n\r\nb\r\n\r"), 1);
        assert_eq!(seen, 3);
        assert_eq!(heads_in(&mut seen, b"\n\r\n\r\n"), 2);
    }

    #[test]
    fn the_answer_says_its_length() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "Hello, World!");
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
    }
}
