//! Instructions, counted by `perf` or, where the machine has no counters, by `valgrind`.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::Process;

/// A program that counts instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// In user space, by running the program on a processor of its own making, fifty times slower.
    Callgrind,
    /// In user space and in the kernel, by the processor itself.
    Perf,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Instructions {
    pub(crate) user: f64,
    /// Callgrind does not see the kernel.
    pub(crate) kernel: Option<f64>,
}

impl Instructions {
    /// For each of so many requests.
    pub(crate) fn each(self, requests: f64) -> Self {
        Self {
            user: self.user / requests,
            kernel: self.kernel.map(|kernel| kernel / requests),
        }
    }
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

    /// Instructions in user space of `command` from start to end.
    pub(crate) fn instructions(self, command: Command) -> Option<f64> {
        let (_, report) = Process::output(&mut self.wrap(command)).ok()?;
        self.read(&report)
    }

    /// Instructions in user space out of what the wrapped program wrote to its standard error.
    pub(crate) fn read(self, report: &str) -> Option<f64> {
        match self {
            Self::Callgrind => collected(report),
            Self::Perf => counted(report, "instructions:u"),
        }
    }

    /// `command` under this counter.
    pub(crate) fn wrap(self, command: Command) -> Command {
        self.wrap_with(&[], command)
    }

    /// `command` under callgrind, which does not count before it is told to by [`switch`].
    pub(crate) fn wrap_off(command: Command) -> Command {
        Self::Callgrind.wrap_with(&["--instr-atstart=no"], command)
    }

    fn wrap_with(self, options: &[&str], command: Command) -> Command {
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
        counting
            .args(options)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => counting.env(name, value),
                None => counting.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            counting.current_dir(folder);
        }
        counting
    }
}

/// Tells callgrind in these processes to count, or not to.
///
/// # Errors
///
/// A sentence when valgrind's messenger is not there or gets no answer.
pub(crate) fn switch(family: &[u32], on: bool, folder: &Path) -> Result<(), String> {
    let word = if on { "on" } else { "off" };
    for id in family {
        let mut command = Command::new("vgdb");
        command.args([&format!("--pid={id}"), "instrumentation", word]);
        let cannot = |err: io::Error| format!("vgdb: {err}");
        let (out, err) = (folder.join("vgdb.out"), folder.join("vgdb.err"));
        let mut vgdb = Process::start_into(&mut command, &out, &err).map_err(cannot)?;
        let status = vgdb.wait(Duration::from_secs(30)).map_err(cannot)?;
        if !status.success() {
            return Err(format!("vgdb ended with {status}"));
        }
    }
    Ok(())
}

/// The sum of what all processes of a run under callgrind reported.
fn collected(report: &str) -> Option<f64> {
    let counts: Vec<f64> = report
        .lines()
        .filter_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

/// What a report of perf says about an event; `None` also when it was not counted.
fn counted(report: &str, event: &str) -> Option<f64> {
    report.lines().find_map(|line| {
        let mut fields = line.split(',');
        let count = fields.next()?.parse().ok()?;
        (fields.nth(1)? == event).then_some(count)
    })
}

/// What perf counts beside a server.
const EVENTS: &str = "instructions:u,instructions:k";
/// How long perf may take to do as it is told.
const OBEDIENCE: Duration = Duration::from_secs(10);

/// perf beside running processes. It attaches at once, which takes a while, but does not count before it
/// is told to, so that a count has a beginning and an end of its own.
#[derive(Debug)]
pub(crate) struct Watch {
    perf: Process,
    /// Its answers to orders.
    answers: Receiver<String>,
    report: PathBuf,
}

impl Watch {
    /// Attaches to the processes of `family`.
    pub(crate) fn attach(family: &[u32], folder: &Path) -> io::Result<Self> {
        Self::attach_for(EVENTS, family, folder)
    }

    fn attach_for(events: &str, family: &[u32], folder: &Path) -> io::Result<Self> {
        let report = folder.join("perf");
        let ids: Vec<String> = family.iter().map(u32::to_string).collect();
        let mut command = Command::new("perf");
        command
            .args(["stat", "-x", ",", "-e", events, "-p", &ids.join(",")])
            // Orders come on its standard input and are answered on its standard output.
            .args(["--delay", "-1", "--control", "fd:0,1", "-o"])
            .arg(&report)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut perf = Process::start(&mut command)?;
        let stdout = perf.child().stdout.take().expect("it was piped");
        let (sender, answers) = mpsc::channel();
        // Ends with the process, whose pipe it reads.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Whoever asked may have given up.
                let _ = sender.send(line);
            }
        });
        let mut watch = Self {
            perf,
            answers,
            report,
        };
        // Whoever answers has attached.
        watch.order("ping")?;
        Ok(watch)
    }

    /// Begins to count.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.order("enable")
    }

    /// Ends counting.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.order("disable")
    }

    fn order(&mut self, word: &str) -> io::Result<()> {
        let stdin = self.perf.child().stdin.as_mut().expect("it was piped");
        writeln!(stdin, "{word}")?;
        let answer = self.answers.recv_timeout(OBEDIENCE);
        match answer.as_deref() {
            // The answer ends with a zero byte.
            Ok(answer) if answer.trim_matches('\0') == "ack" => Ok(()),
            _ => Err(io::Error::other(format!("perf did not answer `{word}`"))),
        }
    }

    /// What was counted.
    pub(crate) fn read(self) -> Option<Instructions> {
        let report = self.report()?;
        Some(Instructions {
            user: counted(&report, "instructions:u")?,
            kernel: counted(&report, "instructions:k"),
        })
    }

    fn report(mut self) -> Option<String> {
        // Only an interrupt makes it write its report.
        self.perf.ask(Signal::INT);
        self.perf.wait(OBEDIENCE).ok()?;
        std::fs::read_to_string(&self.report).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn reports_of_a_master_and_its_worker_are_added() {
        let report = "==7== \n==7== Collected : 120\n==8== Collected : 30\n";
        assert_eq!(collected(report), Some(150.0));
        assert_eq!(collected("valgrind: no such file"), None);
    }

    /// Waits until a process has used so much more processor time.
    fn spin(id: u32, more: Duration) {
        let until = sample::cpu(&[id]).unwrap() + more;
        while sample::cpu(&[id]).unwrap() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn perf_counts_between_its_orders_alone() {
        let folder = std::env::temp_dir().join(format!("squall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        let process = Process::start(&mut command).unwrap();
        let id = process.id();
        // Every perf counts time, also where the processor has no counters for it.
        let Ok(mut watch) = Watch::attach_for("task-clock", &[id], &folder) else {
            return;
        };
        let part = Duration::from_millis(100);
        spin(id, part);
        let before = sample::cpu(&[id]).unwrap();
        watch.begin().unwrap();
        spin(id, part);
        watch.end().unwrap();
        let most = sample::cpu(&[id]).unwrap() - before + part / 4;
        spin(id, part);
        let report = watch.report().unwrap();
        let millis = counted(&report, "task-clock").unwrap();
        assert!(
            millis >= 75.0 && millis <= most.as_secs_f64() * 1e3,
            "{millis} ms of at most {most:?}"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_event_that_perf_could_not_count_is_none() {
        let report = "# started on\n\n1234,,instructions:u,5,100.00,,\n<not supported>,,instructions:k,0,100.00,,\n";
        assert_eq!(counted(report, "instructions:u"), Some(1234.0));
        assert_eq!(counted(report, "instructions:k"), None);
    }
}
