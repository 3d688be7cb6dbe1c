//! The frame of every program.

use std::env;
use std::process::ExitCode;

use crate::failure::causes;
use crate::logging;

/// Runs a program with the arguments of the command line: sets up the log on standard error, and ends with one line and
/// exit code 1 when the program fails.
///
/// Arguments that are no Unicode are passed on with replacement characters.
pub fn main(run: fn(&[String]) -> squall::Result<()>) -> ExitCode {
    logging::init();
    let args: Vec<String> = env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            complain(&causes(err.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a program to its user"
)]
fn complain(message: &str) {
    eprintln!("error: {message}");
}
