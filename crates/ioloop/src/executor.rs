//! Thread pools for work that blocks.

mod error;
mod pool;
mod slot;

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::available_parallelism;

use crate::core::Core;
use crate::handle::LoopHandle;
pub use error::ExecutorError;
use pool::{Job, Pool};
use slot::{Ran, Slot};

/// Jobs that may wait for a thread, unless said otherwise.
const DEFAULT_QUEUE: usize = 65_536;

/// A bounded pool of threads for work that blocks; Tornado's and Python's `ThreadPoolExecutor`.
///
/// Threads are started when they are needed, named `<name>-0`, `<name>-1` and so on, and never more
/// of them than asked for. Clones are handles to the same pool, from any thread. The pool ends when
/// the last handle goes or it is [`shutdown`](Self::shutdown): jobs that were accepted still run.
///
/// # Examples
///
/// ```
/// use squall_ioloop::{ExecutorError, IoLoop, ThreadPoolExecutor};
///
/// let pool = ThreadPoolExecutor::new(4);
/// let sum = IoLoop::run_sync(async {
///     let sum = pool.submit(|| (1..=100).sum::<u64>()).await?;
///     Ok::<_, Box<dyn std::error::Error>>(sum)
/// })?;
/// assert_eq!(sum, 5050);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ThreadPoolExecutor {
    inner: Inner,
}

#[derive(Clone)]
enum Inner {
    /// Runs each job where it is submitted.
    Inline,
    Pool(Arc<Pool>),
}

/// How a pool is made: see [`ThreadPoolExecutor::with_config`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutorConfig {
    /// Threads at the most. Default: the number of processors, but four at least, because blocked
    /// threads use none.
    pub threads: usize,
    /// Jobs that may wait for a thread. A job beyond that is refused at once with an error that
    /// [`is_full`](ExecutorError::is_full), and never run. Default: 65,536.
    pub queue: usize,
    /// What the threads are called. Default: `squall-pool`.
    pub name: String,
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self {
            threads: available_parallelism().map_or(4, NonZeroUsize::get).max(4),
            queue: DEFAULT_QUEUE,
            name: "squall-pool".to_owned(),
        }
    }
}

impl Default for ThreadPoolExecutor {
    /// A pool with the default configuration.
    fn default() -> Self {
        Self::with_config(ExecutorConfig::default())
    }
}

impl ThreadPoolExecutor {
    /// Makes a pool of at most `threads` threads; with zero, of one.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self::with_config(ExecutorConfig {
            threads,
            ..ExecutorConfig::default()
        })
    }

    /// Makes a pool.
    #[must_use]
    pub fn with_config(config: ExecutorConfig) -> Self {
        let inner = Inner::Pool(Pool::new(config));
        Self { inner }
    }

    /// Makes an executor that has no threads and runs each job right where it is submitted; Tornado's
    /// `dummy_executor`. For tests that must take the same course every time.
    #[must_use]
    pub fn inline() -> Self {
        let inner = Inner::Inline;
        Self { inner }
    }

    /// Runs a job on a thread of the pool, whether or not the answer is awaited.
    ///
    /// # Errors
    ///
    /// The answer is an [`ExecutorError`] when the job panicked, when the pool is shut down, when its
    /// queue is full, or when the system refuses to start a first thread.
    ///
    /// # Cancel safety
    ///
    /// Dropping the answer neither stops the job nor keeps it from starting; only its value is lost.
    #[track_caller]
    pub fn submit<F, T>(&self, job: F) -> Submitted<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let slot = Arc::new(Slot::new());
        let location = Location::caller();
        match &self.inner {
            Inner::Inline => slot.run(job, false),
            Inner::Pool(pool) => {
                let away = Away::note(location);
                let answer = Arc::clone(&slot);
                let timed = away.is_observed();
                let back = away.back();
                let job: Job = Box::new(move || {
                    let _back = back;
                    answer.run(job, timed);
                });
                match pool.submit(job) {
                    Ok(()) => {
                        let away = Some(away);
                        return Submitted { slot, away };
                    }
                    Err(refusal) => slot.settle(Err(refusal), None),
                }
            }
        }
        Submitted { slot, away: None }
    }

    /// Refuses further jobs, waits until those that were accepted have run, and ends the threads.
    ///
    /// Blocks the calling thread, so it belongs at the end of a program; on a loop, run it on another
    /// pool. Called from one of the pool's own jobs it does not wait. A second call does nothing.
    pub fn shutdown(&self) {
        if let Inner::Pool(pool) = &self.inner {
            pool.shut();
            pool.join();
        }
    }

    /// Whether the pool was shut down.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        match &self.inner {
            Inner::Inline => false,
            Inner::Pool(pool) => pool.is_shut(),
        }
    }

    /// Jobs that wait for a thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        match &self.inner {
            Inner::Inline => 0,
            Inner::Pool(pool) => pool.waiting(),
        }
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ThreadPoolExecutor");
        match &self.inner {
            Inner::Inline => shown.field("inline", &true),
            Inner::Pool(pool) => shown
                .field("name", &pool.name())
                .field("waiting", &pool.waiting()),
        };
        shown.finish_non_exhaustive()
    }
}

/// The answer of a job on a pool: see [`ThreadPoolExecutor::submit`].
///
/// # Cancel safety
///
/// Dropping it neither stops the job nor keeps it from starting; only its value is lost.
#[must_use = "the job runs by itself; `drop` the answer to say that nobody waits"]
pub struct Submitted<T> {
    slot: Arc<Slot<T>>,
    /// Until the answer has come.
    away: Option<Away>,
}

impl<T> Future for Submitted<T> {
    type Output = Result<T, ExecutorError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = self.slot.poll(cx) else {
            return Poll::Pending;
        };
        if let Some(away) = self.away.take()
            && let Some(ran) = answer.ran
        {
            away.tell(ran);
        }
        Poll::Ready(answer.result)
    }
}

impl<T> fmt::Debug for Submitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitted").finish_non_exhaustive()
    }
}

/// A note to the loop that a job of its is on a pool: the loop looks out for the answer, and an
/// observer is told when it ran.
struct Away {
    core: Weak<Core>,
    location: &'static Location<'static>,
}

impl Away {
    fn note(location: &'static Location<'static>) -> Self {
        let core = Core::current();
        if let Some(core) = &core {
            core.expect_answer();
        }
        Self {
            core: core.as_ref().map_or_else(Weak::new, Rc::downgrade),
            location,
        }
    }

    /// What the job carries with it so that a paused clock stands still until it has run, whether or
    /// not anybody awaits the answer.
    fn back(&self) -> Option<Back> {
        let core = self.core.upgrade().filter(|core| core.clock.is_paused())?;
        core.away.set(core.away.get() + 1);
        let home = LoopHandle::new(core.inbox(), core.generation());
        Some(Back { home })
    }

    fn is_observed(&self) -> bool {
        self.core
            .upgrade()
            .is_some_and(|core| core.recorder.is_on())
    }

    /// Tells the observer, if there is one, when and where the job ran.
    fn tell(&self, ran: Ran) {
        if let Some(core) = self.core.upgrade() {
            core.recorder
                .pool(ran.thread, self.location, ran.start, ran.end);
        }
    }
}

/// Tells a loop with a paused clock that a job has run, or never will.
struct Back {
    home: LoopHandle,
}

impl Drop for Back {
    fn drop(&mut self) {
        // A closed loop has no clock that could wait. This letter comes after the answer's.
        let _ = self.home.add_callback(|| {
            Core::with_current(|core| core.away.set(core.away.get() - 1));
        });
    }
}
