//! What the programs under `examples/` share, so that each of them shows one idea and nothing else.
//!
//! * [`main`](fn@main) runs a program: log, arguments, one line for an error.
//! * [`say!`] prints a line, to the terminal or to a [`stage`].
//! * [`Countdown`] starts the loop and stops it after a number of callbacks.
//! * [`Pages`] are the addresses to fetch: from the command line, or pages of a [`LocalSite`].
//! * [`Tags`] is the small database that `run_sync` changes: SQLite, or MongoDB with the feature `mongodb`.
//!
//! Every program has the same two functions, so that the tour can run it as well:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use squall::IoLoop;
//! use squall_examples::say;
//!
//! pub fn run(_args: &[String]) -> squall::Result<()> {
//!     IoLoop::run_sync(async {
//!         say!("on the loop");
//!         Ok(())
//!     })
//! }
//!
//! fn main() -> ExitCode {
//!     squall_examples::main(run)
//! }
//! ```

pub mod conformance;
mod countdown;
mod failure;
mod logging;
mod pages;
mod program;
mod site;
pub mod stage;
mod tags;

pub use countdown::Countdown;
pub use failure::{Failure, causes};
pub use pages::{Pages, page_name};
pub use program::main;
pub use site::LocalSite;
pub use tags::Tags;
