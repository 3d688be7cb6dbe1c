//! The load program against servers that answer right, wrong, late or not at all.

#![allow(
    clippy::unwrap_used,
    reason = "the servers and helpers of the tests fail with the test"
)]

mod floor;
mod pace;
mod right;
mod run;
pub(crate) mod server;
mod sockets;
mod trouble;
mod websocket;
mod wrong;
