//! The two READMEs are one page in two languages.

use std::collections::BTreeSet;

use super::{Check, Problem, Verdict};
use crate::markdown::{self, Block};
use crate::project::{Project, TextFile};

pub(super) const CHECK: Check = Check {
    name: "readmes",
    rule: "README.md and README.zh-CN.md have the same code blocks, commands and links to files",
    run,
};

const PAGES: [&str; 2] = ["README.md", "README.zh-CN.md"];

/// What has to be the same on both pages.
struct Page {
    blocks: Vec<Block>,
    commands: BTreeSet<String>,
    links: BTreeSet<String>,
}

fn run(project: &Project) -> Verdict {
    let [Some(english), Some(chinese)] = PAGES.map(|path| project.file(path)) else {
        return missing(project);
    };
    let pages = [page(english), page(chinese)];
    let mut problems = Vec::new();
    problems.extend(different_blocks(&pages));
    for (what, sets) in [
        ("command", pages.each_ref().map(|page| &page.commands)),
        ("link", pages.each_ref().map(|page| &page.links)),
    ] {
        problems.extend(only_in_one(what, sets));
    }
    let links: BTreeSet<&String> = pages.iter().flat_map(|page| &page.links).collect();
    problems.extend(links.into_iter().filter_map(|link| dead(project, link)));
    let [page, _] = &pages;
    let seen = format!(
        "{} code blocks, {} commands, {} links to files",
        page.blocks.len(),
        page.commands.len(),
        page.links.len()
    );
    Verdict::new(seen, problems)
}

fn page(file: &TextFile) -> Page {
    let (blocks, prose) = markdown::blocks_and_prose(&file.text);
    Page {
        commands: blocks.iter().flat_map(Block::commands).collect(),
        links: markdown::file_links(&prose)
            .into_iter()
            // The switch between the languages points the other way on each page.
            .filter(|link| !PAGES.contains(&link.as_str()))
            .collect(),
        blocks,
    }
}

fn missing(project: &Project) -> Verdict {
    let absent = PAGES.iter().filter(|path| project.file(path).is_none());
    let problem = |path: &&str| {
        let remedy = "write it; both pages say the same, each in its language";
        Problem::new(*path, "the page", "no file", remedy)
    };
    Verdict::new("a page is missing", absent.map(problem).collect())
}

fn different_blocks(pages: &[Page; 2]) -> Option<Problem> {
    let [english, chinese] = pages.each_ref().map(|page| {
        let infos = page.blocks.iter().map(|block| block.info.as_str());
        infos.collect::<Vec<&str>>()
    });
    (english != chinese).then(|| {
        Problem::new(
            PAGES.join(" and "),
            format!("the {} code blocks {english:?}", english.len()),
            format!("{}: {chinese:?}", chinese.len()),
            "bring the pages together: same blocks, same order, same languages",
        )
    })
}

fn only_in_one(what: &str, [english, chinese]: [&BTreeSet<String>; 2]) -> Vec<Problem> {
    let problem = |page: &str, entry: &String| {
        Problem::new(
            page,
            format!("the {what} `{entry}`, as on the other page"),
            "it is not there",
            "add it here or take it out there",
        )
    };
    let left_out = english.difference(chinese);
    let added = chinese.difference(english);
    left_out
        .map(|entry| problem(PAGES[1], entry))
        .chain(added.map(|entry| problem(PAGES[0], entry)))
        .collect()
}

/// A link to neither a file nor a folder of the project.
fn dead(project: &Project, link: &str) -> Option<Problem> {
    let folder = format!("{}/", link.trim_end_matches('/'));
    let alive = project
        .files
        .iter()
        .any(|file| file.path == link || file.path.starts_with(&folder));
    (!alive).then(|| {
        Problem::new(
            PAGES.join(" and "),
            "links to files that exist",
            format!("`{link}`"),
            "correct the link or write the file",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = "\
[中文](README.zh-CN.md), [the architecture](ARCHITECTURE.md), [crates](crates/)

```sh
cargo run --release   # then open the page
```

```rust
fn main() {}
```
";

    fn found(english: &str, chinese: &str) -> Vec<String> {
        let project = Project::of_files(&[
            ("README.md", english),
            ("README.zh-CN.md", chinese),
            ("ARCHITECTURE.md", ""),
            ("crates/a/Cargo.toml", ""),
        ]);
        let problems = run(&project).problems;
        problems
            .into_iter()
            .map(|problem| {
                format!(
                    "{}: {} / {}",
                    problem.place, problem.expected, problem.found
                )
            })
            .collect()
    }

    fn chinese() -> String {
        ENGLISH
            .replace("[中文](README.zh-CN.md)", "[English](README.md)")
            .replace("# then open the page", "# 然后打开页面")
            .replace("the architecture", "架构")
    }

    #[test]
    fn the_same_page_twice_passes() {
        assert_eq!(found(ENGLISH, &chinese()), [""; 0]);
    }

    #[test]
    fn a_missing_page_fails() {
        let verdict = run(&Project::of_files(&[("README.md", "")]));
        assert_eq!(verdict.problems[0].place, "README.zh-CN.md");
        assert_eq!(run(&Project::of_files(&[])).problems.len(), 2);
    }

    #[test]
    fn a_missing_block_fails() {
        let shorter = chinese().replace("```rust\nfn main() {}\n```\n", "");
        assert!(found(ENGLISH, &shorter)[0].contains("the 2 code blocks"));
    }

    #[test]
    fn another_command_fails_on_both_pages() {
        let other = chinese().replace("run --release", "run");
        let places = found(ENGLISH, &other);
        assert!(places[0].starts_with("README.zh-CN.md: the command `cargo run --release`"));
        assert!(places[1].starts_with("README.md: the command `cargo run`"));
    }

    #[test]
    fn another_or_a_dead_link_fails() {
        let other = chinese().replace("ARCHITECTURE.md", "GONE.md");
        let problems = found(ENGLISH, &other);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[2].ends_with("links to files that exist / `GONE.md`"));
    }
}
