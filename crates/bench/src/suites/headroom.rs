//! Headroom, for those who doubt the bench: a load program that is at its own limit measures itself. So it
//! must drive the epoll floor, which does nothing, faster than any server.
//!
//! One request at a time on a connection the kernel's share is nine tenths of everybody's, and no program
//! can be much faster than another; nor could a load program that cost nothing, for the floor's own core is at its
//! limit soon after. Which core sets the rate is told by the suites of rates themselves: "server busy" and "load
//! busy". So this is asked with 64 requests ahead: they share two system calls, and what is left is what the programs
//! do themselves.

use crate::bench::{Bench, Entry, Round};
use crate::report::{Better, Chart, Column, Row, Table};
use crate::servers::{FLOOR, Ready};
use crate::spread::Spread;
use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "headroom",
    measures: "how much faster the load drives the epoll floor than a server, 64 requests ahead on 64 connections",
    audience: "those who ask whether the load program is the bottleneck",
    work: Work::Tables { run, seconds },
};

/// How much faster than the fastest server the floor must be driven where user space decides.
const BAR: f64 = 1.5;
/// So many requests ahead that it does.
const AHEAD: usize = 64;

fn case() -> Case {
    Case {
        pipeline: AHEAD,
        ..Case::rate("headroom", Route::Plaintext)
    }
}

/// Who needs a hundred times as long for a request says nothing about a limit.
fn wanted(ready: &Ready) -> bool {
    !ready.server.slow
}

fn seconds(bench: &Bench) -> f64 {
    bench.expected(&case())
}

fn run(bench: &Bench) -> Vec<Table> {
    let mut entries = bench.rounds(&[case()], wanted);
    vec![table(&entries.pop().unwrap_or_default())]
}

fn table(entries: &[Entry<'_>]) -> Table {
    let floor = entries.iter().find(|entry| entry.name() == FLOOR);
    let rows = entries.iter().map(|entry| Row {
        name: entry.name().to_owned(),
        version: entry.ready.version.clone(),
        cells: vec![
            entry.spread(rate),
            entry.spread(Round::busy),
            entry.spread(|round| Some(round.load?.busy * 100.0)),
            Spread::of(entry.instructions.map(|one| one.user)),
        ],
        ratio: floor.and_then(|floor| {
            let pairs = floor.rounds.iter().zip(&entry.rounds);
            Spread::of(pairs.filter_map(|(floor, own)| Some(rate(floor)? / rate(own)?)))
        }),
        failed: entry.failed.clone(),
    });
    let rows: Vec<Row> = rows.collect();
    let column = |key, title, digits| Column { key, title, digits };
    Table {
        title: "headroom".to_owned(),
        chart: Chart::Column(0),
        better: Better::More,
        ratio: "floor ÷ this",
        columns: vec![
            column("rate", "requests/s", 0),
            column("server_busy", "server busy, %", 0),
            column("busy", "load busy, %", 0),
            column("user", "instr:u/request", 0),
        ],
        notes: verdict(&rows).into_iter().collect(),
        rows,
    }
}

fn rate(round: &Round) -> Option<f64> {
    Some(round.load?.rate)
}

/// What the table says about the load program.
fn verdict(rows: &[Row]) -> Option<String> {
    let others = rows.iter().filter(|row| row.name != FLOOR);
    let (fastest, ratio) = others
        .filter_map(|row| Some((row, row.ratio?.median)))
        .min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let busy = fastest.cells[2].map_or(100.0, |busy| busy.median);
    let verdict = match ratio >= BAR {
        true => format!("{BAR} times is wanted, so that is enough"),
        false => format!("{BAR} times is wanted, so that is too little"),
    };
    Some(format!(
        "The load drives the floor {ratio:.2} times as fast as the fastest server, {}, which leaves the load \
         idle for {:.0} % of the time; {verdict}.",
        fastest.name,
        100.0 - busy
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, ratio: f64) -> Row {
        Row {
            name: name.to_owned(),
            version: String::new(),
            cells: vec![None, None, Spread::of([60.0]), None],
            ratio: Spread::of([ratio]),
            failed: None,
        }
    }

    #[test]
    fn the_fastest_server_decides_and_not_the_floor() {
        let rows = [row("slow", 9.0), row(FLOOR, 1.0), row("fast", 1.4)];
        let text = verdict(&rows).unwrap();
        assert!(text.contains("1.40 times as fast as the fastest server, fast,"));
        assert!(text.contains("idle for 40 %") && text.ends_with("too little."));
        let enough = verdict(&[row("fast", 1.6)]);
        assert!(enough.unwrap().ends_with("enough."));
        assert_eq!(verdict(&[row(FLOOR, 1.0)]), None);
    }
}
