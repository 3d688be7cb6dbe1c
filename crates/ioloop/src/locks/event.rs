//! Waiting for a flag.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::waiters::WaitList;
use super::waiting::{Wait, Waiting};

/// Lets tasks wait until a flag is set.
///
/// Once it is set, waits are over at once until it is [cleared](Self::clear). A clone is the same event.
///
/// # Examples
///
/// ```
/// use squall_ioloop::{IoLoop, spawn};
/// use squall_ioloop::locks::Event;
///
/// IoLoop::run_sync(async {
///     let ready = Event::new();
///     let waiter = spawn(ready.wait());
///     ready.set();
///     waiter.await?;
///     ready.wait().await; // not a moment
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Event {
    shared: Rc<Shared>,
}

impl Event {
    /// Creates an event that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells whether the flag is set.
    pub fn is_set(&self) -> bool {
        self.shared.set.get()
    }

    /// Sets the flag and wakes everybody who waits for it.
    ///
    /// Their wait is over even if the flag is cleared again before they run.
    pub fn set(&self) {
        if !self.shared.set.replace(true) {
            drop(self.shared.line.hand_all(|()| ()));
        }
    }

    /// Clears the flag: waits that begin from now on last until the next [`set`](Self::set).
    pub fn clear(&self) {
        self.shared.set.set(false);
    }

    /// Waits until the flag is set.
    ///
    /// The wait begins with this call, not with the first poll: it is over if the flag was set at any time since, also if it
    /// was cleared again. A time limit is set with [`with_timeout`](crate::with_timeout).
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time; nothing is lost.
    pub fn wait(&self) -> EventWait {
        EventWait(Waiting::eager(&self.shared, ()))
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .field("waiters", &self.shared.line.len())
            .finish()
    }
}

/// The future of [`Event::wait`].
#[derive(Debug)]
#[must_use = "a future waits only while it is awaited"]
pub struct EventWait(Waiting<Flag>);

impl Future for EventWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_grant(cx)
    }
}

struct Shared {
    set: Cell<bool>,
    /// Empty while the flag is set.
    line: WaitList<()>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            set: Cell::new(false),
            line: WaitList::new(),
        }
    }
}

struct Flag;

impl Wait for Flag {
    type Shared = Shared;
    type Offer = ();
    type Grant = ();

    fn line(shared: &Shared) -> &WaitList<()> {
        &shared.line
    }

    fn attempt(shared: &Shared, (): ()) -> Result<(), ()> {
        if shared.set.get() { Ok(()) } else { Err(()) }
    }

    fn give_back(_shared: &Shared, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::Event;
    use crate::locks::probe::{Probe, order_of_wakes};

    #[test]
    fn set_wakes_everybody_in_order() {
        let event = Event::new();
        let mut probes: Vec<_> = (0..3).map(|_| Probe::new(event.wait())).collect();
        for probe in probes.iter_mut().rev() {
            assert!(probe.poll().is_pending());
        }
        event.set();
        // The order of the calls, not of the polls.
        assert_eq!(order_of_wakes(&probes), [0, 1, 2]);
        assert!(probes.iter_mut().all(|probe| probe.poll().is_ready()));
    }

    #[test]
    fn a_set_event_does_not_wait() {
        let event = Event::new();
        event.set();
        event.set();
        assert!(event.is_set());
        assert!(Probe::new(event.wait()).poll().is_ready());
    }

    #[test]
    fn a_cleared_event_waits_again() {
        let event = Event::new();
        event.set();
        event.clear();
        assert!(!event.is_set());
        let mut probe = Probe::new(event.wait());
        assert!(probe.poll().is_pending());
        event.set();
        assert!(probe.is_woken());
    }

    #[test]
    fn a_wait_is_over_though_the_flag_was_cleared_before_it_ran() {
        let event = Event::new();
        let (mut polled, mut fresh) = (Probe::new(event.wait()), Probe::new(event.wait()));
        assert!(polled.poll().is_pending());
        event.set();
        let mut at_set = Probe::new(event.wait());
        event.clear();
        assert!(polled.poll().is_ready());
        assert!(fresh.poll().is_ready());
        assert!(at_set.poll().is_ready());
    }

    #[test]
    fn dropped_waiters_leave_nothing_behind() {
        let event = Event::new();
        let mut probes: Vec<_> = (0..3).map(|_| Probe::new(event.wait())).collect();
        assert!(probes[1].poll().is_pending());
        drop(probes.remove(1));
        assert_eq!(format!("{event:?}"), "Event { set: false, waiters: 2 }");
        event.set();
        drop(probes);
        assert_eq!(format!("{event:?}"), "Event { set: true, waiters: 0 }");
    }
}
