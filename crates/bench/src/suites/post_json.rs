//! Posted JSON, for those who take data in: a body of 1 KiB is read and parsed into a struct.
//!
//! How much that takes is decided by what the kibibyte is, so there are three. An order is fifty short texts and numbers,
//! and is serialized again: nine tenths of the instructions are the serializer's, in both directions, and
//! little of the server shows. A chat message with all its fields is mostly one text, but in lines and with quotations,
//! so that a parser stops at many places in it. A note has three fields and one plain text, which a parser takes in
//! one piece, and its answer is short: what is left is reading a body, looking at its type, and handing it to a function.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "post_json",
    measures: "POST of 1 KiB of JSON, parsed into a struct, on 64 kept connections",
    audience: "those whose clients send data: bodies, extractors and serde together",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![
        Case::rate("an order of many short texts, given back", Route::PostJson),
        Case::rate("a chat message, answered in 36 bytes", Route::PostMessage),
        Case::rate(
            "a note of one plain text, answered as shortly",
            Route::PostNote,
        ),
    ]
}
