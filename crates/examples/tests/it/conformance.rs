//! The conformance server as a process: where it says it listens, what it answers, how it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::program;
use crate::support::folder;

struct Server {
    child: Child,
    /// Host and port.
    address: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(program("conformance"))
            .args(["--http", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap();
        Self {
            child,
            address: address.to_owned(),
        }
    }

    /// Sends a request without a body and returns the status line's code, the fields and the body.
    fn ask(&self, request: &str, fields: &str) -> (u16, String, String) {
        let head = format!("{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{fields}\r\n");
        let answer = self.send(&head);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, head.to_owned(), body.to_owned())
    }

    fn send(&self, bytes: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Asks the server to end, and returns its exit code.
    fn end(mut self) -> Option<i32> {
        let ended = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(ended.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `end` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_ends_cleanly() {
    let server = Server::start(&[]);
    let (code, _, body) = server.ask("GET /plaintext", "");
    assert_eq!((code, body.as_str()), (200, "Hello, World!"));
    assert_eq!(server.end(), Some(0));
}

#[test]
fn bodies_are_echoed_whatever_the_method_and_the_path() {
    let server = Server::start(&[]);
    let answer = server.send(
        "BREW /pot?kind=tea HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: x/y\r\nContent-Length: 3\r\n\r\ntea",
    );
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\ntea"));
    assert!(answer.contains("content-type: x/y\r\n"), "{answer}");
    let (code, _, body) = server.ask("OPTIONS *", "");
    assert_eq!((code, body.as_str()), (200, "there was no body to echo\n"));
    let tunnel = server.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n");
    assert!(tunnel.starts_with("HTTP/1.1 405 "), "{tunnel}");
}

#[test]
fn requests_are_shown_as_they_came() {
    let server = Server::start(&[]);
    let answer = server.send(
        "POST /inspect?a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: t\r\n\r\n\
         3\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    );
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let seen: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["target"], "/inspect?a");
    assert_eq!(seen["body"], "YWJj");
    assert_eq!(seen["headers"][0], serde_json::json!(["host", "a"]));
    assert_eq!(seen["trailers"], serde_json::json!([["t", "1"]]));
}

#[test]
fn pieces_are_sent_one_by_one_and_mirrored() {
    let server = Server::start(&[]);
    let (_, head, body) = server.ask("GET /stream?n=2", "");
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(body.contains("piece 1 of 2\n") && body.ends_with("0\r\n\r\n"));
    let (_, _, body) = server.ask("GET /slow?ms=1", "");
    assert_eq!(body, "this took 1 ms\n");
    let mirrored = server.send(
        "POST /mirror HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
    );
    assert!(mirrored.ends_with("\r\n\r\nhi"), "{mirrored}");
}

#[test]
fn limits_of_the_command_line_hold() {
    let server = Server::start(&["--body-bytes", "4", "--headers=3"]);
    let (code, _, _) = server.ask("POST /", "Content-Length: 5\r\n");
    assert_eq!(code, 413);
    let (code, _, _) = server.ask("GET /", "A: 1\r\nB: 2\r\n");
    assert_eq!(code, 431);
}

/// A folder with a file of ten bytes, and a link that leads out of it.
fn site(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    let shown = folder.join("shown");
    fs::create_dir(&shown).unwrap();
    fs::create_dir(shown.join("sub")).unwrap();
    fs::write(shown.join("ten.txt"), "0123456789").unwrap();
    fs::write(shown.join("empty.bin"), "").unwrap();
    fs::write(folder.join("secret"), "secret").unwrap();
    symlink(folder.join("secret"), shown.join("link")).unwrap();
    shown
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut values = lines.filter(|(known, _)| *known == name);
    values.next().map_or("", |(_, value)| value)
}

#[test]
fn files_are_sent_whole_and_in_parts() {
    let shown = site("files_are_sent_whole_and_in_parts");
    let server = Server::start(&["--static", shown.to_str().unwrap()]);
    let (code, head, body) = server.ask("GET /static/ten.txt", "");
    assert_eq!((code, body.as_str()), (200, "0123456789"));
    assert_eq!(field(&head, "content-type"), "text/plain; charset=utf-8");
    let (etag, date) = (field(&head, "etag"), field(&head, "last-modified"));

    let old = "Thu, 01 Jan 1970 00:00:00 GMT";
    let cases = [
        ("Range: bytes=2-4\r\n".to_owned(), 206, "234"),
        ("Range: bytes=-2\r\n".to_owned(), 206, "89"),
        (
            "Range: bytes=10-\r\n".to_owned(),
            416,
            "416 Range Not Satisfiable\n",
        ),
        ("Range: bytes=0-1,4-5\r\n".to_owned(), 200, "0123456789"),
        (
            format!("Range: bytes=0-0\r\nIf-Range: {etag}\r\n"),
            206,
            "0",
        ),
        (
            format!("Range: bytes=0-0\r\nIf-Range: {date}\r\n"),
            206,
            "0",
        ),
        (
            "Range: bytes=0-0\r\nIf-Range: \"other\"\r\n".to_owned(),
            200,
            "0123456789",
        ),
        (format!("If-None-Match: {etag}\r\n"), 304, ""),
        (format!("If-None-Match: \"a\", W/{etag}\r\n"), 304, ""),
        ("If-None-Match: *\r\n".to_owned(), 304, ""),
        (
            format!("If-None-Match: \"a\"\r\nIf-Modified-Since: {date}\r\n"),
            200,
            "0123456789",
        ),
        (format!("If-Modified-Since: {date}\r\n"), 304, ""),
        (format!("If-Modified-Since: {old}\r\n"), 200, "0123456789"),
        (
            "If-Modified-Since: yesterday\r\n".to_owned(),
            200,
            "0123456789",
        ),
        (format!("If-Match: {etag}\r\n"), 200, "0123456789"),
        (
            format!("If-Match: W/{etag}\r\n"),
            412,
            "412 Precondition Failed\n",
        ),
        (
            format!("If-Unmodified-Since: {old}\r\n"),
            412,
            "412 Precondition Failed\n",
        ),
        (
            format!("If-Unmodified-Since: {date}\r\n"),
            200,
            "0123456789",
        ),
    ];
    for (fields, code, body) in cases {
        let (found, head, content) = server.ask("GET /static/ten.txt", &fields);
        assert_eq!((found, content.as_str()), (code, body), "{fields}");
        match code {
            206 => assert!(field(&head, "content-range").ends_with("/10"), "{head}"),
            304 => assert_eq!(field(&head, "etag"), etag),
            416 => assert_eq!(field(&head, "content-range"), "bytes */10"),
            _ => assert_eq!(field(&head, "content-range"), ""),
        }
    }
    let (code, head, body) = server.ask("HEAD /static/ten.txt", "Range: bytes=0-1\r\n");
    assert_eq!((code, body.as_str()), (200, ""));
    assert_eq!(field(&head, "content-length"), "10");
    let (code, head, _) = server.ask("POST /static/ten.txt", "");
    assert_eq!((code, field(&head, "allow")), (405, "GET, HEAD"));
    let (code, head, _) = server.ask("GET /static/empty.bin", "");
    assert_eq!((code, field(&head, "content-length")), (200, "0"));
}

#[test]
fn nothing_outside_of_the_folder_is_found() {
    let shown = site("nothing_outside_of_the_folder_is_found");
    let server = Server::start(&["--static", shown.to_str().unwrap()]);
    let absolute = Path::new("/static/").join(format!("%2f{}", shown.join("../secret").display()));
    let paths = [
        "/static/../secret",
        "/static/%2e%2e/secret",
        "/static/..%2fsecret",
        "/static/sub/../../secret",
        "/static/link",
        "/static/",
        "/static/sub/",
        "/static/%00",
        "/static/ten.txt%00",
        "/static/%ff",
        "/static/none",
        absolute.to_str().unwrap(),
    ];
    for path in paths {
        let (code, _, body) = server.ask(&format!("GET {path}"), "");
        assert_eq!((code, body.as_str()), (404, "404 Not Found\n"), "{path}");
    }
    let (code, _, _) = server.ask("GET /static/sub/../ten.txt", "");
    assert_eq!(
        code, 404,
        "clients resolve dots themselves (RFC 3986 §5.2.4)"
    );
}

#[test]
fn a_large_file_arrives_whole() {
    let shown = site("a_large_file_arrives_whole");
    let text: String = (0..50_000).map(|line| format!("line {line}\n")).collect();
    fs::write(shown.join("large.txt"), &text).unwrap();
    let server = Server::start(&["--static", shown.to_str().unwrap()]);
    let (_, _, body) = server.ask("GET /static/large.txt", "");
    assert!(body == text, "{} of {} bytes", body.len(), text.len());
    let (_, _, body) = server.ask("GET /static/large.txt", "Range: bytes=100000-299999\r\n");
    assert!(body == text[100_000..300_000], "{} bytes", body.len());
}

/// Without the feature `tls` because there is none, with it because there are no such files.
#[test]
fn tls_that_cannot_be_is_told() {
    let output = Command::new(program("conformance"))
        .args(["--tls", "0", "--cert", "none.pem", "--key", "none.key"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: cannot "), "{said}");
    assert!(said.contains("none.pem"), "{said}");
}

/// A request for a WebSocket, and a frame without a mask, which is not allowed, so that the server has the last word.
fn websocket(server: &Server, path: &str, frames: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(frames).unwrap();
    stream.write_all(b"\x89\0").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    answer.split_off(end + 4)
}

#[test]
fn websockets_echo_within_their_limits() {
    let server = Server::start(&["--ws-max-message", "4"]);
    let hello = b"\x81\x85\0\0\0\0hello";
    let echo = websocket(&server, "/ws", hello);
    assert!(
        echo.starts_with(b"\x81\x05hello\x88"),
        "{}",
        echo.escape_ascii()
    );
    let refused = websocket(&server, "/ws-limits", hello);
    assert!(
        refused.starts_with(b"\x88") && refused[2..4] == [0x03, 0xf1],
        "{}",
        refused.escape_ascii()
    );
    let close = b"\x81\x8e\0\0\0\0close 4001 why";
    let closed = websocket(&server, "/ws-talk", close);
    assert_eq!(closed, b"\x88\x05\x0f\xa1why");
    let (code, _, _) = server.ask("GET /ws", "");
    assert_eq!(code, 426);
    assert_eq!(server.end(), Some(0));
}

/// Our client on our server, as it is pointed at those of others.
#[test]
fn the_client_checks_a_server() {
    let server = Server::start(&["--ws-subprotocols", "squall.chat", "--ws-deflate", "12"]);
    let url = format!("ws://{}/ws-talk", server.address);
    let output = Command::new(program("conformance"))
        .args(["--ws-check", &url])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.lines().count() == 10,
        "{said}"
    );
    assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");
    let url = format!("ws://{}/plaintext", server.address);
    let output = Command::new(program("conformance"))
        .args(["--ws-check", &url])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.lines().all(|line| line.starts_with("FAIL ")), "{said}");
}
