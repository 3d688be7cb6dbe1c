//! Who takes Squall takes few others along.

use std::collections::BTreeSet;

use super::{Check, Problem, Verdict};
use crate::project::Project;

pub(super) const CHECK: Check = Check {
    name: "budget",
    rule: "the default build of squall pulls in at most 40 packages, itself counted",
    run,
};

/// Packages that the default build may consist of, our own counted.
const LIMIT: usize = 40;

fn run(project: &Project) -> Verdict {
    let tree = match &project.facade_tree {
        Ok(tree) => tree,
        Err(err) => return unknown(err),
    };
    let packages = packages(tree);
    let seen = format!("{} of {LIMIT} packages", packages.len());
    let mut problems = Vec::new();
    // A tree without the facade is a tree that was not read right.
    if packages.is_empty() {
        return unknown("an empty tree");
    }
    if packages.len() > LIMIT {
        problems.push(Problem::new(
            "cargo tree -p squall -e normal",
            format!("at most {LIMIT} packages"),
            format!(
                "{}: {}",
                packages.len(),
                Vec::from_iter(packages).join(", ")
            ),
            "do without the newest, or put it behind a feature that is off by default",
        ));
    }
    Verdict::new(seen, problems)
}

fn unknown(err: &str) -> Verdict {
    let problem = Problem::new(
        "cargo tree -p squall -e normal",
        "the packages of the default build",
        err,
        "if the lock file is old, run `cargo metadata` once and commit Cargo.lock",
    );
    Verdict::new("nothing", vec![problem])
}

/// The packages of a tree printed without prefixes, each once: `name v1.2.3 (what it is) (*)`.
fn packages(tree: &str) -> BTreeSet<String> {
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    };
    tree.lines().filter_map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(tree: &str) -> Verdict {
        let mut project = Project::of_files(&[]);
        project.facade_tree = Ok(tree.to_owned());
        run(&project)
    }

    #[test]
    fn a_package_counts_once() {
        let verdict =
            verdict("squall v0.1.0 (crates/squall)\na v1.0.0\na v1.0.0 (*)\na v2.0.0\n\n");
        assert_eq!(verdict.seen, "3 of 40 packages");
        assert!(verdict.problems.is_empty());
    }

    #[test]
    fn one_too_many_fails() {
        let tree = |count: usize| {
            (0..count)
                .map(|n| format!("a{n} v1.0.0\n"))
                .collect::<String>()
        };
        assert!(verdict(&tree(40)).problems.is_empty());
        assert_eq!(verdict(&tree(41)).problems.len(), 1);
    }

    #[test]
    fn an_unknown_tree_fails() {
        assert_eq!(verdict("").problems.len(), 1);
    }
}
