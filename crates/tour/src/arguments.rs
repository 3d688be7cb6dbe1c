//! The command line.

use crate::patterns::{self, ALL, Pattern};

/// The port of the page unless another is chosen.
const PORT: u16 = 8888;

pub(crate) const HELP: &str = "\
The tour of Squall: its seven calling patterns, explained and run.

    squall-tour [--port N]               the page, on http://127.0.0.1:N/; 8888 by default, 0 picks a free port
    squall-tour run PATTERN [URL...]     runs one pattern in the terminal
    squall-tour run --list               lists the patterns
    squall-tour --help                   prints this

With cargo, from the root of the project:

    cargo run --release
    cargo run --release -- run parallel
";

/// What the tour is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    List,
    Run {
        pattern: &'static Pattern,
        args: Vec<String>,
    },
    Serve {
        port: u16,
    },
}

/// Reads the arguments, without the name of the program.
///
/// # Errors
///
/// A sentence for the user, who then sees what is known.
pub(crate) fn parse(args: Vec<String>) -> Result<Command, String> {
    let mut args = args.into_iter();
    let Some(first) = args.next() else {
        return Ok(Command::Serve { port: PORT });
    };
    match first.as_str() {
        "--help" | "-h" | "help" => Ok(Command::Help),
        "run" => run(args),
        "--port" => serve(args.next().as_deref(), args),
        _ => match first.strip_prefix("--port=") {
            Some(port) => serve(Some(port), args),
            None => Err(format!(
                "expected nothing, `--port N`, `run PATTERN` or `--help`, found `{first}`"
            )),
        },
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    let names = || ALL.iter().map(|pattern| pattern.name).collect::<Vec<_>>();
    match args.next().as_deref() {
        None => Err(format!(
            "expected the name of a pattern after `run`; there are: {}",
            names().join(", ")
        )),
        Some("--list" | "-l") => Ok(Command::List),
        Some("--help" | "-h") => Ok(Command::Help),
        Some(name) => match patterns::find(name) {
            Some(pattern) => Ok(Command::Run {
                pattern,
                args: args.collect(),
            }),
            None => Err(format!(
                "there is no pattern `{name}`; there are: {}",
                names().join(", ")
            )),
        },
    }
}

fn serve(port: Option<&str>, mut rest: impl Iterator<Item = String>) -> Result<Command, String> {
    let Some(port) = port else {
        return Err("expected a number after `--port`".to_owned());
    };
    let port = port
        .parse()
        .map_err(|_| format!("expected a port from 0 to 65535 after `--port`, found `{port}`"))?;
    match rest.next() {
        None => Ok(Command::Serve { port }),
        Some(more) => Err(format!("expected nothing after the port, found `{more}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn the_page_and_its_port() {
        for (line, expected) in [
            ("", 8888),
            ("--port 0", 0),
            ("--port=9000", 9000),
            ("--port 65535", 65535),
        ] {
            let command = parsed(line);
            assert!(
                matches!(command, Ok(Command::Serve { port }) if port == expected),
                "{line}: {command:?}"
            );
        }
    }

    #[test]
    fn a_pattern_takes_the_rest() {
        let Ok(Command::Run { pattern, args }) = parsed("run parallel http://a/ --port") else {
            panic!("it names a pattern");
        };
        assert_eq!(pattern.name, "parallel");
        assert_eq!(args, ["http://a/", "--port"]);
    }

    #[test]
    fn help_and_list() {
        assert!(matches!(parsed("--help"), Ok(Command::Help)));
        assert!(matches!(parsed("run --help"), Ok(Command::Help)));
        assert!(matches!(parsed("run --list"), Ok(Command::List)));
    }

    #[test]
    fn mistakes_say_what_is_known() {
        for (line, expected) in [
            ("--prot 1", "found `--prot`"),
            ("--port", "expected a number"),
            ("--port 70000", "found `70000`"),
            ("--port x", "found `x`"),
            ("--port 1 2", "found `2`"),
            ("run", "there are: done_callback"),
            (
                "run nothing",
                "no pattern `nothing`; there are: done_callback",
            ),
        ] {
            let mistake = parsed(line).expect_err(line);
            assert!(mistake.contains(expected), "{line}: {mistake}");
        }
    }
}
