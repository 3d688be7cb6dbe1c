//! WebSockets: the Autobahn suite at both ends, cases of our own over a socket, other people's ends, and attacks.
//!
//! The server's places are `/ws`, an echo with generous limits, `/ws-limits`, one with small limits, and `/ws-talk`, which
//! does what it is told.

mod attacks;
mod autobahn;
mod cases;
mod peers;
mod pieces;
mod wire;

use super::Step;

/// All of them, the fast ones first.
pub(super) const STEPS: &[Step] = &[
    cases::STEP,
    attacks::STEP,
    peers::CLIENTS,
    peers::BROWSER,
    peers::SERVERS,
    autobahn::SPLIT,
    autobahn::SERVER,
    autobahn::CLIENT,
];
