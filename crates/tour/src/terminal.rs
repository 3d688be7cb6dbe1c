//! Patterns in the terminal: their lines as they come, then what ran when.

mod timeline;

use std::io::{self, ErrorKind, Write as _};

use tracing::Level;

use crate::event::{Event, Span};
use crate::log::{self, Entry};
use crate::patterns::{ALL, Pattern};
use crate::show::{NotStarted, Stage};

/// Prints text as it is.
///
/// # Errors
///
/// A sentence, when standard output does not take it. A reader that has gone away (`| head -1`) is no error.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut output = io::stdout();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(err) if err.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written: {err}"))
        }
        _ => Ok(()),
    }
}

/// Prints the patterns, one a line, the name first.
///
/// # Errors
///
/// As for [`print()`].
pub(crate) fn list() -> Result<(), String> {
    let width = ALL.iter().map(|pattern| pattern.name.len()).max();
    let width = width.unwrap_or_default();
    let lines = ALL
        .iter()
        .map(|pattern| format!("{:width$}  {}\n", pattern.name, pattern.summary));
    print(&lines.collect::<String>())
}

/// Runs a pattern.
///
/// # Errors
///
/// A sentence: what the pattern ended with.
pub(crate) fn run(pattern: &'static Pattern, args: Vec<String>) -> Result<(), String> {
    log::init(log::Watched::Silent);
    let mut show = match Stage::default().start(pattern, args) {
        Ok(show) => show,
        Err(NotStarted::Full) => return Err("too many patterns are running".to_owned()),
        Err(NotStarted::Io(err)) => return Err(format!("no thread for the pattern: {err}")),
    };
    let mut spans: Vec<Span> = Vec::new();
    while let Some(event) = show.blocking_next() {
        match event {
            Event::Line { text, .. } => print(&format!("{text}\n"))?,
            Event::Log { text, place, .. } => log::print(&Entry {
                level: Level::ERROR,
                text,
                place,
            }),
            Event::Span(span) => spans.push(span),
            Event::End { at, error, .. } => {
                if !spans.is_empty() {
                    print(&format!("\n{}", timeline::draw(&spans, at)))?;
                }
                return error.map_or(Ok(()), Err);
            }
        }
    }
    Err("the pattern ended without a word".to_owned())
}
