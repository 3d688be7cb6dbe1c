//! Plaintext, for everyone who runs a server: what a request costs before the application does anything.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "plaintext",
    measures: "GET of 13 bytes on 64 kept connections, one request at a time on each",
    audience: "everyone who runs a server: the floor under every answer",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case::rate("plaintext", Route::Plaintext)]
}
