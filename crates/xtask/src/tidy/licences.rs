//! Everything that is built in may be given on under our own licence, and comes from a registry.

use super::{Check, Problem, Verdict};
use crate::project::{Package, Project};

pub(super) const CHECK: Check = Check {
    name: "licences",
    rule: "a package of another comes from a registry, under a licence that asks for no more than a notice",
    run,
};

/// Licences that permit use under MIT OR Apache-2.0 with a notice at most.
const ACCEPTED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // The list of certificate authorities: data, not code.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The texts of our own licence, which every clone carries.
const OURS: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

fn run(project: &Project) -> Verdict {
    let mut problems: Vec<Problem> = OURS
        .iter()
        .filter(|path| project.file(path).is_none())
        .map(|path| {
            let remedy = "restore the file from the history";
            Problem::new(*path, "the text of the licence", "no file", remedy)
        })
        .collect();
    let packages = match &project.packages {
        Ok(packages) => packages.as_slice(),
        Err(err) => {
            problems.push(unknown(err));
            &[]
        }
    };
    let foreign = || packages.iter().filter(|package| package.source.is_some());
    problems.extend(foreign().flat_map(problems_of));
    Verdict::new(
        format!("{} packages of others", foreign().count()),
        problems,
    )
}

fn unknown(err: &str) -> Problem {
    Problem::new(
        "Cargo.lock",
        "a list of the packages from `cargo metadata --locked`",
        err,
        "if the lock file is old, run `cargo metadata` once and commit Cargo.lock",
    )
}

fn problems_of(package: &Package) -> Vec<Problem> {
    let place = format!("{} {}", package.name, package.version);
    let mut problems = Vec::new();
    if !accepted(&package.licence) {
        problems.push(Problem::new(
            &place,
            format!("one of {}", ACCEPTED.join(", ")),
            format!("`{}`", package.licence),
            "do without the package; if its licence is as free as those, add it to \
             crates/xtask/src/tidy/licences.rs",
        ));
    }
    let source = package.source.as_deref().unwrap_or_default();
    if !source.starts_with("registry+") && !source.starts_with("sparse+") {
        problems.push(Problem::new(
            &place,
            "a published version",
            source,
            "depend on a version that is in the registry",
        ));
    }
    problems
}

/// Whether an SPDX expression lets us choose licences that are all accepted. `AND` binds tighter than
/// `OR`; a slash is how `OR` was written once.
fn accepted(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words) == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// Like the two below: `None` when the words are no expression.
fn any_of(words: &mut Words<'_>) -> Option<bool> {
    let mut result = all_of(words)?;
    while words.next_if_eq(&"OR").is_some() {
        // Both sides have to be read, so no short cut.
        result |= all_of(words)?;
    }
    Some(result)
}

fn all_of(words: &mut Words<'_>) -> Option<bool> {
    let mut result = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        result &= one(words)?;
    }
    Some(result)
}

fn one(words: &mut Words<'_>) -> Option<bool> {
    match words.next()? {
        "(" => {
            let result = any_of(words)?;
            words.next_if_eq(&")").map(|_| result)
        }
        name if words.next_if_eq(&"WITH").is_some() => {
            let whole = format!("{name} WITH {}", words.next()?);
            Some(ACCEPTED.contains(&whole.as_str()))
        }
        name => Some(ACCEPTED.contains(&name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_a_choice() {
        for good in [
            "MIT",
            "Unlicense OR MIT",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(accepted(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT OR",
            "(MIT",
            "MIT MIT",
            "MIT WITH Strange-exception",
            "Apache-2.0 AND (GPL-2.0 OR LGPL-2.1)",
        ] {
            assert!(!accepted(bad), "{bad}");
        }
    }

    fn found(licence: &str, source: Option<&str>) -> Vec<String> {
        let mut project = Project::of_files(&[("LICENSE-MIT", ""), ("LICENSE-APACHE", "")]);
        project.packages = Ok(vec![Package {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.to_owned(),
            source: source.map(str::to_owned),
        }]);
        let problems = run(&project).problems;
        problems.into_iter().map(|problem| problem.found).collect()
    }

    #[test]
    fn a_licence_that_asks_for_more_fails() {
        assert!(found("MIT", Some("registry+x")).is_empty());
        assert_eq!(
            found("GPL-3.0-only", Some("registry+x")),
            ["`GPL-3.0-only`"]
        );
    }

    #[test]
    fn a_package_from_a_repository_fails() {
        assert_eq!(found("MIT", Some("git+x")), ["git+x"]);
        assert!(found("", None).is_empty(), "our own are not asked");
    }

    #[test]
    fn a_missing_licence_text_and_an_old_lock_file_fail() {
        let mut project = Project::of_files(&[("LICENSE-MIT", "")]);
        assert_eq!(run(&project).problems[0].place, "LICENSE-APACHE");
        project.packages = Err("the lock file is old".to_owned());
        assert_eq!(run(&project).problems.len(), 2);
    }
}
