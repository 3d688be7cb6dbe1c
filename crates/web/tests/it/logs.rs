//! What the application logs, for tests to look at.
//!
//! One subscriber serves all tests of the process, and each thread keeps its own lines. Were there one for each test,
//! `tracing` might remember of a log line, first reached on a thread without one, that nobody wants it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    /// None: nobody looks at what this thread logs.
    static LINES: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

/// Makes every thread's lines capturable, once for the process and before anything is logged.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        tracing::subscriber::set_global_default(Capture).expect("the only one");
    });
}

/// The lines that this thread logs while the value lives.
pub(crate) struct Logs(());

impl Logs {
    pub(crate) fn capture() -> Self {
        install();
        LINES.replace(Some(Vec::new()));
        Self(())
    }

    /// Takes the lines of this level so far.
    pub(crate) fn take(&self, level: Level) -> Vec<String> {
        LINES.with_borrow_mut(|lines| {
            let lines = lines.as_mut().expect("captured");
            let of_level = lines.extract_if(.., |line| line.0 == level);
            of_level.map(|(_, text)| text).collect()
        })
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        LINES.replace(None);
    }
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("squall::web")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let line = (*event.metadata().level(), text.line);
        LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.push(line.clone())));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A line as it is printed: the message, and the other fields behind it.
#[derive(Default)]
struct Text {
    line: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.line.insert_str(0, &format!("{value:?}"));
        } else {
            self.line += &format!(" {}={value:?}", field.name());
        }
    }
}
