//! The table of a case.

use super::{Entry, Round};
use crate::drive::Load;
use crate::report::{Better, Chart, Column, Row, Table};
use crate::servers::SQUALL;
use crate::spread::Spread;
use crate::suite::{Case, Measure};

/// The table of a case.
pub(super) fn of(case: &Case, entries: &[Entry<'_>]) -> Table {
    let (columns, better, primary) = columns(case);
    let base = entries
        .iter()
        .find(|entry| entry.name() == SQUALL && entry.failed.is_none());
    let rows = entries
        .iter()
        .map(|entry| row(case, entry, base, primary))
        .collect();
    Table {
        title: case.title.to_owned(),
        chart: Chart::Column(primary),
        better,
        ratio: if by_cost(case) {
            "CPU × Squall"
        } else {
            "× Squall"
        },
        columns,
        rows,
        notes: Vec::new(),
    }
}

fn columns(case: &Case) -> (Vec<Column>, Better, usize) {
    let column = |key, title, digits| Column { key, title, digits };
    if let Measure::Memory(_) = case.measure {
        let columns = vec![column("private", "private bytes/connection", 0)];
        return (columns, Better::Less, 0);
    }
    let (rate, cpu, user, kernel) = match case.unit() {
        "delivery" => (
            "deliveries/s",
            "CPU µs/delivery",
            "instr:u/delivery",
            "instr:k/delivery",
        ),
        "message" => (
            "messages/s",
            "CPU µs/message",
            "instr:u/message",
            "instr:k/message",
        ),
        _ => (
            "requests/s",
            "CPU µs/request",
            "instr:u/request",
            "instr:k/request",
        ),
    };
    let mut columns = vec![
        column("rate", rate, 0),
        column("p50", "p50 µs", 0),
        column("p99", "p99 µs", 0),
        column("p999", "p99.9 µs", 0),
        column("cpu", cpu, 2),
        column("user", user, 0),
        column("kernel", kernel, 0),
    ];
    if let Measure::Latency(_) = case.measure {
        return (columns, Better::Less, 1);
    }
    if case.measure == Measure::Rate {
        columns.push(column("server_busy", "server busy, %", 0));
    }
    columns.push(column("busy", "load busy, %", 0));
    if by_cost(case) {
        (columns, Better::Less, 4)
    } else {
        (columns, Better::More, 0)
    }
}

/// Whether servers are compared by processor time, because the load program has more to do than they: the rate is
/// its own where messages go to thousands, and where every request has a connection of its own.
fn by_cost(case: &Case) -> bool {
    case.measure == Measure::Deliveries || case.close
}

fn row(case: &Case, entry: &Entry<'_>, base: Option<&Entry<'_>>, primary: usize) -> Row {
    let cells = cells(case, entry);
    let figure = |round: &Round| figure(case, round);
    let ratio = base.and_then(|base| {
        let pairs = entry.rounds.iter().zip(&base.rounds);
        Spread::of(pairs.filter_map(|(own, squall)| Some(figure(own)? / figure(squall)?)))
    });
    debug_assert!(primary < cells.len(), "the chart shows a column");
    Row {
        name: entry.name().to_owned(),
        version: entry.ready.version.clone(),
        cells,
        ratio: ratio.filter(|_| entry.failed.is_none()),
        failed: entry.failed.clone(),
    }
}

/// What rounds are compared by.
fn figure(case: &Case, round: &Round) -> Option<f64> {
    match case.measure {
        _ if by_cost(case) => round.cpu,
        Measure::Rate => round.load.map(|load| load.rate),
        Measure::Latency(_) => round.load.map(|load| load.p50),
        Measure::Memory(_) => round.private,
        Measure::Deliveries | Measure::Volleys => round.cpu,
    }
}

fn cells(case: &Case, entry: &Entry<'_>) -> Vec<Option<Spread>> {
    if let Measure::Memory(_) = case.measure {
        return vec![entry.spread(|round| round.private)];
    }
    let load = |pick: fn(&Load) -> f64| entry.spread(|round| round.load.as_ref().map(pick));
    let once = |value: Option<f64>| Spread::of(value);
    let mut cells = vec![
        load(|load| load.rate),
        load(|load| load.p50),
        load(|load| load.p99),
        load(|load| load.p999),
        entry.spread(|round| round.cpu),
        once(entry.instructions.map(|one| one.user)),
        once(entry.instructions.and_then(|one| one.kernel)),
    ];
    if case.measure == Measure::Rate {
        cells.push(entry.spread(Round::busy));
    }
    if matches!(case.measure, Measure::Deliveries | Measure::Rate) {
        cells.push(load(|load| load.busy * 100.0));
    }
    cells
}
