//! Where Squall stands beside its peers.
//!
//! ```sh
//! cargo run --release -p squall-bench -- loop
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

mod count;
mod measure;
mod memory;
mod suites;
mod table;

use std::process::ExitCode;

const HELP: &str = "\
Where Squall stands beside its peers.

Usage: squall-bench [SUITE] [--quick]

Suites:
  loop     the event loop, beside bare tokio on a LocalRuntime

Options:
  --quick  fewer and shorter rounds
  --help   this text
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(first) = arguments.first()
        && first == measure::ONE
    {
        return measure::run_one(&arguments[1..]);
    }
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let count = arguments.len();
    arguments.retain(|argument| argument != "--quick");
    let quick = arguments.len() < count;
    match arguments.as_slice() {
        [] => suites::ioloop::run(quick),
        [suite] if suite == "loop" => suites::ioloop::run(quick),
        [other, ..] => {
            eprintln!(
                "squall-bench: expected a suite (`loop`) or `--quick`, found `{other}`; see --help"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
