//! Callbacks that run again and again.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::ioloop::IoLoop;
use crate::outcome::Outcome;
use crate::report;
use crate::task::Task;
use crate::timer::sleep_until;

/// The shortest interval; also that of an interval of zero.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest interval, a hundred years: points in time that far ahead can still be told.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Runs a callback at a fixed interval; Tornado's `PeriodicCallback`.
///
/// The first run comes one interval after [`start`](Self::start). Runs never overlap: while one
/// waits, the ticks that pass are skipped, and the next run comes at the next tick of the original
/// rhythm. A run that fails or panics is logged with the place that made the `PeriodicCallback`, and
/// the next comes as usual. Dropping it stops it; a run that has begun then ends where it waits.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use std::time::Duration;
/// use squall_ioloop::{IoLoop, PeriodicCallback};
///
/// let io_loop = IoLoop::with_paused_clock()?;
/// let ticks = Rc::new(Cell::new(0));
/// let count = Rc::clone(&ticks);
/// let clock = PeriodicCallback::new(
///     move || {
///         count.set(count.get() + 1);
///         async {}
///     },
///     Duration::from_secs(60),
/// );
/// clock.start();
/// io_loop.call_later(Duration::from_secs(601), || IoLoop::current().stop());
/// io_loop.start();
/// assert_eq!(ticks.get(), 10);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct PeriodicCallback {
    rhythm: Rc<Rhythm>,
    location: &'static Location<'static>,
    make: Make,
    task: RefCell<Option<Task<()>>>,
}

/// Starts the future that runs the callback for as long as it is polled.
type Make = Box<dyn Fn(Rc<Rhythm>, &'static Location<'static>) -> Task<()>>;

/// When the callback runs.
struct Rhythm {
    interval: Duration,
    /// The share of the interval by which each wait may vary.
    jitter: Cell<f64>,
    random: RandomState,
    drawn: Cell<u64>,
}

impl PeriodicCallback {
    /// Makes it; [`start`](Self::start) sets it going. `callback` may answer with any future, so a
    /// plain function ends with `async {}` or [`std::future::ready`]. An interval below a
    /// millisecond is taken as one millisecond, one above a hundred years as a hundred years.
    #[track_caller]
    pub fn new<C, F>(callback: C, interval: Duration) -> Self
    where
        C: FnMut() -> F + 'static,
        F: Future + 'static,
        F::Output: Outcome,
    {
        let callback = Rc::new(RefCell::new(callback));
        Self {
            rhythm: Rc::new(Rhythm {
                interval: interval.clamp(SHORTEST, LONGEST),
                jitter: Cell::new(0.0),
                random: RandomState::new(),
                drawn: Cell::new(0),
            }),
            location: Location::caller(),
            make: Box::new(move |rhythm, location| {
                let callback = Rc::clone(&callback);
                let run = async move { rhythm.run(callback, location).await };
                Task::spawn(IoLoop::current().core(), run, location)
            }),
            task: RefCell::default(),
        }
    }

    /// Lets each wait vary at random by up to half of this share of the interval to either side, so
    /// that many loops do not all wake at once. Between 0, the default, and 1.
    #[must_use]
    pub fn jitter(self, share: f64) -> Self {
        self.rhythm.jitter.set(share.clamp(0.0, 1.0));
        self
    }

    /// Sets it going on this thread's loop. Does nothing when it goes already.
    ///
    /// # Panics
    ///
    /// Panics off a loop, as [`IoLoop::current`] does.
    #[track_caller]
    pub fn start(&self) {
        if !self.is_running() {
            let task = (self.make)(Rc::clone(&self.rhythm), self.location);
            *self.task.borrow_mut() = Some(task);
        }
    }

    /// Stops it; [`start`](Self::start) sets it going again with a full interval. A run that waits
    /// is dropped; one that stops itself goes on up to its next wait.
    pub fn stop(&self) {
        if let Some(task) = self.task.take() {
            task.cancel();
        }
    }

    /// Whether it goes.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.task
            .borrow()
            .as_ref()
            .is_some_and(|task| !task.is_done())
    }
}

impl Drop for PeriodicCallback {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for PeriodicCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeriodicCallback")
            .field("interval", &self.rhythm.interval)
            .field("is_running", &self.is_running())
            .finish_non_exhaustive()
    }
}

impl Rhythm {
    async fn run<C, F>(
        self: Rc<Self>,
        callback: Rc<RefCell<C>>,
        location: &'static Location<'static>,
    ) where
        C: FnMut() -> F,
        F: Future,
        F::Output: Outcome,
    {
        // The loop is looked up each time: it has the task that this runs in, so keeping it here
        // would keep it for ever.
        let mut tick = IoLoop::current().time();
        loop {
            tick = self.tick_after(tick, IoLoop::current().time());
            sleep_until(self.vary(tick)).await;
            once(&callback, location).await;
        }
    }

    /// The first tick of the rhythm after `now`.
    fn tick_after(&self, last: Instant, now: Instant) -> Instant {
        let behind = now.saturating_duration_since(last).as_nanos() / self.interval.as_nanos();
        let skipped = u32::try_from(behind).unwrap_or(u32::MAX);
        last + self.interval.saturating_mul(skipped) + self.interval
    }

    fn vary(&self, tick: Instant) -> Instant {
        let jitter = self.jitter.get();
        if jitter == 0.0 {
            return tick;
        }
        let drawn = self.drawn.get();
        self.drawn.set(drawn.wrapping_add(1));
        // From 0 up to 1; hashing a counter under a random key is random enough.
        let random = self.random.hash_one(drawn) as f64 / u64::MAX as f64;
        let early = self.interval.mul_f64(jitter / 2.0);
        let late = self.interval.mul_f64(jitter * random);
        tick.checked_sub(early).unwrap_or(tick) + late
    }
}

/// One run, whose failure is logged.
async fn once<C, F>(callback: &RefCell<C>, location: &'static Location<'static>)
where
    C: FnMut() -> F,
    F: Future,
    F::Output: Outcome,
{
    let made = catch_unwind(AssertUnwindSafe(|| (callback.borrow_mut())()));
    let run = async {
        let mut future = pin!(made?);
        std::future::poll_fn(|cx| {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(poll) => poll.map(Ok),
                Err(payload) => Poll::Ready(Err(payload)),
            }
        })
        .await
    };
    match run.await.map(Outcome::into_failure) {
        Ok(None) => {}
        Ok(Some(failure)) => report::failed("a periodic callback", location, failure.as_ref()),
        Err(payload) => {
            report::panicked("a periodic callback", location, &report::caught(payload));
        }
    }
}
