//! Posted JSON, for those who take data in: a body is read, parsed into a struct, and given back.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "post_json",
    measures: "POST of 1 KiB of JSON, parsed into a struct and serialized again, on 64 kept connections",
    audience: "those whose clients send data: bodies, extractors and serde together",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case::rate("post_json", Route::PostJson)]
}
