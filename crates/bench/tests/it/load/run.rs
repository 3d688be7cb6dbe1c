//! Runs the load program and reads its line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// No run of these tests takes longer, on the slowest machine.
const LONGEST: Duration = Duration::from_secs(60);

/// What the program said.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: i32,
    pub(super) line: String,
    pub(super) complaint: String,
    pub(super) took: Duration,
}

/// Runs `squall-load` with `arguments`, separated by spaces; a run that hangs fails the test.
pub(super) fn load(arguments: &str) -> Run {
    let began = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_squall-load"))
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver
        .recv_timeout(LONGEST)
        .unwrap_or_else(|_| panic!("`squall-load {arguments}` hangs"));
    Run::new(&output.expect("the program ends"), began.elapsed())
}

/// Runs it against a server until some hundred answers were right, with `more` arguments, and expects
/// a report.
pub(super) fn load_briefly(addr: SocketAddr, more: &str) -> Run {
    report(&format!(
        "--addr {addr} --warmup 0 --seconds 30 --requests 400 --connections 4 {more}"
    ))
}

/// Runs it for half a second against a server that answers nothing right.
pub(super) fn load_in_vain(addr: SocketAddr, more: &str) -> Run {
    report(&format!(
        "--addr {addr} --warmup 0 --seconds 0.5 --connections 4 {more}"
    ))
}

fn report(arguments: &str) -> Run {
    let run = load(arguments);
    assert_eq!(run.code, 0, "{}", run.complaint);
    run
}

impl Run {
    fn new(output: &Output, took: Duration) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().expect("no signal ended it"),
            line: text(&output.stdout),
            complaint: text(&output.stderr),
            took,
        }
    }

    /// The number called `name` in the report.
    pub(super) fn number(&self, name: &str) -> f64 {
        let value = self.after(name);
        let end = value.find([',', '}']).unwrap();
        value[..end]
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number in {}", self.line))
    }

    /// The text called `name` in the report, its escapes as they are.
    pub(super) fn text(&self, name: &str) -> &str {
        let value = self.after(name).strip_prefix('"').unwrap();
        let mut escaped = false;
        let end = value.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        &value[..end.unwrap()]
    }

    fn after(&self, name: &str) -> &str {
        let key = format!("\"{name}\":");
        let at = self.line.find(&key);
        let at = at.unwrap_or_else(|| panic!("no {name} in {}", self.line));
        &self.line[at + key.len()..]
    }

    /// Answers were right and nothing went wrong.
    pub(super) fn assert_clean(&self) {
        assert_eq!(self.number("wrong"), 0.0, "{}", self.line);
        assert_eq!(self.number("errors"), 0.0, "{}", self.line);
        assert!(self.number("requests") > 0.0, "{}", self.line);
        assert_eq!(self.line.lines().count(), 1, "one line: {}", self.line);
    }
}

/// A file for an argument, removed in the end.
#[derive(Debug)]
pub(super) struct TempFile(PathBuf);

impl TempFile {
    pub(super) fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("squall-load-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}
