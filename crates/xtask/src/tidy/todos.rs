//! What is still to do is an issue, not a wish in a comment.

use super::{Check, Problem, Verdict};
use crate::project::{Project, TextFile};
use crate::rust_text::{self, has_word};

pub(super) const CHECK: Check = Check {
    name: "todos",
    rule: "a TODO names its issue: TODO(#12)",
    run,
};

// Put together here, so that this file does not trip over its own rule.
const WORDS: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

fn run(project: &Project) -> Verdict {
    let problems = project.files.iter().flat_map(problems_of).collect();
    Verdict::new(format!("{} text files", project.files.len()), problems)
}

fn problems_of(file: &TextFile) -> Vec<Problem> {
    let views;
    let text = if file.path.ends_with(".rs") {
        views = rust_text::split(&file.text);
        &views.comments
    } else {
        &file.text
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| WORDS.iter().any(|word| has_word(line, word)) && !names_issue(line))
        .map(|(number, line)| {
            Problem::new(
                format!("{}:{}", file.path, number + 1),
                "the number of an issue, such as #12, on the same line",
                line.trim(),
                "do it now, or file an issue and name it",
            )
        })
        .collect()
}

fn names_issue(line: &str) -> bool {
    line.match_indices('#')
        .any(|(at, _)| line[at + 1..].starts_with(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, line: &str) -> usize {
        run(&Project::of_files(&[(path, line)])).problems.len()
    }

    #[test]
    fn a_wish_without_an_issue_fails() {
        for word in WORDS {
            assert_eq!(count("a.rs", &format!("// {word}: later")), 1);
            assert_eq!(count("a.js", &format!("// {word} (later)")), 1);
            assert_eq!(count("a.rs", &format!("// {word}(#12): later")), 0);
        }
    }

    #[test]
    fn other_words_pass() {
        assert_eq!(count("a.rs", "let a = todo();"), 0);
        assert_eq!(count("a.md", "a list of todos"), 0);
    }
}
