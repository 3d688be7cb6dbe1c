//! Timers: `call_later`, `sleep` and what they share.

pub(crate) mod wheel;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::ioloop::IoLoop;
use crate::unit::Verb;
use wheel::{Act, Data, Key, Timer};

/// A timer that was set with [`call_later`](IoLoop::call_later) or [`call_at`](IoLoop::call_at).
///
/// **Dropping it does not cancel the timer**, as in Tornado. A clone names the same timer.
#[derive(Clone, Debug)]
pub struct Timeout {
    core: Weak<Core>,
    /// `None` when the loop was closed and the timer never set.
    key: Option<Key>,
}

impl Timeout {
    /// Sets a timer that runs `callback` at a tick of the loop's clock.
    pub(crate) fn set(
        core: &Rc<Core>,
        tick: u64,
        callback: impl FnOnce() + 'static,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            core: Rc::downgrade(core),
            key: core.add_timer(tick, timer(callback, location)),
        }
    }

    /// Keeps the callback from running, and drops it.
    ///
    /// True when it would have run; false when it has run already, or was cancelled before.
    #[expect(clippy::must_use_candidate, reason = "cancelling is the purpose")]
    pub fn cancel(&self) -> bool {
        match (self.core.upgrade(), self.key) {
            (Some(core), Some(key)) => core.remove_timer(key),
            _ => false,
        }
    }
}

/// Wraps a closure for the wheel; one of at most eight bytes is stored in place.
fn timer<F: FnOnce() + 'static>(callback: F, location: &'static Location<'static>) -> Timer {
    let mut data: Data = MaybeUninit::uninit();
    let act: Act;
    // SAFETY: the data is large enough, as checked or because a pointer is at most eight bytes. It
    // is written without regard to alignment, and read back in the same way.
    unsafe {
        if size_of::<F>() <= size_of::<Data>() {
            data.as_mut_ptr().cast::<F>().write_unaligned(callback);
            act = act_inline::<F>;
        } else {
            let boxed = Box::into_raw(Box::new(callback));
            data.as_mut_ptr().cast::<*mut F>().write_unaligned(boxed);
            act = act_boxed::<F>;
        }
    }
    Timer {
        act,
        data,
        location,
    }
}

/// # Safety
///
/// The data must hold an `F`, which this call consumes.
unsafe fn act_inline<F: FnOnce()>(data: Data, verb: Verb) {
    // SAFETY: given by the caller.
    let callback = unsafe { data.as_ptr().cast::<F>().read_unaligned() };
    match verb {
        Verb::Drop => drop(callback),
        Verb::Run => callback(),
    }
}

/// # Safety
///
/// The data must hold a pointer from `Box::<F>::into_raw`, which this call consumes.
unsafe fn act_boxed<F: FnOnce()>(data: Data, verb: Verb) {
    // SAFETY: given by the caller.
    let callback = unsafe { Box::from_raw(data.as_ptr().cast::<*mut F>().read_unaligned()) };
    match verb {
        Verb::Drop => drop(callback),
        Verb::Run => callback(),
    }
}

/// Waits until `duration` has passed; Tornado's `gen.sleep`.
///
/// Timed by the loop's clock in steps of a millisecond, never too early. The time counts from this
/// call, not from the first `.await`.
///
/// # Panics
///
/// Panics off a loop, as [`IoLoop::current`] does.
///
/// # Cancel safety
///
/// Dropping the future cancels its timer; nothing is lost.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let io_loop = IoLoop::current();
    let tick = io_loop.core().clock.tick_in(duration);
    Sleep::until_tick(&io_loop, tick, Location::caller())
}

/// Waits until `deadline`, a time of the loop's clock: see [`IoLoop::time`].
///
/// # Panics
///
/// Panics off a loop, as [`IoLoop::current`] does.
///
/// # Cancel safety
///
/// Dropping the future cancels its timer; nothing is lost.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let io_loop = IoLoop::current();
    let tick = io_loop.core().clock.tick_of(deadline);
    Sleep::until_tick(&io_loop, tick, Location::caller())
}

/// The future of [`sleep`] and [`sleep_until`].
#[derive(Debug)]
#[must_use = "a sleep that is not awaited does nothing"]
pub struct Sleep {
    /// Does not keep the loop alive: the loop has the task that has this.
    core: Weak<Core>,
    tick: u64,
    location: &'static Location<'static>,
    /// Set with the first poll.
    alarm: Option<(Rc<Alarm>, Timeout)>,
}

/// What a sleep shares with its timer.
#[derive(Debug, Default)]
struct Alarm {
    rang: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Alarm {
    fn set(
        core: &Rc<Core>,
        tick: u64,
        location: &'static Location<'static>,
    ) -> (Rc<Self>, Timeout) {
        let alarm = Rc::new(Self::default());
        let rings = Rc::clone(&alarm);
        let ring = move || {
            rings.rang.set(true);
            if let Some(waker) = rings.waker.take() {
                waker.wake();
            }
        };
        let timeout = Timeout::set(core, tick, ring, location);
        (alarm, timeout)
    }
}

impl Sleep {
    fn until_tick(io_loop: &IoLoop, tick: u64, location: &'static Location<'static>) -> Self {
        Self {
            core: Rc::downgrade(io_loop.core()),
            tick,
            location,
            alarm: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let (alarm, _) = match &mut this.alarm {
            Some(alarm) => alarm,
            unset => {
                let Some(core) = this.core.upgrade() else {
                    // The loop has gone, and its time with it.
                    return Poll::Pending;
                };
                unset.insert(Alarm::set(&core, this.tick, this.location))
            }
        };
        if alarm.rang.get() {
            return Poll::Ready(());
        }
        let mut waker = alarm.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((_, timeout)) = &self.alarm {
            timeout.cancel();
        }
    }
}

/// Awaits `future`, but not for longer than `duration`; Tornado's `gen.with_timeout`.
///
/// When the time is up the future is dropped. A [`Task`](crate::Task) goes on when its handle is
/// dropped, so `with_timeout(duration, task)` gives up waiting without stopping the work, which is
/// what Tornado does.
///
/// A future that is ready when the time is up wins.
///
/// # Errors
///
/// [`TimeoutError`] when the time was up first.
///
/// # Panics
///
/// Panics off a loop, as [`IoLoop::current`] does.
///
/// # Cancel safety
///
/// As cancel safe as `future` is.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use squall_ioloop::{IoLoop, promise, with_timeout};
///
/// IoLoop::run_sync(async {
///     let (_resolver, promise) = promise::<u32>();
///     let waited = with_timeout(Duration::from_millis(5), promise).await;
///     assert!(waited.is_err());
///     Ok::<_, std::io::Error>(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn with_timeout<F: Future>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, TimeoutError>> {
    let limit = sleep(duration);
    async move {
        let mut future = std::pin::pin!(future);
        let mut limit = std::pin::pin!(limit);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(value) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(value));
            }
            limit
                .as_mut()
                .poll(cx)
                .map(|()| Err(TimeoutError { limit: duration }))
        })
        .await
    }
}

/// The time limit of [`with_timeout`] has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutError {
    limit: Duration,
}

impl TimeoutError {
    /// The limit that has passed.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl std::fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not done within {:?}", self.limit)
    }
}

impl std::error::Error for TimeoutError {}

impl From<TimeoutError> for std::io::Error {
    fn from(err: TimeoutError) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, err)
    }
}

/// Lets everything else on the loop have a turn; Tornado's `gen.moment`.
///
/// # Cancel safety
///
/// Nothing is lost.
pub fn moment() -> impl Future<Output = ()> {
    let mut yielded = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
