//! Reaching a loop from other threads.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::core::Core;
use crate::error::LoopClosed;
use crate::inbox::Inbox;
use crate::task::detached;
use crate::unit::Unit;

/// A way to a loop for other threads: small, `Send`, and valid for as long as anybody likes.
///
/// A handle does not keep its loop alive.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use squall_ioloop::IoLoop;
///
/// let io_loop = IoLoop::new()?;
/// let handle = io_loop.handle();
/// let other = thread::spawn(move || {
///     handle.add_callback(|| IoLoop::current().stop())
/// });
/// io_loop.start();
/// other.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct LoopHandle {
    inbox: &'static Inbox,
    generation: u64,
}

impl LoopHandle {
    pub(crate) fn new(inbox: &'static Inbox, generation: u64) -> Self {
        Self { inbox, generation }
    }

    /// Runs a callback on the loop, in the next turn.
    ///
    /// Callbacks of one thread run in the order in which they were added. The only cost to a busy
    /// loop is a short lock; a sleeping one is woken once for a burst. A callback that panics is
    /// logged with the place of this call.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] when the loop is closed; the callback is dropped on this thread. A loop that is
    /// closed later drops the callback without running it.
    #[track_caller]
    pub fn add_callback(&self, callback: impl FnOnce() + Send + 'static) -> Result<(), LoopClosed> {
        let unit = Unit::new(callback, Location::caller());
        // SAFETY: the callback is `Send`, so it may run on the loop's thread.
        unsafe { self.inbox.post(unit, self.generation) }.map_err(|_unit| LoopClosed)
    }

    /// Makes a future on the loop's thread and runs it there. Only the function that makes it must
    /// be `Send`; the future itself need not.
    ///
    /// Dropping the answer lets the work go on. If the future panics, the panic is logged with the
    /// place of this call and the answer is [`LoopClosed`].
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] when the loop is closed.
    #[track_caller]
    pub fn spawn<M, F>(&self, make: M) -> Result<RemoteTask<F::Output>, LoopClosed>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let location = Location::caller();
        self.add_callback(move || {
            let future = make();
            let answered = async move {
                // Nobody waits any more when this fails, which is their right.
                let _ = sender.send(future.await);
            };
            if let Some(core) = Core::current() {
                detached::spawn(&core, answered, location);
            }
        })?;
        Ok(RemoteTask { receiver })
    }

    /// Has the loop's [`start`](crate::IoLoop::start) return, as [`IoLoop::stop`](crate::IoLoop::stop) does. Stopping a loop that
    /// is closed does nothing.
    pub fn stop(&self) {
        // A closed loop does not run, which is what was asked for.
        let _ = self.add_callback(|| {
            Core::with_current(Core::stop);
        });
    }

    /// Whether the loop was closed. It may be closed at any moment after this answer.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.inbox.is_open(self.generation)
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopHandle")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The answer of a future that runs on another thread's loop.
///
/// It can be awaited on any loop, or waited for on a thread that has none.
///
/// # Cancel safety
///
/// Dropping it, or a future that awaits it by reference, lets the work go on.
#[derive(Debug)]
#[must_use = "drop it to say that nobody waits"]
pub struct RemoteTask<T> {
    receiver: oneshot::Receiver<T>,
}

impl<T> RemoteTask<T> {
    /// Blocks this thread until the answer is there.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] when the loop was closed first, or the future panicked.
    ///
    /// # Panics
    ///
    /// Panics on a thread whose loop is running, which must not be blocked.
    pub fn wait(self) -> Result<T, LoopClosed> {
        self.receiver.blocking_recv().map_err(|_| LoopClosed)
    }
}

impl<T> Future for RemoteTask<T> {
    type Output = Result<T, LoopClosed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(cx)
            .map_err(|_| LoopClosed)
    }
}
