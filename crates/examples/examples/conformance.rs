//! The server that other people's test suites are pointed at: every answer they ask for, every limit a flag.
//!
//! It echoes any body on any path, and has a few pages of its own. `cargo xtask conformance` builds it, starts it and
//! runs the suites. Without an address to listen on it prints what it can do.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example conformance -- --http 8080
//!
//! Type next, in another terminal, and end the server with Ctrl-C:
//!
//!     curl -d 'hello' http://127.0.0.1:8080/any/path
//!     curl http://127.0.0.1:8080/inspect
//!
//! Prints:
//!     ~ conformance --http PORT
//!     ~ --head-timeout TIME
//!     ~ /inspect

use std::process::ExitCode;

/// Serves on the ports of the arguments until Ctrl-C or SIGTERM; without any, prints the help.
pub fn run(args: &[String]) -> squall::Result<()> {
    squall_examples::conformance::run(args)
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
