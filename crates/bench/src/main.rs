//! Where Squall stands beside its peers.
//!
//! ```sh
//! cargo run --release -p squall-bench -- plaintext --quick
//! ```
//!
//! A run prepares the [`servers`], then puts each [`suite`] to them: [`mod@bench`] starts a server on a core
//! of its own, [`drive`] starts the load on another, [`sample`] and [`count`] read what that cost, and
//! [`report`] tells it. Every process it starts is a [`process::Process`], which does not outlive it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

mod arguments;
mod bench;
mod cost;
mod count;
mod drive;
mod exchange;
mod machine;
mod pin;
mod process;
mod progress;
mod questions;
mod report;
mod run;
mod sample;
mod scaling;
mod servers;
mod spread;
mod suite;
mod suites;
mod targets;
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the servers, which share this file, use the rest"
)]
mod wire;
mod ws;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments::parse(&words) {
        Ok(Arguments::Help) => {
            print!("{}", arguments::help());
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::One(words)) => return cost::run_one(&words),
        Ok(Arguments::Cost) => cost::run(),
        Ok(Arguments::Scaling) => scaling::run(),
        Ok(Arguments::Run(options)) => run::run(&options),
        Err(message) => {
            eprintln!("squall-bench: {message}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("squall-bench: {message}");
            ExitCode::FAILURE
        }
    }
}
