//! Points other people's test suites and clients at the conformance server.
//!
//! The server is the example `conformance`. Each step starts one of its own with the limits that it needs, counts
//! cases, and looks at the end whether the server is well: still there, exit code 0, no error in its log. A step that
//! runs fewer cases than are known fails, because a suite that scanned nothing says that all is well.
//!
//! What the steps need is installed into `target/conformance` (Python and Node packages, pinned under
//! `crates/xtask/conformance`) or has to be there (Debian packages). Where something is missing a step skips and names
//! it; on a machine where `CI` is set it fails.

mod clients;
mod curl;
mod lint;
mod load;
mod outside;
mod secure;
mod server;
mod slow;
mod tally;
mod vectors;
mod websocket;
mod wire;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::examples;
use outside::Missing;
use tally::Tally;

/// A suite.
struct Step {
    name: &'static str,
    what: &'static str,
    /// The fewest cases that have to pass.
    floor: usize,
    run: fn(&Scene) -> Result<Tally, Trouble>,
}

const STEPS: &[Step] = &[
    vectors::STEP,
    lint::STEP,
    curl::STEP,
    clients::PYTHON,
    clients::NODE,
    clients::JAVA,
    secure::STEP,
    load::STEP,
    slow::STEP,
];

/// All steps, in the order in which they run.
fn steps() -> impl Iterator<Item = &'static Step> {
    STEPS.iter().chain(websocket::STEPS)
}

/// Where the steps work.
struct Scene {
    /// The root of the project.
    root: PathBuf,
    /// What is installed and written: `target/conformance`.
    folder: PathBuf,
    /// The conformance server.
    program: PathBuf,
}

impl Scene {
    /// A file that a step needs.
    fn file(&self, name: &str) -> PathBuf {
        self.root.join("crates/xtask/conformance").join(name)
    }
}

/// Why a step has no result.
#[derive(Debug)]
enum Trouble {
    /// It went wrong: a sentence.
    Broken(String),
    /// It cannot run here.
    Missing(Missing),
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Broken(message)
    }
}

/// Builds the server, runs the steps called `names`, or all, and reports on standard output; true when none failed.
///
/// `--against HOST:PORT` with the step `vectors` asks another server instead, and `--program FILE` before the names has
/// the steps start another program, which takes the same flags: so a step can be seen to fail.
///
/// # Errors
///
/// A sentence for a reader when a name is unknown or the server cannot be built.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<bool, String> {
    if let ["vectors", "--against", address] = arguments {
        return vectors::against(root, address);
    }
    let (program, names) = match arguments {
        ["--program", program, names @ ..] => (Some(root.join(program)), names),
        names => (None, names),
    };
    let steps = chosen(names)?;
    let folder = root.join("target/conformance");
    fs::create_dir_all(&folder)
        .map_err(|err| format!("cannot make {}: {err}", folder.display()))?;
    let scene = Scene {
        root: root.to_owned(),
        program: match program {
            Some(program) => program,
            None => examples::program_of(root, "conformance", "tls")?,
        },
        folder,
    };
    let outcomes = steps.iter().map(|step| attempt(step, &scene));
    let passed: Vec<bool> = outcomes.collect();
    let failed = passed.iter().filter(|passed| !**passed).count();
    println!("\n{} steps passed, {failed} failed", passed.len() - failed);
    Ok(failed == 0)
}

fn chosen(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    if names.is_empty() {
        return Ok(steps().collect());
    }
    let find = |name: &&str| {
        steps().find(|step| step.name == *name).ok_or_else(|| {
            let known: Vec<String> = steps()
                .map(|step| format!("{} ({})", step.name, step.what))
                .collect();
            format!("there is no step `{name}`; there are: {}", known.join(", "))
        })
    };
    names.iter().map(find).collect()
}

/// The folder that the servers show under `/static/`: a page, an empty file, and 1 MiB of all bytes in turn.
fn shown(scene: &Scene) -> Result<PathBuf, String> {
    let folder = scene.folder.join("static");
    let large: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let files: [(&str, &[u8]); 3] = [
        (
            "page.html",
            b"<!doctype html><title>A page</title><p>Hello, World!\n",
        ),
        ("empty.txt", b""),
        ("large.bin", &large),
    ];
    let write = || {
        fs::create_dir_all(&folder)?;
        files
            .iter()
            .try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
    };
    write().map_err(|err| format!("cannot write {}: {err}", folder.display()))?;
    Ok(folder)
}

/// Runs a step and reports; whether it passed.
fn attempt(step: &Step, scene: &Scene) -> bool {
    println!("\n== {}: {}", step.name, step.what);
    let begun = Instant::now();
    let (tally, word) = match (step.run)(scene) {
        Ok(tally) => {
            let good = tally.failed.is_empty() && tally.passed >= step.floor;
            (tally, if good { "ok" } else { "FAIL" })
        }
        Err(Trouble::Missing(missing)) if env::var_os("CI").is_none() => {
            println!("skip  {missing}");
            (Tally::default(), "skip")
        }
        Err(Trouble::Missing(missing)) => {
            println!("FAIL  {missing}");
            (Tally::default(), "FAIL")
        }
        Err(Trouble::Broken(message)) => {
            println!("FAIL  {message}");
            (Tally::default(), "FAIL")
        }
    };
    for complaint in &tally.failed {
        println!("FAIL  {complaint}");
    }
    if word == "FAIL" && tally.failed.is_empty() && tally.passed < step.floor {
        println!("expected: at least {} cases to pass", step.floor);
    }
    println!(
        "{word:<5} {:<10} {tally} ({:.0} s)",
        step.name,
        begun.elapsed().as_secs_f64()
    );
    word != "FAIL"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name() {
        assert_eq!(chosen(&[]).unwrap().len(), steps().count());
        assert_eq!(chosen(&["vectors"]).unwrap()[0].name, "vectors");
        let err = chosen(&["vector"]).err().unwrap();
        assert!(
            err.starts_with("there is no step `vector`; there are: vectors ("),
            "{err}"
        );
    }

    #[test]
    fn a_step_that_runs_too_little_fails() {
        let step = |floor, run| Step {
            name: "one",
            what: "",
            floor,
            run,
        };
        let scene = Scene {
            root: PathBuf::new(),
            folder: PathBuf::new(),
            program: PathBuf::new(),
        };
        let one: fn(&Scene) -> Result<Tally, Trouble> = |_| {
            let mut tally = Tally::default();
            tally.pass();
            Ok(tally)
        };
        assert!(attempt(&step(1, one), &scene));
        assert!(!attempt(&step(2, one), &scene));
        let broken = |_: &Scene| Err("no".to_owned().into());
        assert!(!attempt(&step(0, broken), &scene));
    }
}
