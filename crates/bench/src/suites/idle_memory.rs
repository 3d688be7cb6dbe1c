//! Memory of idle connections, for those with many clients that are mostly silent: each has asked once
//! and is kept alive. The kernel's own memory, about 4 KB a socket, is the same for all and not counted.

use crate::suite::{Case, Measure, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "idle_memory",
    measures: "private memory of the server's processes for each kept connection that has asked once",
    audience: "those with many clients that are mostly silent: what an open connection costs",
    work: Work::Servers(cases),
};

fn cases(quick: bool) -> Vec<Case> {
    let connections = if quick { 2_000 } else { 10_000 };
    vec![Case {
        measure: Measure::Memory(connections),
        ..Case::rate("idle_memory", Route::Plaintext)
    }]
}
