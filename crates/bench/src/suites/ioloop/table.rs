//! The report, as a table in Markdown.

use super::memory::{Bar, MemoryRow};
use super::rounds::Outcome;
use crate::report::{self, Better, Chart, Column, Table};
use crate::spread::Spread;

/// The head of the table of things done.
pub(crate) const HEAD: &str = "\
| what | Squall, ns | bare tokio, ns | ratio | bar | Squall, instr | tokio, instr | ratio | beside |
|---|---|---|---|---|---|---|---|---|";

/// A row of things done.
pub(crate) fn row(outcome: &Outcome) -> String {
    let Outcome {
        row,
        ours,
        theirs,
        ratio,
        instructions,
    } = outcome;
    let counts = match instructions {
        Some((ours, theirs)) => format!("{ours:.0} | {theirs:.0} | {:.2}", ours / theirs),
        None => "– | – | –".to_owned(),
    };
    format!(
        "| {} | {:.1} ({:.1}–{:.1}) | {:.1} ({:.1}–{:.1}) | **{:.2}** | {:.2} | {counts} | {} |",
        row.name,
        ours.median,
        ours.least,
        ours.most,
        theirs.median,
        theirs.least,
        theirs.most,
        ratio.median,
        row.bar,
        row.peer,
    )
}

/// The head of the table of things that are there.
pub(crate) const MEMORY_HEAD: &str = "\
| private memory of | Squall, bytes | bare tokio, bytes | ratio | bar | beside |
|---|---|---|---|---|---|";

/// A row of things that are there.
pub(crate) fn memory_row(row: &MemoryRow, measured: Option<(f64, f64)>) -> String {
    let bar = match row.bar {
        Bar::Bytes(bytes) => format!("{bytes:.0} bytes"),
        Bar::Ratio(ratio) => format!("{ratio:.2}"),
    };
    let figures = match measured {
        Some((ours, theirs)) => format!("{ours:.1} | {theirs:.1} | {:.2}", ours / theirs),
        None => "– | – | –".to_owned(),
    };
    format!("| {} | {figures} | {bar} | {} |", row.what, row.peer)
}

/// The things done, for the reports.
pub(crate) fn done(outcomes: &[Outcome]) -> Table {
    let rows = outcomes.iter().map(|outcome| {
        let count = |pick: fn((f64, f64)) -> f64| Spread::of(outcome.instructions.map(pick));
        report::Row {
            name: outcome.row.name.to_owned(),
            version: format!("beside {}", outcome.row.peer),
            cells: vec![
                Some(outcome.ours),
                Some(outcome.theirs),
                count(|(ours, _)| ours),
                count(|(_, theirs)| theirs),
            ],
            ratio: Some(outcome.ratio),
            failed: None,
        }
    });
    Table {
        title: "time beside bare tokio".to_owned(),
        chart: Chart::Ratio,
        better: Better::Less,
        ratio: "Squall / tokio",
        columns: vec![
            column("squall_ns", "Squall, ns", 1),
            column("tokio_ns", "bare tokio, ns", 1),
            column("squall_instr", "Squall, instr", 0),
            column("tokio_instr", "tokio, instr", 0),
        ],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

/// The things that are there, for the reports.
pub(crate) fn there(measured: &[(MemoryRow, Option<(f64, f64)>)]) -> Table {
    let rows = measured.iter().map(|(row, bytes)| report::Row {
        name: row.what.to_owned(),
        version: format!("beside {}", row.peer),
        cells: vec![
            Spread::of(bytes.map(|(ours, _)| ours)),
            Spread::of(bytes.map(|(_, theirs)| theirs)),
        ],
        ratio: Spread::of(bytes.map(|(ours, theirs)| ours / theirs)),
        failed: None,
    });
    Table {
        title: "private memory beside bare tokio".to_owned(),
        chart: Chart::Ratio,
        better: Better::Less,
        ratio: "Squall / tokio",
        columns: vec![
            column("squall_bytes", "Squall, bytes", 1),
            column("tokio_bytes", "bare tokio, bytes", 1),
        ],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

fn column(key: &'static str, title: &'static str, digits: usize) -> Column {
    Column { key, title, digits }
}
