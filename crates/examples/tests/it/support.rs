//! What the tests share.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Once;

use squall_examples::{causes, say, stage};

/// A program's entry.
pub(crate) type Run = fn(&[String]) -> squall::Result<()>;

/// What a program has said and logged, and the line with which it has failed, if it has.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) lines: Vec<String>,
    pub(crate) error: Option<String>,
}

impl Play {
    /// The error of a program that has to fail.
    pub(crate) fn failure(&self) -> &str {
        let error = self.error.as_deref().expect("the program has failed");
        assert!(
            !error.contains('\n') && !error.contains('{'),
            "one line for people, no dump: {error}"
        );
        error
    }
}

/// Runs a program on this thread with its lines on the stage.
pub(crate) fn play(run: Run, args: &[&str]) -> Play {
    log_to_stage();
    let lines = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&lines);
    stage::on_line(move |text| {
        let mut lines = sink.borrow_mut();
        lines.extend(text.lines().map(str::to_owned));
    });
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let result = run(&args);
    stage::clear();
    Play {
        lines: lines.take(),
        error: result.err().map(|err| causes(err.as_ref())),
    }
}

/// Checks that a program has succeeded, and has said what the header of its source promises, in that order.
#[track_caller]
pub(crate) fn assert_kept(source: &str, play: &Play) {
    assert_eq!(play.error, None, "{:#?}", play.lines);
    let mut said = play.lines.iter();
    for promised in promises(source) {
        let keeps = |line: &String| match promised.strip_prefix("~ ") {
            Some(part) => line.contains(part),
            None => line == promised,
        };
        assert!(said.any(keeps), "`{promised}` is not in {:#?}", play.lines);
    }
}

/// The lines of the `Prints:` block.
pub(crate) fn promises(source: &str) -> Vec<&str> {
    let promises: Vec<&str> = source
        .lines()
        .skip_while(|line| *line != "//! Prints:")
        .skip(1)
        .map_while(|line| line.strip_prefix("//!     "))
        .collect();
    assert!(!promises.is_empty(), "the header promises nothing");
    promises
}

/// An address on which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// An empty folder for one test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Has the log say its lines as well, as it does in the tour.
fn log_to_stage() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(|| Stage)
            .init();
    });
}

struct Stage;

impl Write for Stage {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        say!("{}", String::from_utf8_lossy(bytes).trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
