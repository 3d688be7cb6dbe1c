//! What the header of an example promises that it prints.
//!
//! ```text
//! //! Prints:
//! //!     a whole line
//! //!     ~ a part of a line
//! ```
//!
//! The lines have to come in this order; others may stand between them.

use std::fmt;

/// The lines that a program promises to print, in order.
#[derive(Debug, PartialEq)]
pub(crate) struct Promise(Vec<Line>);

/// One promised line.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Containing(String),
    Whole(String),
}

impl Promise {
    /// Reads the `Prints:` block out of the header of a program; `None` without one, or when it
    /// promises nothing.
    pub(crate) fn of(source: &str) -> Option<Self> {
        let lines: Vec<Line> = source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .skip_while(|line| line.trim() != "Prints:")
            .skip(1)
            // Markdown wants an empty line before an indented block.
            .skip_while(|line| line.trim().is_empty())
            .map_while(|line| line.strip_prefix("    "))
            .map(Line::parse)
            .collect();
        (!lines.is_empty()).then_some(Self(lines))
    }

    /// The first promised line that is not in `output` after the ones before it.
    pub(crate) fn broken_by(&self, output: &str) -> Option<&Line> {
        let mut printed = output.lines();
        self.0
            .iter()
            .find(|promised| !printed.any(|line| promised.is_kept_by(line)))
    }
}

impl Line {
    fn parse(text: &str) -> Self {
        let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
        match text.trim_start().strip_prefix('~') {
            Some(part) => Self::Containing(part.trim().to_owned()),
            None => Self::Whole(text.to_owned()),
        }
    }

    fn is_kept_by(&self, line: &str) -> bool {
        match self {
            Self::Containing(part) => line.contains(part),
            Self::Whole(whole) => line.trim_end() == whole,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Containing(part) => write!(formatter, "a line with `{part}`"),
            Self::Whole(whole) => write!(formatter, "the line `{whole}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! A result through a done callback.
//!
//! Prints:
//!
//!     start
//!       indented
//!     ~ request time
//!     end
//!
//! Try another address.

fn main() {}
//! Prints:
";

    #[test]
    fn a_header_is_read() {
        let whole = |text: &str| Line::Whole(text.to_owned());
        let promise = Promise::of(SOURCE).unwrap();
        assert_eq!(
            promise.0,
            [
                whole("start"),
                whole("  indented"),
                Line::Containing("request time".to_owned()),
                whole("end")
            ]
        );
    }

    #[test]
    fn a_header_without_promises_is_none() {
        for source in [
            "",
            "//! A.\n",
            "//! Prints:\n",
            "//! Prints:\n//! start\n",
            "fn a() {}",
        ] {
            assert_eq!(Promise::of(source), None, "{source}");
        }
    }

    #[test]
    fn lines_are_kept_in_order() {
        let promise = Promise::of(SOURCE).unwrap();
        let kept = "start\nlog\n  indented  \nthe request time: 3 ms\nend\n";
        assert_eq!(promise.broken_by(kept), None);
        let turned = "start\nend\n  indented\nrequest time\n";
        assert_eq!(
            promise.broken_by(turned).unwrap().to_string(),
            "the line `end`"
        );
        let partial = "start here\n";
        assert_eq!(
            promise.broken_by(partial).unwrap().to_string(),
            "the line `start`"
        );
    }
}
