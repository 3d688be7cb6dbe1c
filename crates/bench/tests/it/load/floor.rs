//! The epoll floor, alone and under the load program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use super::run::{TempFile, load_briefly};

const ANSWER: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

/// The floor as a process; dropping it ends it.
#[derive(Debug)]
struct Floor {
    child: Child,
    addr: SocketAddr,
}

impl Floor {
    fn new() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squall-floor"))
            .args(["--port", "0"])
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
fn bad_arguments_and_a_taken_port_are_named() {
    let floor = Floor::new();
    let taken = floor.addr.port().to_string();
    for (arguments, code, words) in [
        (vec!["--port", "x"], 2, "`--port x`"),
        (vec!["--port"], 2, "`--port`"),
        (vec!["--port", "65536"], 2, "65536"),
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
