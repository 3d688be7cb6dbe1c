//! Memory of idle WebSockets, for those who keep many open: each has had one text echoed and is silent since. The
//! kernel's own memory, about 4 KB a socket, is the same for all and not counted.

use crate::suite::{Case, Measure, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_idle",
    measures: "private memory of the server's processes for each of 15,000 WebSockets (10,000 with --quick) that have had one text of 64 bytes echoed; and where compression was agreed",
    audience: "those who keep many WebSockets open: what one costs while it is silent",
    work: Work::Servers(cases),
};

fn cases(quick: bool) -> Vec<Case> {
    let connections = if quick { 10_000 } else { 15_000 };
    let case = |title, route| Case {
        measure: Measure::Memory(connections),
        ..Case::rate(title, route)
    };
    vec![
        case("ws_idle", Route::Echo),
        case("ws_idle, compression agreed", Route::EchoDeflated),
    ]
}
