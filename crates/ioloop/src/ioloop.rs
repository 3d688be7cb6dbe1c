//! The event loop.

use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::clock::Clock;
use crate::core::Core;
use crate::error::{NoCurrentLoop, RunError, TaskError};
use crate::executor::{Submitted, ThreadPoolExecutor};
use crate::handle::LoopHandle;
use crate::outcome::Outcome;
use crate::task::{Task, detached};
use crate::timer::{Timeout, sleep};
use crate::trace::Span;
use crate::unit::Unit;

/// An event loop; Tornado's `IOLoop`.
///
/// A loop belongs to the thread that made it and runs there, one thing at a time: nothing that is
/// given to it need be `Send`, and `Rc` and `RefCell` are welcome. It is a tokio
/// [`LocalRuntime`](tokio::runtime::LocalRuntime) underneath, so libraries made for tokio work on it
/// unchanged. Clones are cheap and name the same loop; the loop is closed when the last one goes.
/// Other threads reach it through its [`handle`](Self::handle).
///
/// # Examples
///
/// ```
/// use squall_ioloop::IoLoop;
///
/// let io_loop = IoLoop::new()?;
/// let answer = io_loop.spawn(async { 6 * 7 });
/// answer.add_done_callback(|answer| {
///     assert_eq!(answer.unwrap(), &42);
///     IoLoop::current().stop();
/// });
/// io_loop.start();
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # What a turn is
///
/// The loop takes in what other threads have left for it and the timers that are due, and then runs
/// everything that stands in its queue. What is added meanwhile runs in the next turn. Descriptors
/// and tasks of other libraries get their share every few dozen callbacks.
#[derive(Clone)]
pub struct IoLoop {
    core: Rc<Core>,
}

/// Making, finding, starting and stopping loops.
impl IoLoop {
    /// Makes a loop. It becomes the thread's [`current`](Self::current) one if there is none, or only
    /// one that was closed.
    ///
    /// # Errors
    ///
    /// When the system refuses the descriptors that a loop needs.
    pub fn new() -> io::Result<Self> {
        Core::new(Clock::system()).map(|core| Self { core })
    }

    /// Makes a loop whose clock stands still until there is nothing to do but wait for a timer, and
    /// then jumps to it. For tests: see [`clock`](crate::clock).
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn with_paused_clock() -> io::Result<Self> {
        Core::new(Clock::paused()).map(|core| Self { core })
    }

    /// The loop that runs on this thread; when none runs, the first one made on it that still exists
    /// and was not closed.
    ///
    /// # Panics
    ///
    /// Panics when there is none. [`try_current`](Self::try_current) answers with an error instead.
    #[must_use]
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(io_loop) => io_loop,
            Err(err) => panic!("{err}"),
        }
    }

    /// The loop of this thread, as [`current`](Self::current).
    ///
    /// # Errors
    ///
    /// [`NoCurrentLoop`] when there is none.
    pub fn try_current() -> Result<Self, NoCurrentLoop> {
        let core = Core::current().ok_or(NoCurrentLoop)?;
        Ok(Self { core })
    }

    /// Runs the loop until [`stop`](Self::stop) is called.
    ///
    /// It can be started again afterwards and goes on where it was. A loop that was stopped before it
    /// was started runs one turn. Starting a closed loop, or a loop inside of a running one, does
    /// nothing but write an error to the log.
    #[track_caller]
    pub fn start(&self) {
        if let Err(err) = self.can_run() {
            tracing::error!(target: "squall::ioloop", started_at = %Location::caller(), "not started: {err}");
            return;
        }
        self.core.run(|_| Poll::<()>::Pending);
    }

    /// Has [`start`](Self::start) return at the end of the present turn. What is still in the queue
    /// then waits for the next start.
    ///
    /// Stopping twice is the same as stopping once. Other threads stop a loop through its handle.
    pub fn stop(&self) {
        self.core.stop();
    }

    /// Ends the loop for good: every task is cancelled, in the order in which they were spawned, and
    /// every callback and timer is dropped without being run.
    ///
    /// A running loop is stopped and closed when it has returned. What is given to a closed loop is
    /// dropped: its tasks end at once with an error that [`is_closed`](TaskError::is_closed).
    pub fn close(&self) {
        self.core.close();
    }

    /// Runs a future to completion and gives its value or its error; Tornado's `run_sync`.
    ///
    /// The future runs on the thread's [`current`](Self::current) loop, or on a fresh one that is
    /// closed afterwards. It may borrow from the caller. Everything else on the loop runs as well
    /// meanwhile. A panic of the future goes on in the caller.
    ///
    /// # Errors
    ///
    /// The future's own error; or a [`RunError`], turned into the future's error type, when a loop
    /// is running on this thread already, cannot be made, or was stopped before the future was done.
    /// `RunError` turns into `Box<dyn Error>` and [`io::Error`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use squall_ioloop::IoLoop;
    /// let name = String::from("storm");
    /// let length = IoLoop::run_sync(async { Ok::<_, std::io::Error>(name.len()) })?;
    /// assert_eq!(length, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn run_sync<F, T, E>(future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<RunError>,
    {
        Self::run_to_completion(None, future, Location::caller())
    }

    /// Runs a future to completion, but not for longer than `limit`; see [`run_sync`](Self::run_sync).
    ///
    /// # Errors
    ///
    /// As for `run_sync`; and a [`RunError`] that [`is_timeout`](RunError::is_timeout) when the limit
    /// has passed. The future was dropped then.
    #[track_caller]
    pub fn run_sync_timeout<F, T, E>(limit: Duration, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<RunError>,
    {
        Self::run_to_completion(Some(limit), future, Location::caller())
    }

    fn run_to_completion<F, T, E>(
        limit: Option<Duration>,
        future: F,
        location: &'static Location<'static>,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<RunError>,
    {
        if Core::runs_here() {
            return Err(RunError::already_running().into());
        }
        let fresh;
        let io_loop = match Self::try_current() {
            Ok(io_loop) => io_loop,
            Err(NoCurrentLoop) => {
                fresh = CloseOnDrop(Self::new().map_err(RunError::create)?);
                fresh.0.clone()
            }
        };
        io_loop.can_run()?;
        // SAFETY: the guard cancels the task before this function returns, whichever way it does,
        // and the loop does not run then, so the task is not being polled.
        let task = unsafe { Task::spawn_borrowing(&io_loop.core, future, location) };
        let mut task = CancelOnDrop(task);
        let mut time = limit.map(sleep);
        let result = io_loop.core.run(|cx| {
            if let Poll::Ready(result) = Pin::new(&mut task.0).poll(cx) {
                return Poll::Ready(Some(result));
            }
            match time.as_mut().map(|time| Pin::new(time).poll(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(None),
                _ => Poll::Pending,
            }
        });
        drop(task);
        let result = match (result, limit) {
            (Some(Some(result)), _) => result,
            (Some(None), Some(limit)) => return Err(RunError::timed_out(limit).into()),
            _ => return Err(RunError::stopped().into()),
        };
        match result.map_err(TaskError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(payload)) => resume_unwind(payload),
            Err(Err(_)) => Err(RunError::stopped().into()),
        }
    }

    fn can_run(&self) -> Result<(), RunError> {
        if Core::runs_here() || tokio::runtime::Handle::try_current().is_ok() {
            return Err(RunError::already_running());
        }
        if self.core.is_closed() {
            return Err(RunError::closed());
        }
        Ok(())
    }
}

/// Giving a loop work.
impl IoLoop {
    /// Runs a future on the loop, beginning with the next turn, and gives a handle to it.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Task::spawn(&self.core, future, Location::caller())
    }

    /// Runs a future that nobody waits for; Tornado's `spawn_callback`.
    ///
    /// If it ends with an error or panics, that is logged with the place of this call, and the loop
    /// goes on.
    #[track_caller]
    pub fn spawn_callback<F>(&self, future: F)
    where
        F: Future + 'static,
        F::Output: Outcome,
    {
        detached::spawn(&self.core, future, Location::caller());
    }

    /// Runs a callback in the next turn.
    ///
    /// Callbacks run in the order in which they were added. One that panics is logged with the place
    /// of this call, and the loop goes on.
    #[track_caller]
    #[inline]
    pub fn add_callback(&self, callback: impl FnOnce() + 'static) {
        self.core.push(Unit::new(callback, Location::caller()));
    }

    /// Runs a callback when a future is done: [`spawn`](Self::spawn) and
    /// [`add_done_callback`](Task::add_done_callback) in one.
    #[track_caller]
    pub fn add_future<F>(
        &self,
        future: F,
        callback: impl FnOnce(Result<&F::Output, &TaskError>) + 'static,
    ) where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn(future).add_done_callback(callback);
    }

    /// Runs a callback after `delay`, which may be zero.
    ///
    /// Timers have a resolution of one millisecond and never run too early; those of one millisecond
    /// run in the order in which they were set. A timer costs 28 bytes when its callback holds at
    /// most eight.
    #[track_caller]
    #[inline]
    pub fn call_later(&self, delay: Duration, callback: impl FnOnce() + 'static) -> Timeout {
        let tick = self.core.clock.tick_in(delay);
        Timeout::set(&self.core, tick, callback, Location::caller())
    }

    /// Runs a callback at a time of the loop's clock (see [`time`](Self::time)), or in the next turn
    /// if that has passed.
    #[track_caller]
    pub fn call_at(&self, when: Instant, callback: impl FnOnce() + 'static) -> Timeout {
        if when <= self.core.clock.now() {
            self.core.catch_up();
        }
        let tick = self.core.clock.tick_of(when);
        Timeout::set(&self.core, tick, callback, Location::caller())
    }
}

/// Work that blocks.
impl IoLoop {
    /// Runs a job that blocks on a pool, that of the loop if none is given; Tornado's
    /// `run_in_executor`.
    ///
    /// # Errors
    ///
    /// As for [`ThreadPoolExecutor::submit`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the answer neither stops the job nor keeps it from starting.
    #[track_caller]
    pub fn run_in_executor<F, T>(
        &self,
        executor: Option<&ThreadPoolExecutor>,
        job: F,
    ) -> Submitted<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match executor {
            Some(executor) => executor.submit(job),
            None => self.default_executor().submit(job),
        }
    }

    /// Sets the pool for [`run_in_executor`](Self::run_in_executor) on this loop. Until then it is
    /// one that all loops of the process share, with the default configuration.
    pub fn set_default_executor(&self, executor: ThreadPoolExecutor) {
        *self.core.executor.borrow_mut() = Some(executor);
    }

    fn default_executor(&self) -> ThreadPoolExecutor {
        static SHARED: OnceLock<ThreadPoolExecutor> = OnceLock::new();
        let own = self.core.executor.borrow().clone();
        own.unwrap_or_else(|| SHARED.get_or_init(ThreadPoolExecutor::default).clone())
    }
}

/// Looking at a loop.
impl IoLoop {
    /// The time by the loop's clock: [`Instant::now`], unless the clock is paused.
    #[must_use]
    pub fn time(&self) -> Instant {
        self.core.clock.now()
    }

    /// A handle for other threads.
    #[must_use]
    pub fn handle(&self) -> LoopHandle {
        LoopHandle::new(self.core.inbox(), self.core.generation())
    }

    /// Whether the loop was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    /// How many tasks are not done. Counts them one by one.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.core.tasks().count()
    }

    /// How many timers have neither run nor been cancelled, those of `sleep` and `with_timeout`
    /// among them.
    #[must_use]
    pub fn timer_count(&self) -> usize {
        self.core.timer_count()
    }

    /// Has `observer` told of everything that the loop does, on the loop's thread, right after it was
    /// done. There is one observer at most; `stop_observing` takes it away.
    ///
    /// For tools that show a loop at work. An observer that panics is logged, and stays. It costs two looks at the clock for each callback.
    #[track_caller]
    pub fn observe(&self, observer: impl Fn(Span) + 'static) {
        let location = Location::caller();
        self.core.recorder.set(Some((Rc::new(observer), location)));
    }

    /// Takes the observer away.
    pub fn stop_observing(&self) {
        self.core.recorder.set(None);
    }

    /// Enters the loop's runtime for as long as `f` runs, so that sockets of tokio can be made before
    /// the loop is started.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        self.core.with_runtime(f)
    }

    pub(crate) fn core(&self) -> &Rc<Core> {
        &self.core
    }
}

impl PartialEq for IoLoop {
    /// Whether both are the same loop.
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.core, &other.core)
    }
}

impl Eq for IoLoop {}

impl fmt::Debug for IoLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoLoop")
            .field("closed", &self.is_closed())
            .field("timers", &self.timer_count())
            .finish_non_exhaustive()
    }
}

/// A task that must not outlive what it borrows.
struct CancelOnDrop<T>(Task<T>);

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A loop that is closed also when tasks on it still hold it.
struct CloseOnDrop(IoLoop);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Runs a future on this thread's loop: [`IoLoop::spawn`].
///
/// # Panics
///
/// Panics off a loop, as [`IoLoop::current`] does.
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Task::spawn(&IoLoop::current().core, future, Location::caller())
}

/// Runs a future that nobody waits for on this thread's loop: [`IoLoop::spawn_callback`].
///
/// # Panics
///
/// Panics off a loop, as [`IoLoop::current`] does.
#[track_caller]
pub fn spawn_callback<F>(future: F)
where
    F: Future + 'static,
    F::Output: Outcome,
{
    IoLoop::current().spawn_callback(future);
}
