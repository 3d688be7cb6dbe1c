//! Why a connection ends before its time.

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
