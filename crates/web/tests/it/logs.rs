//! What the application logs, for tests to look at.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// The lines that this thread logs while the value lives.
pub(crate) struct Logs {
    lines: Arc<Mutex<Vec<(Level, String)>>>,
    _guard: DefaultGuard,
}

impl Logs {
    pub(crate) fn capture() -> Self {
        let lines = Arc::default();
        let capture = Capture {
            lines: Arc::clone(&lines),
        };
        Self {
            lines,
            _guard: tracing::subscriber::set_default(capture),
        }
    }

    /// All lines of this level so far.
    pub(crate) fn take(&self, level: Level) -> Vec<String> {
        let mut lines = self.lines.lock().expect("no panic here");
        let of_level = lines.extract_if(.., |line| line.0 == level);
        of_level.map(|(_, text)| text).collect()
    }
}

struct Capture {
    lines: Arc<Mutex<Vec<(Level, String)>>>,
}

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
        let mut text = Text(String::new());
        event.record(&mut text);
        let line = (*event.metadata().level(), text.0);
        self.lines.lock().expect("no panic here").push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
