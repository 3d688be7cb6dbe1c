//! Writes down what happens in one run, on the run's thread, and passes it on.

use std::cell::Cell;
use std::panic::Location;
use std::path::Path;
use std::time::{Duration, Instant};

use squall::ioloop::{self, Activity};
use tokio::sync::mpsc::UnboundedSender;

use crate::event::{Event, Omitted, Span, Work};
use crate::log::Entry;
use crate::patterns::Pattern;

/// How many lines and log lines a run tells; those beyond it are counted. More than a person reads.
const LINES: usize = 1_000;
/// How many pieces of the timeline a run tells; those beyond it are counted. More than a screen has columns.
const SPANS: usize = 5_000;
/// How long a line may be, in characters; the rest is cut off.
const LETTERS: usize = 2_000;

/// Passes on what happens in a run; bounded, so the channel behind it need not be.
#[derive(Debug)]
pub(crate) struct Recorder {
    begun: Instant,
    source: String,
    /// The other end may have gone; then nobody wants to know.
    events: UnboundedSender<Event>,
    lines: Cell<usize>,
    spans: Cell<usize>,
}

impl Recorder {
    /// Begins the time of a run of `pattern`.
    pub(crate) fn new(pattern: &Pattern, events: UnboundedSender<Event>) -> Self {
        Self {
            begun: Instant::now(),
            source: format!("examples/{}.rs", pattern.name),
            events,
            lines: Cell::new(0),
            spans: Cell::new(0),
        }
    }

    pub(crate) fn line(&self, text: &str) {
        if counted(&self.lines, LINES) {
            let (at, text) = (self.now(), cut(text));
            self.tell(Event::Line { at, text });
        }
    }

    pub(crate) fn log(&self, entry: &Entry) {
        if counted(&self.lines, LINES) {
            self.tell(Event::Log {
                at: self.now(),
                text: cut(&entry.text),
                place: entry.place.clone(),
            });
        }
    }

    pub(crate) fn span(&self, span: ioloop::Span) {
        if !counted(&self.spans, SPANS) {
            return;
        }
        let (work, line) = match span.activity {
            Activity::Pool { thread, location } => (Work::Pool { thread }, self.line_of(location)),
            Activity::Run { location } => (Work::Run, self.line_of(location)),
            Activity::Wait => (Work::Wait, None),
            // What the loop may learn to tell later.
            _ => return,
        };
        self.tell(Event::Span(Span {
            work,
            from: self.since(span.start),
            to: self.since(span.end),
            line,
        }));
    }

    pub(crate) fn end(&self, error: Option<String>) {
        let omitted = Omitted {
            lines: self.lines.get().saturating_sub(LINES),
            spans: self.spans.get().saturating_sub(SPANS),
        };
        let (at, error) = (self.now(), error.map(|text| cut(&text)));
        self.tell(Event::End { at, error, omitted });
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn since(&self, time: Instant) -> Duration {
        time.saturating_duration_since(self.begun)
    }

    /// The line, if the place is in the source that the page shows.
    fn line_of(&self, location: &Location<'_>) -> Option<u32> {
        let shown = Path::new(location.file()).ends_with(&self.source);
        shown.then(|| location.line())
    }
}

/// Counts one more; false when that is too many.
fn counted(count: &Cell<usize>, limit: usize) -> bool {
    count.set(count.get() + 1);
    count.get() <= limit
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::ALL;
    use tokio::sync::mpsc::unbounded_channel;

    #[test]
    fn what_is_too_much_is_counted() {
        let (sender, mut receiver) = unbounded_channel();
        let recorder = Recorder::new(&ALL[0], sender);
        for _ in 0..LINES + 3 {
            recorder.line("a");
        }
        recorder.end(None);
        let mut events = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            events.push(event);
        }
        assert_eq!(events.len(), LINES + 1);
        let Some(Event::End { omitted, .. }) = events.last() else {
            panic!("the end comes last");
        };
        assert_eq!(*omitted, Omitted { lines: 3, spans: 0 });
    }

    #[test]
    fn a_long_line_is_cut_between_letters() {
        let long = "雨".repeat(LETTERS + 1);
        assert_eq!(cut(&long).chars().count(), LETTERS + 1);
        assert!(cut(&long).ends_with('…'));
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn only_lines_of_the_shown_source_are_told() {
        let (sender, _receiver) = unbounded_channel();
        let recorder = Recorder::new(&ALL[0], sender);
        assert_eq!(recorder.line_of(Location::caller()), None);
    }
}
