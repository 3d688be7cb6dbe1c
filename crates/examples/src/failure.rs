//! Errors for people: one line that says what to do.

use std::error::Error;
use std::fmt;
use std::fmt::Write as _;

/// An error that consists of what a person needs to know, and perhaps of a cause.
#[derive(Debug)]
pub struct Failure {
    message: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Makes a failure out of a sentence: lower case, no period.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            message,
            cause: None,
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause: &(dyn Error + 'static) = self.cause.as_deref()?;
        Some(cause)
    }
}

/// An error and its causes on one line, without what a cause only repeats.
///
/// # Examples
///
/// ```
/// use squall_examples::{Failure, causes};
///
/// let failure = Failure::new("cannot open `tags`").because("file is not a database");
/// assert_eq!(causes(&failure), "cannot open `tags`: file is not a database");
/// ```
#[must_use]
pub fn causes(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            // Writing into a string cannot fail.
            let _ = write!(text, ": {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_repeats_is_told_once() {
        let inner = Failure::new("connection refused");
        let middle = Failure::new("cannot connect: connection refused").because(inner);
        let outer = Failure::new("no page").because(middle);
        assert_eq!(
            causes(&outer),
            "no page: cannot connect: connection refused"
        );
    }
}
