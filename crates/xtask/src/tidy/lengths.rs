//! Files stay short enough to be read in one go.

use super::{Check, Problem, Verdict};
use crate::project::{Project, TextFile};
use crate::rust_text;

pub(super) const CHECK: Check = Check {
    name: "lengths",
    rule: "a file of code has at most 900 lines besides its tests, and from 600 on a second look",
    run,
};

/// Lines from which on a file is named.
const LOOK_TWICE: usize = 600;
/// Lines a file may have at most.
const LIMIT: usize = 900;
/// What code is written in here.
const ENDINGS: [&str; 6] = [".rs", ".js", ".css", ".html", ".py", ".sh"];

fn run(project: &Project) -> Verdict {
    let mut verdict = Verdict::default();
    let mut files = 0;
    for file in &project.files {
        if !ENDINGS.iter().any(|ending| file.path.ends_with(ending)) || is_test(&file.path) {
            continue;
        }
        files += 1;
        let lines = lines_of(file);
        if lines > LIMIT {
            verdict.problems.push(Problem::new(
                &file.path,
                format!("at most {LIMIT} lines besides tests"),
                format!("{lines}"),
                "split it by concept: a noun a file, `foo.rs` and `foo/`",
            ));
        } else if lines > LOOK_TWICE {
            verdict
                .notes
                .push(format!("{} has {lines} lines; is it one thing?", file.path));
        }
    }
    verdict.seen = format!("{files} files of code");
    verdict
}

/// Whether the whole file is tests or benchmarks.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/benches/")
}

fn lines_of(file: &TextFile) -> usize {
    let all = file.text.lines().count();
    if !file.path.ends_with(".rs") {
        return all;
    }
    let tests = rust_text::test_lines(&rust_text::split(&file.text).code);
    let tests: usize = tests.iter().map(|range| range.len()).sum();
    all.saturating_sub(tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(path: &str, text: &str) -> (usize, usize) {
        let verdict = run(&Project::of_files(&[(path, text)]));
        (verdict.notes.len(), verdict.problems.len())
    }

    #[test]
    fn long_files_are_named_and_longer_ones_fail() {
        let lines = |count| "let a = 1;\n".repeat(count);
        assert_eq!(verdict("crates/a/src/b.rs", &lines(600)), (0, 0));
        assert_eq!(verdict("crates/a/src/b.rs", &lines(601)), (1, 0));
        assert_eq!(verdict("crates/a/src/b.rs", &lines(901)), (0, 1));
        assert_eq!(verdict("crates/tour/page/a.js", &lines(901)), (0, 1));
    }

    #[test]
    fn tests_are_not_counted() {
        let body = "    check();\n".repeat(900);
        let text = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{body}}}\n");
        assert_eq!(verdict("crates/a/src/b.rs", &text), (0, 0));
        assert_eq!(verdict("crates/a/tests/it/b.rs", &body), (0, 0));
        assert_eq!(verdict("crates/a/src/b/tests.rs", &body), (0, 0));
    }
}
