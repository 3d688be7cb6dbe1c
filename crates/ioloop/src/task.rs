//! Tasks: futures that run on a loop, and the handles to them.

pub(crate) mod cell;
pub(crate) mod cells;
pub(crate) mod detached;
pub(crate) mod links;
mod state;
mod waker;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use crate::core::Core;
use crate::error::TaskError;
use cell::{Front, Header};

/// A future that runs on a loop; Tornado's `Future`.
///
/// A task is made by [`IoLoop::spawn`](crate::IoLoop::spawn). It runs whether or not anybody looks:
/// **dropping the handle lets the work go on**. Its end can be awaited, or watched with
/// [`add_done_callback`](Self::add_done_callback); a panic or a cancellation is an error value in
/// either case, and a panic that nobody sees is logged.
///
/// # Examples
///
/// ```
/// use squall_ioloop::{IoLoop, spawn};
///
/// let sum = IoLoop::run_sync(async {
///     let task = spawn(async { 1 + 2 });
///     task.add_done_callback(|result| assert_eq!(result.unwrap(), &3));
///     Ok::<_, std::io::Error>(task.await?)
/// })?;
/// assert_eq!(sum, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Cancel safety
///
/// Awaiting a task by `&mut task` and dropping that future loses nothing: the task goes on and can
/// be awaited again. Dropping the task itself detaches it.
#[must_use = "a task runs by itself; `drop` it to say that nobody waits, or use `spawn_callback`"]
pub struct Task<T> {
    header: NonNull<Header>,
    /// A handle gives out a `T`, and stays on the loop's thread.
    result: PhantomData<(T, *const ())>,
}

impl<T: 'static> Task<T> {
    pub(crate) fn spawn<F>(core: &Core, future: F, location: &'static Location<'static>) -> Self
    where
        F: Future<Output = T> + 'static,
    {
        // SAFETY: the future is `'static`.
        unsafe { Self::spawn_borrowing(core, future, location) }
    }

    /// Runs `callback` with the result once the task is done.
    ///
    /// Any number may be added; they run in the order in which they were added, always from a later
    /// turn of the loop, also when the task is done already, and before anybody who awaits the task
    /// goes on. A callback that panics is logged, with the place that added it, and the others still
    /// run. If the value was already taken by an `.await`, the callback gets a [`TaskError`] that
    /// [`is_taken`](TaskError::is_taken).
    #[track_caller]
    pub fn add_done_callback(&self, callback: impl FnOnce(Result<&T, &TaskError>) + 'static) {
        self.front().add_callback(callback, Location::caller());
    }
}

impl<T> Task<T> {
    /// Spawns a future that may borrow.
    ///
    /// # Safety
    ///
    /// The task must be complete, or cancelled from outside of its own poll, before a borrow of its
    /// future or of its result ends.
    pub(crate) unsafe fn spawn_borrowing<F>(
        core: &Core,
        future: F,
        location: &'static Location<'static>,
    ) -> Self
    where
        F: Future<Output = T>,
    {
        // SAFETY: given by the caller.
        let header = unsafe { cell::spawn(core, future, true, location) };
        Self {
            header,
            result: PhantomData,
        }
    }

    /// Stops the task: its future is dropped now, or, when the task cancels itself, as soon as it
    /// waits the next time.
    ///
    /// Whoever waits for it gets a [`TaskError`] that [`is_cancelled`](TaskError::is_cancelled). Does
    /// nothing to a task that is done.
    pub fn cancel(&self) {
        let error = TaskError::cancelled(self.front().location());
        // SAFETY: the handle keeps the task alive and never leaves the loop's thread.
        unsafe { cell::cancel(self.header, error) };
    }

    /// Whether the task has ended: with a value, a panic or a cancellation.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.front().is_done()
    }

    /// Where in the source the task was spawned.
    #[must_use]
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.front().location()
    }

    fn front(&self) -> &Front<T> {
        // SAFETY: the handle keeps the task alive; a cell starts with the front of its result type.
        unsafe { self.header.cast::<Front<T>>().as_ref() }
    }
}

impl<T> Future for Task<T> {
    /// The value, or why there is none.
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.front().poll_result(cx)
    }
}

// The handle is a pointer; nothing in it is pinned.
impl<T> Unpin for Task<T> {}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.front().forget_joiner();
        // SAFETY: the handle's own flag, cleared once, on the loop's thread.
        unsafe { cell::drop_unused_result(self.header, cell::HANDLE) };
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("spawned_at", &format_args!("{}", self.spawned_at()))
            .field("is_done", &self.is_done())
            .finish()
    }
}
