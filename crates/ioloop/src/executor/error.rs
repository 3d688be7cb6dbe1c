//! What can go wrong with a job on a pool.

use std::any::Any;
use std::sync::{Mutex, PoisonError};
use std::{fmt, io};

use crate::report::{self, Payload};

/// Why a job that was given to a [`ThreadPoolExecutor`](super::ThreadPoolExecutor) has no value.
pub struct ExecutorError {
    kind: Kind,
}

enum Kind {
    Full(usize),
    NoThread(io::Error),
    /// The message, and the payload: in a mutex for the sake of `Sync` alone.
    Panicked(String, Mutex<Payload>),
    ShutDown,
}

impl ExecutorError {
    pub(super) fn full(limit: usize) -> Self {
        let kind = Kind::Full(limit);
        Self { kind }
    }

    pub(super) fn no_thread(err: io::Error) -> Self {
        let kind = Kind::NoThread(err);
        Self { kind }
    }

    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Self {
        let kind = Kind::Panicked(
            report::message(payload.as_ref()),
            Mutex::new(Payload::new(payload)),
        );
        Self { kind }
    }

    pub(super) fn shut_down() -> Self {
        let kind = Kind::ShutDown;
        Self { kind }
    }

    /// Whether as many jobs as allowed were waiting; the job was not run.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.kind, Kind::Full(_))
    }

    /// Whether the job panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.kind, Kind::Panicked(..))
    }

    /// Whether the pool was shut down before; the job was not run.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        matches!(self.kind, Kind::ShutDown)
    }

    /// The payload of the panic, for [`std::panic::resume_unwind`].
    ///
    /// # Errors
    ///
    /// Gives the error back when it was no panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.kind {
            Kind::Panicked(_, payload) => Ok(payload
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .into_inner()),
            kind => Err(Self { kind }),
        }
    }
}

impl fmt::Display for ExecutorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Full(limit) => write!(
                f,
                "the thread pool is full: {limit} jobs wait already, so this one was not run"
            ),
            Kind::NoThread(_) => f.write_str("the system refused to start a thread for the pool"),
            Kind::Panicked(message, _) => {
                write!(f, "the job on the thread pool panicked: {message}")
            }
            Kind::ShutDown => f.write_str("the thread pool is shut down, so the job was not run"),
        }
    }
}

impl fmt::Debug for ExecutorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecutorError({self})")
    }
}

impl std::error::Error for ExecutorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::NoThread(err) => Some(err),
            _ => None,
        }
    }
}

impl From<ExecutorError> for io::Error {
    fn from(err: ExecutorError) -> Self {
        Self::other(err)
    }
}
