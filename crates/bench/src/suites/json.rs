//! JSON, for those who write interfaces: a small struct made into JSON for each request.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "json",
    measures: "GET of a struct serialized for each request, 27 bytes, on 64 kept connections",
    audience: "those who write interfaces for programs",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case::rate("json", Route::Json)]
}
