//! Broadcast, for chats, tickers and dashboards: one message to everybody. What is told is what the server spends on
//! each delivery; the rate is also that of the load program, which has to look at every one of them.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_broadcast",
    measures: "one message of 64 bytes to 10,000 WebSockets, again once all have it; latency from asking for it to each delivery",
    audience: "chats, tickers and dashboards, where one message goes to everybody",
    work: Work::Servers(cases),
};

/// Connections that a message goes to: so many that what the kernel keeps for each is cold when its turn comes.
pub(super) const EVERYBODY: usize = 10_000;

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case::deliveries(
        "ws_broadcast",
        Route::Broadcast,
        EVERYBODY,
    )]
}
