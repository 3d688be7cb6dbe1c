//! A WebSocket client without manners: it sends the bytes that it is told to, and tells what comes back.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long the server may be silent.
const PATIENCE: Duration = Duration::from_secs(6);
/// The key of every handshake here, which is the one of RFC 6455 section 1.3.
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The most bytes of a frame, so that a mad length fails.
const LARGEST: u64 = 64 << 20;

/// A connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    /// What has come and was not looked at.
    unread: Vec<u8>,
}

/// A frame as it came.
#[derive(Debug)]
pub(super) struct Frame {
    /// The bit that ends a message, the reserved bits and the opcode.
    pub(super) first: u8,
    pub(super) payload: Vec<u8>,
}

impl Peer {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub(super) fn connect(address: &str) -> Result<Self, String> {
        let connect = || {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        };
        let stream = connect().map_err(|err| format!("cannot connect to {address}: {err}"))?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Connects and shakes hands, with some field lines beside the usual ones.
    ///
    /// # Errors
    ///
    /// When the answer is not 101.
    pub(super) fn upgrade(address: &str, path: &str, fields: &[&str]) -> Result<Self, String> {
        let mut peer = Self::connect(address)?;
        peer.send(&request(path, fields))?;
        let head = peer.head()?;
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(format!("{path} answered `{}`", head.escape_debug()));
        }
        Ok(peer)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(bytes)
            .map_err(|err| format!("cannot send: {err}"))
    }

    /// Reads the head of an answer, with the empty line at its end.
    ///
    /// # Errors
    ///
    /// When none comes.
    pub(super) fn head(&mut self) -> Result<String, String> {
        loop {
            let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = end {
                let head: Vec<u8> = self.unread.drain(..at + 4).collect();
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            if !self.more()? {
                let got = self.unread.escape_ascii();
                return Err(format!("the stream ended in a head: `{got}`"));
            }
        }
    }

    /// Reads a frame; `None` when the stream ends before one.
    ///
    /// # Errors
    ///
    /// When nothing comes in time, the connection is reset, or the frame is none.
    pub(super) fn frame(&mut self) -> Result<Option<Frame>, String> {
        loop {
            if let Some((frame, length)) = parse(&self.unread)? {
                self.unread.drain(..length);
                return Ok(Some(frame));
            }
            if !self.more()? {
                return match self.unread.len() {
                    0 => Ok(None),
                    count => Err(format!("the stream ended {count} bytes into a frame")),
                };
            }
        }
    }

    /// Reads all that comes until the stream ends, and says how much it was.
    ///
    /// # Errors
    ///
    /// When the end does not come in time; a reset is one.
    pub(super) fn drain(&mut self) -> Result<usize, String> {
        loop {
            match self.more() {
                Ok(true) => {}
                Ok(false) => return Ok(self.unread.len()),
                Err(err) if err.contains("reset") => return Ok(self.unread.len()),
                Err(err) => return Err(err),
            }
        }
    }

    /// Sends a ping and expects its pong next: the server is there and reads this connection.
    ///
    /// # Errors
    ///
    /// When something else comes.
    pub(super) fn check_open(&mut self) -> Result<(), String> {
        self.send(&frame(0x89, b"there?"))?;
        self.expect("pong there?")
    }

    /// Reads a frame, or the end, and compares it with its description.
    ///
    /// # Errors
    ///
    /// When something else comes.
    pub(super) fn expect(&mut self, wanted: &str) -> Result<(), String> {
        let found = match self.frame() {
            Ok(Some(frame)) => frame.describe(),
            Ok(None) => "end".to_owned(),
            Err(err) => return Err(format!("expected `{wanted}`, but {err}")),
        };
        if wanted.split(" or ").any(|wanted| fits(wanted, &found)) {
            return Ok(());
        }
        Err(format!("expected `{wanted}`, found `{found:.200}`"))
    }

    fn more(&mut self) -> Result<bool, String> {
        let mut buffer = [0; 16 << 10];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(count) => {
                    self.unread.extend_from_slice(&buffer[..count]);
                    return Ok(count > 0);
                }
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(format!("nothing came within {PATIENCE:?}"));
                }
                Err(err) => return Err(format!("reading failed: {err}")),
            }
        }
    }
}

/// Whether a frame is as wanted: word for word, or up to the star. A close frame may have a reason that nobody has asked for.
fn fits(wanted: &str, found: &str) -> bool {
    let reason = || wanted.starts_with("close ") && found.starts_with(&format!("{wanted} "));
    match wanted.strip_suffix('*') {
        Some(begin) => found.starts_with(begin),
        None => found == wanted || reason(),
    }
}

/// A request for a WebSocket.
pub(super) fn request(path: &str, fields: &[&str]) -> Vec<u8> {
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n"
    );
    for field in fields {
        // Writing into a string cannot fail.
        let _ = write!(head, "{field}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A frame of a client, whose mask is four zeros: allowed, and it can be read.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// Takes a frame of a server from the front of `bytes`, with its length; `None` when it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(Frame, usize)>, String> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if second & 0x80 != 0 {
        return Err(format!("a frame of the server is masked: {first:#04x}"));
    }
    let (length, width) = match (second, rest) {
        (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = [*a, *b, *c, *d, *e, *f, *g, *h];
            (u64::from_be_bytes(length), 8)
        }
        (126 | 127, _) => return Ok(None),
        (length, _) => (u64::from(*length), 0),
    };
    let shortest = match width {
        2 => 126,
        8 => 0x1_0000,
        _ => 0,
    };
    if length < shortest || length > LARGEST {
        return Err(format!(
            "a frame of {length} bytes that says so in {width} more"
        ));
    }
    let length = usize::try_from(length).map_err(|err| err.to_string())?;
    let payload = rest.get(width..width + length);
    Ok(payload.map(|payload| {
        let frame = Frame {
            first: *first,
            payload: payload.to_vec(),
        };
        (frame, 2 + width + length)
    }))
}

impl Frame {
    /// In words: `text hello`, `binary \x00`, `ping x`, `pong x`, `close 1000 bye`, `close` without a code; `rest` for a
    /// continuation; with `part of a ` before a frame that does not end its message and `deflated ` before the first bit.
    /// More than 200 bytes are `text of 1000 bytes`.
    pub(super) fn describe(&self) -> String {
        let mut words = String::new();
        if self.first & 0x80 == 0 {
            words += "part of a ";
        }
        match self.first & 0x70 {
            0 => {}
            0x40 => words += "deflated ",
            _ => words += "reserved ",
        }
        words += match self.first & 0x0f {
            0 => "rest",
            1 => "text",
            2 => "binary",
            8 => "close",
            9 => "ping",
            10 => "pong",
            _ => "reserved",
        };
        let mut payload = self.payload.as_slice();
        if self.first & 0x0f == 8
            && let [high, low, reason @ ..] = payload
        {
            // Writing into a string cannot fail.
            let _ = write!(words, " {}", u16::from_be_bytes([*high, *low]));
            payload = reason;
        }
        match payload.len() {
            0 => {}
            1..=200 => {
                let _ = write!(words, " {}", payload.escape_ascii());
            }
            count => {
                let _ = write!(words, " of {count} bytes");
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(bytes: &[u8]) -> String {
        let (frame, length) = parse(bytes).unwrap().unwrap();
        assert_eq!(length, bytes.len());
        assert!(parse(&bytes[..length - 1]).unwrap().is_none());
        frame.describe()
    }

    #[test]
    fn frames_are_described() {
        assert_eq!(described(b"\x81\x05hello"), "text hello");
        assert_eq!(described(b"\x02\x01\xff"), r"part of a binary \xff");
        assert_eq!(described(b"\xc1\x01a"), "deflated text a");
        assert_eq!(described(b"\x88\x00"), "close");
        assert_eq!(described(b"\x88\x05\x03\xe8bye"), "close 1000 bye");
        let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        assert_eq!(described(&long), "binary of 256 bytes");
    }

    #[test]
    fn what_a_server_must_not_send_is_told() {
        assert!(
            parse(b"\x81\x85\0\0\0\0hello")
                .unwrap_err()
                .contains("masked")
        );
        assert!(
            parse(b"\x81\x7e\x00\x05hello")
                .unwrap_err()
                .contains("2 more")
        );
        assert!(parse(b"\x81\x7f\xff\0\0\0\0\0\0\0").is_err());
    }

    #[test]
    fn frames_of_clients_have_the_shortest_lengths() {
        assert_eq!(frame(0x81, b"hi"), b"\x81\x82\0\0\0\0hi");
        assert_eq!(frame(0x82, &[0; 126])[..4], [0x82, 0xfe, 0, 126]);
        assert_eq!(
            frame(0x82, &[0; 65536])[..10],
            [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }
}
