//! What can go wrong with a loop, a task or a promise.

use std::any::Any;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use crate::report::Payload;

/// Why a [`Task`](crate::Task) or a [`Promise`](crate::Promise) has no value.
///
/// A panic, a cancellation and a resolver that was dropped are all values, so that whoever waits
/// learns of them.
pub struct TaskError {
    /// Boxed, so that the results of tasks stay small.
    repr: Box<Repr>,
}

struct Repr {
    kind: Kind,
    /// Where the task or the promise was made.
    location: &'static Location<'static>,
}

enum Kind {
    Cancelled,
    Closed,
    Dropped,
    Panicked(Panicked),
    Taken,
}

/// What is known of a panic.
pub(crate) struct Panicked {
    /// In a mutex for the sake of `Sync` alone.
    pub(crate) payload: Mutex<Payload>,
    /// The panic's message and place, as text.
    pub(crate) message: String,
    pub(crate) place: Option<String>,
    pub(crate) backtrace: Option<std::backtrace::Backtrace>,
}

impl TaskError {
    fn new(kind: Kind, location: &'static Location<'static>) -> Self {
        let repr = Box::new(Repr { kind, location });
        Self { repr }
    }

    pub(crate) fn cancelled(location: &'static Location<'static>) -> Self {
        Self::new(Kind::Cancelled, location)
    }

    pub(crate) fn closed(location: &'static Location<'static>) -> Self {
        Self::new(Kind::Closed, location)
    }

    pub(crate) fn dropped(location: &'static Location<'static>) -> Self {
        Self::new(Kind::Dropped, location)
    }

    pub(crate) fn panicked(panicked: Panicked, location: &'static Location<'static>) -> Self {
        Self::new(Kind::Panicked(panicked), location)
    }

    pub(crate) fn taken(location: &'static Location<'static>) -> Self {
        Self::new(Kind::Taken, location)
    }

    pub(crate) fn as_panicked(&self) -> Option<&Panicked> {
        match &self.repr.kind {
            Kind::Panicked(panicked) => Some(panicked),
            _ => None,
        }
    }

    /// Whether the task was cancelled with [`Task::cancel`](crate::Task::cancel), or its loop was closed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.repr.kind, Kind::Cancelled | Kind::Closed)
    }

    /// Whether the loop was closed before the task was done.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.repr.kind, Kind::Closed)
    }

    /// Whether the promise's [`Resolver`](crate::Resolver) was dropped without settling it.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        matches!(self.repr.kind, Kind::Dropped)
    }

    /// Whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.repr.kind, Kind::Panicked(_))
    }

    /// Whether the value had already been taken by an `.await` when it was asked for again.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self.repr.kind, Kind::Taken)
    }

    /// Where in the source the task or the promise was made.
    #[must_use]
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.repr.location
    }

    /// The backtrace of the panic, if it was one and it happened on a running loop.
    #[must_use]
    pub fn backtrace(&self) -> Option<&std::backtrace::Backtrace> {
        self.as_panicked()?.backtrace.as_ref()
    }

    /// The payload of the panic, for [`std::panic::resume_unwind`].
    ///
    /// # Errors
    ///
    /// Gives the error back when it was no panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match *self.repr {
            Repr {
                kind: Kind::Panicked(panicked),
                ..
            } => Ok(panicked
                .payload
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .into_inner()),
            repr => Err(Self {
                repr: Box::new(repr),
            }),
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.repr.location;
        match &self.repr.kind {
            Kind::Cancelled => write!(f, "the task made at {at} was cancelled"),
            Kind::Closed => write!(f, "the loop of the task made at {at} was closed"),
            Kind::Dropped => write!(
                f,
                "the resolver of the promise made at {at} was dropped without a value"
            ),
            Kind::Panicked(panicked) => {
                write!(f, "the task made at {at} panicked")?;
                if let Some(place) = &panicked.place {
                    write!(f, " at {place}")?;
                }
                write!(f, ": {}", panicked.message)
            }
            Kind::Taken => write!(f, "the value of the task made at {at} was already taken"),
        }
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskError({self})")
    }
}

impl std::error::Error for TaskError {}

impl From<TaskError> for io::Error {
    fn from(err: TaskError) -> Self {
        Self::other(err)
    }
}

/// Why [`IoLoop::run_sync`](crate::IoLoop::run_sync) could not give the future's own result.
#[derive(Debug)]
pub struct RunError {
    kind: RunErrorKind,
}

#[derive(Debug)]
enum RunErrorKind {
    AlreadyRunning,
    Closed,
    Create(io::Error),
    Stopped,
    TimedOut(Duration),
}

impl RunError {
    pub(crate) fn already_running() -> Self {
        let kind = RunErrorKind::AlreadyRunning;
        Self { kind }
    }

    pub(crate) fn closed() -> Self {
        let kind = RunErrorKind::Closed;
        Self { kind }
    }

    pub(crate) fn create(err: io::Error) -> Self {
        let kind = RunErrorKind::Create(err);
        Self { kind }
    }

    pub(crate) fn stopped() -> Self {
        let kind = RunErrorKind::Stopped;
        Self { kind }
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        let kind = RunErrorKind::TimedOut(limit);
        Self { kind }
    }

    /// Whether a loop was already running on this thread.
    #[must_use]
    pub fn is_already_running(&self) -> bool {
        matches!(self.kind, RunErrorKind::AlreadyRunning)
    }

    /// Whether the loop was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.kind, RunErrorKind::Closed)
    }

    /// Whether the loop was stopped before the future was done.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.kind, RunErrorKind::Stopped)
    }

    /// Whether the time limit passed before the future was done.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, RunErrorKind::TimedOut(_))
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RunErrorKind::AlreadyRunning => f.write_str(
                "a loop is already running on this thread: await the future instead of running it to completion",
            ),
            RunErrorKind::Closed => f.write_str("the loop of this thread was closed: make a new one"),
            RunErrorKind::Create(_) => f.write_str("the system refused to make an event loop"),
            RunErrorKind::Stopped => f.write_str("the loop was stopped before the future was done"),
            RunErrorKind::TimedOut(limit) => {
                write!(f, "the future was not done within {limit:?} and was cancelled")
            }
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            RunErrorKind::Create(err) => Some(err),
            _ => None,
        }
    }
}

impl From<RunError> for io::Error {
    fn from(err: RunError) -> Self {
        let kind = match err.kind {
            RunErrorKind::TimedOut(_) => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, err)
    }
}

/// There is no loop on this thread; see [`IoLoop::try_current`](crate::IoLoop::try_current).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoCurrentLoop;

impl fmt::Display for NoCurrentLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no event loop on this thread: make one with `IoLoop::new()`, run the future with \
             `IoLoop::run_sync`, or reach the loop of another thread through its `LoopHandle`",
        )
    }
}

impl std::error::Error for NoCurrentLoop {}

/// The loop that was asked is closed; what was handed to it will not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoopClosed;

impl fmt::Display for LoopClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is closed: the callback will not run")
    }
}

impl std::error::Error for LoopClosed {}
