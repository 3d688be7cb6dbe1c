//! The program as it is called from the command line.

use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_squall-xtask"))
        .args(arguments)
        .output()
        .expect("the program was built for this test")
}

#[test]
fn help_is_printed_when_nothing_is_asked() {
    for arguments in [&[][..], &["help"], &["--help"], &["tidy", "--help"]] {
        let output = xtask(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        assert!(text.contains("Usage: cargo xtask COMMAND"), "{text}");
    }
}

#[test]
fn an_unknown_command_is_named() {
    let output = xtask(&["tidi"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("there is no command `tidi`"), "{text}");
}

#[test]
fn an_unknown_check_is_named() {
    let output = xtask(&["tidy", "tidi"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("there is no check `tidi`"), "{text}");
}
