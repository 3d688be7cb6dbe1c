//! Attacks as data: text files that people read and write, rows that tests run.
//!
//! The corpora are `crates/server/tests/corpus` (requests), `crates/client/tests/corpus` (responses) and
//! `crates/websocket/tests/corpus` (frames). A file holds rows, a row is a few lines:
//!
//! ```text
//! # A comment.
//! --- a length with a sign
//! from: RUSTSEC-2021-0078; RFC 9110 section 8.6
//! each: +5 | -5
//! > POST / HTTP/1.1
//! > Host: a
//! > Content-Length: {}
//! >
//! > hello\
//! answers: 400
//! then: close
//! ```
//!
//! * `---` begins a row and names it.
//! * `> ` holds bytes of the input. A line stands for itself and CRLF; with a backslash as its last character, for itself
//!   alone. [`unescape`] knows what a backslash means elsewhere.
//! * `each:` makes one row of each of its values, which stand between ` | `, and puts the value wherever the row has `{}`.
//! * Every other line is `key: value`, for the test that runs the row; a key may come several times. `from:` has to be there:
//!   the advisory, or the section of the standard.

mod escape;
mod row;

pub use escape::unescape;
pub use row::{Row, parse, read};
