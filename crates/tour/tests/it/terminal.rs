//! The patterns and the mistakes of users, in a terminal.

use std::net::TcpListener;
use std::process::Output;

use crate::tour::command;

fn run(args: &[&str]) -> Output {
    command().args(args).output().expect("the tour is built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

#[test]
fn the_list_has_a_pattern_a_line() {
    let output = run(&["run", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let list = text(&output.stdout);
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        names,
        [
            "done_callback",
            "fire_and_forget",
            "run_sync",
            "callback_to_future",
            "thread_pool",
            "parallel",
            "promise"
        ]
    );
}

#[test]
fn a_pattern_prints_its_lines_and_then_its_timeline() {
    let output = run(&["run", "thread_pool", "0"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    let (lines, timeline) = printed.split_once("\n\n").expect("a line between them");
    assert!(
        lines.starts_with("start\n") && lines.ends_with("\nend"),
        "{printed}"
    );
    for sign in ["the loop", "╱", "━", "pool: 1 job"] {
        assert!(timeline.contains(sign), "{sign}: {printed}");
    }
}

#[test]
fn failures_are_logged_and_the_loop_goes_on() {
    let output = run(&["run", "fire_and_forget"]);
    assert_eq!(output.status.code(), Some(0));
    let log = text(&output.stderr);
    let place = "spawned at crates/examples/examples/fire_and_forget.rs:";
    assert_eq!(log.matches(place).count(), 2, "{log}");
    assert_eq!(log.matches("attempt to divide by zero").count(), 1, "{log}");
    assert!(text(&output.stdout).contains("\nend\n"));
}

#[test]
fn an_address_that_nobody_answers_is_one_line() {
    let output = run(&["run", "done_callback", "http://127.0.0.1:9/"]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.starts_with("error: ") && message.contains("127.0.0.1:9"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn an_unknown_pattern_is_answered_with_those_there_are() {
    let output = run(&["run", "hurricane"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("no pattern `hurricane`"), "{message}");
    assert!(
        message.contains("done_callback") && message.contains("promise"),
        "{message}"
    );
}

#[test]
fn a_taken_port_is_named_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port();
    let output = run(&["--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = text(&output.stderr);
    assert!(
        message.contains(&format!("port {port} is taken")),
        "{message}"
    );
    assert!(message.contains("--port "), "{message}");
    // What `Debug` would write.
    for trace in ["Os {", "AddrInUse", "Err(", "kind:"] {
        assert!(!message.contains(trace), "{message}");
    }
}

#[test]
fn help_says_both_ways() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(
        help.contains("--port N") && help.contains("run PATTERN"),
        "{help}"
    );
}
