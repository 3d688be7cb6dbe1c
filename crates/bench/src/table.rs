//! The report, as a table in Markdown.

use crate::measure::Outcome;
use crate::memory::{Bar, MemoryRow};

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
        "| {} | {:.1} ({:.1}–{:.1}) | {:.1} ({:.1}–{:.1}) | **{ratio:.2}** | {:.2} | {counts} | {} |",
        row.name,
        ours.median,
        ours.least,
        ours.most,
        theirs.median,
        theirs.least,
        theirs.most,
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
