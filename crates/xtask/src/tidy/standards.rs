//! Standards are cited by their current number.

use super::{Check, Problem, Verdict};
use crate::project::Project;

pub(super) const CHECK: Check = Check {
    name: "standards",
    rule: "an RFC is cited by the number that is in force",
    run,
};

/// Obsolete numbers, and the numbers under which their text is now.
const OBSOLETE: [(&str, &str); 8] = [
    ("2616", "9110 (semantics) or 9112 (HTTP/1.1)"),
    ("7230", "9112 (HTTP/1.1) or 9110 (semantics)"),
    ("7231", "9110"),
    ("7232", "9110 section 13"),
    ("7233", "9110 section 14"),
    ("7234", "9111"),
    ("7235", "9110 section 11"),
    ("7540", "9113"),
];

fn run(project: &Project) -> Verdict {
    let mut problems = Vec::new();
    let mut files = 0;
    for file in project
        .files_ending(".rs")
        .chain(project.files_ending(".md"))
    {
        files += 1;
        let mut before = "";
        for (number, line) in file.text.lines().enumerate() {
            for (obsolete, current) in cited(before, line) {
                problems.push(Problem::new(
                    format!("{}:{}", file.path, number + 1),
                    format!("RFC {current}"),
                    format!("{obsolete}: {}", line.trim()),
                    "look the rule up in the current RFC and cite that section",
                ));
            }
            before = line;
        }
    }
    Verdict::new(format!("{files} Rust and Markdown files"), problems)
}

/// The obsolete numbers of a line that speaks of RFCs, or whose sentence began to on the line before.
fn cited(before: &str, line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let speaks = |text: &str| text.to_ascii_lowercase().contains("rfc");
    let begun = before.split_whitespace().next_back().is_some_and(speaks);
    let numbers: Vec<&str> = if begun || speaks(line) {
        line.split(|letter: char| !letter.is_ascii_digit())
            .collect()
    } else {
        Vec::new()
    };
    OBSOLETE
        .into_iter()
        .filter(move |(number, _)| numbers.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let found = run(&Project::of_files(&[("a.rs", text)])).problems;
        found.into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn every_obsolete_number_fails() {
        for (number, _) in OBSOLETE {
            for form in ["RFC N", "rfcN", "RFC-N, section 3", "see RFCs 9110 and N"] {
                let line = form.replace('N', number);
                assert_eq!(places(&format!("//! a\n// {line}\n")), ["a.rs:2"], "{line}");
            }
        }
    }

    #[test]
    fn a_citation_over_two_lines_fails() {
        let text = "// as in RFC\n// N says\n".replace('N', OBSOLETE[0].0);
        assert_eq!(places(&text), ["a.rs:2"]);
    }

    #[test]
    fn current_numbers_and_other_numbers_pass() {
        let port = format!("let port = {};", OBSOLETE[0].0);
        let longer = format!("// RFC 9110, 1{}", OBSOLETE[0].0);
        for text in ["// RFC 9112 section 6.3", &port, &longer] {
            assert!(places(text).is_empty(), "{text}");
        }
    }
}
