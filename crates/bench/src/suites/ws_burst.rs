//! Bursts, for those who publish several messages at a time: what leaves in one turn can leave in one write.

use super::pair::{Figure, Pair};
use super::ws_broadcast::EVERYBODY;
use crate::bench::Bench;
use crate::report::Table;
use crate::suite::{Case, Fan, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_burst",
    measures: "16 messages of 64 bytes in one turn to 10,000 WebSockets, against one message: what a delivery costs",
    audience: "those who publish several messages at a time: do they share the cost of a write",
    work: Work::Tables { run, seconds },
};

fn cases() -> [Case; 2] {
    let one = Case::deliveries("ws_burst, one", Route::Broadcast, EVERYBODY);
    let many = Case {
        title: "ws_burst, 16",
        fan: Fan {
            publish: 16,
            ..one.fan
        },
        ..one.clone()
    };
    [one, many]
}

fn seconds(bench: &Bench) -> f64 {
    cases().iter().map(|case| bench.expected(case)).sum()
}

fn run(bench: &Bench) -> Vec<Table> {
    let entries = bench.rounds(&cases(), |_| true);
    let [one, many] = &entries[..] else {
        unreachable!("there are as many lists of entries as cases");
    };
    let pair = Pair {
        title: "ws_burst",
        figures: vec![
            Figure::cpu("CPU µs/delivery, one", "CPU µs/delivery, 16"),
            Figure::rate("deliveries/s, one", "deliveries/s, 16"),
        ],
        quotient: "16 ÷ one",
        notes: Vec::new(),
    };
    vec![pair.table(one, many)]
}
