//! What the checks look at: the project's files, its crates and the packages they pull in.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{cargo, output_of};
use crate::rust_text::{self, Views};

/// A snapshot of the project. Tests build it from a few lines of text.
#[derive(Debug)]
pub(crate) struct Project {
    /// Every text file that git tracks or would track, in the order of the paths.
    pub(crate) files: Vec<TextFile>,
    /// The members of the workspace.
    pub(crate) crates: Vec<Member>,
    /// Every package of every feature on this platform, our own among them; or why they are not known.
    pub(crate) packages: Result<Vec<Package>, String>,
    /// What `cargo tree` prints for the default build of the facade, a package a line; or why it
    /// could not.
    pub(crate) facade_tree: Result<String, String>,
}

/// A file of UTF-8 text.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// From the root of the project, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A crate of this workspace.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// Its path from the root of the project, such as `crates/http`.
    pub(crate) folder: String,
    pub(crate) package: String,
    /// The text of its `Cargo.toml`.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a member's dependency tables.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) package: String,
    /// Whether only tests, examples and benchmarks see it.
    pub(crate) dev: bool,
}

/// A package of the lock file.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression; empty when the package states none.
    pub(crate) licence: String,
    /// Where cargo got it from; `None` for a package of this workspace.
    pub(crate) source: Option<String>,
}

impl Project {
    /// Takes the snapshot of the project at `root`.
    ///
    /// # Errors
    ///
    /// A sentence for a reader when git or cargo cannot list the files or the crates.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        Ok(Self {
            files: files(root)?,
            crates: members(root)?,
            packages: packages(root),
            facade_tree: output_of(
                cargo(),
                &[
                    "tree", "--locked", "-p", "squall", "-e", "normal", "--prefix", "none",
                ],
                root,
            ),
        })
    }

    /// The Rust files with their views.
    pub(crate) fn rust_files(&self) -> impl Iterator<Item = (&TextFile, Views)> {
        self.files_ending(".rs")
            .map(|file| (file, rust_text::split(&file.text)))
    }

    /// The files whose path ends with `ending`.
    pub(crate) fn files_ending(&self, ending: &str) -> impl Iterator<Item = &TextFile> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(ending))
    }

    /// The file at `path`, counted from the root.
    pub(crate) fn file(&self, path: &str) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl Member {
    /// The last part of its folder, which names the crate: `http` for `crates/http`.
    pub(crate) fn word(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or_default()
    }
}

/// Every file that git tracks, and new ones that it does not ignore, so that a rule speaks up before
/// the file is added.
fn files(root: &Path) -> Result<Vec<TextFile>, String> {
    let list = output_of(
        "git",
        &[
            // A clone may belong to another user than the one who runs the checks.
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        root,
    )?;
    let mut paths: Vec<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    // A tracked file that was deleted, or one that is not text, is none of our business.
    let read = |path: &str| {
        let text = fs::read_to_string(root.join(path)).ok()?;
        let path = path.to_owned();
        (!text.contains('\0')).then_some(TextFile { path, text })
    };
    Ok(paths.into_iter().filter_map(read).collect())
}

fn members(root: &Path) -> Result<Vec<Member>, String> {
    let metadata = metadata(root, &["--no-deps", "--offline"])?;
    let root_text = text(&metadata["workspace_root"]);
    list(&metadata["packages"])
        .map(|package| member(package, &root_text))
        .collect()
}

fn member(package: &Value, root: &str) -> Result<Member, String> {
    let manifest = text(&package["manifest_path"]);
    let folder = Path::new(&manifest).parent().unwrap_or(Path::new(""));
    let dependencies = list(&package["dependencies"]).map(|dependency| Dependency {
        package: text(&dependency["name"]),
        dev: dependency["kind"] == "dev",
    });
    Ok(Member {
        folder: folder
            .strip_prefix(root)
            .unwrap_or(folder)
            .to_string_lossy()
            .into_owned(),
        package: text(&package["name"]),
        dependencies: dependencies.collect(),
        manifest: fs::read_to_string(&manifest)
            .map_err(|err| format!("cannot read {manifest}: {err}"))?,
    })
}

fn packages(root: &Path) -> Result<Vec<Package>, String> {
    // Without the platform, cargo would fetch the crates of every other one.
    let version = output_of("rustc", &["-vV"], root)?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("`rustc -vV` names no host")?;
    let metadata = metadata(
        root,
        &["--all-features", "--locked", "--filter-platform", host],
    )?;
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: text(&package["license"]),
        source: package["source"].as_str().map(str::to_owned),
    };
    Ok(list(&metadata["packages"]).map(package).collect())
}

fn metadata(root: &Path, options: &[&str]) -> Result<Value, String> {
    let arguments = [&["metadata", "--format-version", "1"], options].concat();
    let output = output_of(cargo(), &arguments, root)?;
    serde_json::from_str(&output).map_err(|err| format!("`cargo metadata` wrote no JSON: {err}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
impl Project {
    /// A project of these files alone.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| TextFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
            crates: Vec::new(),
            packages: Ok(Vec::new()),
            facade_tree: Ok(String::new()),
        }
    }

    /// A project of these crates alone.
    pub(crate) fn of_crates(crates: Vec<Member>) -> Self {
        let mut project = Self::of_files(&[]);
        project.crates = crates;
        project
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_by_its_folder() {
        let package = serde_json::json!({
            "name": "squall-xtask",
            "manifest_path": concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            "dependencies": [{ "name": "serde_json", "kind": null }, { "name": "x", "kind": "dev" }],
        });
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let member = member(&package, &root.to_string_lossy()).unwrap();
        assert_eq!(
            (member.folder.as_str(), member.word()),
            ("crates/xtask", "xtask")
        );
        assert_eq!(
            member
                .dependencies
                .iter()
                .map(|one| one.dev)
                .collect::<Vec<_>>(),
            [false, true]
        );
        assert!(member.manifest.contains("[lints]"));
    }
}
