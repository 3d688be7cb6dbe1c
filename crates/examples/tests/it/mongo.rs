//! Tags on a server that speaks MongoDB's wire protocol.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::source::run_sync;
use crate::support::{assert_kept, folder, free_port, play};

/// How long the server may take to start.
const START: Duration = Duration::from_secs(20);
/// How long a program may look for a server that is not there.
const LIMIT: Duration = Duration::from_secs(5);

const SKIPPED: &str =
    "skipped: no `polodb` on the path (cargo install polodb --version 5.3.0 --locked)";

/// A server process; it ends with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts `polodb`, which keeps its data in `folder`; `None` where it is not installed.
    fn start(folder: &Path) -> Option<Self> {
        let port = free_port();
        let spawned = Command::new("polodb")
            .args([
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "-p",
            ])
            .arg(folder.join("tags.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match spawned {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return None,
            spawned => spawned.expect("polodb starts"),
        };
        let mut server = Self { process, port };
        server.wait();
        Some(server)
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "polodb has ended instead of listening");
            assert!(begun.elapsed() < START, "polodb does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn each_tag_becomes_a_document_with_an_id() {
    let Some(server) = Server::start(&folder("each_tag_becomes_a_document")) else {
        println!("{SKIPPED}");
        return;
    };
    let url = format!("mongodb://127.0.0.1:{}/weather", server.port);
    let played = play(run_sync::run, &[&url]);
    assert_kept(include_str!("../../examples/run_sync.rs"), &played);
    let mut ids = Vec::new();
    for (line, tag) in played.lines[1..4]
        .iter()
        .zip(["storm", "squall", "tornado"])
    {
        let id = line.strip_prefix(&format!("inserted {tag}, its id is "));
        let id = id.expect("the line of the tag");
        assert!(
            id.len() == 24 && id.chars().all(|digit| digit.is_ascii_hexdigit()),
            "{line}"
        );
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert_eq!(played.lines[4], "the database has 3 tags now");

    let played = play(run_sync::run, &[&url]);
    assert_eq!(played.lines[4], "the database has 6 tags now");
}

#[test]
fn a_server_that_refuses_is_told_in_time() {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("mongodb://me:secret@{address}/");
    let begun = Instant::now();
    let played = play(run_sync::run, &[&url]);
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    let error = played.failure();
    assert!(
        error.contains(&address) && error.contains("no MongoDB server"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_server_that_says_nothing_is_told_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let begun = Instant::now();
    let played = play(run_sync::run, &[&format!("mongodb://{address}/")]);
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    let error = played.failure();
    assert!(
        error.contains(&address) && error.contains("no MongoDB server"),
        "{error}"
    );
}

#[test]
fn a_server_that_falls_silent_is_told_in_time() {
    let Some(server) = Server::start(&folder("a_server_that_falls_silent")) else {
        println!("{SKIPPED}");
        return;
    };
    let address = falls_silent(server.port, b"insert");
    let begun = Instant::now();
    let played = play(run_sync::run, &[&format!("mongodb://{address}/")]);
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    let told = format!("the MongoDB server at {address} has not answered within 4s");
    assert_eq!(played.failure(), told);
}

/// Listens, and hands everything on to `port` until a client has sent `word`.
fn falls_silent(port: u16, word: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map(Result::unwrap) {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || hand_on(back, forth, b""));
            thread::spawn(move || hand_on(client, server, word));
        }
    });
    address
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, until: &[u8]) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        let silent = !until.is_empty() && bytes.windows(until.len()).any(|word| word == until);
        if !silent && to.write_all(bytes).is_err() {
            return;
        }
    }
}

#[test]
fn an_address_that_is_none_is_told() {
    for url in [
        "mongodb://",
        "mongodb://:x",
        "mongodb://127.0.0.1:99999/",
        "mongodb://a/?what=%",
    ] {
        let played = play(run_sync::run, &[url]);
        let error = played.failure();
        assert!(error.contains("MongoDB"), "{url}: {error}");
    }
}
