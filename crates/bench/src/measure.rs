//! Rounds that alternate between Squall and a peer.

use std::process::ExitCode;
use std::time::Instant;

use crate::count;
use crate::memory;
use crate::suites;

/// The hidden first argument with which the program runs one contender of one row, so that a child
/// can be counted by another program or have its memory read.
pub(crate) const ONE: &str = "--one";

/// A thing that Squall and a peer both do.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// Also its name for `--one`.
    pub(crate) name: &'static str,
    /// What the peer does instead.
    pub(crate) peer: &'static str,
    /// The ratio that must not be passed.
    pub(crate) bar: f64,
    /// How often a round does it.
    pub(crate) times: u64,
    /// Whether instructions mean anything: not where threads wait for each other.
    pub(crate) counted: bool,
    /// Does it that often.
    pub(crate) ours: fn(u64),
    pub(crate) theirs: fn(u64),
}

/// What a row came to, each figure for doing it once.
pub(crate) struct Outcome {
    pub(crate) row: Row,
    pub(crate) ours: Spread,
    pub(crate) theirs: Spread,
    /// Median of the ratios of neighbouring rounds.
    pub(crate) ratio: f64,
    /// Instructions in user space: ours and theirs.
    pub(crate) instructions: Option<(f64, f64)>,
}

/// Nanoseconds: the median and how far the rounds went.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

/// Measures a row.
pub(crate) fn measure(row: Row, rounds: usize, counter: Option<count::Counter>) -> Outcome {
    // One round each that does not count warms the caches and the allocator.
    time(row.ours, row.times);
    time(row.theirs, row.times);
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for round in 0..rounds {
        // Whoever comes second changes, so that a drift of the machine hurts both.
        if round % 2 == 0 {
            ours.push(time(row.ours, row.times));
            theirs.push(time(row.theirs, row.times));
        } else {
            theirs.push(time(row.theirs, row.times));
            ours.push(time(row.ours, row.times));
        }
    }
    let ratios = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
    let instructions = counter
        .filter(|_| row.counted)
        .and_then(|counter| Some((counter.count(row, "ours")?, counter.count(row, "theirs")?)));
    Outcome {
        row,
        ours: spread(ours),
        theirs: spread(theirs),
        ratio: spread(ratios).median,
        instructions,
    }
}

fn time(run: fn(u64), times: u64) -> f64 {
    let start = Instant::now();
    run(times);
    start.elapsed().as_nanos() as f64 / times as f64
}

fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    Spread {
        least: values[0],
        median: values[values.len() / 2],
        most: values[values.len() - 1],
    }
}

/// Runs one contender: `NAME ours|theirs TIMES`.
pub(crate) fn run_one(arguments: &[String]) -> ExitCode {
    let [name, side, times] = arguments else {
        return ExitCode::from(2);
    };
    let Ok(times) = times.parse() else {
        return ExitCode::from(2);
    };
    if let Some(row) = suites::ioloop::rows().iter().find(|row| row.name == name) {
        if side == "ours" {
            (row.ours)(times);
        } else {
            (row.theirs)(times);
        }
        return ExitCode::SUCCESS;
    }
    memory::run_one(name, side, times)
}
