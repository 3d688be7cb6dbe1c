//! The programs, run as the tour runs them: on a thread whose stage takes their lines.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod arguments;
mod conformance;
#[cfg(feature = "mongodb")]
mod mongo;
mod process;
mod programs;
mod shared;
mod source;
mod support;
