//! The chores of the Squall workspace. `cargo xtask` prints the list.
//!
//! Each chore is one module: [`tidy`] holds the house rules that neither the compiler nor clippy
//! knows, [`examples`] runs the example programs and reads what they print, [`cost`] holds the hot paths
//! to their numbers of instructions, [`scaling`] the work to the bytes that a peer sends, [`fuzz`] sends bytes
//! by chance, [`conformance`] points other people's suites at a server. All work on a [`project::Project`] or on
//! plain text, so their tests need neither files nor processes.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a chore reports on the terminal it was started from"
)]

mod bounded;
mod command;
mod conformance;
mod cost;
mod examples;
mod fuzz;
mod markdown;
mod project;
mod rust_text;
mod scaling;
mod tidy;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
The chores of the Squall workspace.

Usage: cargo xtask COMMAND [NAME...]

  tidy       checks the house rules (arrows, file lengths, licences, ...); with
             names, those checks only
  examples   builds and runs every example program and compares what it prints
             with the `Prints:` block of its header; with names, those only
  cost       counts the instructions of the hot paths and compares them with the
             committed figures; `--update` writes the figures instead
  conformance
             runs other people's test suites and clients against the example
             `conformance`; with names, those steps only
  scaling    counts the instructions of inputs that grow, and fails where they grow
             faster than the bytes
  fuzz       runs the fuzz targets from seeds made of the attack corpora, a minute
             each or `--seconds N`; with names, those only
  help       prints this

Exit code: 0 when all is well, 1 when something failed, 2 when the command line
was not understood.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h", ..] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["tidy", names @ ..] => tidy::run(&root(), names),
        ["conformance", rest @ ..] => conformance::run(&root(), rest),
        ["cost", rest @ ..] => cost::run(&root(), rest),
        ["fuzz", rest @ ..] => fuzz::run(&root(), rest),
        ["scaling", rest @ ..] => scaling::run(&root(), rest),
        ["examples", names @ ..] => examples::run(&root(), names),
        [unknown, ..] => {
            eprintln!("xtask: there is no command `{unknown}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace: two folders above this package, wherever the command was started.
fn root() -> PathBuf {
    // Cargo sets the variable at run time too, which still holds after the project was moved.
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .ancestors()
        .nth(2)
        .map_or_else(|| package.clone(), Path::to_path_buf)
}
