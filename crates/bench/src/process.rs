//! Processes that end with the bench, however it ends.
//!
//! Each child leads a process group of its own and is noted in [`GROUPS`] from before it runs until it
//! is reaped. Dropping a [`Process`] kills its group; so does [`watch`] for all of them when the bench
//! is interrupted. Nothing is ever killed by name.

use std::fs::{self, File};
use std::future::poll_fn;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process_group, set_child_subreaper, waitid,
};

/// The groups of the children that are alive. Held while one is started and while one is reaped, so that
/// an interruption sees every child, and no number that the system has given to somebody else.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// How long one looks between two looks at a process; far below anything that is measured.
const GLANCE: Duration = Duration::from_millis(2);

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something that an interruption waits for, and that is not done any more after one: folders that it has
/// removed are not made again. Nothing may be started meanwhile.
pub(crate) fn undisturbed<T>(work: impl FnOnce() -> T) -> T {
    let _groups = groups();
    work()
}

/// A child; killed with all its descendants when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts it in a group of its own.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut groups = groups();
        let child = command.process_group(0).spawn()?;
        let group = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("the system gives positive process ids");
        groups.push(group);
        Ok(Self {
            child,
            group,
            status: None,
        })
    }

    /// Starts it with its output in two files.
    pub(crate) fn start_into(command: &mut Command, out: &Path, err: &Path) -> io::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(File::create(out)?)
            .stderr(File::create(err)?);
        Self::start(command)
    }

    /// Runs it to its end: what it wrote to its standard output and its standard error.
    pub(crate) fn output(command: &mut Command) -> io::Result<(String, String)> {
        let command = command.stdin(Stdio::null());
        let mut process = Self::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let stderr = process.child().stderr.take().expect("it was piped");
        let stdout = process.child().stdout.take().expect("it was piped");
        let reader = thread::spawn(move || io::read_to_string(stderr));
        let stdout = io::read_to_string(stdout)?;
        let stderr = reader.join().expect("to read does not panic")?;
        process.reap(WaitIdOptions::empty())?;
        Ok((stdout, stderr))
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its number and those of all its descendants.
    pub(crate) fn family(&self) -> Vec<u32> {
        let mut family = vec![self.id()];
        let mut next = 0;
        while let Some(parent) = family.get(next) {
            family.extend(children(*parent));
            next += 1;
        }
        family
    }

    /// Whether it has ended, without waiting.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.reap(WaitIdOptions::NOHANG)?;
        }
        Ok(self.status)
    }

    /// Waits for its end, and kills it when `limit` is over.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= until {
                self.kill();
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("it did not end within {} s", limit.as_secs()),
                ));
            }
            thread::sleep(GLANCE);
        }
    }

    /// Asks it to end.
    pub(crate) fn ask(&self, signal: Signal) {
        if self.status.is_none() {
            // It may have ended a moment ago.
            let _ = kill_process_group(self.group, signal);
        }
    }

    fn kill(&mut self) {
        self.ask(Signal::KILL);
        // After SIGKILL there is an end; an error means that there is nothing left to wait for.
        let _ = self.reap(WaitIdOptions::empty());
    }

    /// Waits without reaping, and then reaps under the lock.
    fn reap(&mut self, how: WaitIdOptions) -> io::Result<()> {
        let leader = WaitId::Pid(self.group);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | how;
        let ended = waitid(leader, options);
        if let Ok(None) = ended {
            return Ok(());
        }
        let mut groups = groups();
        // If an interruption has reaped it, the lock is never let go of, so that nobody hears of an error.
        ended?;
        // Descendants that outlive the leader, as workers of a dead master do.
        let _ = kill_process_group(self.group, Signal::KILL);
        self.status = Some(self.child.wait()?);
        bury(self.group);
        groups.retain(|group| *group != self.group);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
        }
    }
}

/// Reaps all of a group that was killed. Orphans of it are children of this program since [`watch`], for not every
/// system has somebody else who would reap them: many a container does not.
fn bury(group: Pid) {
    // An error means that there is nobody left.
    while waitid(WaitId::Pgid(Some(group)), WaitIdOptions::EXITED).is_ok() {}
}

/// The children of a process, over all its threads.
fn children(parent: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            text.split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// From now on an interruption (Ctrl-C, SIGTERM, a terminal that is gone) kills all children, removes
/// `folder`, and ends this program with exit code 130.
pub(crate) fn watch(folder: &Path) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    // Where that is refused, orphans are init's, as usual.
    let _ = set_child_subreaper(Some(getpid()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let mut signals = {
        let _inside = runtime.enter();
        [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]
    };
    let folder = folder.to_owned();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(poll_fn(|cx| {
                let came = signals.iter_mut().any(|one| one.poll_recv(cx).is_ready());
                if came { Poll::Ready(()) } else { Poll::Pending }
            }));
            // Never let go of, so that nothing is started any more.
            let groups = groups();
            for group in groups.iter() {
                let _ = kill_process_group(*group, Signal::KILL);
            }
            for group in groups.iter() {
                // Taken away here, because whoever inherits the dead may leave them lying.
                bury(*group);
            }
            remove(&folder);
            eprintln!(
                "\nsquall-bench: interrupted; ended {} of its processes, none is left",
                groups.len()
            );
            std::process::exit(130);
        })?;
    Ok(())
}

/// Removes a folder in which somebody who was just killed may still have been writing.
fn remove(folder: &Path) {
    for _ in 0..50 {
        match fs::remove_dir_all(folder) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => thread::sleep(GLANCE),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        Process::start(&mut command).unwrap()
    }

    /// A process that is gone, or dead and not yet reaped by whoever inherited it.
    fn is_over(id: u32) -> bool {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.is_empty() || stat.rsplit(')').next().unwrap().trim().starts_with('Z')
    }

    fn soon(what: impl Fn() -> bool) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if what() {
                return true;
            }
            thread::sleep(GLANCE);
        }
        false
    }

    #[test]
    fn dropping_ends_grandchildren_too() {
        let process = shell("sleep 100 & sleep 100");
        assert!(soon(|| process.family().len() == 3));
        let family = process.family();
        drop(process);
        assert!(soon(|| family.iter().all(|id| is_over(*id))));
    }

    #[test]
    fn what_does_not_end_is_killed() {
        let mut process = shell("exec sleep 100");
        let err = process.wait(Duration::from_millis(20)).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::TimedOut);
        assert!(process.ended().unwrap().is_some());
    }

    #[test]
    fn both_outputs_are_read_to_the_end() {
        let mut command = Command::new("sh");
        // More than a pipe holds.
        command.args(["-c", "head -c 200000 /dev/zero | tr '\\0' x >&2; echo out"]);
        let (out, err) = Process::output(&mut command).unwrap();
        assert_eq!((out.as_str(), err.len()), ("out\n", 200_000));
    }

    #[test]
    fn the_exit_code_is_kept() {
        let mut process = shell("exit 3");
        let status = process.wait(Duration::from_secs(10)).unwrap();
        assert_eq!(status.code(), Some(3));
    }
}
