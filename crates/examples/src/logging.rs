//! The log of the programs: short lines on standard error.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// Sends what the libraries log to standard error, from level `info` on. Does nothing when the log goes somewhere already.
pub(crate) fn init() {
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none())
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        .without_time()
        .fmt_fields(debug_fn(write_field).delimited("\n      "))
        .finish();
    // Whoever was first has set it up better.
    let _ = tracing::subscriber::set_global_default(log);
}

/// Writes a field on a line of its own. A backtrace is long, so it is shown only to those who asked for one.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        "backtrace" => match env::var_os("RUST_BACKTRACE") {
            None => write!(writer, "(RUST_BACKTRACE=1 shows a backtrace)"),
            Some(_) => write_unescaped(writer, value),
        },
        name => {
            write!(writer, "{name}: ")?;
            write_unescaped(writer, value)
        }
    }
}

/// Writes text as it is, where `Debug` would put it into quotes.
fn write_unescaped(writer: &mut Writer<'_>, value: &dyn fmt::Debug) -> fmt::Result {
    let shown = format!("{value:?}");
    match shown
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        None => writer.write_str(&shown),
        Some(text) => writer.write_str(&text.replace("\\n", "\n      ").replace("\\\"", "\"")),
    }
}
