//! Measured figures have one source.

use super::{Check, Problem, Verdict};
use crate::project::{Project, TextFile};

pub(super) const CHECK: Check = Check {
    name: "numbers",
    rule: "a page quotes figures of the bench as docs/benchmarks.md has them, letter for letter",
    run,
};

const SOURCE: &str = "docs/benchmarks.md";
const END: &str = "<!-- bench:end -->";

/// A section that the bench writes.
#[derive(Debug, PartialEq)]
struct Section<'a> {
    name: &'a str,
    /// Of the line with its name, from 1.
    line: usize,
    text: String,
}

fn run(project: &Project) -> Verdict {
    let known = project.file(SOURCE).map(sections).unwrap_or_default();
    let mut problems = Vec::new();
    let mut quotes = 0;
    for page in project
        .files_ending(".md")
        .filter(|page| page.path != SOURCE)
    {
        for quote in sections(page) {
            quotes += 1;
            let source = known.iter().find(|section| section.name == quote.name);
            problems.extend(judge(page, &quote, source));
        }
    }
    let seen = format!("{} sections, {quotes} quotes", known.len());
    Verdict::new(seen, problems)
}

fn judge(page: &TextFile, quote: &Section<'_>, source: Option<&Section<'_>>) -> Option<Problem> {
    let place = format!("{}:{}", page.path, quote.line);
    let name = quote.name;
    match source {
        None => Some(Problem::new(
            place,
            format!("a section `{name}` in {SOURCE}"),
            "none",
            "add it there, or take the quote out",
        )),
        Some(source) if source.text != quote.text => Some(Problem::new(
            place,
            format!("the section `{name}` of {SOURCE}"),
            "another text",
            "copy it, or let the bench write both: `--markdown` for each page",
        )),
        Some(_) => None,
    }
}

/// The sections of a page outside its code blocks; one without an end goes to the end of the page.
fn sections(page: &TextFile) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let (mut inside, mut code) = (false, false);
    for (number, line) in page.text.lines().enumerate() {
        code ^= line.trim_start().starts_with("```");
        let name = line
            .strip_prefix("<!-- bench:")
            .and_then(|rest| rest.strip_suffix(" -->"));
        match (name, sections.last_mut()) {
            _ if code => {}
            (Some(_), _) if line == END => inside = false,
            (Some(name), _) => {
                inside = true;
                sections.push(Section {
                    name,
                    line: number + 1,
                    text: String::new(),
                });
            }
            (None, Some(section)) if inside => section.text = section.text.clone() + line + "\n",
            _ => {}
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A\n<!-- bench:json -->\n| 1 |\n<!-- bench:end -->\nwords\n";

    fn problems(page: &str, source: &str) -> Vec<String> {
        let project = Project::of_files(&[("README.md", page), (SOURCE, source)]);
        let problems = run(&project).problems;
        problems
            .into_iter()
            .map(|problem| format!("{} {}", problem.place, problem.found))
            .collect()
    }

    #[test]
    fn a_quote_is_as_its_source() {
        let source = PAGE.replace("words", "other words");
        assert_eq!(problems(PAGE, &source), [""; 0]);
        let other = source.replace("| 1 |", "| 2 |");
        assert_eq!(problems(PAGE, &other), ["README.md:2 another text"]);
        assert_eq!(problems(PAGE, "# A\n"), ["README.md:2 none"]);
    }

    #[test]
    fn an_example_in_a_code_block_is_no_quote() {
        assert_eq!(problems(&format!("```md\n{PAGE}```\n"), ""), [""; 0]);
    }
}
