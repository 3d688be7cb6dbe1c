//! Pipelining, for those behind a proxy or a client that sends ahead: what is left of a request when the
//! system calls are shared by sixteen.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "pipelined",
    measures: "GET of 13 bytes on 64 kept connections, 16 requests ahead on each",
    audience: "those who compare parsers and writers: the kernel's share is one sixteenth",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case {
        pipeline: 16,
        ..Case::rate("pipelined", Route::Plaintext)
    }]
}
