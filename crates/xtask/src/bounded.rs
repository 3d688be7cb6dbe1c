//! Runs a program for a limited time and keeps what it prints.

use std::io::{self, PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How often the program is asked whether it has ended.
const PERIOD: Duration = Duration::from_millis(10);
/// How long the output is waited for after the end: a process left behind may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Run {
    /// How it ended; `None` when it was killed at the limit.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output and standard error in the order in which they were written.
    pub(crate) output: String,
    pub(crate) took: Duration,
}

/// Runs `program` without arguments in `folder`, with nothing to read and no colours.
///
/// # Errors
///
/// When the program cannot be started or watched.
pub(crate) fn run(program: &Path, folder: &Path, limit: Duration) -> io::Result<Run> {
    let mut command = Command::new(program);
    command.current_dir(folder);
    run_command(command, limit)
}

/// Runs `command` with nothing to read and no colours, and kills it after `limit`.
///
/// # Errors
///
/// When the program cannot be started or watched.
pub(crate) fn run_command(mut command: Command, limit: Duration) -> io::Result<Run> {
    let (reader, writer) = io::pipe()?;
    command
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let started = Instant::now();
    let mut child = command.spawn()?;
    // The command holds the writing ends of the pipe, which would keep it from ever ending.
    drop(command);
    let chunks = chunks_of(reader);
    let status = wait(&mut child, started + limit)?;
    let took = started.elapsed();
    let mut output = Vec::new();
    while let Ok(chunk) = chunks.recv_timeout(LAST_WORDS) {
        output.extend(chunk);
    }
    Ok(Run {
        status,
        output: String::from_utf8_lossy(&output).into_owned(),
        took,
    })
}

/// Reads the pipe on a thread of its own, so that a program that prints much is never held up.
fn chunks_of(mut reader: PipeReader) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(PERIOD);
    }
}

/// A command that runs lines of shell.
#[cfg(test)]
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_come_in_the_order_of_writing() {
        let script = "echo one; echo two >&2; echo three; echo $NO_COLOR; cat";
        let run = run_command(shell(script), Duration::from_secs(60)).unwrap();
        assert_eq!(run.output, "one\ntwo\nthree\n1\n");
        assert!(run.status.unwrap().success());
    }

    #[test]
    fn a_program_that_prints_much_is_not_held_up() {
        let script = "yes | head -c 1000000";
        let run = run_command(shell(script), Duration::from_secs(60)).unwrap();
        assert_eq!(run.output.len(), 1_000_000);
    }

    #[test]
    fn a_program_without_end_is_killed() {
        let run = run_command(shell("exec sleep 60"), Duration::from_millis(50)).unwrap();
        assert!(run.status.is_none());
        assert!(run.took < Duration::from_secs(30));
    }
}
