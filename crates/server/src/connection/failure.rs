//! Why a connection ends before its time.

use std::fmt::{self, Write as _};
use std::io;

use squall_http::h1::ParseError;

/// What ends a connection other than by common consent.
#[derive(Debug)]
pub(super) enum Failure {
    /// The deadline of a stop is over.
    Aborted,
    /// An answer that had begun cannot go on; logged where it was found.
    Broken,
    /// A request's head did not arrive in time.
    HeadTimeout,
    /// No request arrived in time.
    IdleTimeout,
    /// The client is gone: it closed in the middle of something.
    Left,
    /// The transport failed.
    Lost(io::Error),
    /// The client broke a rule or a limit.
    Refused(ParseError),
    /// An answer that ends with the connection cannot go on, and must not look complete; logged where it was found.
    Truncated,
    /// The client did not take its answer in time.
    WriteTimeout,
}

impl From<io::Error> for Failure {
    fn from(err: io::Error) -> Self {
        Self::Lost(err)
    }
}

impl From<ParseError> for Failure {
    fn from(err: ParseError) -> Self {
        match err {
            ParseError::Truncated => Self::Left,
            err => Self::Refused(err),
        }
    }
}

/// The value of a limit, behind the text that names it; nothing if there is none.
pub(super) struct Limit(pub(super) Option<u64>);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, " ({value})"),
            None => Ok(()),
        }
    }
}

/// Text for the log that may quote what a client sent: it must not forge lines, nor steer the terminal that shows them.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            if char.is_control() {
                write!(f, "{}", char.escape_default())?;
            } else {
                f.write_char(char)?;
            }
        }
        Ok(())
    }
}
