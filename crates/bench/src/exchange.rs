//! Requests in exact numbers, one thread, blocking: what the load program cannot do, because it runs
//! for a time. Used to see whether a server answers rightly at all, and to count instructions.

mod socket;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::questions;
use crate::suite::Case;
use socket::Socket;

/// How long one answer may take. A server under valgrind is fifty times slower than usual.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that a head may have.
const HEAD_LIMIT: usize = 16 * 1024;

/// A request as it is sent, and what must come back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exchange {
    pub(crate) request: Vec<u8>,
    pub(crate) status: u16,
    /// Not looked at when `None`.
    pub(crate) body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Whom to ask, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    /// `None` without TLS.
    tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// Without TLS.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// With TLS, and the certificate in `folder` as the only one that is trusted.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificate.
    pub(crate) fn tls(address: SocketAddr, folder: &Path) -> io::Result<Self> {
        let trusted = CertificateDer::from_pem_file(folder.join("cert.pem"));
        let mut roots = RootCertStore::empty();
        roots
            .add(trusted.map_err(io::Error::other)?)
            .map_err(io::Error::other)?;
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            address,
            tls: Some(Arc::new(config)),
        })
    }
}

/// Sends one request on a connection of its own.
///
/// # Errors
///
/// A sentence that says what was expected and what came.
pub(crate) fn check(target: &Target, exchange: &Exchange) -> Result<(), String> {
    let mut link = Link::open(target).map_err(|err| format!("cannot connect: {err}"))?;
    link.send(&exchange.request, 1)
        .and_then(|()| link.receive())
        .map_err(|err| format!("no answer: {err}"))
        .and_then(|answer| judge(&answer, exchange))
}

/// How long a server with a lone connection is left alone between two volleys. It goes to sleep after an answer unless the
/// next request is there first, and whether it is would be up to what else the machine does: so it always may.
const REST: Duration = Duration::from_millis(2);

/// Requests in volleys: one on each connection of a case (`pipeline` of them in one write), and all answers
/// before the next volley.
#[derive(Debug)]
pub(crate) struct Volleys<'a> {
    target: Target,
    case: &'a Case,
    exchanges: &'a [Exchange],
    /// How many exchanges were had.
    turn: usize,
    /// Empty before the first volley, and between volleys of a case that closes its connections.
    links: Vec<Link>,
    /// The same of a case over WebSockets.
    sockets: Vec<Socket>,
}

impl<'a> Volleys<'a> {
    pub(crate) fn new(target: Target, case: &'a Case, exchanges: &'a [Exchange]) -> Self {
        Self {
            target,
            case,
            exchanges,
            turn: 0,
            links: Vec::new(),
            sockets: Vec::new(),
        }
    }

    /// Fires so many volleys. Returns how many requests that were.
    ///
    /// # Errors
    ///
    /// A sentence about the first answer that was missing or wrong.
    pub(crate) fn fire(&mut self, volleys: usize) -> Result<u64, String> {
        let mut count = 0;
        for _ in 0..volleys {
            if self.case.connections == 1 {
                thread::sleep(REST);
            }
            match self.case.route.is_websocket() {
                true => self.volley_of_texts()?,
                false => self.volley()?,
            }
            count += (self.case.connections * self.case.pipeline) as u64;
        }
        Ok(count)
    }

    fn volley_of_texts(&mut self) -> Result<(), String> {
        while self.sockets.len() < self.case.connections {
            let path = questions::socket_path(self.case.route);
            let number = self.sockets.len() as u64;
            self.sockets
                .push(Socket::open(self.target.address, path, number)?);
        }
        for socket in &mut self.sockets {
            socket
                .send(self.case.pipeline)
                .map_err(|err| format!("cannot send: {err}"))?;
        }
        self.sockets.iter_mut().try_for_each(Socket::receive)
    }

    fn volley(&mut self) -> Result<(), String> {
        while self.links.len() < self.case.connections {
            let link = Link::open(&self.target);
            self.links
                .push(link.map_err(|err| format!("cannot connect: {err}"))?);
        }
        let exchange = |place: usize| &self.exchanges[(self.turn + place) % self.exchanges.len()];
        for (place, link) in self.links.iter_mut().enumerate() {
            link.send(&exchange(place).request, self.case.pipeline)
                .map_err(|err| format!("cannot send: {err}"))?;
        }
        for (place, link) in self.links.iter_mut().enumerate() {
            for _ in 0..self.case.pipeline {
                let answer = link.receive().map_err(|err| format!("no answer: {err}"))?;
                judge(&answer, exchange(place))?;
            }
        }
        self.turn += self.links.len();
        if self.case.close {
            self.links.clear();
        }
        Ok(())
    }
}

fn judge(answer: &Answer, exchange: &Exchange) -> Result<(), String> {
    if answer.status != exchange.status {
        return Err(format!(
            "expected status {}, found {}",
            exchange.status, answer.status
        ));
    }
    match &exchange.body {
        Some(body) if *body != answer.body => Err(format!(
            "expected the body {}, found {}",
            excerpt(body),
            excerpt(&answer.body)
        )),
        _ => Ok(()),
    }
}

fn excerpt(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(&body[..body.len().min(60)]);
    let more = if body.len() > 60 { "…" } else { "" };
    format!("`{}{more}` ({} bytes)", start.escape_debug(), body.len())
}

/// A connection with what was read ahead.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Stream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    fn both(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream,
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

impl Link {
    /// Connects; a handshake happens when something is sent.
    pub(crate) fn open(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&target.address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = match &target.tls {
            None => Stream::Plain(stream),
            Some(config) => {
                let name = ServerName::from(target.address.ip());
                let client = ClientConnection::new(Arc::clone(config), name);
                let client = client.map_err(io::Error::other)?;
                Stream::Tls(Box::new(StreamOwned::new(client, stream)))
            }
        };
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request so many times in one write.
    pub(crate) fn send(&mut self, request: &[u8], times: usize) -> io::Result<()> {
        self.stream.both().write_all(&request.repeat(times))?;
        self.stream.both().flush()
    }

    /// Waits for the next answer.
    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        loop {
            if let Some((answer, length)) = parse(&self.buffer)? {
                self.buffer.drain(..length);
                return Ok(answer);
            }
            let mut piece = [0; 16 * 1024];
            let length = self.stream.both().read(&mut piece)?;
            if length == 0 {
                return Err(bad("the connection ended within an answer"));
            }
            self.buffer.extend_from_slice(&piece[..length]);
        }
    }
}

/// The first answer in `bytes` and how many of them it took; `None` while it is incomplete. All servers
/// here announce a length (RFC 9112 §6.2), so anything else is a wrong answer.
fn parse(bytes: &[u8]) -> io::Result<Option<(Answer, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        if bytes.len() > HEAD_LIMIT {
            return Err(bad("a head without an end"));
        }
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| bad("a head that is no text"))?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .ok_or_else(|| bad("no status line of HTTP/1.1"))?;
    let length: usize = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or_else(|| bad("no Content-Length"))?;
    let start = end + 4;
    let Some(body) = bytes.get(start..start + length) else {
        return Ok(None);
    };
    let body = body.to_vec();
    Ok(Some((Answer { status, body }, start + length)))
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn an_answer_is_complete_at_its_last_byte_and_not_before() {
        let (first, length) = parse(TWO).unwrap().unwrap();
        assert_eq!(
            first,
            Answer {
                status: 200,
                body: b"abc".to_vec()
            }
        );
        for cut in 0..length {
            assert_eq!(parse(&TWO[..cut]).unwrap(), None, "cut at {cut}");
        }
        assert_eq!(parse(&TWO[length..]).unwrap().unwrap().0.status, 404);
    }

    #[test]
    fn an_answer_without_a_length_is_wrong() {
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"SSH-2.0\r\n\r\n").is_err());
    }

    #[test]
    fn a_wrong_body_is_quoted() {
        let exchange = Exchange {
            request: Vec::new(),
            status: 200,
            body: Some(b"abc".to_vec()),
        };
        let answer = Answer {
            status: 200,
            body: b"ab\n".to_vec(),
        };
        assert_eq!(
            judge(&answer, &exchange).unwrap_err(),
            "expected the body `abc` (3 bytes), found `ab\\n` (3 bytes)"
        );
    }
}
