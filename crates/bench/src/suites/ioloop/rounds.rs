//! Rounds that alternate between Squall and a peer.

use std::time::Instant;

use crate::cost;
use crate::count::Counter;
use crate::spread::Spread;

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
    /// Nanoseconds, as `theirs`.
    pub(crate) ours: Spread,
    pub(crate) theirs: Spread,
    /// Of neighbouring rounds.
    pub(crate) ratio: Spread,
    /// Instructions in user space: ours and theirs.
    pub(crate) instructions: Option<(f64, f64)>,
}

/// Measures a row.
pub(crate) fn measure(row: Row, rounds: usize, counter: Option<Counter>) -> Outcome {
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
    let ratios = ours.iter().zip(&theirs).map(|(a, b)| a / b);
    let ratio = spread(ratios.collect());
    let count = |counter: Counter, side: &str| cost::difference(counter, row.name, side, row.times);
    let instructions = counter
        .filter(|_| row.counted)
        .and_then(|counter| Some((count(counter, "ours")?, count(counter, "theirs")?)));
    Outcome {
        row,
        ours: spread(ours),
        theirs: spread(theirs),
        ratio,
        instructions,
    }
}

fn time(run: fn(u64), times: u64) -> f64 {
    let start = Instant::now();
    run(times);
    start.elapsed().as_nanos() as f64 / times as f64
}

fn spread(values: Vec<f64>) -> Spread {
    Spread::of(values).expect("there is at least one round")
}
