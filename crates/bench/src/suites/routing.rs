//! Routing, for those whose applications have grown: each request is for another one of a thousand routes.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "routing",
    measures: "GET of /route/{n}/item/{id} among 1,000 routes, each n in turn, on 64 kept connections",
    audience: "those with large applications: does the router care how many routes there are",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case::rate("routing", Route::Routing)]
}
