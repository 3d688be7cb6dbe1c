//! Stalled readers, for everyone on real networks: some clients stop reading without going away. Nobody else should
//! wait for them, and what is kept for them must have an end.

use super::pair::{Figure, Pair};
use super::ws_broadcast::EVERYBODY;
use crate::bench::Bench;
use crate::report::Table;
use crate::suite::{Case, Fan, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_stalled",
    measures: "16 messages of 1 KiB of JSON in one turn to 10,000 WebSockets, of which one in a hundred never reads, against none: latency of those that read, what a delivery costs, and the memory that each of the others adds while it is measured",
    audience: "everyone whose clients may stop reading without going away",
    work: Work::Tables { run, seconds },
};

/// What is sent in a shorter time would fit into the buffers of the kernel.
const SECONDS: f64 = 4.0;

fn cases() -> [Case; 2] {
    let route = Route::BroadcastJson;
    let case = |title, stalled| {
        let case = Case::deliveries(title, route, EVERYBODY);
        Case {
            seconds: Some(SECONDS),
            fan: Fan {
                publish: 16,
                stalled,
            },
            ..case
        }
    };
    [
        case("ws_stalled, none", 0),
        case("ws_stalled, one in a hundred", EVERYBODY / 100),
    ]
}

fn seconds(bench: &Bench) -> f64 {
    cases().iter().map(|case| bench.expected(case)).sum()
}

fn run(bench: &Bench) -> Vec<Table> {
    let entries = bench.rounds(&cases(), |_| true);
    let [none, some] = &entries[..] else {
        unreachable!("there are as many lists of entries as cases");
    };
    let pair = Pair {
        title: "ws_stalled",
        figures: vec![
            Figure::p99("p99 µs, none stalled", "p99 µs"),
            Figure::cpu("CPU µs/delivery, none stalled", "CPU µs/delivery"),
            Figure::grown("–", "bytes added/stalled"),
        ],
        quotient: "p99 with ÷ without",
        notes: vec![
            "p99 is that of an ordinary broadcast: of each one's deliveries, and of those the median."
                .to_owned(),
            "A server may also close connections that do not read, which adds nothing.".to_owned(),
        ],
    };
    vec![pair.table(none, some)]
}
