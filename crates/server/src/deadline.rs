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
    /// When this piece of waiting began; `None` while nobody waits.
    begun: Option<Instant>,
    /// How long was waited before it for `bytes`.
    used: Duration,
    /// What has come since the last restart, not enough to restart.
    bytes: u64,
    /// There was progress: the four above are not of use any more.
    restarted: bool,
    /// The timer and the time for which it is set.
    timer: Option<(Instant, Sleep)>,
}

impl Deadline {
    /// Forgets the waiting so far: there was progress.
    pub(crate) fn restart(&mut self) {
        // Far more often than anybody waits, so it is only noted.
        self.restarted = true;
    }

    fn forget(&mut self) {
        self.at = None;
        self.begun = None;
        self.used = Duration::ZERO;
        self.bytes = 0;
        self.restarted = false;
    }

    /// Notes that `bytes` have come. Forgets the waiting so far if that makes `enough` of them, else interrupts it until
    /// the next poll: what was waited is not given back for a byte.
    pub(crate) fn progress(&mut self, bytes: u64, enough: u64) {
        if self.restarted {
            self.forget();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= enough {
            self.restart();
        } else if let Some(begun) = self.begun.take() {
            self.at = None;
            self.used += IoLoop::current().time() - begun;
        }
    }

    /// Returns how many bytes have come, not enough to restart.
    pub(crate) fn bytes(&self) -> u64 {
        if self.restarted { 0 } else { self.bytes }
    }

    /// Polls whether `limit` has been waited since the last restart, beginning with the first poll after it.
    pub(crate) fn poll(&mut self, limit: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if self.restarted {
            self.forget();
        }
        let now = IoLoop::current().time();
        let at = match self.at {
            Some(at) => at,
            None => {
                // A limit too large for the clock is none.
                let Some(at) = now.checked_add(limit.saturating_sub(self.used)) else {
                    return Poll::Pending;
                };
                self.begun = Some(now);
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
