//! Runs the example programs and compares what they print with what their headers promise.

mod promise;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::bounded::{self, Run};
use crate::command::{cargo, output_of};
use promise::Promise;

/// How long a program may take, from its start to its end.
const LIMIT: Duration = Duration::from_secs(60);
/// The package whose examples these are.
const PACKAGE: &str = "squall-examples";

/// An example as its manifest describes it.
struct Example {
    name: String,
    source: PathBuf,
    /// Features that are off by default and without which it is not built.
    needs: Vec<String>,
}

/// Builds all examples, runs those called `names`, or all, with no arguments from the root of the
/// project, and reports on standard output; true when none failed.
///
/// # Errors
///
/// A sentence for a reader when the examples cannot be listed or built, or a name is unknown.
pub(crate) fn run(root: &Path, names: &[&str]) -> Result<bool, String> {
    let examples = chosen(listed(root)?, names)?;
    let programs = build(root)?;
    let mut counts = [0, 0];
    for example in &examples {
        if !example.needs.is_empty() {
            println!(
                "skip  {:<24} needs {}",
                example.name,
                example.needs.join(", ")
            );
            continue;
        }
        let verdict = attempt(root, example, programs.get(&example.name));
        counts[usize::from(verdict.is_err())] += 1;
        match verdict {
            Ok(words) => println!("ok    {:<24} {words}", example.name),
            Err(words) => println!("FAIL  {:<24} {words}", example.name),
        }
    }
    let [passed, failed] = counts;
    println!("\n{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// The examples in the order of their names.
fn listed(root: &Path) -> Result<Vec<Example>, String> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ];
    let output = output_of(cargo(), &arguments, root)?;
    let metadata: Value = serde_json::from_str(&output)
        .map_err(|err| format!("`cargo metadata` wrote no JSON: {err}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut examples: Vec<Example> = packages
        .filter(|package| package["name"] == PACKAGE)
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .filter(|target| target["kind"][0] == "example")
        .map(example)
        .collect();
    if examples.is_empty() {
        return Err(format!(
            "no examples found: expected programs under crates/examples/examples of {PACKAGE}"
        ));
    }
    examples.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(examples)
}

fn example(target: &Value) -> Example {
    let needs = target["required-features"].as_array().into_iter().flatten();
    Example {
        name: target["name"].as_str().unwrap_or_default().to_owned(),
        source: target["src_path"].as_str().unwrap_or_default().into(),
        needs: needs.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn chosen(examples: Vec<Example>, names: &[&str]) -> Result<Vec<Example>, String> {
    let known: Vec<&str> = examples
        .iter()
        .map(|example| example.name.as_str())
        .collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "there is no example `{unknown}`; there are: {}",
            known.join(", ")
        ));
    }
    let wanted = |example: &Example| names.is_empty() || names.contains(&example.name.as_str());
    Ok(examples.into_iter().filter(wanted).collect())
}

/// Builds the examples and returns where each program is. The whole workspace is named, so that the
/// packages below are built with the same features as for `cargo test --workspace`, hence only once.
fn build(root: &Path) -> Result<HashMap<String, PathBuf>, String> {
    let arguments = [
        "build",
        "--workspace",
        "--examples",
        "--message-format=json-render-diagnostics",
    ];
    let messages = output_of(cargo(), &arguments, root)?;
    Ok(messages.lines().filter_map(program).collect())
}

/// Builds the example called `name` with a feature of its package, and returns where its program is.
///
/// # Errors
///
/// A sentence for a reader when it cannot be built, or there is none of that name.
pub(crate) fn program_of(root: &Path, name: &str, feature: &str) -> Result<PathBuf, String> {
    let arguments = [
        "build",
        "--package",
        PACKAGE,
        "--example",
        name,
        "--features",
        feature,
        "--message-format=json-render-diagnostics",
    ];
    let messages = output_of(cargo(), &arguments, root)?;
    let mut programs = messages.lines().filter_map(program);
    programs
        .find_map(|(known, path)| (known == name).then_some(path))
        .ok_or_else(|| format!("cargo built no example `{name}`"))
}

/// The example that a message of `cargo build` reports as built.
fn program(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let target = &message["target"];
    (target["kind"][0] == "example").then_some(())?;
    let name = target["name"].as_str()?;
    Some((name.to_owned(), message["executable"].as_str()?.into()))
}

/// Runs one example; what went well or wrong, in words.
fn attempt(root: &Path, example: &Example, program: Option<&PathBuf>) -> Result<String, String> {
    let program = program.ok_or("cargo built no program for it")?;
    let source = fs::read_to_string(&example.source)
        .map_err(|err| format!("cannot read {}: {err}", example.source.display()))?;
    let promise = Promise::of(&source).ok_or(
        "expected a `//! Prints:` block in its header, found none; add one, an indented line for \
         each line it prints (`~` first where only a part is known beforehand)",
    )?;
    let run = bounded::run(program, root, LIMIT).map_err(|err| format!("did not start: {err}"))?;
    judge(&promise, &run)
}

fn judge(promise: &Promise, run: &Run) -> Result<String, String> {
    let complaint = match run.status {
        None => Some(format!(
            "expected it to end within {LIMIT:?}, it had to be killed"
        )),
        Some(status) if !status.success() => Some(format!("expected exit code 0, found {status}")),
        Some(_) => promise
            .broken_by(&run.output)
            .map(|line| format!("expected {line} after the lines promised before it, found none")),
    };
    match complaint {
        None => Ok(format!(
            "{:.1} s, printed what it promises",
            run.took.as_secs_f64()
        )),
        Some(complaint) => Err(format!(
            "{complaint}; it printed:\n{}",
            indented(&run.output)
        )),
    }
}

fn indented(output: &str) -> String {
    let lines = output.lines().map(|line| format!("      | {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(name: &str) -> Example {
        Example {
            name: name.to_owned(),
            source: PathBuf::new(),
            needs: Vec::new(),
        }
    }

    #[test]
    fn examples_are_chosen_by_name() {
        let all = || vec![example("a"), example("b")];
        assert_eq!(chosen(all(), &[]).unwrap().len(), 2);
        assert_eq!(chosen(all(), &["b"]).unwrap()[0].name, "b");
        let err = chosen(all(), &["c"]).err().unwrap();
        assert_eq!(err, "there is no example `c`; there are: a, b");
    }

    #[test]
    fn programs_are_read_from_the_messages_of_a_build() {
        let message = r#"{"reason":"compiler-artifact","target":{"kind":["example"],"name":"a"},"executable":"/x/a"}"#;
        assert_eq!(program(message), Some(("a".to_owned(), "/x/a".into())));
        let library = r#"{"target":{"kind":["lib"],"name":"a"},"executable":null}"#;
        assert_eq!(program(library), None);
        assert_eq!(program("no JSON"), None);
    }

    #[test]
    fn a_program_is_held_to_its_word() {
        let promise = Promise::of("//! Prints:\n//!     one\n").unwrap();
        let words = |script: &str, limit: Duration| {
            let run = bounded::run_command(bounded::shell(script), limit).unwrap();
            judge(&promise, &run)
        };
        assert!(words("echo one", LIMIT).is_ok());
        let err = words("echo two", LIMIT).unwrap_err();
        assert!(
            err.contains("the line `one`") && err.contains("| two"),
            "{err}"
        );
        let err = words("echo one; exit 3", LIMIT).unwrap_err();
        assert!(err.contains("exit status: 3"), "{err}");
        let err = words("echo one; exec sleep 60", Duration::from_millis(200)).unwrap_err();
        assert!(
            err.contains("had to be killed") && err.contains("| one"),
            "{err}"
        );
    }
}
