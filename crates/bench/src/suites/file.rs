//! A file, for those who serve downloads and pictures: what a mebibyte from the disk's cache costs.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "file",
    measures: "GET of a file of 1 MiB on 16 kept connections; what counts is the processor time",
    audience: "those who serve downloads, pictures and pages from files",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![Case {
        connections: 16,
        ..Case::rate("file", Route::File)
    }]
}
