//! The bar on the terminal: how far the run is, what it does, and how long that will take.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Cells of the bar, whichever there is room for: few sizes, or it would change with every word beside it.
const WIDTHS: [usize; 3] = [24, 16, 8];
/// What a terminal that does not tell its width is taken for.
const USUAL: usize = 80;
/// How often the time left is written anew while a step lasts.
const TICK: Duration = Duration::from_secs(1);

/// Counts in seconds that were expected beforehand; the time left follows from how long the ones that
/// are over really took. On a terminal a thread keeps the bar going; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    state: Arc<Mutex<State>>,
    /// Without a terminal there is a line for each subject instead of a bar.
    terminal: bool,
}

#[derive(Debug)]
struct State {
    /// Seconds of the whole run; `None` while nobody can say, as before a build.
    expected: Option<f64>,
    /// Those that are over, without the step that is being taken.
    over: f64,
    /// When the run began.
    start: Instant,
    step: Step,
    /// Columns that the bar has on the terminal; 0 when there is none.
    drawn: usize,
    /// Whether there is to be a bar.
    shown: bool,
}

/// What is being done.
#[derive(Debug)]
struct Step {
    subject: String,
    detail: String,
    /// How long it should take, in seconds.
    seconds: f64,
    began: Instant,
}

impl Progress {
    /// Of a run that should take `expected` seconds.
    pub(crate) fn new(expected: f64) -> Self {
        Self::start(Some(expected.max(1.0)))
    }

    /// Of something of which nobody can say how long it takes: the time that has passed stands for the time left.
    pub(crate) fn open() -> Self {
        Self::start(None)
    }

    fn start(expected: Option<f64>) -> Self {
        let now = Instant::now();
        let state = Arc::new(Mutex::new(State {
            expected,
            over: 0.0,
            start: now,
            step: Step {
                subject: String::new(),
                detail: String::new(),
                seconds: 0.0,
                began: now,
            },
            drawn: 0,
            shown: false,
        }));
        let terminal = io::stderr().is_terminal();
        if terminal {
            let state = Arc::downgrade(&state);
            // Without the thread, the bar moves from step to step.
            let _ = thread::Builder::new()
                .name("progress".to_owned())
                .spawn(move || tick(&state));
        }
        Self { state, terminal }
    }

    /// Begins a step that should take so many seconds. Where there is no terminal, a new `subject` gets a line of
    /// its own and the `detail` is not told, except where that is all there is to tell.
    pub(crate) fn step(&self, subject: &str, detail: &str, seconds: f64) {
        let mut state = self.state();
        let is_new = state.step.subject != subject;
        state.step = Step {
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            seconds,
            began: Instant::now(),
        };
        if self.terminal {
            state.shown = true;
            state.draw();
            return;
        }
        // Whoever listened may be gone, which does not matter here.
        let _ = match state.left(Instant::now()) {
            None => writeln!(io::stderr(), "{subject} {detail}"),
            Some(left) if is_new => {
                let left = clock(left);
                writeln!(io::stderr(), "{subject} (about {left} left in all)")
            }
            Some(_) => Ok(()),
        };
    }

    /// The step is over.
    pub(crate) fn done(&self) {
        let mut state = self.state();
        state.over += state.step.seconds;
        state.step.seconds = 0.0;
    }

    /// So many of the expected seconds are over, however many were counted: servers that failed are not waited for.
    pub(crate) fn reach(&self, seconds: f64) {
        let mut state = self.state();
        state.over = seconds;
        state.step.seconds = 0.0;
    }

    /// Takes the bar away until the next step, so that something else can be printed.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.shown = false;
        state.erase();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Draws the bar anew again and again, as long as there is somebody to draw it for.
fn tick(state: &Weak<Mutex<State>>) {
    loop {
        thread::sleep(TICK);
        let Some(state) = state.upgrade() else {
            return;
        };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.shown {
            state.draw();
        }
    }
}

impl State {
    fn draw(&mut self) {
        let width = columns();
        // A line that fills the last column would make some terminals begin a new one.
        let line = self.line(Instant::now(), width.saturating_sub(1));
        let back = back(self.drawn, width);
        self.drawn = line.chars().count();
        print(&format!("{back}{line}\x1b[K"));
    }

    fn erase(&mut self) {
        if self.drawn > 0 {
            print(&back(self.drawn, columns()));
            self.drawn = 0;
        }
    }

    /// Expected seconds that are over: those of the step that is being taken count as they pass, but no more
    /// than were expected of it.
    fn over(&self, now: Instant) -> f64 {
        let passed = (now - self.step.began).as_secs_f64();
        self.over + passed.min(self.step.seconds)
    }

    fn left(&self, now: Instant) -> Option<Duration> {
        let expected = self.expected?;
        Some(remaining(expected, self.over(now), now - self.start))
    }

    /// What is on the terminal, in at most so many columns.
    fn line(&self, now: Instant, columns: usize) -> String {
        let Step {
            subject, detail, ..
        } = &self.step;
        let Some((expected, left)) = self.expected.zip(self.left(now)) else {
            let passed = clock(now - self.step.began);
            return cut(format!("{passed}  {subject} {detail}"), columns);
        };
        let share = (self.over(now) / expected).min(1.0);
        let text = format!(
            "{:3.0} %  {} left  {subject}: {detail}",
            share * 100.0,
            clock(left)
        );
        let room = columns.saturating_sub(text.chars().count() + 1);
        let Some(cells) = WIDTHS.into_iter().find(|cells| *cells <= room) else {
            return cut(text.trim_start().to_owned(), columns);
        };
        let full = (share * cells as f64) as usize;
        let bar: String = (0..cells)
            .map(|place| if place < full { '█' } else { '░' })
            .collect();
        format!("{bar} {text}")
    }
}

/// To the beginning of a line of so many columns, and everything from there on away. A terminal that has become
/// narrower has broken the line.
fn back(drawn: usize, width: usize) -> String {
    match drawn.saturating_sub(1) / width.max(1) {
        0 => "\r\x1b[K".to_owned(),
        lines => format!("\x1b[{lines}A\r\x1b[J"),
    }
}

/// At most so many columns of a text.
fn cut(text: String, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text;
    }
    let mut short: String = text.chars().take(columns.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The width of the terminal.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    match size.map(|size| usize::from(size.ws_col)) {
        Ok(0) | Err(_) => USUAL,
        Ok(columns) => columns,
    }
}

fn print(text: &str) {
    let mut stderr = io::stderr();
    // A terminal that is gone does not matter here.
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// The rest at the pace so far, which at the beginning is the expected one.
fn remaining(expected: f64, over: f64, elapsed: Duration) -> Duration {
    // The first seconds say little about the pace.
    const TRUST: f64 = 10.0;
    let pace = (elapsed.as_secs_f64() + TRUST) / (over + TRUST);
    Duration::from_secs_f64((expected - over).max(0.0) * pace)
}

/// Minutes and seconds, and hours where there are some.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_at_half_the_pace_takes_twice_the_rest() {
        let left = remaining(1000.0, 490.0, Duration::from_secs(990));
        assert_eq!(left, Duration::from_secs(1020));
        assert_eq!(clock(left), "17:00");
        assert_eq!(clock(Duration::from_secs(3601)), "1:00:01");
        assert_eq!(
            remaining(100.0, 0.0, Duration::ZERO),
            Duration::from_secs(100)
        );
    }

    fn at(seconds: f64) -> (State, Instant) {
        let start = Instant::now();
        let state = State {
            expected: Some(100.0),
            over: 20.0,
            start,
            step: Step {
                subject: "plaintext".to_owned(),
                detail: "squall-floor, round 1 of 3".to_owned(),
                seconds: 10.0,
                began: start,
            },
            drawn: 0,
            shown: true,
        };
        (state, start + Duration::from_secs_f64(seconds))
    }

    #[test]
    fn the_line_fits_whatever_the_width() {
        let (state, now) = at(0.0);
        for columns in 1..120 {
            let line = state.line(now, columns);
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        let wide = state.line(now, 119);
        assert!(
            wide.starts_with("████░░░░░░░░░░░░░░░░░░░░  20 %  0:"),
            "{wide}"
        );
        assert!(wide.ends_with("left  plaintext: squall-floor, round 1 of 3"));
        let narrow = state.line(now, 39);
        assert!(
            narrow.starts_with("20 %  0:") && narrow.ends_with('…'),
            "{narrow}"
        );
    }

    #[test]
    fn a_step_counts_while_it_lasts_but_no_more_than_was_expected_of_it() {
        let (state, now) = at(4.0);
        assert_eq!(state.over(now), 24.0);
        let (state, now) = at(60.0);
        assert_eq!(state.over(now), 30.0);
    }

    #[test]
    fn a_line_that_a_narrower_terminal_has_broken_is_taken_back_whole() {
        assert_eq!(back(79, 80), "\r\x1b[K");
        assert_eq!(back(79, 40), "\x1b[1A\r\x1b[J");
        assert_eq!(back(81, 40), "\x1b[2A\r\x1b[J");
    }

    #[test]
    fn without_an_expectation_the_time_that_has_passed_is_told() {
        let (mut state, now) = at(61.0);
        state.expected = None;
        assert_eq!(
            state.line(now, 79),
            "1:01  plaintext squall-floor, round 1 of 3"
        );
    }
}
