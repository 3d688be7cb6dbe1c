//! Echo over WebSockets, for everyone who answers what clients say: what a message costs there and back.

use crate::suite::{Case, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "ws_echo",
    measures: "a text of 64 bytes there and back over 64 WebSockets, one at a time on each, and with 16 on the way",
    audience: "everyone who answers what clients say over WebSockets",
    work: Work::Servers(cases),
};

fn cases(_quick: bool) -> Vec<Case> {
    vec![
        Case::rate("ws_echo", Route::Echo),
        Case {
            pipeline: 16,
            ..Case::rate("ws_echo, 16 on the way", Route::Echo)
        },
    ]
}
