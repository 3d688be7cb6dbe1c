//! Bodies out of files: sent by the system to sockets, read for everybody else.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use squall_net::{IoStream, UnixOptions};
use squall_server::{Config, FileBody, HttpServer, Request, Response, Service, Serving};
use tokio::io::AsyncReadExt;

use crate::log::Log;
use crate::on_loop;
use crate::wire::Wire;

/// A file that is gone with its test.
struct Temporary(PathBuf);

impl Temporary {
    /// Writes `bytes` at `offset`; before them is a hole, which takes no room on the disk.
    fn at(offset: u64, name: &str, bytes: &[u8]) -> Self {
        let name = format!("squall-server-{}-{name}.file", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut file = File::create(&path).expect("made");
        file.seek(SeekFrom::Start(offset)).expect("sought");
        file.write_all(bytes).expect("written");
        Self(path)
    }

    fn new(name: &str, bytes: &[u8]) -> Self {
        Self::at(0, name, bytes)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is the temporary folder's affair.
        let _ = fs::remove_file(&self.0);
    }
}

/// So many bytes, in which no part is like another.
fn pattern(bytes: usize) -> Vec<u8> {
    let mut text = String::new();
    let mut line = 0;
    while text.len() < bytes {
        text += &format!("{line:08x}\n");
        line += 1;
    }
    text.truncate(bytes);
    text.into_bytes()
}

/// Answers everything with these bytes of a file.
fn sender(path: &Path, offset: u64, length: u64) -> impl Service + Clone {
    let file = Arc::new(File::open(path).expect("there"));
    move |_request: Request| {
        let body = FileBody::new(Arc::clone(&file), offset, length);
        async move { Response::with_type("text/plain", body) }
    }
}

fn serve(
    service: impl Service + Clone + Send + 'static,
    config: Config,
) -> std::io::Result<Serving> {
    HttpServer::new(move || service.clone())
        .config(config)
        .listen("127.0.0.1:0")?
        .serve()
}

async fn connect(serving: &Serving) -> std::io::Result<Wire> {
    let stream = IoStream::connect_addr(serving.local_addr()).await?;
    Ok(Wire::new(stream))
}

const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

/// Asks thrice at once, the second time for the head alone, and checks that all of it comes in order.
async fn check_three(mut wire: Wire, bytes: &[u8]) {
    wire.send([GET, HEAD, LAST].concat()).await;
    let body = String::from_utf8_lossy(bytes);
    let length = bytes.len();
    let usual =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n");
    let last = usual.clone() + "connection: close\r\n\r\n" + &body;
    let usual = usual + "\r\n";
    // Of an empty body nothing is told to who asks for the head alone.
    let head = if length == 0 {
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n".to_owned()
    } else {
        usual.clone()
    };
    let rest = wire.rest().await;
    assert!(
        rest == usual + &body + &head + &last,
        "{} bytes came, which begin with {:?}",
        rest.len(),
        &rest[..rest.len().min(200)]
    );
}

#[test]
fn a_file_arrives_whole_over_tcp_unix_and_in_memory() {
    for bytes in [0, 1, 65_536, 3 * 1024 * 1024 + 17] {
        on_loop(async move {
            let bytes = pattern(bytes);
            let file = Temporary::new(&format!("whole-{}", bytes.len()), &bytes);
            let service = sender(&file.0, 0, bytes.len() as u64);
            let path = file.0.with_extension("sock");
            let for_server = service.clone();
            let serving = HttpServer::new(move || for_server.clone())
                .listen_unix(&path, &UnixOptions::default())?
                .listen("127.0.0.1:0")?
                .serve()?;
            check_three(connect(&serving).await?, &bytes).await;
            let unix = IoStream::connect_unix(&path).await?;
            check_three(Wire::new(unix), &bytes).await;
            let (wire, served) = Wire::serving(service);
            check_three(wire, &bytes).await;
            served.await?;
            Ok(())
        });
    }
}

#[test]
fn a_part_beyond_two_gibibytes() {
    const FAR: u64 = 5 << 30;
    on_loop(async {
        let bytes = pattern(100_000);
        let file = Temporary::at(FAR, "far", &bytes);
        let serving = serve(sender(&file.0, FAR + 9, 99_991), Config::default())?;
        check_three(connect(&serving).await?, &bytes[9..]).await;
        Ok(())
    });
}

#[test]
fn what_is_only_on_the_disk_comes_by_way_of_a_thread() {
    on_loop(async {
        let bytes = pattern(2 * 1024 * 1024);
        let file = Temporary::new("cold", &bytes);
        File::open(&file.0)?.sync_all()?;
        // GNU's `dd` has the system forget the file; where it cannot, this is the test above once more.
        let dropped = Command::new("dd")
            .arg(format!("if={}", file.0.display()))
            .args(["iflag=nocache", "count=0", "status=none"])
            .status();
        let dropped = dropped.is_ok_and(|status| status.success());
        let opened = File::open(&file.0)?;
        let cached = squall_ioloop::files::is_cached(&opened, 0, bytes.len() as u64)?;
        assert!(
            !dropped || !cached || !cfg!(target_os = "linux"),
            "it is still in the cache"
        );
        let serving = serve(sender(&file.0, 0, bytes.len() as u64), Config::default())?;
        check_three(connect(&serving).await?, &bytes).await;
        Ok(())
    });
}

#[test]
fn a_file_that_becomes_shorter_cuts_its_answer_off() {
    const LENGTH: u64 = 32 * 1024 * 1024;
    on_loop(async {
        let log = Log::catch();
        let file = Temporary::at(LENGTH - 1, "cut", b"!");
        let service = sender(&file.0, 0, LENGTH);
        let serving = serve(service.clone(), Config::default())?;
        let (in_memory, served) = Wire::serving(service);
        for mut wire in [connect(&serving).await?, in_memory] {
            File::options().write(true).open(&file.0)?.set_len(LENGTH)?;
            wire.send(LAST).await;
            wire.until("\r\n\r\n").await;
            // It cannot all be on its way yet, since nobody reads.
            File::options().write(true).open(&file.0)?.set_len(4096)?;
            let mut rest = Vec::new();
            wire.stream.read_to_end(&mut rest).await?;
            assert!((rest.len() as u64) < LENGTH, "{} bytes", rest.len());
        }
        served.await?;
        let lines = log.at("ERROR");
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            let told = "the answer to GET / is cut off: body stream failed: the file became shorter meanwhile, ";
            assert!(line.contains(told), "{line}");
        }
        Ok(())
    });
}

#[test]
fn what_the_system_cannot_send_is_read_and_what_cannot_be_read_is_told() {
    on_loop(async {
        let log = Log::catch();
        // A folder can be opened like a file.
        let serving = serve(sender(&std::env::temp_dir(), 0, 100), Config::default())?;
        let mut wire = connect(&serving).await?;
        wire.send(GET).await;
        let answer = wire.rest().await;
        assert!(answer.ends_with("content-length: 100\r\n\r\n"), "{answer}");
        let lines = log.at("ERROR");
        let told = lines.first().map(String::as_str).unwrap_or_default();
        assert!(
            told.contains("is cut off") && told.contains("directory"),
            "{lines:?}"
        );
        Ok(())
    });
}

#[test]
fn a_client_that_takes_nothing_of_a_file_is_cut() {
    on_loop(async {
        let log = Log::catch();
        let file = Temporary::at(64 << 20, "stall", b"!");
        let config = Config {
            write_timeout: Duration::from_millis(100),
            ..Config::default()
        };
        let serving = serve(sender(&file.0, 0, 64 << 20), config)?;
        let mut wire = connect(&serving).await?;
        wire.send(GET).await;
        while serving.counts().open > 0 {
            squall_ioloop::sleep(Duration::from_millis(5)).await;
        }
        let lines = log.at("INFO");
        assert!(
            lines.iter().any(|line| line.contains("(write_timeout)")),
            "{lines:?}"
        );
        wire.until_end().await;
        Ok(())
    });
}

#[test]
fn a_client_that_leaves_amid_a_file_is_forgotten() {
    on_loop(async {
        let file = Temporary::at(64 << 20, "left", b"!");
        let serving = serve(sender(&file.0, 0, 64 << 20), Config::default())?;
        let mut wire = connect(&serving).await?;
        wire.send(GET).await;
        wire.until("\r\n\r\n").await;
        drop(wire);
        while serving.counts().open > 0 {
            squall_ioloop::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    });
}
