//! The time of a loop, which tests can stop.
//!
//! A loop made with [`IoLoop::with_paused_clock`](crate::IoLoop::with_paused_clock) has a clock that
//! stands still while the loop works. When the loop has nothing left to do but wait for a timer, the
//! clock **jumps** to that timer: a test of a time limit of thirty minutes takes microseconds, and
//! always takes the same course. All that Squall times is timed by this clock: timers, `sleep`,
//! `with_timeout`, `PeriodicCallback`, and the time limits of the server and the client. Timers of
//! other libraries are not.
//!
//! The clock does not jump while work is on a thread pool, since its result comes first. It knows
//! nothing of other threads that hold a [`LoopHandle`](crate::LoopHandle).
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use squall_ioloop::{IoLoop, sleep};
//!
//! let _io_loop = IoLoop::with_paused_clock()?;
//! let waited = IoLoop::run_sync(async {
//!     let start = IoLoop::current().time();
//!     sleep(Duration::from_secs(30 * 60)).await;
//!     Ok::<_, std::io::Error>(IoLoop::current().time() - start)
//! })?;
//! assert_eq!(waited, Duration::from_secs(30 * 60));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::ioloop::IoLoop;

/// Returns a number that changes whenever the loop of this thread begins to run what there is to run, after it has waited or
/// has let the system be asked; 0 off a loop.
///
/// What was found out under one number, such as the time of day to the second, is good enough under the same number: a few
/// dozen callbacks run in between at most.
#[inline]
#[must_use]
pub fn round() -> u64 {
    Core::with_current(Core::polls).unwrap_or(0)
}

/// Moves the paused clock of this thread's loop on by `duration`, and lets everything that falls due
/// run before it returns, in order, each at its own time.
///
/// For tests that want to look around between two points in time; a test that only waits needs no
/// help, because the clock jumps by itself.
///
/// # Panics
///
/// Panics when the clock of this thread's loop is not paused.
///
/// # Cancel safety
///
/// If the future is dropped the clock stands at one of the times on the way.
pub async fn advance(duration: Duration) {
    let io_loop = IoLoop::current();
    let clock = &io_loop.core().clock;
    assert!(
        clock.is_paused(),
        "the clock can be moved by hand only on a loop made with `IoLoop::with_paused_clock`"
    );
    // A timer among others: the clock jumps from one to the next until this one is reached. While
    // jumping is switched off, this wait is what switches it on.
    let _advancing = Advancing::begin(&io_loop);
    let wait = crate::sleep(duration);
    // Not kept while waiting: the loop has the task that this runs in.
    drop(io_loop);
    wait.await;
    // Tasks that were woken at the very end have their turn first.
    crate::moment().await;
}

/// Lets a paused clock jump for as long as it exists.
struct Advancing(Weak<Core>);

impl Advancing {
    fn begin(io_loop: &IoLoop) -> Self {
        let advancing = &io_loop.core().clock.advancing;
        advancing.set(advancing.get() + 1);
        Self(Rc::downgrade(io_loop.core()))
    }
}

impl Drop for Advancing {
    fn drop(&mut self) {
        if let Some(core) = self.0.upgrade() {
            let advancing = &core.clock.advancing;
            advancing.set(advancing.get() - 1);
        }
    }
}

/// Keeps the paused clock of this thread's loop from jumping by itself: from now on only [`advance`]
/// moves it.
///
/// # Panics
///
/// Panics when there is no loop on this thread.
pub fn hold() {
    IoLoop::current().core().clock.jumps.set(false);
}

/// Lets the paused clock of this thread's loop jump by itself again, as it does at first.
///
/// # Panics
///
/// Panics when there is no loop on this thread.
pub fn release() {
    IoLoop::current().core().clock.jumps.set(true);
}

/// Nanoseconds in a tick.
const NANOSECONDS: u64 = 1_000_000;

/// The clock of one loop. Ticks are milliseconds since the loop was made.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// The system's nanoseconds at `start`.
    zero: u64,
    /// The time since `start`, when the clock is paused.
    paused: Option<Cell<Duration>>,
    /// Whether a paused clock moves on by itself.
    jumps: Cell<bool>,
    /// How many calls of `advance` are under way.
    advancing: Cell<usize>,
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self {
            start: Instant::now(),
            zero: system_nanoseconds(),
            paused: None,
            jumps: Cell::new(false),
            advancing: Cell::new(0),
        }
    }

    pub(crate) fn paused() -> Self {
        Self {
            start: Instant::now(),
            zero: 0,
            paused: Some(Cell::new(Duration::ZERO)),
            jumps: Cell::new(true),
            advancing: Cell::new(0),
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub(crate) fn jumps(&self) -> bool {
        self.jumps.get() || self.advancing.get() > 0
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.paused {
            Some(elapsed) => self.start + elapsed.get(),
            None => Instant::now(),
        }
    }

    /// The tick that has begun.
    pub(crate) fn tick(&self) -> u64 {
        self.nanoseconds() / NANOSECONDS
    }

    /// The first tick that is not before `deadline`.
    pub(crate) fn tick_of(&self, deadline: Instant) -> u64 {
        let since = deadline.saturating_duration_since(self.start);
        ceil_to_ticks(since)
    }

    /// The first tick that is not before `delay` has passed from now.
    #[inline]
    pub(crate) fn tick_in(&self, delay: Duration) -> u64 {
        if delay.is_zero() {
            return self.tick();
        }
        let delay = delay
            .as_secs()
            .saturating_mul(1000 * NANOSECONDS)
            .saturating_add(u64::from(delay.subsec_nanos()));
        self.nanoseconds()
            .saturating_add(delay)
            .div_ceil(NANOSECONDS)
    }

    pub(crate) fn instant_of(&self, tick: u64) -> Instant {
        self.start + Duration::from_millis(tick)
    }

    /// Moves a paused clock on to a tick.
    pub(crate) fn jump_to(&self, tick: u64) {
        if let Some(elapsed) = &self.paused {
            elapsed.set(elapsed.get().max(Duration::from_millis(tick)));
        }
    }

    /// Nanoseconds since the start, for the next 584 years.
    #[inline]
    fn nanoseconds(&self) -> u64 {
        match &self.paused {
            Some(elapsed) => elapsed.get().as_nanos() as u64,
            // The same clock as that of `Instant`, which started a moment before `zero` was read: a
            // timer may be that much late, never early.
            None => system_nanoseconds() - self.zero,
        }
    }
}

/// What the monotonic clock of the system shows: a third of the work of subtracting `Instant`s.
#[inline]
fn system_nanoseconds() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a structure to write to. The call cannot fail: every system has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64) * (1000 * NANOSECONDS) + time.tv_nsec as u64
}

#[inline]
fn ceil_to_ticks(since: Duration) -> u64 {
    // A thousand million years is long enough.
    let whole = since.as_secs().saturating_mul(1000);
    whole.saturating_add(u64::from(since.subsec_nanos().div_ceil(1_000_000)))
}
