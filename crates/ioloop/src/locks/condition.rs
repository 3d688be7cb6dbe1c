//! Waiting to be told that something changed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::waiters::WaitList;
use super::waiting::{Wait, Waiting};

/// Lets tasks wait until another task notifies them.
///
/// A condition remembers nothing: a notification that finds nobody waiting is gone, so the thing waited for is kept elsewhere
/// and looked at again after each wait. Unlike in the threading libraries there is no lock to go with it: between two awaits no
/// other task runs. [`Event`](super::Event) is the one that remembers.
///
/// A clone is the same condition.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use squall_ioloop::{IoLoop, spawn};
/// use squall_ioloop::locks::Condition;
///
/// IoLoop::run_sync(async {
///     let level = Rc::new(Cell::new(0));
///     let rising = Condition::new();
///
///     let (seen, changed) = (level.clone(), rising.clone());
///     let watcher = spawn(async move {
///         while seen.get() < 3 {
///             changed.wait().await;
///         }
///         "high water"
///     });
///
///     for _ in 0..3 {
///         level.set(level.get() + 1);
///         rising.notify_all();
///         squall_ioloop::moment().await;
///     }
///     assert_eq!(watcher.await?, "high water");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Condition {
    shared: Rc<Shared>,
}

impl Condition {
    /// Creates a condition for which nobody waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for a notification.
    ///
    /// The wait begins with this call, not with the first poll: a notification that comes in between is not missed.
    /// A time limit is set with [`with_timeout`](crate::with_timeout).
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time. If it had been notified by [`notify`](Self::notify), the notification goes to the
    /// waiter who is first in line then, which may be one who came after it; if nobody waits, it is gone.
    pub fn wait(&self) -> ConditionWait {
        ConditionWait(Waiting::eager(&self.shared, ()))
    }

    /// Wakes up to `n` waiters, those who have waited longest.
    ///
    /// They run in a later turn of the loop, in their order.
    pub fn notify(&self, n: usize) {
        if n == 1 {
            // The common case needs no list of wake-ups. Nobody there to hear it: a condition remembers nothing.
            drop(self.shared.line.hand(Notified::Counted));
        } else {
            drop(self.shared.line.hand_up_to(n, |()| Notified::Counted));
        }
    }

    /// Wakes everybody who waits now.
    pub fn notify_all(&self) {
        drop(self.shared.line.hand_all(|()| Notified::WithAll));
    }

    /// Returns the number of waiters who have not been notified.
    pub fn waiters(&self) -> usize {
        self.shared.line.len()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("waiters", &self.waiters())
            .finish()
    }
}

/// The future of [`Condition::wait`].
#[derive(Debug)]
#[must_use = "a future waits only while it is awaited"]
pub struct ConditionWait(Waiting<Notification>);

impl Future for ConditionWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_grant(cx).map(|_| ())
    }
}

struct Shared {
    line: WaitList<Notified>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            line: WaitList::new(),
        }
    }
}

/// How a waiter was notified, which decides what becomes of a notification that it did not live to see.
enum Notified {
    /// As one of a number: the number must reach as many others.
    Counted,
    /// Together with everybody: everybody else knows already.
    WithAll,
}

struct Notification;

impl Wait for Notification {
    type Shared = Shared;
    type Offer = ();
    type Grant = Notified;

    fn line(shared: &Shared) -> &WaitList<Notified> {
        &shared.line
    }

    fn attempt(_shared: &Shared, offer: ()) -> Result<Notified, ()> {
        Err(offer)
    }

    fn give_back(shared: &Shared, notified: Notified) {
        if let Notified::Counted = notified {
            drop(shared.line.hand(notified));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;
    use crate::locks::probe::Probe;

    fn waiting(condition: &Condition, count: usize) -> Vec<Probe<super::ConditionWait>> {
        let mut probes: Vec<_> = (0..count).map(|_| Probe::new(condition.wait())).collect();
        for probe in &mut probes {
            assert!(probe.poll().is_pending());
        }
        probes
    }

    fn woken(probes: &[Probe<super::ConditionWait>]) -> Vec<bool> {
        probes.iter().map(Probe::is_woken).collect()
    }

    #[test]
    fn notify_wakes_the_longest_waiting_first() {
        let condition = Condition::new();
        let mut probes = waiting(&condition, 4);
        condition.notify(1);
        assert_eq!(woken(&probes), [true, false, false, false]);
        condition.notify(2);
        assert_eq!(woken(&probes), [true, true, true, false]);
        assert!(probes[0].poll().is_ready());
        assert!(probes[2].poll().is_ready());
        assert!(probes[3].poll().is_pending());
        assert_eq!(condition.waiters(), 1);
    }

    #[test]
    fn notify_zero_wakes_nobody() {
        let condition = Condition::new();
        let probes = waiting(&condition, 1);
        condition.notify(0);
        assert_eq!(woken(&probes), [false]);
    }

    #[test]
    fn a_notification_without_waiters_is_gone() {
        let condition = Condition::new();
        condition.notify(5);
        condition.notify_all();
        assert_eq!(woken(&waiting(&condition, 2)), [false, false]);
    }

    #[test]
    fn notify_all_wakes_those_who_wait_now() {
        let condition = Condition::new();
        let mut probes = waiting(&condition, 3);
        condition.notify_all();
        let mut late = Probe::new(condition.wait());
        assert!(probes.iter_mut().all(|probe| probe.poll().is_ready()));
        assert!(late.poll().is_pending());
    }

    #[test]
    fn a_notification_before_the_first_poll_is_not_missed() {
        let condition = Condition::new();
        let mut probe = Probe::new(condition.wait());
        condition.notify(1);
        assert!(probe.poll().is_ready());
    }

    #[test]
    fn a_dropped_waiter_leaves_the_line() {
        let condition = Condition::new();
        let mut probes = waiting(&condition, 3);
        drop(probes.remove(1));
        assert_eq!(condition.waiters(), 2);
        condition.notify(2);
        assert_eq!(woken(&probes), [true, true]);
    }

    #[test]
    fn a_waiter_dropped_after_its_notification_passes_it_on() {
        let condition = Condition::new();
        let mut probes = waiting(&condition, 3);
        condition.notify(1);
        drop(probes.remove(0));
        assert_eq!(woken(&probes), [true, false]);
        drop(probes.remove(0));
        assert_eq!(woken(&probes), [true]);
        drop(probes);
        assert_eq!(woken(&waiting(&condition, 1)), [false]);
    }

    #[test]
    fn a_waiter_dropped_after_notify_all_wakes_no_newcomer() {
        let condition = Condition::new();
        let probes = waiting(&condition, 1);
        condition.notify_all();
        let newcomers = waiting(&condition, 1);
        drop(probes);
        assert_eq!(woken(&newcomers), [false]);
    }

    #[test]
    fn debug_tells_the_waiters() {
        let condition = Condition::new();
        let probe = waiting(&condition, 1);
        assert_eq!(format!("{condition:?}"), "Condition { waiters: 1 }");
        assert_eq!(format!("{:?}", condition.wait()), "ConditionWait(waiting)");
        drop(probe);
    }
}
