//! The tour of Squall: one page that explains the seven calling patterns and runs them, and the same in a terminal.
//!
//! ```text
//! cargo run --release                    # the page, on http://127.0.0.1:8888/
//! cargo run --release -- run parallel    # one pattern, in the terminal
//! ```

mod arguments;
mod event;
mod guard;
mod highlight;
mod log;
mod page;
mod patterns;
mod recorder;
mod show;
mod site;
mod terminal;
mod words;

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use arguments::{Command, HELP};

/// The exit code for a command line that is not understood.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let args = env::args_os().skip(1);
    let args = args.map(|arg| arg.to_string_lossy().into_owned());
    match arguments::parse(args.collect()) {
        Ok(Command::Help) => terminal::print(HELP),
        Ok(Command::List) => terminal::list(),
        Ok(Command::Run { pattern, args }) => terminal::run(pattern, args),
        Ok(Command::Serve { port }) => site::serve(port),
        Err(mistake) => {
            complain(&mistake);
            return ExitCode::from(MISUSED);
        }
    }
    .map_or_else(
        |message| {
            complain(&message);
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn complain(message: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "error: {message}");
}
