//! The programs, run as the tour runs them: on a thread whose stage takes their lines.

mod arguments;
#[cfg(feature = "mongodb")]
mod mongo;
mod process;
mod programs;
mod shared;
mod source;
mod support;
