//! The house rules that neither the compiler nor clippy knows.
//!
//! One rule, one file under `tidy/`, each of the same shape: a [`Check`] with a function from a
//! [`Project`] to a [`Verdict`]. To add a rule, write its file and name it in [`CHECKS`].

mod arrows;
mod budget;
mod ignored;
mod inheritance;
mod lengths;
mod licences;
mod machine_paths;
mod modules;
mod numbers;
mod readmes;
mod standards;
mod todos;
mod unsafe_code;

use std::path::Path;

use crate::project::Project;

/// In the order in which they are reported: structure, code, words, packages.
const CHECKS: [Check; 13] = [
    arrows::CHECK,
    inheritance::CHECK,
    modules::CHECK,
    lengths::CHECK,
    unsafe_code::CHECK,
    ignored::CHECK,
    todos::CHECK,
    standards::CHECK,
    machine_paths::CHECK,
    licences::CHECK,
    budget::CHECK,
    readmes::CHECK,
    numbers::CHECK,
];

/// A rule of the house.
struct Check {
    name: &'static str,
    /// The rule, as a sentence.
    rule: &'static str,
    run: fn(&Project) -> Verdict,
}

/// What a check found.
#[derive(Debug, Default)]
struct Verdict {
    /// What was looked at, so that a check that sees nothing is noticed.
    seen: String,
    /// Worth a look, yet no failure.
    notes: Vec<String>,
    problems: Vec<Problem>,
}

/// One breach of a rule, in the four things a reader needs.
#[derive(Debug)]
struct Problem {
    place: String,
    expected: String,
    found: String,
    remedy: String,
}

impl Verdict {
    fn new(seen: impl Into<String>, problems: Vec<Problem>) -> Self {
        Self {
            seen: seen.into(),
            notes: Vec::new(),
            problems,
        }
    }
}

impl Problem {
    fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
            remedy: remedy.into(),
        }
    }
}

/// Runs the checks called `names`, or all, and reports on standard output; true when none failed.
///
/// # Errors
///
/// A sentence for a reader when the project cannot be read or a name is unknown.
pub(crate) fn run(root: &Path, names: &[&str]) -> Result<bool, String> {
    let checks = chosen(names)?;
    let project = Project::read(root)?;
    let mut failed = 0;
    for check in &checks {
        let verdict = (check.run)(&project);
        failed += usize::from(!verdict.problems.is_empty());
        print!("{}", report(check, &verdict));
    }
    println!("\n{} passed, {failed} failed", checks.len() - failed);
    Ok(failed == 0)
}

fn chosen(names: &[&str]) -> Result<Vec<&'static Check>, String> {
    if names.is_empty() {
        return Ok(CHECKS.iter().collect());
    }
    let find = |name: &&str| {
        CHECKS
            .iter()
            .find(|check| check.name == *name)
            .ok_or_else(|| {
                let known: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
                format!(
                    "there is no check `{name}`; there are: {}",
                    known.join(", ")
                )
            })
    };
    names.iter().map(find).collect()
}

fn report(check: &Check, verdict: &Verdict) -> String {
    let word = if verdict.problems.is_empty() {
        "ok"
    } else {
        "FAIL"
    };
    let mut text = format!("{word:<5} {:<14} {}\n", check.name, verdict.seen);
    for note in &verdict.notes {
        text += &format!("      note: {note}\n");
    }
    if !verdict.problems.is_empty() {
        text += &format!("      the rule: {}\n", check.rule);
    }
    for problem in &verdict.problems {
        let Problem {
            place,
            expected,
            found,
            remedy,
        } = problem;
        text += &format!(
            "      {place}\n        expected: {expected}\n        found:    {found}\n        do:       {remedy}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do() {
        let problem = Problem::new("a.rs:1", "one", "two", "make it one");
        let text = report(&CHECKS[0], &Verdict::new("1 file", vec![problem]));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(lines[0], "FAIL  arrows         1 file");
        assert_eq!(
            lines[2..],
            [
                "a.rs:1",
                "expected: one",
                "found:    two",
                "do:       make it one"
            ]
        );
    }

    #[test]
    fn checks_are_chosen_by_name() {
        assert_eq!(chosen(&[]).unwrap().len(), CHECKS.len());
        assert_eq!(chosen(&["todos"]).unwrap()[0].name, "todos");
        let err = chosen(&["todo"]).err().unwrap();
        assert!(
            err.contains("no check `todo`; there are: arrows, "),
            "{err}"
        );
    }
}
