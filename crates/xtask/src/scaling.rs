//! Holds work to growing no faster than the bytes that a peer sends.
//!
//! The bench counts instructions of something once, twice and four times as long (`squall-bench --scaling`); this chore
//! divides what the second doubling added by what the first one did. That is 2 for work that is linear, 4 for what is
//! quadratic, and the start of the program is in neither.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::command::{cargo, output_of};

/// The growth that fails.
const MOST: f64 = 2.2;

/// Counts and judges; true when nothing grows too fast.
///
/// # Errors
///
/// A sentence for a reader when the arguments are not understood, or the bench cannot be run or read.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<bool, String> {
    if let [other, ..] = arguments {
        return Err(format!("expected no argument, found `{other}`"));
    }
    let output = output_of(
        cargo(),
        &[
            "run",
            "--release",
            "--quiet",
            "--package",
            "squall-bench",
            "--",
            "--scaling",
        ],
        root,
    )?;
    match read(&output)? {
        None => {
            println!("skip  neither perf nor valgrind can count instructions here");
            Ok(true)
        }
        Some((counter, counts)) => {
            println!("millions of instructions by {counter}\n");
            Ok(judge(&counts))
        }
    }
}

/// Instructions of each thing that grows, at its three sizes.
type Counts = BTreeMap<String, [f64; 3]>;

fn judge(counts: &Counts) -> bool {
    println!(
        "{:<46} {:>13} {:>13} {:>13} {:>7}",
        "", "once", "twice", "4 times", "growth"
    );
    let mut failed = 0;
    for (name, sizes) in counts {
        let growth = growth(*sizes);
        let verdict = if growth <= MOST { "ok" } else { "FAIL" };
        failed += usize::from(growth > MOST);
        let [once, twice, four] = sizes.map(|count| count / 1e6);
        println!("{name:<46} {once:>13.1} {twice:>13.1} {four:>13.1} {growth:>7.2}  {verdict}");
    }
    println!("{} passed, {failed} failed", counts.len() - failed);
    if failed > 0 {
        println!(
            "expected: a growth of 2, at most {MOST}: twice the bytes, twice the work\ndo:       find what is looked at or moved again and again"
        );
    }
    failed == 0 && !counts.is_empty()
}

/// What the second doubling added, by what the first one did. Growth that is nowhere to be seen is none of ours to
/// judge: the program did something else.
fn growth([once, twice, four]: [f64; 3]) -> f64 {
    if twice > once {
        (four - twice) / (twice - once)
    } else {
        f64::INFINITY
    }
}

/// Reads the one object that the bench prints: who counted, and what; `None` where nothing can be counted.
fn read(output: &str) -> Result<Option<(String, Counts)>, String> {
    let line = output.lines().last().unwrap_or_default();
    let unreadable = || format!("the bench printed `{line}`, which is no count");
    let value: Value = serde_json::from_str(line).map_err(|_| unreadable())?;
    let Some(counter) = value["counter"].as_str() else {
        return Ok(None);
    };
    let rows = value["rows"].as_object().ok_or_else(unreadable)?;
    let row = |(name, sizes): (&String, &Value)| {
        let sizes: Vec<f64> = sizes.as_array()?.iter().flat_map(Value::as_f64).collect();
        Some((name.clone(), sizes.try_into().ok()?))
    };
    let counts: Option<Counts> = rows.iter().map(row).collect();
    let counts = counts.ok_or_else(unreadable)?;
    Ok(Some((counter.to_owned(), counts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sizes: [f64; 3]) -> Counts {
        [("x".to_owned(), sizes)].into_iter().collect()
    }

    #[test]
    fn linear_passes_and_quadratic_fails() {
        let start = 1000.0;
        assert!(judge(&of([start + 10.0, start + 20.0, start + 40.0])));
        assert!(!judge(&of([start + 10.0, start + 40.0, start + 160.0])));
        // A tenth of it quadratic.
        assert!(!judge(&of([start + 10.0, start + 24.0, start + 64.0])));
    }

    #[test]
    fn what_does_not_grow_was_not_measured() {
        assert!(!judge(&of([10.0, 10.0, 10.0])));
        assert!(!judge(&Counts::new()));
    }

    #[test]
    fn the_last_line_of_the_bench_is_read() {
        let counts = read("x\n{\"counter\":\"perf\",\"rows\":{\"x\":[1,2.5,4]}}\n").unwrap();
        assert_eq!(counts, Some(("perf".to_owned(), of([1.0, 2.5, 4.0]))));
        assert_eq!(read("{\"counter\":null}"), Ok(None));
        assert!(read("{\"counter\":\"perf\",\"rows\":{\"x\":[1,2]}}").is_err());
        assert!(read("oops").unwrap_err().contains("`oops`"));
    }
}
