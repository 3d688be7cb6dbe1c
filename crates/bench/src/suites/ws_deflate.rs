//! Compressed broadcasts, for those who pay for traffic: a message that is compressed once for all should cost hardly
//! more than a plain one, and one that is compressed for each connection costs many times as much.

use super::pair::{Figure, Pair};
use super::ws_broadcast::EVERYBODY;
use crate::bench::Bench;
use crate::report::Table;
use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_deflate",
    measures: "one message of 1 KiB of JSON to 10,000 WebSockets, compressed to a third against plain: what a delivery costs",
    audience: "those who pay for traffic: is a message compressed once or for each connection",
    work: Work::Tables { run, seconds },
};

fn cases() -> [Case; 2] {
    let case = |title, route| Case::deliveries(title, route, EVERYBODY);
    [
        case("ws_deflate, plain", Route::BroadcastJson),
        case("ws_deflate, compressed", Route::BroadcastDeflated),
    ]
}

fn seconds(bench: &Bench) -> f64 {
    // Only those that compress take part in either case.
    2.0 * bench.expected(&cases()[1])
}

fn run(bench: &Bench) -> Vec<Table> {
    let entries = bench.rounds(&cases(), |ready| {
        ready.server.offers.contains(&Route::BroadcastDeflated)
    });
    let [plain, compressed] = &entries[..] else {
        unreachable!("there are as many lists of entries as cases");
    };
    let pair = Pair {
        title: "ws_deflate",
        figures: vec![
            Figure::cpu("CPU µs/delivery, plain", "CPU µs/delivery, compressed"),
            Figure::rate("deliveries/s, plain", "deliveries/s, compressed"),
        ],
        quotient: "compressed ÷ plain",
        notes: vec![
            "`permessage-deflate` with `server_no_context_takeover`, so that one compressed message fits all.".to_owned(),
        ],
    };
    vec![pair.table(plain, compressed)]
}
