//! Latency beside idle connections, for realtime services: few requests, of which each should be
//! answered at once, while thousands of connections are open. Requests are sent at fixed times, and
//! one that had to wait to be sent counts from the time at which it should have been.

use crate::bench::{Bench, Entry, Round};
use crate::drive::Load;
use crate::report::{Better, Chart, Column, Row, Table};
use crate::spread::Spread;
use crate::suite::{Case, Measure, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "latency_idle",
    measures: "time to answer 1,000 requests a second, on 64 connections, with 15,000 idle ones open (2,000 with --quick) and with none",
    audience: "realtime services: do open connections make the busy ones wait",
    work: Work::Tables { run, seconds },
};

const RATE: u32 = 1_000;

fn cases(quick: bool) -> [Case; 2] {
    let case = |title, idle| Case {
        measure: Measure::Latency(RATE),
        idle,
        ..Case::rate(title, Route::Plaintext)
    };
    let many = if quick {
        case("latency_idle, 2,000 idle", 2_000)
    } else {
        case("latency_idle, 15,000 idle", 15_000)
    };
    [case("latency_idle, none idle", 0), many]
}

fn seconds(bench: &Bench) -> f64 {
    cases(bench.pace.quick)
        .iter()
        .map(|case| bench.expected(case))
        .sum()
}

fn run(bench: &Bench) -> Vec<Table> {
    let cases = cases(bench.pace.quick);
    let entries = bench.rounds(&cases, |_| true);
    let [none, many] = &entries[..] else {
        unreachable!("there are as many lists of entries as cases");
    };
    vec![table(cases[1].title, none, many)]
}

/// The same servers in both cases, so their rounds are neighbours.
fn table(title: &str, none: &[Entry<'_>], many: &[Entry<'_>]) -> Table {
    let column = |key, title, digits| Column { key, title, digits };
    Table {
        title: title.to_owned(),
        chart: Chart::Ratio,
        better: Better::Less,
        ratio: "p99 with ÷ without",
        columns: vec![
            column("none_p50", "p50 µs, none idle", 0),
            column("none_p99", "p99 µs, none idle", 0),
            column("p50", "p50 µs", 0),
            column("p99", "p99 µs", 0),
            column("p999", "p99.9 µs", 0),
            column("none_cpu", "CPU µs/request, none idle", 2),
            column("cpu", "CPU µs/request", 2),
        ],
        rows: none.iter().zip(many).map(row).collect(),
        notes: Vec::new(),
    }
}

fn row((none, many): (&Entry<'_>, &Entry<'_>)) -> Row {
    let of = |entry: &Entry<'_>, pick: fn(&Load) -> f64| {
        entry.spread(|round| round.load.as_ref().map(pick))
    };
    let p99 = |round: &Round| round.load.map(|load| load.p99);
    let pairs = none.rounds.iter().zip(&many.rounds);
    Row {
        name: none.name().to_owned(),
        version: none.ready.version.clone(),
        cells: vec![
            of(none, |load| load.p50),
            of(none, |load| load.p99),
            of(many, |load| load.p50),
            of(many, |load| load.p99),
            of(many, |load| load.p999),
            none.spread(|round| round.cpu),
            many.spread(|round| round.cpu),
        ],
        ratio: Spread::of(pairs.filter_map(|(none, many)| Some(p99(many)? / p99(none)?))),
        failed: none.failed.clone().or(many.failed.clone()),
    }
}
