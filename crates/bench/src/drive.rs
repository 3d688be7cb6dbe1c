//! The load program, started beside the server on a core of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::pin;
use crate::process::Process;
use crate::questions;
use crate::suite::{Case, Measure};

/// What a load may take longer than it was asked to run: opening its connections, and ending.
const GRACE: Duration = Duration::from_secs(60);

/// What opening one of thousands of connections may take more: slow servers need a millisecond or two for a WebSocket.
const HANDSHAKE: Duration = Duration::from_millis(5);

/// The load program and where it runs.
#[derive(Debug)]
pub(crate) struct Driver<'a> {
    pub(crate) program: &'a Path,
    pub(crate) core: Option<usize>,
    /// For its files.
    pub(crate) folder: &'a Path,
}

/// What a load found; times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The p99 of an ordinary broadcast; `None` where there is none.
    pub(crate) broadcast_p99: Option<f64>,
    /// The share of the measured time in which the load program was busy; near 1, it and not the server set
    /// the rate.
    pub(crate) busy: f64,
}

/// A moment of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// The measured time begins now.
    Begin,
    /// It has ended.
    End,
}

/// How long a load takes, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Before the measured time.
    pub(crate) warmup: f64,
    /// The measured time.
    pub(crate) measured: f64,
}

impl Driver<'_> {
    /// Loads a server with a case, and calls `at` when the measured time begins and when it has ended, so
    /// that what is counted beside it is counted for the same requests.
    ///
    /// # Errors
    ///
    /// A sentence: the load could not run, or an answer was wrong, missing or late.
    pub(crate) fn load(
        &self,
        address: SocketAddr,
        case: &Case,
        times: Times,
        mut at: impl FnMut(Moment),
    ) -> Result<Load, String> {
        let mut command = self.command(address, case)?;
        command
            .args(["--connections", &case.connections.to_string()])
            .args(["--pipeline", &case.pipeline.to_string()])
            .args(["--seconds", &times.measured.to_string()])
            .args(["--warmup", &times.warmup.to_string(), "--announce"]);
        if case.close {
            command.arg("--close");
        }
        if case.idle > 0 {
            command.args(["--idle", &case.idle.to_string()]);
        }
        if let Measure::Latency(rate) = case.measure {
            command.args(["--rate", &rate.to_string()]);
        }
        if self.core.is_none() {
            command.arg("--no-spin");
        }
        let (mut process, lines) = self.start(command)?;
        let grace = match case.measure {
            // The warm-up and the measured time are whole broadcasts, and slow servers take half a minute for one.
            Measure::Deliveries => 3 * GRACE,
            _ => GRACE,
        };
        let limit = Duration::from_secs_f64(times.warmup + times.measured) + grace;
        let until = Instant::now() + limit;
        let mut last = String::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) if line == "begin" => at(Moment::Begin),
                Ok(line) if line == "end" => at(Moment::End),
                Ok(line) => last = line,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(format!("the load had not ended after {limit:?}"));
                }
            }
        }
        let status = process.wait(GRACE).map_err(cannot)?;
        if !status.success() {
            return Err(format!(
                "the load failed with {status}: {}",
                self.complaint()
            ));
        }
        judge(&last)
    }

    /// Opens connections that each ask once, and calls `look` while they are idle.
    ///
    /// # Errors
    ///
    /// A sentence: the load could not run or an answer was wrong.
    pub(crate) fn hold<T>(
        &self,
        address: SocketAddr,
        case: &Case,
        connections: usize,
        look: impl FnOnce() -> T,
    ) -> Result<T, String> {
        let mut command = self.command(address, case)?;
        command.args(["--idle-only", &connections.to_string()]);
        let (mut process, lines) = self.start(command)?;
        let limit = GRACE + HANDSHAKE * u32::try_from(connections).unwrap_or(u32::MAX);
        match lines.recv_timeout(limit) {
            Ok(line) if line == "ready" => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(format!(
                    "{connections} connections were not open after {} s",
                    limit.as_secs()
                ));
            }
            _ => {
                let complaint = self.complaint();
                return Err(format!("the load opened no idle connections: {complaint}"));
            }
        }
        let seen = look();
        // The end of its input is the sign to leave.
        drop(process.child().stdin.take());
        process.wait(GRACE).map_err(cannot)?;
        Ok(seen)
    }

    /// Starts the load program; the lines that it prints come as it prints them, and their end is its end.
    fn start(&self, mut command: Command) -> Result<(Process, Receiver<String>), String> {
        let err = std::fs::File::create(self.err()).map_err(cannot)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(err);
        let mut process = pin::on(self.core, || Process::start(&mut command)).map_err(cannot)?;
        let stdout = process.child().stdout.take().expect("it was piped");
        let (sender, lines) = mpsc::channel();
        // Ends with the process, whose pipe it reads.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Whoever asked may have given up.
                let _ = sender.send(line);
            }
        });
        Ok((process, lines))
    }

    fn err(&self) -> PathBuf {
        self.folder.join("load.err")
    }

    /// The last thing that the load program complained of.
    fn complaint(&self) -> String {
        last_line(&self.err())
    }

    fn command(&self, address: SocketAddr, case: &Case) -> Result<Command, String> {
        let options = questions::options(case, self.folder)
            .map_err(|err| format!("cannot write the files of the load: {err}"))?;
        let mut command = Command::new(self.program);
        command.args(["--addr", &address.to_string()]).args(options);
        Ok(command)
    }
}

fn cannot(err: std::io::Error) -> String {
    format!("the load: {err}")
}

/// Reads the report of the load program; anything but right answers in time is a failure.
fn judge(line: &str) -> Result<Load, String> {
    let report: Value = serde_json::from_str(line)
        .map_err(|err| format!("the load reported `{line}`, which is no JSON: {err}"))?;
    let number = |value: &Value, name: &str| {
        value[name]
            .as_f64()
            .ok_or_else(|| format!("the load reported no `{name}`: {line}"))
    };
    let wrong = number(&report, "wrong")?;
    if wrong > 0.0 {
        let first = report["first_wrong"].as_str().unwrap_or_default();
        return Err(format!("{wrong} wrong answers, the first: {first}"));
    }
    let first = report["first_error"].as_str().unwrap_or_default();
    for (name, words) in [
        ("errors", "connections that broke"),
        ("connect_errors", "connections that were refused"),
        ("timeouts", "answers that did not come"),
    ] {
        let count = number(&report, name)?;
        if count > 0.0 {
            return Err(format!("{count} {words}, the first: {first}"));
        }
    }
    let latency = &report["latency_us"];
    let load = Load {
        requests: number(&report, "requests")?,
        rate: number(&report, "rate")?,
        p50: number(latency, "p50")?,
        p99: number(latency, "p99")?,
        p999: number(latency, "p999")?,
        broadcast_p99: report["broadcast_p99_us"].as_f64(),
        busy: 1.0 - number(&report, "slack")?,
    };
    Ok(load)
}

/// The last line that a program wrote, for a report.
pub(crate) fn last_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it said nothing").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = r#"{"requests":100,"errors":0,"wrong":0,"first_wrong":"","seconds":1.0,"rate":100.0,"latency_us":{"p50":10.5,"p90":11,"p99":12,"p999":13,"max":14},"bytes_read":9,"connect_errors":0,"timeouts":0,"slack":0.75}"#;

    #[test]
    fn a_report_is_read() {
        let load = judge(FINE).unwrap();
        assert_eq!((load.rate, load.p50, load.p999), (100.0, 10.5, 13.0));
        assert_eq!(load.busy, 0.25);
    }

    #[test]
    fn one_wrong_answer_is_a_failure() {
        let text = FINE.replace(
            r#""wrong":0,"first_wrong":"""#,
            r#""wrong":1,"first_wrong":"HTTP/1.1 500""#,
        );
        assert_eq!(
            judge(&text).unwrap_err(),
            "1 wrong answers, the first: HTTP/1.1 500"
        );
    }

    #[test]
    fn broken_connections_and_silence_are_failures() {
        assert!(judge(&FINE.replace(r#""errors":0"#, r#""errors":2"#)).is_err());
        assert!(judge(&FINE.replace(r#""timeouts":0"#, r#""timeouts":2"#)).is_err());
        assert!(judge("").is_err());
    }
}
