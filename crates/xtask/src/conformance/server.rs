//! The server that is tested.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Scene;
use super::tally::Tally;

/// How long the server may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A conformance server that runs; dropping it kills it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// Host and port.
    pub(super) address: String,
    /// Host and port for TLS, where the step has asked for it.
    pub(super) secure: Option<String>,
    log: PathBuf,
}

impl Server {
    /// Starts a server on a free port with the flags of a step.
    ///
    /// # Errors
    ///
    /// When it does not say where it listens.
    pub(super) fn start(scene: &Scene, name: &str, flags: &[&str]) -> Result<Self, String> {
        let log = scene.folder.join(format!("{name}.log"));
        let file =
            File::create(&log).map_err(|err| format!("cannot write {}: {err}", log.display()))?;
        let mut child = Command::new(&scene.program)
            .args(["--http", "0"])
            .args(flags)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|err| format!("cannot start {}: {err}", scene.program.display()))?;
        let mut lines = Vec::new();
        if let Some(output) = child.stdout.take() {
            let wanted = 1 + usize::from(flags.contains(&"--tls"));
            // A server that fails ends its output, so this does not wait for ever.
            let read = BufReader::new(output).lines().take(wanted);
            lines.extend(read.map_while(Result::ok));
        }
        let address = |scheme: &str| {
            let mut found = lines.iter().filter_map(|line| line.strip_prefix(scheme));
            found.next().map(str::to_owned)
        };
        let server = Self {
            child,
            address: address("http://").unwrap_or_default(),
            secure: address("https://"),
            log,
        };
        if server.address.is_empty() {
            return Err(format!(
                "expected the server to print http://HOST:PORT, found {lines:?}; it logged:\n{}",
                server.logged()
            ));
        }
        Ok(server)
    }

    /// The address of a page.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the server has logged so far.
    pub(super) fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The bytes of memory that the server has in use; `None` where the system does not tell.
    pub(super) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// Ends the server, and counts whether it went well: exit code 0, and neither a panic nor an error in the log.
    pub(super) fn end(mut self, tally: &mut Tally) {
        tally.count("the server at the end", self.judge());
    }

    fn judge(&mut self) -> Result<(), String> {
        let gone = self.child.try_wait().map_err(|err| err.to_string())?;
        if let Some(status) = gone {
            return Err(format!(
                "it has ended before its time with {status}:\n{}",
                self.logged()
            ));
        }
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        asked.map_err(|err| format!("cannot start `kill`: {err}"))?;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().map_err(|err| err.to_string())? {
                break status;
            }
            if Instant::now() > deadline {
                return Err(format!("it still runs {PATIENCE:?} after SIGTERM"));
            }
            thread::sleep(Duration::from_millis(10));
        };
        if !status.success() {
            return Err(format!(
                "expected exit code 0, found {status}:\n{}",
                self.logged()
            ));
        }
        let log = self.logged();
        let bad = |line: &&str| line.contains("ERROR") || line.contains("panicked");
        match log.lines().find(bad) {
            Some(line) => Err(format!("its log has `{}`", line.trim())),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
