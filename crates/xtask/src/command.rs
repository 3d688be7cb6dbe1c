//! Running another program and reading what it says.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

/// The cargo that started this program, or the one on the path.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs `program` in `folder` and returns what it wrote to its standard output.
///
/// # Errors
///
/// A sentence for a reader when the program cannot be started, fails, or does not write UTF-8; it
/// carries what the program wrote to its standard error.
pub(crate) fn output_of(
    program: impl Into<OsString>,
    arguments: &[&str],
    folder: &Path,
) -> Result<String, String> {
    let program = program.into();
    let line = format!("{} {}", program.display(), arguments.join(" "));
    let output = Command::new(&program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|err| format!("cannot start `{line}`: {err}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "`{line}` failed with {}: {}",
            output.status,
            complaint.trim()
        ));
    }
    String::from_utf8(output.stdout).map_err(|err| format!("`{line}` wrote no UTF-8: {err}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_quoted() {
        let err = output_of("sh", &["-c", "echo too bad >&2; exit 3"], Path::new(".")).unwrap_err();
        assert!(err.contains("exit status: 3: too bad"), "{err}");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let err = output_of("no-such-program-here", &["-x"], Path::new(".")).unwrap_err();
        assert!(
            err.starts_with("cannot start `no-such-program-here -x`"),
            "{err}"
        );
    }
}
