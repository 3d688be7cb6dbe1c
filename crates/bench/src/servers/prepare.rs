//! Builds and finds the servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::roster::Kind;
use super::{Ready, Server};
use crate::drive::last_line;
use crate::process::Process;

/// How long a build from nothing may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(45 * 60);

/// Where things are.
#[derive(Debug)]
pub(crate) struct Places {
    /// The sources of the peers.
    pub(crate) peers: PathBuf,
    /// Cargo's target directory.
    target: PathBuf,
    /// The load program.
    load: PathBuf,
    /// A folder of this run alone, gone when it ends.
    pub(crate) work: PathBuf,
}

impl Places {
    /// Finds them from where this program is, `target/PROFILE/squall-bench`, and makes the work folder.
    ///
    /// # Errors
    ///
    /// A sentence when the folder cannot be made.
    pub(crate) fn find() -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|err| format!("where am I? {err}"))?;
        let target = own.ancestors().nth(2).unwrap_or(Path::new("target"));
        let places = Self {
            peers: Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"),
            target: target.to_owned(),
            load: target.join("release/squall-load"),
            work: target.join(format!("bench-work-{}", std::process::id())),
        };
        fs::create_dir_all(&places.work)
            .map_err(|err| format!("cannot make {}: {err}", places.work.display()))?;
        Ok(places)
    }

    /// The load program.
    pub(crate) fn load(&self) -> &Path {
        &self.load
    }

    /// A program of this package.
    fn own(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Builds the programs of this package: the server, the load, the floor.
    ///
    /// # Errors
    ///
    /// The last line of the compiler's complaint.
    pub(crate) fn build_own(&self) -> Result<(), String> {
        let mut command = Command::new(cargo());
        command
            .args(["build", "--release", "--package", "squall-bench", "--bins"])
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        self.run(command, "build")
    }

    /// Makes a server ready.
    ///
    /// # Errors
    ///
    /// Why it is left out, with the last line of whoever complained.
    pub(crate) fn prepare(&self, server: &'static Server) -> Result<Ready, String> {
        let mut version = server.version.to_owned();
        let program = match server.kind {
            Kind::Own(name) => self.own(name),
            Kind::Peer(package) => self.build_peer(package)?,
            Kind::Bun(_) => self.install_bun()?,
            Kind::Node(_) => {
                self.install_node_modules()?;
                PathBuf::from("node")
            }
            Kind::Tornado => self.install_tornado()?,
            Kind::Nginx => {
                version = nginx_version()?;
                PathBuf::from("nginx")
            }
        };
        Ok(Ready {
            server,
            version,
            program,
        })
    }

    fn build_peer(&self, package: &str) -> Result<PathBuf, String> {
        let folder = self.target.join("bench-peers");
        let mut command = Command::new(cargo());
        command
            .args(["build", "--release", "--locked", "--package", package])
            .arg("--target-dir")
            .arg(&folder)
            .current_dir(&self.peers);
        self.run(command, package)?;
        Ok(folder.join("release").join(package))
    }

    /// A virtual environment beside the builds; made again when the wanted versions change.
    fn install_tornado(&self) -> Result<PathBuf, String> {
        let folder = self.target.join("bench-tornado");
        let python = folder.join("bin/python");
        let wanted = self.peers.join("tornado/requirements.txt");
        let text = fs::read(&wanted).map_err(|err| format!("{}: {err}", wanted.display()))?;
        let installed = folder.join("installed");
        if fs::read(&installed).is_ok_and(|found| found == text) {
            return Ok(python);
        }
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&folder);
        self.run(venv, "venv")?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&wanted);
        self.run(pip, "pip")?;
        fs::write(&installed, &text).map_err(|err| format!("{}: {err}", installed.display()))?;
        Ok(python)
    }

    /// Where packages from npm are.
    pub(crate) fn node_modules(&self) -> PathBuf {
        self.target.join("bench-node/node_modules")
    }

    /// What the lock file says, beside the builds; installed again when it changes. No script of a package is run.
    fn install_node_modules(&self) -> Result<(), String> {
        let folder = self.target.join("bench-node");
        let cannot = |err: std::io::Error| format!("{}: {err}", folder.display());
        let lock = fs::read(self.peers.join("node/package-lock.json")).map_err(cannot)?;
        let installed = folder.join("installed");
        if fs::read(&installed).is_ok_and(|found| found == lock) {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(cannot)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(self.peers.join("node").join(name), folder.join(name)).map_err(cannot)?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder);
        self.run(npm, "npm")?;
        fs::write(&installed, &lock).map_err(cannot)
    }

    fn install_bun(&self) -> Result<PathBuf, String> {
        self.install_node_modules()?;
        // The binary is in a package for this kind of machine; a script would move it, which is not run.
        let packages = fs::read_dir(self.node_modules().join("@oven"));
        let packages = packages.into_iter().flatten().flatten();
        packages
            .map(|package| package.path().join("bin/bun"))
            .find(|binary| binary.is_file())
            .ok_or_else(|| "npm has no Bun for this machine".to_owned())
    }

    fn run(&self, mut command: Command, name: &str) -> Result<(), String> {
        let (out, err) = (
            self.work.join(format!("{name}.out")),
            self.work.join(format!("{name}.err")),
        );
        let program = Path::new(command.get_program()).display().to_string();
        let cannot = |err| cannot_run(&program, &err);
        let mut process = Process::start_into(&mut command, &out, &err).map_err(cannot)?;
        let status = process.wait(PATIENCE).map_err(cannot)?;
        if status.success() {
            return Ok(());
        }
        Err(format!("`{program}` failed: {}", complaint(&err)))
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // What is left over is small and in the target directory.
        let _ = fs::remove_dir_all(&self.work);
    }
}

fn cannot_run(program: &str, err: &std::io::Error) -> String {
    match err.kind() {
        std::io::ErrorKind::NotFound => format!("`{program}` is not installed, or not in PATH"),
        _ => format!("`{program}` does not run: {err}"),
    }
}

/// The last line that speaks of an error, or the last at all.
fn complaint(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let is_error = |line: &&str| {
        let line = line.trim_start().to_ascii_lowercase();
        line.starts_with("error") && !line.contains("could not compile")
    };
    match text.lines().rev().find(is_error) {
        Some(line) => line.trim().to_owned(),
        None => last_line(path),
    }
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Debian's, whichever the machine has.
fn nginx_version() -> Result<String, String> {
    let output = Command::new("nginx").arg("-v").output();
    let output = output.map_err(|err| cannot_run("nginx", &err))?;
    // It says so on its standard error.
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.trim()
        .rsplit_once('/')
        .map(|(_, version)| version.to_owned())
        .ok_or_else(|| format!("`nginx -v` said: {}", text.trim()))
}
