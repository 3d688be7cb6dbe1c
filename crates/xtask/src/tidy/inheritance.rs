//! Every crate is of one version, one edition, one licence and one set of lints.

use super::{Check, Problem, Verdict};
use crate::project::{Member, Project};

pub(super) const CHECK: Check = Check {
    name: "inheritance",
    rule: "a crate is named after its folder and takes the rest from the workspace",
    run,
};

/// The table of the manifest and the key in it that has to be inherited.
const INHERITED: [(&str, &str); 5] = [
    ("package", "version"),
    ("package", "edition"),
    ("package", "rust-version"),
    ("package", "license"),
    ("lints", ""),
];

fn run(project: &Project) -> Verdict {
    let problems = project.crates.iter().flat_map(problems_of).collect();
    Verdict::new(format!("{} manifests", project.crates.len()), problems)
}

fn problems_of(member: &Member) -> Vec<Problem> {
    let place = format!("{}/Cargo.toml", member.folder);
    let mut problems = Vec::new();
    for (table, key) in INHERITED {
        if !inherits(&member.manifest, table, key) {
            let (line, name) = if key.is_empty() {
                (format!("`workspace = true` under [{table}]"), table)
            } else {
                (format!("`{key}.workspace = true` under [{table}]"), key)
            };
            problems.push(Problem::new(
                &place,
                &line,
                format!("`{name}` is not inherited"),
                format!("write {line}"),
            ));
        }
    }
    let name = package_name(member.word());
    if member.package != name {
        problems.push(Problem::new(
            &place,
            format!("the package name `{name}`, after its folder"),
            format!("`{}`", member.package),
            "rename the package or its folder",
        ));
    }
    problems
}

fn package_name(word: &str) -> String {
    match word {
        "squall" => word.to_owned(),
        _ => format!("squall-{word}"),
    }
}

/// Whether `workspace` is true for `key` of `[table]`, in any of the ways to write that. Reads only
/// what a manifest of this project is made of: one key a line.
fn inherits(manifest: &str, table: &str, key: &str) -> bool {
    let dotted = [table, key, "workspace"];
    let path: Vec<&str> = dotted.into_iter().filter(|part| !part.is_empty()).collect();
    let inline = path[..path.len() - 1].join(".");
    let path = path.join(".");
    let mut open = String::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            open = name.trim_end_matches(']').to_owned();
        } else if let Some((name, value)) = line.split_once('=') {
            let full = format!("{open}.{}", name.trim());
            let full = full.trim_start_matches('.');
            let value = value.trim();
            if full == path && value == "true"
                || full == inline && value.replace(' ', "") == "{workspace=true}"
            {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
[package]
name = \"squall-http\"
version.workspace = true
edition = { workspace = true }
rust-version.workspace = true
license.workspace = true

[lints]
workspace = true

[dependencies]
";

    fn places(manifest: &str, package: &str) -> Vec<String> {
        let member = Member {
            folder: "crates/http".to_owned(),
            package: package.to_owned(),
            manifest: manifest.to_owned(),
            dependencies: Vec::new(),
        };
        let found = run(&Project::of_crates(vec![member])).problems;
        found.into_iter().map(|problem| problem.found).collect()
    }

    #[test]
    fn a_crate_that_inherits_passes() {
        assert!(places(GOOD, "squall-http").is_empty());
    }

    #[test]
    fn every_key_is_needed() {
        for (line, name) in [
            ("\nversion.workspace = true", "version"),
            ("edition = { workspace = true }", "edition"),
            ("rust-version.workspace = true", "rust-version"),
            ("license.workspace = true", "license"),
            ("\nworkspace = true", "lints"),
        ] {
            let found = places(&GOOD.replace(line, ""), "squall-http");
            assert_eq!(found, [format!("`{name}` is not inherited")]);
        }
    }

    #[test]
    fn a_version_of_its_own_fails() {
        let manifest = GOOD.replace(
            "version.workspace = true\nedition",
            "version = \"1.0\"\nedition",
        );
        assert_eq!(
            places(&manifest, "squall-http"),
            ["`version` is not inherited"]
        );
    }

    #[test]
    fn another_name_than_the_folder_fails() {
        assert_eq!(places(GOOD, "squall-web"), ["`squall-web`"]);
    }
}
