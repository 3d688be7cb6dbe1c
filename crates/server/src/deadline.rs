//! A time limit that is cheap to start over.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use squall_ioloop::{IoLoop, Sleep, sleep_until};

/// A time limit on one kind of waiting.
///
/// Starting over only forgets a number: the clock is read when there is something to wait for, and a timer that is set
/// already is left alone; when it fires too early, it is set again. So a busy connection touches no timer at all.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// When the waiting is over; `None` until it begins.
    at: Option<Instant>,
    /// The timer and the time for which it is set.
    timer: Option<(Instant, Sleep)>,
}

impl Deadline {
    /// Forgets the waiting so far: there was progress.
    pub(crate) fn restart(&mut self) {
        self.at = None;
    }

    /// Polls whether `limit` has passed since the first poll after the last restart.
    pub(crate) fn poll(&mut self, limit: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let now = IoLoop::current().time();
        let at = match self.at {
            Some(at) => at,
            None => {
                // A limit too large for the clock is none.
                let Some(at) = now.checked_add(limit) else {
                    return Poll::Pending;
                };
                *self.at.insert(at)
            }
        };
        if now >= at {
            return Poll::Ready(());
        }
        loop {
            let (set_for, timer) = match &mut self.timer {
                Some(timer) if timer.0 <= at => timer,
                timer => timer.insert((at, sleep_until(at))),
            };
            if Pin::new(timer).poll(cx).is_pending() {
                return Poll::Pending;
            }
            if *set_for >= at {
                return Poll::Ready(());
            }
            self.timer = None;
        }
    }
}
