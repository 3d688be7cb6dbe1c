//! Holds the hot paths to their committed numbers of instructions.
//!
//! The bench counts (`squall-bench --cost`), this chore compares. Instructions repeat where seconds do
//! not, but they depend on the compiler and on who counts, so `crates/bench/cost.json` has figures for
//! each counter with the compiler they were taken with, and what cannot be compared is skipped in words.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{cargo, output_of};

/// The committed figures, from the root of the project.
const FIGURES: &str = "crates/bench/cost.json";
/// The growth that fails, as a share of the committed figure.
const TOLERANCE: f64 = 0.03;

/// Instructions by what is done.
type Figures = BTreeMap<String, f64>;

/// What the bench counted.
#[derive(Debug, PartialEq)]
struct Count {
    /// `None` where the machine has neither counter.
    counter: Option<String>,
    compiler: String,
    figures: Figures,
}

/// A line of the comparison.
#[derive(Debug, PartialEq)]
struct Line {
    name: String,
    committed: Option<f64>,
    now: Option<f64>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Grown,
    Missing,
    Shrunk,
    Steady,
    Unknown,
}

/// Counts, compares and reports on standard output; true when nothing has grown.
///
/// # Errors
///
/// A sentence for a reader when the arguments are not understood, or the bench or the figures cannot be
/// read.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<bool, String> {
    let update = match arguments {
        [] => false,
        ["--update"] => true,
        [other, ..] => return Err(format!("expected `--update` or nothing, found `{other}`")),
    };
    let output = output_of(
        cargo(),
        &[
            "run",
            "--release",
            "--quiet",
            "--package",
            "squall-bench",
            "--",
            "--cost",
        ],
        root,
    )?;
    let count = read(&output)?;
    let path = root.join(FIGURES);
    let committed = committed(&path)?;
    let Some(counter) = &count.counter else {
        println!("skip  neither perf nor valgrind can count instructions here");
        return Ok(true);
    };
    if update {
        return write(&path, committed, counter, &count).map(|()| true);
    }
    Ok(judge(&committed, counter, &count))
}

/// Compares where that means something.
fn judge(committed: &Value, counter: &str, count: &Count) -> bool {
    let known = &committed[counter];
    let compiler = known["compiler"].as_str().unwrap_or_default();
    if compiler != count.compiler {
        let why = match compiler {
            "" => format!("{FIGURES} has no figures by {counter}"),
            theirs => format!(
                "the figures are of {theirs}, this is {}; another compiler makes other code",
                count.compiler
            ),
        };
        println!("skip  {why}");
        for (name, now) in &count.figures {
            println!("      {name:<46} {now:>12.1}");
        }
        return true;
    }
    let lines = compare(&figures(&known["figures"]), &count.figures);
    println!("instructions by {counter}, {compiler}\n\n{}", table(&lines));
    let failed = lines.iter().filter(|line| line.is_failure()).count();
    if lines.iter().any(|line| line.verdict == Verdict::Shrunk) {
        println!("note: what has shrunk can grow back unseen until `cargo xtask cost --update`");
    }
    println!("{} held, {failed} failed", lines.len() - failed);
    if failed > 0 {
        println!(
            "expected: no more than {:.0} % above {FIGURES}\ndo:       make it cheap again, or raise the figure with `cargo xtask cost --update` in a commit of its own that says why",
            TOLERANCE * 100.0
        );
    }
    failed == 0
}

fn compare(committed: &Figures, now: &Figures) -> Vec<Line> {
    let mut names: Vec<&String> = committed.keys().chain(now.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &String| {
        let (committed, now) = (committed.get(name).copied(), now.get(name).copied());
        Line {
            name: name.clone(),
            committed,
            now,
            verdict: Verdict::of(committed, now),
        }
    };
    names.into_iter().map(line).collect()
}

impl Verdict {
    fn of(committed: Option<f64>, now: Option<f64>) -> Self {
        match (committed, now) {
            (None, _) => Self::Unknown,
            (_, None) => Self::Missing,
            (Some(committed), Some(now)) if now > committed * (1.0 + TOLERANCE) => Self::Grown,
            (Some(committed), Some(now)) if now < committed * (1.0 - TOLERANCE) => Self::Shrunk,
            _ => Self::Steady,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Grown => "FAIL: grown",
            Self::Missing => "FAIL: not counted any more",
            Self::Shrunk => "shrunk",
            Self::Steady => "ok",
            Self::Unknown => "FAIL: no committed figure",
        }
    }
}

impl Line {
    fn is_failure(&self) -> bool {
        !matches!(self.verdict, Verdict::Shrunk | Verdict::Steady)
    }
}

fn table(lines: &[Line]) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1}"));
    let mut text = format!(
        "{:<46} {:>12} {:>12} {:>8}\n",
        "", "committed", "now", "change"
    );
    for line in lines {
        let change = match (line.committed, line.now) {
            (Some(committed), Some(now)) => {
                format!("{:+.1} %", (now / committed - 1.0) * 100.0)
            }
            _ => "–".to_owned(),
        };
        text += &format!(
            "{:<46} {:>12} {:>12} {change:>8}  {}\n",
            line.name,
            number(line.committed),
            number(line.now),
            line.verdict.words()
        );
    }
    text
}

/// The bench prints one object; whatever else stands before it is not ours.
fn read(output: &str) -> Result<Count, String> {
    let line = output.lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(line)
        .map_err(|err| format!("the bench printed `{line}`, which is no JSON: {err}"))?;
    Ok(Count {
        counter: value["counter"].as_str().map(str::to_owned),
        compiler: value["compiler"].as_str().unwrap_or_default().to_owned(),
        figures: figures(&value["figures"]),
    })
}

fn figures(value: &Value) -> Figures {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, figure)| Some((name.clone(), figure.as_f64()?)))
        .collect()
}

/// The committed file; empty where there is none yet.
fn committed(path: &Path) -> Result<Value, String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|err| format!("{FIGURES} is no JSON: {err}"))
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(json!({})),
        Err(err) => Err(format!("cannot read {FIGURES}: {err}")),
    }
}

/// Writes the figures of one counter and leaves those of the other.
fn write(path: &Path, mut all: Value, counter: &str, count: &Count) -> Result<(), String> {
    let rounded: BTreeMap<&String, f64> = count
        .figures
        .iter()
        .map(|(name, figure)| (name, (figure * 10.0).round() / 10.0))
        .collect();
    all[counter] = json!({ "compiler": count.compiler, "figures": rounded });
    fs::write(path, format!("{all:#}\n"))
        .map_err(|err| format!("cannot write {FIGURES}: {err}"))?;
    println!("wrote {} figures by {counter} to {FIGURES}", rounded.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, f64)]) -> Figures {
        pairs
            .iter()
            .map(|(name, figure)| ((*name).to_owned(), *figure))
            .collect()
    }

    #[test]
    fn three_percent_are_held_and_more_fails() {
        let committed = of(&[("a", 100.0), ("b", 100.0), ("c", 100.0), ("gone", 1.0)]);
        let now = of(&[("a", 103.0), ("b", 103.1), ("c", 96.0), ("new", 1.0)]);
        let verdicts: Vec<Verdict> = compare(&committed, &now)
            .iter()
            .map(|line| line.verdict)
            .collect();
        assert_eq!(
            verdicts,
            [
                Verdict::Steady,
                Verdict::Grown,
                Verdict::Shrunk,
                Verdict::Missing,
                Verdict::Unknown
            ]
        );
    }

    #[test]
    fn another_compiler_or_counter_is_a_skip() {
        let committed = json!({ "callgrind": { "compiler": "old", "figures": { "a": 1.0 } } });
        let count = Count {
            counter: Some("callgrind".to_owned()),
            compiler: "new".to_owned(),
            figures: of(&[("a", 9.0)]),
        };
        assert!(judge(&committed, "callgrind", &count));
        assert!(judge(&committed, "perf", &count));
        let same = Count {
            compiler: "old".to_owned(),
            ..count
        };
        assert!(!judge(&committed, "callgrind", &same));
    }

    #[test]
    fn the_last_line_of_the_bench_is_read() {
        let text =
            "warming up\n{\"counter\":\"perf\",\"compiler\":\"x\",\"figures\":{\"a\":2.5}}\n";
        let count = read(text).unwrap();
        assert_eq!(count.figures, of(&[("a", 2.5)]));
        assert_eq!(read("{\"counter\":null}").unwrap().counter, None);
        assert!(read("oops").unwrap_err().contains("`oops`"));
    }
}
