//! Churn, for those whose clients come, ask once and go: a connection for each request.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "churn",
    measures: "what it costs to accept a connection, answer a GET of 13 bytes and close; 64 at a time",
    audience: "those behind balancers that keep no connections, and those whose clients reconnect at once",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case {
        close: true,
        ..Case::rate("churn", Route::Plaintext)
    }]
}
