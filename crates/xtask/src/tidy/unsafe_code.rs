//! `unsafe` lives in `ioloop` alone.
//!
//! The lint table denies it too, but any crate could lift that with an attribute; this rule cannot be
//! lifted from inside a crate.

use super::{Check, Problem, Verdict};
use crate::project::Project;
use crate::rust_text::has_word;

pub(super) const CHECK: Check = Check {
    name: "unsafe_code",
    rule: "unsafe code, and permission for it, are found in crates/ioloop alone",
    run,
};

const HOME: &str = "crates/ioloop/";

fn run(project: &Project) -> Verdict {
    let mut problems = Vec::new();
    let mut files = 0;
    for (file, views) in project.rust_files() {
        files += 1;
        if file.path.starts_with(HOME) {
            continue;
        }
        for (number, line) in views.code.lines().enumerate() {
            if let Some(found) = breach(line) {
                problems.push(Problem::new(
                    format!("{}:{}", file.path, number + 1),
                    "safe code",
                    format!("{found}: {}", line.trim()),
                    "write it without, or move the unsafe part to crates/ioloop behind a safe API",
                ));
            }
        }
    }
    Verdict::new(format!("{files} Rust files"), problems)
}

fn breach(code: &str) -> Option<&'static str> {
    // `deny` and `forbid` name the lint as well, and are welcome.
    let lifted = ["allow(", "expect(", "warn("]
        .iter()
        .any(|level| code.contains(level));
    if has_word(code, "unsafe") {
        Some("the word `unsafe`")
    } else if lifted && has_word(code, "unsafe_code") {
        Some("the lint `unsafe_code` lifted")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        let found = run(&Project::of_files(&[(path, text)])).problems;
        found.into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn unsafe_outside_its_home_fails() {
        for line in [
            "unsafe { go() }",
            "unsafe fn go() {}",
            "#![allow(unsafe_code)]",
            "#[unsafe(no_mangle)]",
        ] {
            let text = format!("//! Unsafe.\n{line}\n");
            assert_eq!(
                places("crates/net/src/a.rs", &text),
                ["crates/net/src/a.rs:2"]
            );
            assert!(places("crates/ioloop/src/a.rs", &text).is_empty());
        }
    }

    #[test]
    fn the_word_elsewhere_passes() {
        for line in [
            "// unsafe",
            "let a = \"unsafe\";",
            "#![forbid(unsafe_code)]",
            "let unsafe_code = 1;",
        ] {
            assert!(places("crates/net/src/a.rs", line).is_empty(), "{line}");
        }
    }
}
