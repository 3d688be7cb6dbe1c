//! The client's half of a WebSocket (RFC 6455), as far as loading and checking a server needs it: one text for the
//! load program and for the bench, which counts by it.
//!
//! It is written without looking at Squall's own, so that a mistake there is not repeated here, and it forgives
//! nothing: a length that could have been shorter, a masked answer, a parameter that was not offered are all findings.

// The paths are spelled out because programs include this file from different folders.
#[path = "ws/frame.rs"]
pub(crate) mod frame;
#[path = "ws/handshake.rs"]
pub(crate) mod handshake;
#[path = "ws/random.rs"]
pub(crate) mod random;
#[path = "ws/sha1.rs"]
mod sha1;
