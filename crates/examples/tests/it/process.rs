//! The programs as processes: exit codes, and what goes to which output.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::{folder, free_port, promises};

/// Where cargo has put a program: beside the folder of this test.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        path.exists(),
        "{} is not there; `cargo test -p squall-examples` builds it, with `--test it` it must be built before",
        path.display()
    );
    path
}

fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.env_remove("RUST_BACKTRACE").output().unwrap();
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stdout, stderr)
}

#[test]
fn the_default_database_is_a_file_in_the_temporary_folder() {
    let folder = folder("the_default_database");
    let (output, stdout, stderr) = run(Command::new(program("run_sync")).env("TMPDIR", &folder));
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    assert!(
        stdout.ends_with("the database has 3 tags now\nend\n"),
        "{stdout}"
    );
    assert!(folder.join("squall-tags.sqlite").exists());
}

#[test]
fn a_failure_is_one_line_on_standard_error_and_exit_code_1() {
    let url = format!("http://127.0.0.1:{}/", free_port());
    let (output, stdout, stderr) = run(Command::new(program("done_callback")).arg(&url));
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stdout.starts_with("start\n") && stdout.ends_with("callback\nno page\nend\n"),
        "{stdout}"
    );
    assert!(
        stderr.starts_with("error: ") && stderr.lines().count() == 1,
        "{stderr}"
    );
}

#[test]
fn the_log_goes_to_standard_error() {
    let (output, stdout, stderr) = run(&mut Command::new(program("fire_and_forget")));
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stdout.lines().count(), 4, "{stdout}");
    let source = include_str!("../../examples/fire_and_forget.rs");
    let logged = promises(source)
        .into_iter()
        .filter(|line| line.ends_with("; the loop goes on"));
    for line in logged.map(|line| line.trim_start_matches("~ ")) {
        assert!(stderr.contains(line), "{line} is not in {stderr}");
    }
    assert!(
        stderr.contains("fire_and_forget.rs:") && !stderr.contains("\u{1b}["),
        "{stderr}"
    );
}

#[test]
fn an_output_that_nobody_reads_is_no_failure() {
    let mut command = Command::new("sh");
    let script = "\"$0\" 2>&1 >&- | cat; exit 0";
    let (output, _, stderr) = run(command.args(["-c", script]).arg(program("promise")));
    assert!(output.status.success());
    assert_eq!(stderr, "");
}
