//! What a run tells: its lines, what the loop did with its time, its end.

use std::time::Duration;

use serde_json::{Value, json};

/// Something that happened in a run. Times are since its beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The program has ended; nothing comes after it.
    End {
        at: Duration,
        /// Why, if not because it was done.
        error: Option<String>,
        omitted: Omitted,
    },
    /// The program printed a line.
    Line { at: Duration, text: String },
    /// Something was logged on the program's thread.
    Log {
        at: Duration,
        text: String,
        /// Where what is told about was made: `file:line:column`.
        place: Option<String>,
    },
    /// A piece of the timeline.
    Span(Span),
}

/// A stretch of time and what it went into.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) work: Work,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// The line of the pattern's source that gave the work, if it was one.
    pub(crate) line: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    /// The thread of a pool worked.
    Pool { thread: String },
    /// The loop worked.
    Run,
    /// The loop waited.
    Wait,
}

/// How much was not told, because a run tells only so much.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Omitted {
    pub(crate) lines: usize,
    pub(crate) spans: usize,
}

impl Event {
    /// The name of the event on the page.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::End { .. } => "end",
            Self::Line { .. } => "line",
            Self::Log { .. } => "log",
            Self::Span(_) => "span",
        }
    }

    /// The data of the event on the page; times become microseconds.
    pub(crate) fn data(&self) -> Value {
        match self {
            Self::End { at, error, omitted } => json!({
                "at": micros(*at),
                "error": error,
                "omitted": { "lines": omitted.lines, "spans": omitted.spans },
            }),
            Self::Line { at, text } => json!({ "at": micros(*at), "text": text }),
            Self::Log { at, text, place } => {
                json!({ "at": micros(*at), "text": text, "place": place })
            }
            Self::Span(span) => span.data(),
        }
    }
}

impl Span {
    fn data(&self) -> Value {
        let (kind, thread) = match &self.work {
            Work::Pool { thread } => ("pool", Some(thread)),
            Work::Run => ("run", None),
            Work::Wait => ("wait", None),
        };
        json!({
            "kind": kind,
            "thread": thread,
            "from": micros(self.from),
            "to": micros(self.to),
            "line": self.line,
        })
    }
}

/// To a tenth, for many a turn of the loop takes less than one.
fn micros(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e7).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_as_the_page_gets_them() {
        let at = Duration::from_nanos(1_234_560);
        let span = Span {
            work: Work::Pool {
                thread: "p-0".to_owned(),
            },
            from: Duration::ZERO,
            to: at,
            line: Some(7),
        };
        for (event, name, data) in [
            (
                Event::Line {
                    at,
                    text: "a".to_owned(),
                },
                "line",
                json!({"at": 1234.6, "text": "a"}),
            ),
            (
                Event::Log {
                    at,
                    text: "a".to_owned(),
                    place: None,
                },
                "log",
                json!({"at": 1234.6, "text": "a", "place": null}),
            ),
            (
                Event::Span(span),
                "span",
                json!({"kind": "pool", "thread": "p-0", "from": 0.0, "to": 1234.6, "line": 7}),
            ),
            (
                Event::End {
                    at,
                    error: None,
                    omitted: Omitted { lines: 1, spans: 2 },
                },
                "end",
                json!({"at": 1234.6, "error": null, "omitted": {"lines": 1, "spans": 2}}),
            ),
        ] {
            assert_eq!(event.name(), name);
            assert_eq!(event.data(), data);
        }
    }
}
