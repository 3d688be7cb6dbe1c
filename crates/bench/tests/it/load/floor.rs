//! The epoll floor, alone and under the load program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use super::run::{TempFile, load_briefly};

const ANSWER: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

/// Of 64 bytes, with zeros for its number.
const MESSAGE: &str = include_str!("../../../peers/broadcast.txt");

/// The floor as a process; dropping it ends it.
#[derive(Debug)]
struct Floor {
    child: Child,
    addr: SocketAddr,
}

impl Floor {
    fn new() -> Self {
        Self::with(&["--port", "0"])
    }

    fn with(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squall-floor"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let addr = line
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix("/\n"))
            .unwrap_or_else(|| panic!("unexpected line {line:?}"));
        Self {
            addr: addr.parse().unwrap(),
            child,
        }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn every_way_of_loading_is_clean() {
    let floor = Floor::new();
    let body = TempFile::new("floor", b"Hello, World!");
    let post = format!(
        "--method POST --body-file {0} --expect-body-file {0}",
        body.path()
    );
    for more in [
        "",
        "--pipeline 16",
        "--rate 2000",
        "--close",
        "--idle 300",
        &post,
    ] {
        let run = load_briefly(floor.addr, more);
        run.assert_clean();
    }
}

#[test]
fn pipelined_requests_are_answered_however_they_are_cut() {
    let floor = Floor::new();
    let requests = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET";
    let mut answers = String::new();
    for cut in 0..requests.len() {
        let mut stream = TcpStream::connect(floor.addr).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&requests[..cut]).unwrap();
        stream.write_all(&requests[cut..]).unwrap();
        let mut answer = vec![0; 2 * ANSWER.len()];
        stream.read_exact(&mut answer).unwrap();
        answers += std::str::from_utf8(&answer).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(
            stream.read(&mut answer).unwrap(),
            0,
            "no more than was asked"
        );
    }
    assert_eq!(answers, ANSWER.repeat(2 * requests.len()));
}

#[test]
fn a_peer_that_does_not_read_gets_everything_later() {
    let floor = Floor::new();
    let mut stream = TcpStream::connect(floor.addr).unwrap();
    let mut reading = stream.try_clone().unwrap();
    // More answers than both sockets hold.
    let count = 200_000;
    let writing = std::thread::spawn(move || {
        let request = b"GET / HTTP/1.1\r\n\r\n".repeat(1000);
        for _ in 0..count / 1000 {
            stream.write_all(&request).unwrap();
        }
    });
    let mut answer = vec![0; ANSWER.len()];
    for _ in 0..count {
        reading.read_exact(&mut answer).unwrap();
        assert_eq!(answer, ANSWER.as_bytes());
    }
    writing.join().unwrap();
}

#[test]
fn messages_to_all_arrive_in_full() {
    let floor = Floor::with(&["--port", "0", "--sockets"]);
    let body = TempFile::new("floor-broadcast", MESSAGE.as_bytes());
    let body = format!("--expect-body-file {}", body.path());
    for more in [
        "--websocket echo --payload 125".to_owned(),
        "--websocket echo --payload 16 --pipeline 8".to_owned(),
        format!("--websocket broadcast {body}"),
        format!("--websocket broadcast --publish 16 {body}"),
    ] {
        load_briefly(floor.addr, &more).assert_clean();
    }
}

#[test]
fn handshakes_and_texts_are_understood_however_they_are_cut() {
    let floor = Floor::with(&["--sockets"]);
    // The key and its answer are those of RFC 6455 section 1.3. The mask is zero.
    let mut sent =
        b"GET / HTTP/1.1\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".to_vec();
    sent.extend_from_slice(b"\x81\x82\0\0\0\0ab\x81\x80\0\0\0\0");
    let wanted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u{81}\u{2}ab\u{81}\u{0}";
    for cut in 0..sent.len() {
        let mut stream = TcpStream::connect(floor.addr).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&sent[..cut]).unwrap();
        stream.write_all(&sent[cut..]).unwrap();
        let mut answer = vec![0; wanted.chars().count()];
        stream.read_exact(&mut answer).unwrap();
        // Each byte as the letter of its number.
        let answer: String = answer.into_iter().map(char::from).collect();
        assert_eq!(answer, wanted, "cut at {cut}");
    }
}

#[test]
fn what_is_no_short_text_ends_the_connection() {
    let floor = Floor::with(&["--sockets"]);
    let hello = "GET / HTTP/1.1\r\nSec-WebSocket-Key: a\r\n\r\n";
    let wrong: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x82\x80\0\0\0\0",
        b"\x81\x00",
        b"\x81\xfe\0\x7e\0\0\0\0",
        b"\x88\x80\0\0\0\0",
    ];
    for (turn, wrong) in wrong.into_iter().enumerate() {
        let mut stream = TcpStream::connect(floor.addr).unwrap();
        if turn > 0 {
            stream.write_all(hello.as_bytes()).unwrap();
        }
        stream.write_all(wrong).unwrap();
        // Until the end of the connection, whichever end it is.
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        assert_eq!(answer.is_empty(), turn == 0, "{wrong:?}: {ended:?}");
    }
}

#[test]
fn bad_arguments_and_a_taken_port_are_named() {
    let floor = Floor::new();
    let taken = floor.addr.port().to_string();
    for (arguments, code, words) in [
        (vec!["--port", "x"], 2, "`--port x`"),
        (vec!["--port"], 2, "`--port`"),
        (vec!["--port", "65536"], 2, "65536"),
        (vec!["--socket"], 2, "`--socket`"),
        (vec!["--port", &taken], 3, "in use"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_squall-floor"))
            .args(&arguments)
            .output()
            .unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{complaint}");
        assert!(complaint.contains(words), "{complaint}");
    }
}
