//! The load program: requests out, every byte of every answer checked, one line of JSON at the end.
//!
//! One thread on epoll, no runtime and no framework, so that what is measured is the server. Without
//! `--rate` each connection sends its next request (or batch, with `--pipeline`) as soon as the last
//! one is answered: that finds how much a server can do. With `--rate` the requests follow a fixed
//! schedule and latency counts from when a request was due ([`schedule`] says why).
//!
//! - [`options`]: the arguments, and what each may be
//! - [`script`]: the requests, written before the run
//! - [`schedule`]: when each is due at a fixed rate
//! - [`driver`]: connections, phases and the loop
//! - [`judge`]: compares answers, with [`answer`] as its careful reader
//! - [`histogram`], [`report`]: what was found
//! - [`websocket`]: the same over WebSockets, with a driver of its own; [`ws`] has their frames
//!
//! Limits: loopback addresses only, since this is a tool for one's own machine. 19,000 connections of
//! either kind, an hour of measuring, 10 s for a connection or an answer (`--timeout`), 64 KiB for the
//! head of an answer, 64 MiB for its body; what exceeds them is an error in the report. The run ends
//! on time whatever the server does.
//!
//! While there is nothing to do it polls for 50 µs before it sleeps: waking up a sleeping core costs the
//! server's core time and adds to the latencies. Pin it to another core than the server, or give it
//! `--no-spin` where there is only one.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

mod answer;
mod connection;
mod driver;
mod histogram;
mod judge;
mod options;
mod report;
mod schedule;
mod script;
mod socket;
mod websocket;
#[path = "../ws.rs"]
mod ws;

use std::process::ExitCode;

use driver::Driver;
use options::{HELP, Options};
use report::say;

/// Runs the program with the arguments of the process.
pub(crate) fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(err) => return complain(2, &format!("{err}; see --help")),
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, err)) => complain(code, &err),
    }
}

fn complain(code: u8, err: &str) -> ExitCode {
    eprintln!("squall-load: {err}");
    ExitCode::from(code)
}

/// The errors carry the exit code.
fn run(options: Options) -> Result<(), (u8, String)> {
    let bad_arguments = |err| (2, err);
    socket::allow_descriptors(options.connections + options.idle).map_err(bad_arguments)?;
    let hold = options.idle_only;
    if options.over_websockets {
        return run_websockets(options, hold).map_err(|err| (3, err));
    }
    let script = script::Script::new(&options).map_err(bad_arguments)?;
    let mut driver = Driver::new(options, script).map_err(|err| (3, err.to_string()))?;
    let report = if hold {
        driver.open_idle().map_err(|err| (3, err))?;
        say("ready").map_err(|err| (3, err))?;
        driver.hold(input_ended()).map_err(|err| (3, err))?
    } else {
        driver.run().map_err(|err| (3, err))?
    };
    say(&report.to_json()).map_err(|err| (3, err))
}

fn run_websockets(options: Options, hold: bool) -> Result<(), String> {
    let mut driver = websocket::Driver::new(options).map_err(|err| err.to_string())?;
    let report = if hold {
        driver.open()?;
        say("ready")?;
        driver.hold(input_ended())?
    } else {
        driver.run()?
    };
    say(&report.to_json())
}

/// Whether standard input has ended. A thread reads it, for it may be a pipe, a file or a terminal,
/// and epoll takes not all of them.
fn input_ended() -> impl FnMut() -> bool {
    let reader = std::thread::spawn(|| {
        let copied = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        // An input that cannot be read is over.
        copied.is_ok()
    });
    move || reader.is_finished()
}
