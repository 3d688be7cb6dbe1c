//! The built tour, started on a free port and asked over a socket.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Longer than anything here takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tour that serves its page. Dropping it ends it the hard way.
pub(crate) struct Tour {
    child: Child,
    /// Kept, so that the tour may go on writing.
    _output: BufReader<ChildStdout>,
    pub(crate) addr: SocketAddr,
}

/// The program, not started yet.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall-tour"));
    command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

impl Tour {
    pub(crate) fn start() -> Self {
        let mut child = command()
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tour is built");
        let mut output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the tour says a line");
        let url = line
            .strip_prefix("Squall's tour is at http://")
            .and_then(|rest| rest.strip_suffix("/\n"))
            .unwrap_or_else(|| panic!("the first line is {line:?}"));
        let addr = url.parse().expect("an address and a port");
        Self {
            child,
            _output: output,
            addr,
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
        self.child.wait().expect("it was started")
    }

    /// Asks for a path and gives the whole answer.
    pub(crate) fn get(&self, path: &str) -> String {
        let host = self.addr;
        self.ask(&format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n"))
    }

    /// Has a pattern run, with JSON as its input, and gives the whole answer.
    pub(crate) fn run(&self, pattern: &str, input: &str) -> String {
        let mut answer = String::new();
        let mut stream = self.begin(pattern, input);
        stream.read_to_string(&mut answer).expect("it is text");
        answer
    }

    /// Has a pattern run and gives the stream from which the answer comes.
    pub(crate) fn begin(&self, pattern: &str, input: &str) -> TcpStream {
        let (host, length) = (self.addr, input.len());
        // HTTP/1.0: the body comes as it is and ends with the connection.
        self.send(&format!(
            "POST /run/{pattern} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{input}"
        ))
    }

    /// Sends a request and gives the whole answer.
    pub(crate) fn ask(&self, request: &str) -> String {
        let mut answer = String::new();
        let mut stream = self.send(request);
        stream.read_to_string(&mut answer).expect("it is text");
        answer
    }

    fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).expect("the tour listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is not zero");
        stream.write_all(request.as_bytes()).expect("it is read");
        stream
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until `end` has come.
pub(crate) fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen);
        if text.contains(end) {
            return text.into_owned();
        }
        let count = stream.read(&mut some).expect("more comes in time");
        assert_ne!(count, 0, "it ended before `{end}`: {text}");
        seen.extend_from_slice(&some[..count]);
    }
}
