//! The bar on the terminal: how far the run is, what it does, and how long that will take.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

const WIDTH: usize = 24;

/// Counts in seconds that were expected beforehand; the time left follows from how long the ones that
/// are over really took.
#[derive(Debug)]
pub(crate) struct Progress {
    expected: f64,
    over: Cell<f64>,
    start: Instant,
    /// Without a terminal there is a line for each subject instead of a bar.
    terminal: bool,
    subject: RefCell<String>,
}

impl Progress {
    /// Of a run that should take `expected` seconds.
    pub(crate) fn new(expected: f64) -> Self {
        Self {
            expected: expected.max(1.0),
            over: Cell::new(0.0),
            start: Instant::now(),
            terminal: io::stderr().is_terminal(),
            subject: RefCell::default(),
        }
    }

    /// Says what is done now: `subject` on a line of its own where there is no terminal, `detail` only
    /// on a terminal.
    pub(crate) fn show(&self, subject: &str, detail: &str) {
        let mut stderr = io::stderr();
        // A terminal that is gone does not matter here.
        if self.terminal {
            let line = self.line(subject, detail);
            let _ = write!(stderr, "\r{line}\x1b[K").and_then(|()| stderr.flush());
        } else if *self.subject.borrow() != subject {
            let left = clock(self.left());
            let _ = writeln!(stderr, "{subject} (about {left} left in all)");
        }
        subject.clone_into(&mut self.subject.borrow_mut());
    }

    /// That many of the expected seconds are over.
    pub(crate) fn advance(&self, seconds: f64) {
        let over = self.over.get() + seconds;
        self.over.set(over.min(self.expected));
    }

    /// Takes the bar away, so that a table can be printed.
    pub(crate) fn clear(&self) {
        if self.terminal {
            let mut stderr = io::stderr();
            let _ = write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush());
        }
    }

    fn left(&self) -> Duration {
        remaining(self.expected, self.over.get(), self.start.elapsed())
    }

    fn line(&self, subject: &str, detail: &str) -> String {
        let share = self.over.get() / self.expected;
        let full = (share * WIDTH as f64) as usize;
        let bar: String = (0..WIDTH)
            .map(|place| if place < full { '█' } else { '░' })
            .collect();
        let left = clock(self.left());
        format!(
            "{bar} {:3.0} %  {left} left  {subject}: {detail}",
            share * 100.0
        )
    }
}

/// The rest at the pace so far, which at the beginning is the expected one.
fn remaining(expected: f64, over: f64, elapsed: Duration) -> Duration {
    // The first seconds say little about the pace.
    const TRUST: f64 = 10.0;
    let pace = (elapsed.as_secs_f64() + TRUST) / (over + TRUST);
    Duration::from_secs_f64((expected - over).max(0.0) * pace)
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_at_half_the_pace_takes_twice_the_rest() {
        let left = remaining(1000.0, 490.0, Duration::from_secs(990));
        assert_eq!(left, Duration::from_secs(1020));
        assert_eq!(clock(left), "17:00");
        assert_eq!(
            remaining(100.0, 0.0, Duration::ZERO),
            Duration::from_secs(100)
        );
    }
}
