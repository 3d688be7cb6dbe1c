//! Fuzzes the parsers, the frames and the connection for a bounded time, from seeds made of the attack corpora.
//!
//! The targets are in `fuzz/`, a workspace of its own; `cargo fuzz` builds them without a sanitizer, so the stable
//! compiler is enough. What a run has found stays in `fuzz/corpus`, and the next one goes on from there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use squall_corpus::Row;

use crate::command::{cargo, output_of};

/// The targets, and the corpora that they start from.
const TARGETS: [(&str, &[Corpus]); 10] = [
    ("request", &[REQUESTS]),
    ("response", &[RESPONSES]),
    ("round_trip", &[REQUESTS, RESPONSES]),
    ("split", &[REQUESTS, RESPONSES]),
    ("connection", &[REQUESTS]),
    ("frames", &[OF_CLIENTS, OF_SERVERS]),
    ("messages", &[OF_CLIENTS, OF_SERVERS]),
    // These make what is valid out of any bytes.
    ("deflate", &[]),
    ("extensions", &[]),
    ("json", &[]),
];

/// A folder of attacks, and the control byte with which a target takes them for what they are.
struct Corpus {
    folder: &'static str,
    control: u8,
}

const REQUESTS: Corpus = Corpus {
    folder: "crates/server/tests/corpus",
    control: 0,
};
const RESPONSES: Corpus = Corpus {
    folder: "crates/client/tests/corpus",
    control: 1,
};
/// Frames, which the target masks, to a server that has agreed to compression.
const OF_CLIENTS: Corpus = Corpus {
    folder: "crates/websocket/tests/corpus",
    control: 6,
};
/// Frames to a client that has agreed to compression.
const OF_SERVERS: Corpus = Corpus {
    folder: "crates/websocket/tests/corpus",
    control: 3,
};

/// Seconds that each target runs where nothing is said.
const SECONDS: u32 = 60;
/// Bytes of the longest input, seeds included.
const LONGEST: usize = 4096;
/// Bytes of a line that are shown: inputs are quoted there, and the file has them anyway.
const LONGEST_LINE: usize = 500;
/// Runs without which a target has not been tried.
const LEAST_RUNS: u64 = 1000;

/// Builds, seeds and runs the targets; true when none has found anything.
///
/// # Errors
///
/// A sentence for a reader when the arguments are not understood, `cargo fuzz` is missing, or something cannot be built.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<bool, String> {
    let (seconds, names) = read(arguments)?;
    output_of(cargo(), &["fuzz", "--version"], root)
        .map_err(|_| "cargo-fuzz is not there; do: cargo install cargo-fuzz".to_owned())?;
    output_of(cargo(), &["fuzz", "build", "-s", "none"], root)?;
    let (mut passed, mut failed) = (0, 0);
    for (name, corpora) in TARGETS {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let seeds = write_seeds(root, name, corpora)?;
        match fuzz(root, name, seconds)? {
            Ok(runs) => {
                passed += 1;
                println!("ok    {name:<12} {seeds:>5} seeds {runs:>12} runs");
            }
            Err(report) => {
                failed += 1;
                println!("FAIL  {name:<12} {seeds:>5} seeds\n{report}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// The seconds of each target, and the targets; all of them when none is named.
fn read<'a>(arguments: &[&'a str]) -> Result<(u32, Vec<&'a str>), String> {
    let (mut seconds, mut names) = (SECONDS, Vec::new());
    let mut words = arguments.iter();
    while let Some(&word) = words.next() {
        match word {
            "--seconds" => {
                seconds = words
                    .next()
                    .and_then(|number| number.parse().ok())
                    .filter(|&seconds| seconds > 0)
                    .ok_or("expected a number of seconds after `--seconds`")?;
            }
            name if TARGETS.iter().any(|(target, _)| *target == name) => names.push(name),
            other => {
                let targets = TARGETS.map(|(name, _)| name).join(", ");
                return Err(format!(
                    "expected `--seconds N` or a target ({targets}), found `{other}`"
                ));
            }
        }
    }
    Ok((seconds, names))
}

/// Writes the seeds of a target anew and says how many there are.
fn write_seeds(root: &Path, target: &str, corpora: &[Corpus]) -> Result<usize, String> {
    let folder = root.join("fuzz/seeds").join(target);
    let cannot = |err| format!("cannot write to {}: {err}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(cannot)?;
    }
    fs::create_dir_all(&folder).map_err(cannot)?;
    fs::create_dir_all(root.join("fuzz/corpus").join(target)).map_err(cannot)?;
    let mut count = 0;
    for corpus in corpora {
        for row in squall_corpus::read(&root.join(corpus.folder))? {
            if let Some(seed) = seed(&row, corpus.control, count) {
                fs::write(folder.join(format!("{count:04}")), seed).map_err(cannot)?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// The bytes of a row with four bytes of control behind them, the last two of which say where it is cut.
fn seed(row: &Row, control: u8, number: usize) -> Option<Vec<u8>> {
    let cut = (number % (row.bytes.len() + 1)) as u16;
    let [high, low] = cut.to_be_bytes();
    let seed = [&row.bytes[..], &[0, control, high, low]].concat();
    (seed.len() <= LONGEST).then_some(seed)
}

/// Runs one target: how many runs there were, or what it has found.
fn fuzz(root: &Path, target: &str, seconds: u32) -> Result<Result<u64, String>, String> {
    let program = cargo();
    let output = Command::new(&program)
        .args(["fuzz", "run", "-s", "none", target])
        .arg(format!("fuzz/corpus/{target}"))
        .arg(format!("fuzz/seeds/{target}"))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        // One input may take ten seconds and two gigabytes: more is a finding.
        .args(["-timeout=10", "-rss_limit_mb=2048", "-verbosity=1"])
        // The place of a panic is enough; the way there is the engine's.
        .env("RUST_BACKTRACE", "0")
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .map_err(|err| format!("cannot start `{} fuzz`: {err}", program.display()))?;
    let report = String::from_utf8_lossy(&output.stderr);
    Ok(match runs(&report) {
        Some(runs) if output.status.success() && runs >= LEAST_RUNS => Ok(runs),
        _ => Err(tail(&report)),
    })
}

/// The number in `Done N runs in M second(s)`.
fn runs(report: &str) -> Option<u64> {
    let line = report
        .lines()
        .rev()
        .find(|line| line.starts_with("Done "))?;
    line.split(' ').nth(1)?.parse().ok()
}

/// The end of a report, where libFuzzer tells the finding and how to run it again.
fn tail(report: &str) -> String {
    let noise = [
        "#",
        "\tNEW_FUNC",
        "\t[",
        "INFO:",
        "WARNING:",
        "    Finished",
    ];
    let lines: Vec<&str> = report
        .lines()
        .filter(|line| !noise.iter().any(|start| line.starts_with(start)))
        .map(|line| line.get(..LONGEST_LINE).unwrap_or(line))
        .collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_seconds_come_in_any_order() {
        assert_eq!(read(&[]), Ok((SECONDS, vec![])));
        assert_eq!(
            read(&["split", "--seconds", "5", "request"]),
            Ok((5, vec!["split", "request"]))
        );
        assert!(read(&["--seconds", "0"]).is_err());
        assert!(read(&["splt"]).unwrap_err().contains("found `splt`"));
    }

    #[test]
    fn a_seed_is_a_row_with_its_control_behind() {
        let text = "--- a\nfrom: b\n> GET\\\n";
        let row = &squall_corpus::parse("x", text).unwrap()[0];
        assert_eq!(seed(row, 1, 6), Some(b"GET\x00\x01\x00\x02".to_vec()));
        let long = format!("--- a\nfrom: b\n> \\{{{LONGEST}*x}}\n");
        assert_eq!(
            seed(&squall_corpus::parse("x", &long).unwrap()[0], 0, 0),
            None
        );
    }

    #[test]
    fn a_run_without_its_last_line_has_no_count() {
        assert_eq!(
            runs("#1 INITED\nDone 4711 runs in 3 second(s)\n"),
            Some(4711)
        );
        assert_eq!(runs("==1== ERROR: libFuzzer: timeout"), None);
    }
}
