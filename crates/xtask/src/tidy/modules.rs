//! One form of module file: `foo.rs` and `foo/`.

use super::{Check, Problem, Verdict};
use crate::project::Project;

pub(super) const CHECK: Check = Check {
    name: "modules",
    rule: "a module is `foo.rs` with `foo/` beside it",
    run,
};

fn run(project: &Project) -> Verdict {
    let problem = |folder: &str| {
        Problem::new(
            format!("{folder}/mod.rs"),
            format!("{folder}.rs"),
            "a `mod.rs`",
            format!("git mv {folder}/mod.rs {folder}.rs"),
        )
    };
    let problems: Vec<Problem> = project
        .files_ending("/mod.rs")
        .filter_map(|file| file.path.strip_suffix("/mod.rs"))
        .map(problem)
        .collect();
    let files = project.files_ending(".rs").count();
    Verdict::new(format!("{files} Rust files"), problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mod_rs_fails() {
        let project =
            Project::of_files(&[("crates/a/src/b/mod.rs", ""), ("crates/a/src/b.rs", "")]);
        let found = run(&project).problems;
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].remedy,
            "git mv crates/a/src/b/mod.rs crates/a/src/b.rs"
        );
    }
}
