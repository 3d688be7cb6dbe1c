//! Stalled readers, for everyone on real networks: some clients stop reading without going away. Nobody else should
//! wait for them, and what is kept for them must have an end.

use super::pair::{Figure, Pair};
use super::ws_broadcast::everybody;
use crate::bench::Bench;
use crate::report::Table;
use crate::suite::{Case, Fan, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_stalled",
    measures: "16 messages of 1 KiB of JSON in one turn to 10,000 WebSockets (2,000 with --quick), of which one in a hundred never reads, against none: latency of those that read, and the memory that each of the others adds while it is measured",
    audience: "everyone whose clients may stop reading without going away",
    work: Work::Tables { run, seconds },
};

fn cases(quick: bool) -> [Case; 2] {
    let route = Route::BroadcastJson;
    let case = |title, stalled| {
        let case = Case::deliveries(title, route, everybody(quick));
        Case {
            fan: Fan {
                publish: 16,
                stalled,
            },
            ..case
        }
    };
    [
        case("ws_stalled, none", 0),
        case("ws_stalled, one in a hundred", everybody(quick) / 100),
    ]
}

fn seconds(bench: &Bench) -> f64 {
    let cases = cases(bench.pace.quick);
    cases.iter().map(|case| bench.expected(case)).sum()
}

fn run(bench: &Bench) -> Vec<Table> {
    let entries = bench.rounds(&cases(bench.pace.quick), |_| true);
    let [none, some] = &entries[..] else {
        unreachable!("there are as many lists of entries as cases");
    };
    let pair = Pair {
        title: "ws_stalled",
        figures: [
            Figure::p99("p99 µs, none stalled", "p99 µs"),
            Figure::grown("–", "bytes added/stalled"),
        ],
        quotient: "p99 with ÷ without",
        notes: vec![
            "A server may also close connections that do not read, which adds nothing.".to_owned(),
        ],
    };
    vec![pair.table(none, some)]
}
