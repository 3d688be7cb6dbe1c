//! Latency beside idle connections, for realtime services: few requests, of which each should be
//! answered at once, while thousands of connections are open. Requests are sent at fixed times, and
//! one that had to wait to be sent counts from the time at which it should have been.

use crate::suite::{Case, Measure, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "latency_idle",
    measures: "time to answer 1,000 requests a second, on 64 connections, with and without idle ones",
    audience: "realtime services: do open connections make the busy ones wait",
    work: Work::Servers(cases),
};

const RATE: u32 = 1_000;

fn cases(quick: bool) -> Vec<Case> {
    let case = |title, idle| Case {
        measure: Measure::Latency(RATE),
        idle,
        ..Case::rate(title, Route::Plaintext)
    };
    let many = if quick {
        case("latency_idle, 2,000 idle", 2_000)
    } else {
        case("latency_idle, 15,000 idle", 15_000)
    };
    vec![case("latency_idle, none idle", 0), many]
}
