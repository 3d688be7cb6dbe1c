//! A test or an example in the docs runs, or it is not there.

use super::{Check, Problem, Verdict};
use crate::markdown;
use crate::project::Project;
use crate::rust_text::has_word;

pub(super) const CHECK: Check = Check {
    name: "ignored",
    rule: "no test and no code block of the docs is ignored; `no_run` is allowed",
    run,
};

fn run(project: &Project) -> Verdict {
    let mut problems = Vec::new();
    let mut files = 0;
    for (file, views) in project.rust_files() {
        files += 1;
        problems.extend(search(&file.path, &views.code, ignores_test, TEST));
        problems.extend(search(&file.path, &views.comments, ignores_block, BLOCK));
    }
    for file in project.files_ending(".md") {
        files += 1;
        problems.extend(search(&file.path, &file.text, ignores_block, BLOCK));
    }
    Verdict::new(format!("{files} Rust and Markdown files"), problems)
}

/// What was expected and what to do about a test, and about a code block.
const TEST: [&str; 2] = [
    "a test that runs",
    "repair it or delete it; where it needs something rare, look for it and print why it skips",
];
const BLOCK: [&str; 2] = [
    "a code block that is compiled",
    "make it compile (`no_run` where running it makes no sense, `text` where it is no Rust)",
];

fn search(path: &str, view: &str, broken: fn(&str) -> bool, words: [&str; 2]) -> Vec<Problem> {
    let lines = view.lines().enumerate().filter(|(_, line)| broken(line));
    lines
        .map(|(number, line)| {
            let place = format!("{path}:{}", number + 1);
            Problem::new(place, words[0], line.trim(), words[1])
        })
        .collect()
}

fn ignores_test(code: &str) -> bool {
    let attribute: String = code.split_whitespace().collect();
    let conditional = attribute.contains("cfg_attr(") && has_word(code, "ignore");
    attribute.contains("#[ignore") || conditional
}

fn ignores_block(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['/', '!', '*']);
    let (marks, info) = markdown::fence(line);
    !marks.is_empty()
        && info
            .split([',', ' '])
            // `ignore-windows` and the like are the same thing for one platform.
            .any(|word| word == "ignore" || word.starts_with("ignore-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        let found = run(&Project::of_files(&[(path, text)])).problems;
        found.into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn an_ignored_test_fails() {
        for line in [
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "#[cfg_attr(unix, ignore)]",
        ] {
            assert_eq!(
                places("a.rs", &format!("#[test]\n{line}\nfn a() {{}}")),
                ["a.rs:2"]
            );
        }
        assert!(places("a.rs", "// #[ignore]\nlet a = \"#[ignore]\";").is_empty());
    }

    #[test]
    fn an_ignored_block_fails() {
        assert_eq!(
            places("a.rs", "/// ```ignore\n/// a\n/// ```\n"),
            ["a.rs:1"]
        );
        assert_eq!(places("a.rs", "//! ```rust,ignore\n"), ["a.rs:1"]);
        assert_eq!(
            places("docs/a.md", "# A\n\n```ignore\na\n```\n"),
            ["docs/a.md:3"]
        );
        assert!(places("a.rs", "/// ```no_run\n/// ```\nlet a = \"```ignore\";").is_empty());
    }
}
