//! The command line.

use std::path::PathBuf;

use crate::servers::ROSTER;
use crate::suites::SUITES;

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Arguments {
    /// Instructions of the hot paths, as JSON: for `cargo xtask cost`.
    Cost,
    Help,
    /// One contender in a process of its own.
    One(Vec<String>),
    Run(Options),
    /// Instructions of inputs that grow, as JSON: for `cargo xtask scaling`.
    Scaling,
}

/// How to run the suites.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// All when empty.
    pub(crate) suites: Vec<String>,
    /// All when empty.
    pub(crate) servers: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) html: Option<PathBuf>,
    /// Pages whose sections are rewritten.
    pub(crate) markdown: Vec<PathBuf>,
}

/// The hidden first argument with which the program runs one contender of one row, so that a child can
/// be counted by another program or have its memory read.
pub(crate) const ONE: &str = "--one";

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "\
Where Squall stands beside its peers.

Usage: squall-bench [SUITE...] [OPTIONS]

Suites (all when none is named):
",
    );
    for suite in &SUITES {
        text += &format!("  {:<13}{}\n", suite.name, suite.measures);
    }
    text += "
Options:
  --quick         fewer and shorter rounds: good for a look, not for quoting
  --only NAME,... these servers alone, and Squall
  --json FILE     writes the report for programs
  --html FILE     writes the report as one page with drawings
  --markdown FILE rewrites the tables between the markers of a page; may be repeated
  --help          this text

The files are written after every suite. Exit code: 0 after a run, 1 when a server
answered wrongly, nothing could be measured or a file not be written, 2 when the
command line was not understood, 130 when interrupted.
";
    text
}

/// Reads the command line.
///
/// # Errors
///
/// A sentence for the user.
pub(crate) fn parse(words: &[String]) -> Result<Arguments, String> {
    if let [first, rest @ ..] = words
        && first == ONE
    {
        return Ok(Arguments::One(rest.to_vec()));
    }
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |what: &str| match words.next() {
            None => Err(format!("expected {what} after `{word}`")),
            Some(next) if next.starts_with("--") || next.is_empty() => {
                Err(format!("expected {what} after `{word}`, found `{next}`"))
            }
            Some(next) => Ok(next.clone()),
        };
        match word.as_str() {
            "--help" | "-h" => return Ok(Arguments::Help),
            "--cost" => return Ok(Arguments::Cost),
            "--scaling" => return Ok(Arguments::Scaling),
            "--quick" => options.quick = true,
            "--json" => options.json = Some(value("a file")?.into()),
            "--html" => options.html = Some(value("a file")?.into()),
            "--markdown" => options.markdown.push(value("a file")?.into()),
            "--only" => {
                let names = value("names of servers")?;
                options.servers = names.split(',').map(server).collect::<Result<_, _>>()?;
            }
            name if SUITES.iter().any(|suite| suite.name == name) => {
                options.suites.push(name.to_owned());
            }
            other => return Err(unknown(other)),
        }
    }
    Ok(Arguments::Run(options))
}

fn server(name: &str) -> Result<String, String> {
    let mut names = ROSTER.iter().map(|server| server.name);
    if names.any(|other| other == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<String> = ROSTER
        .iter()
        .map(|server| format!("`{}`", server.name))
        .collect();
    Err(format!(
        "there is no server `{name}`; there are {}",
        names.join(", ")
    ))
}

fn unknown(word: &str) -> String {
    let names: Vec<String> = SUITES
        .iter()
        .map(|suite| format!("`{}`", suite.name))
        .collect();
    format!(
        "expected a suite ({}) or an option, found `{word}`; see --help",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Arguments, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn suites_and_options_come_in_any_order() {
        let Ok(Arguments::Run(options)) = of("json --quick --html x.html loop --only hyper,axum")
        else {
            panic!("it is a run");
        };
        assert_eq!(options.suites, ["json", "loop"]);
        assert_eq!(options.servers, ["hyper", "axum"]);
        assert!(options.quick && options.json.is_none());
        assert_eq!(options.html, Some("x.html".into()));
    }

    #[test]
    fn what_is_not_understood_is_quoted() {
        assert!(of("jsn").unwrap_err().contains("found `jsn`"));
        assert_eq!(of("--json").unwrap_err(), "expected a file after `--json`");
        assert!(of("--only hyper,axom").unwrap_err().contains("`axom`"));
        let swallowed = of("--json --html x.html").unwrap_err();
        assert_eq!(swallowed, "expected a file after `--json`, found `--html`");
    }

    #[test]
    fn every_suite_says_what_it_measures() {
        let text = help();
        for suite in &SUITES {
            assert!(text.contains(suite.measures));
        }
    }
}
