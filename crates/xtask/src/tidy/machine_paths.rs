//! Nothing in the project knows the machine it was written on.

use super::{Check, Problem, Verdict};
use crate::project::Project;

pub(super) const CHECK: Check = Check {
    name: "machine_paths",
    rule: "no text file names a folder of somebody's machine",
    run,
};

// Put together here, so that this file does not trip over its own rule.
const FOLDERS: [&str; 3] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
];

fn run(project: &Project) -> Verdict {
    let mut problems = Vec::new();
    for file in &project.files {
        for (number, line) in file.text.lines().enumerate() {
            if FOLDERS.iter().any(|folder| begins_path(line, folder)) {
                problems.push(Problem::new(
                    format!("{}:{}", file.path, number + 1),
                    "a path from the root of the project, or a made-up one such as /srv/app",
                    line.trim(),
                    "rewrite the path",
                ));
            }
        }
    }
    Verdict::new(format!("{} text files", project.files.len()), problems)
}

/// Whether a path in `line` begins with `folder`; the same letters inside a longer path or a URL are
/// somebody's business, not a machine's.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_-.~}*".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(line: &str) -> usize {
        run(&Project::of_files(&[("a.md", line)])).problems.len()
    }

    #[test]
    fn a_path_of_a_machine_fails() {
        for folder in FOLDERS {
            for form in ["Fme/a", "see `Fme`", "a=Fme", "file://Fme", "a:Fme"] {
                let line = form.replace('F', folder);
                assert_eq!(count(&line), 1, "{line}");
            }
        }
    }

    #[test]
    fn other_paths_pass() {
        for folder in FOLDERS {
            for form in ["https://example.comFa", "cratesFa", "~Fa", "${dir}Fa"] {
                let line = form.replace('F', folder);
                assert_eq!(count(&line), 0, "{line}");
            }
        }
    }
}
