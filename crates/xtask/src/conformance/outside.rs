//! What comes from outside of the project: programs of the system, packages of Python and Node.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Scene, Trouble};
use crate::bounded;

/// How long an installation may take.
const INSTALLING: Duration = Duration::from_secs(300);

/// Something that a step cannot do without, and what to do about it.
#[derive(Debug)]
pub(super) struct Missing {
    what: String,
    remedy: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "needs {}; {}", self.what, self.remedy)
    }
}

impl From<Missing> for Trouble {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

/// Finds a program of the system.
///
/// # Errors
///
/// Names the Debian package that has it.
pub(super) fn program(name: &str, package: &str) -> Result<PathBuf, Missing> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Missing {
            what: format!("`{name}`"),
            remedy: format!("on Debian: apt-get install {package}"),
        })
}

/// Runs a command to its end and returns what it printed, both outputs together.
///
/// # Errors
///
/// When it cannot be started, fails or takes too long; carries what it printed.
pub(super) fn output_of(command: Command, limit: Duration) -> Result<String, String> {
    let name = Path::new(command.get_program()).display().to_string();
    let run = bounded::run_command(command, limit)
        .map_err(|err| format!("cannot start `{name}`: {err}"))?;
    match run.status {
        Some(status) if status.success() => Ok(run.output),
        Some(status) => Err(format!(
            "`{name}` failed with {status}:\n{}",
            run.output.trim_end()
        )),
        None => Err(format!(
            "`{name}` did not end within {limit:?}:\n{}",
            run.output.trim_end()
        )),
    }
}

/// The Python with the packages of `requirements.txt`, which are installed when they are not there yet.
///
/// # Errors
///
/// When there is no Python 3 with venv, or the packages cannot be had.
pub(super) fn python(scene: &Scene) -> Result<PathBuf, Trouble> {
    let list = pins(scene, "requirements.txt");
    let folder = scene.folder.join("venv");
    let python = folder.join("bin/python");
    once(&list, &folder, || {
        make_venv(&folder)?;
        let mut pip = command(
            &python,
            [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ],
        );
        pip.args(["--prefer-binary", "--no-deps", "-r"]).arg(&list);
        fetched(
            pip,
            "the packages of crates/xtask/conformance/requirements.txt",
        )
    })?;
    Ok(python)
}

/// The folder with the packages of `package.json` in its `node_modules`.
///
/// # Errors
///
/// When there is no npm, or the packages cannot be had.
pub(super) fn node_packages(scene: &Scene) -> Result<PathBuf, Trouble> {
    let npm = program("npm", "npm")?;
    let list = pins(scene, "package-lock.json");
    let folder = scene.folder.join("node");
    once(&list, &folder, || {
        fs::create_dir_all(&folder)
            .map_err(|err| format!("cannot make {}: {err}", folder.display()))?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pins(scene, file), folder.join(file))
                .map_err(|err| format!("cannot copy {file}: {err}"))?;
        }
        let mut install = command(
            &npm,
            [
                "ci",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--silent",
            ],
        );
        install.current_dir(&folder);
        fetched(
            install,
            "the packages of crates/xtask/conformance/package.json",
        )
    })?;
    Ok(folder)
}

/// Source packages of PyPI, unpacked: the folder that has theirs.
///
/// # Errors
///
/// When there is no Python 3 with venv, or the packages cannot be had.
pub(super) fn source_packages(scene: &Scene) -> Result<PathBuf, Trouble> {
    let list = pins(scene, "vectors.txt");
    let folder = scene.folder.join("vectors");
    once(&list, &folder, || {
        let venv = scene.folder.join("vectors-venv");
        make_venv(&venv)?;
        let mut pip = command(
            venv.join("bin/python"),
            [
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ],
        );
        pip.args([
            "--no-deps",
            "--no-binary=:all:",
            "--require-hashes",
            "--dest",
        ])
        .arg(&folder)
        .arg("-r")
        .arg(&list);
        fetched(pip, "the packages of crates/xtask/conformance/vectors.txt")?;
        let archives = fs::read_dir(&folder)
            .map_err(|err| format!("cannot read {}: {err}", folder.display()))?;
        for archive in archives.filter_map(Result::ok).map(|entry| entry.path()) {
            if archive.extension().is_some_and(|end| end == "gz") {
                let mut tar = command("tar", ["-xzf"]);
                tar.arg(&archive).arg("-C").arg(&folder);
                output_of(tar, INSTALLING)?;
            }
        }
        Ok(())
    })?;
    Ok(folder)
}

/// A file of the project that says what is installed.
fn pins(scene: &Scene, file: &str) -> PathBuf {
    scene.root.join("crates/xtask/conformance").join(file)
}

fn command<P: AsRef<OsStr>, const N: usize>(program: P, arguments: [&str; N]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn make_venv(folder: &Path) -> Result<(), Trouble> {
    let python = program("python3", "python3-venv")?;
    let mut venv = command(python, ["-m", "venv"]);
    venv.arg(folder);
    output_of(venv, INSTALLING).map_err(|err| Missing {
        what: format!("Python's venv ({err})"),
        remedy: "on Debian: apt-get install python3-venv".to_owned(),
    })?;
    Ok(())
}

/// Runs a command that needs the network.
fn fetched(command: Command, what: &str) -> Result<(), Trouble> {
    output_of(command, INSTALLING).map_err(|err| Missing {
        what: format!("{what} ({err})"),
        remedy: "look whether the package registry can be reached".to_owned(),
    })?;
    Ok(())
}

/// Installs into `folder` unless that was done for a list of the same words; begins afresh otherwise.
fn once(
    list: &Path,
    folder: &Path,
    install: impl FnOnce() -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let stamp = folder.join("installed");
    let wanted = fs::read(list).map_err(|err| format!("cannot read {}: {err}", list.display()))?;
    if fs::read(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|err| format!("cannot empty {}: {err}", folder.display()))?;
    }
    install()?;
    fs::write(&stamp, wanted).map_err(|err| format!("cannot write {}: {err}", stamp.display()))?;
    Ok(())
}
