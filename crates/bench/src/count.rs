//! Instructions in user space, counted by `perf` or, where the machine has no counters, by
//! `valgrind`.

use std::env::current_exe;
use std::process::{Command, Stdio};

use crate::measure::{ONE, Row};

/// A program that counts instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    Callgrind,
    Perf,
}

impl Counter {
    /// The first one that works here.
    pub(crate) fn find() -> Option<Self> {
        [Self::Perf, Self::Callgrind]
            .into_iter()
            .find(|counter| counter.instructions(Command::new("true")).is_some())
    }

    /// How it is called in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Callgrind => "callgrind",
            Self::Perf => "perf",
        }
    }

    /// Instructions for doing a row once: the difference between a long and a short run, so that the
    /// start of the program does not count.
    pub(crate) fn count(self, row: Row, side: &str) -> Option<f64> {
        let (short, long) = (row.times / 40, row.times / 10);
        let run = |times: u64| {
            let mut command = Command::new(current_exe().ok()?);
            command.args([ONE, row.name, side, &times.to_string()]);
            self.instructions(command)
        };
        Some((run(long)? - run(short)?) / (long - short) as f64)
    }

    fn instructions(self, command: Command) -> Option<f64> {
        let mut counting = match self {
            Self::Callgrind => {
                let mut counting = Command::new("valgrind");
                counting.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
                counting
            }
            Self::Perf => {
                let mut counting = Command::new("perf");
                counting.args(["stat", "-x", ",", "-e", "instructions:u"]);
                counting
            }
        };
        counting.arg(command.get_program()).args(command.get_args());
        let output = counting.stdout(Stdio::null()).output().ok()?;
        let report = String::from_utf8_lossy(&output.stderr);
        report.lines().find_map(|line| match self {
            Self::Callgrind => line.split_once("Collected : ")?.1.trim().parse().ok(),
            Self::Perf => {
                let (count, _) = line.split_once(',')?;
                line.contains("instructions").then(|| count.parse().ok())?
            }
        })
    }
}
