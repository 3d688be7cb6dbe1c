//! Mistakes in how an application is put together.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use crate::router::PatternError;

/// The mistakes of an application; see [`Application::check`](super::Application::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Never empty.
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(Self { problems })
    }

    /// Each mistake, those of single routes last.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl Error for ConfigError {}

/// One mistake. Routes are named like `GET /hello/{name} (src/main.rs:7:10)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// More than one argument of a handler takes the body.
    BodyTwice {
        /// The route of the handler.
        route: String,
        /// The types of the arguments.
        arguments: Vec<&'static str>,
    },
    /// Two routes answer the same method at the same paths.
    Conflict {
        /// The route that was added second.
        added: String,
        /// The route that was there.
        first: String,
    },
    /// There are two fallbacks.
    FallbackTwice {
        /// Where the second was added.
        added: String,
        /// Where the first was added.
        first: String,
    },
    /// A folder of files cannot be read.
    Folder {
        /// The route.
        route: String,
        /// The folder, as it was given.
        folder: PathBuf,
        /// Why.
        error: String,
    },
    /// The path of a route cannot be one.
    Path {
        /// The route.
        route: String,
        /// Why.
        error: PatternError,
    },
    /// A handler asks for state that the application does not have. Only this handler's requests fail.
    StateMissing {
        /// The route of the handler.
        route: String,
        /// The type of the state.
        type_name: &'static str,
    },
    /// There are two values of one type.
    StateTwice {
        /// The type.
        type_name: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyTwice { route, arguments } => {
                let arguments = arguments.join("` and `");
                write!(f, "route {route}: `{arguments}` each take the body")
            }
            Self::Conflict { added, first } => {
                write!(f, "route {added} conflicts with route {first}")
            }
            Self::FallbackTwice { added, first } => {
                write!(f, "fallback at {added} conflicts with fallback at {first}")
            }
            Self::Folder {
                route,
                folder,
                error,
            } => {
                let folder = folder.display();
                write!(
                    f,
                    "route {route}: cannot serve the folder `{folder}`: {error}"
                )
            }
            Self::Path { route, error } => write!(f, "route {route}: {error}"),
            Self::StateMissing { route, type_name } => {
                write!(f, "route {route}: there is no state of type `{type_name}`")
            }
            Self::StateTwice { type_name } => {
                write!(f, "there are two states of type `{type_name}`")
            }
        }
    }
}
