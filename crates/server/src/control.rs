//! What the connections and listeners of one server on one loop have in common: how many there are, and whether to stop.
//!
//! Invariants: the phase only goes forward; every open connection that has a task has a seat, and its seat has its newest
//! waker; wakers are called and dropped with nothing borrowed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::AddAssign;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::balance::Own;
use crate::upgrade::Presence;

/// How far a server is on its way to the end.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// Everything as usual.
    #[default]
    Serving,
    /// No new connections, no new requests.
    Stopping,
    /// The deadline is over: every connection is cut.
    Aborting,
}

/// What a graceful stop did, in connections.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct StopReport {
    /// Had requests in flight that were not done at the deadline.
    pub cut: u64,
    /// Had requests in flight that were answered.
    pub finished: u64,
    /// Were waiting for a request and were closed at once.
    pub idle: u64,
}

impl AddAssign for StopReport {
    fn add_assign(&mut self, other: Self) {
        self.cut += other.cut;
        self.finished += other.finished;
        self.idle += other.idle;
    }
}

impl fmt::Display for StopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cut,
            finished,
            idle,
        } = self;
        write!(
            f,
            "{idle} idle connections closed, {finished} busy ones finished, {cut} cut at the deadline"
        )
    }
}

/// What a server has counted since it began, on one loop.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
    /// Requests whose head was read and understood.
    pub requests: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Control {
    phase: Cell<Phase>,
    /// Time from the beginning of the stop to its deadline, once that is known.
    deadline: Cell<Duration>,
    accepted: Cell<u64>,
    open: Cell<u64>,
    requests: Cell<u64>,
    /// Of those that are open, how many speak another protocol by now.
    upgraded: Cell<u64>,
    /// Where other loops see how many are open.
    own: Option<Own>,
    report: Cell<StopReport>,
    /// Listeners that still accept.
    listeners: Cell<usize>,
    seats: RefCell<Seats>,
    /// Wait for the next phase.
    phase_waiters: RefCell<Vec<Waker>>,
    /// Wait for a connection or a listener to end.
    leave_waiters: RefCell<Vec<Waker>>,
}

#[derive(Debug, Default)]
struct Seats {
    /// Wake the connections' tasks; `None` in seats that nobody has.
    all: Vec<Option<Waker>>,
    /// Places in `all` that nobody has.
    free: Vec<usize>,
}

impl Control {
    /// Makes one that tells the other loops of the server how many connections are open.
    pub(crate) fn publishing(own: Own) -> Self {
        Self {
            own: Some(own),
            ..Self::default()
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            accepted: self.accepted.get(),
            open: self.open.get(),
            requests: self.requests.get(),
        }
    }

    pub(crate) fn report(&self) -> StopReport {
        self.report.get()
    }

    /// Goes on to `phase` and tells everybody; does nothing if it is there already.
    pub(crate) fn advance(&self, phase: Phase) {
        if phase <= self.phase.get() {
            return;
        }
        self.phase.set(phase);
        if phase == Phase::Aborting {
            self.leave_upgraded();
        }
        let mut wakers = self.phase_waiters.take();
        let mut seats = self.seats.borrow_mut();
        wakers.extend(seats.all.iter_mut().filter_map(Option::take));
        drop(seats);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Begins to abort, since so much time has passed from the beginning of the stop.
    pub(crate) fn abort(&self, deadline: Duration) {
        self.deadline.set(deadline);
        self.advance(Phase::Aborting);
    }

    /// Waits until the phase is at least `phase`.
    pub(crate) fn poll_phase(&self, phase: Phase, cx: &mut Context<'_>) -> Poll<()> {
        if self.phase.get() >= phase {
            return Poll::Ready(());
        }
        remember(&mut self.phase_waiters.borrow_mut(), cx);
        Poll::Pending
    }

    /// Waits until at most `count` connections are open.
    pub(crate) fn poll_at_most(&self, count: u64, cx: &mut Context<'_>) -> Poll<()> {
        if self.open.get() <= count {
            return Poll::Ready(());
        }
        remember(&mut self.leave_waiters.borrow_mut(), cx);
        Poll::Pending
    }

    /// Waits until all listeners and all connections have ended.
    pub(crate) fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.listeners.get() == 0 {
            return self.poll_at_most(0, cx);
        }
        remember(&mut self.leave_waiters.borrow_mut(), cx);
        Poll::Pending
    }

    /// Counts a listener for as long as the value lives.
    pub(crate) fn listen(self: &Rc<Self>) -> Listening {
        self.listeners.set(self.listeners.get() + 1);
        Listening {
            control: Rc::clone(self),
        }
    }

    pub(crate) fn count_accepted(&self) {
        self.accepted.set(self.accepted.get() + 1);
    }

    /// Counts a new connection.
    pub(crate) fn enter(&self) {
        self.set_open(self.open.get() + 1);
    }

    /// Counts a new connection for as long as its member lives.
    pub(crate) fn join(self: &Rc<Self>) -> Member {
        self.enter();
        let mut member = self.stranger();
        member.take_over();
        member
    }

    /// Returns a member that is no connection's yet.
    pub(crate) fn stranger(self: &Rc<Self>) -> Member {
        Member {
            control: Rc::clone(self),
            present: false,
            seat: None,
            busy: false,
            in_flight: false,
        }
    }

    /// Notes the end of a connection that was, or was not, in the middle of a request since the stop began.
    pub(crate) fn leave(&self, in_flight: bool) {
        let mut report = self.report.get();
        match (self.phase.get(), in_flight) {
            (Phase::Serving, _) => {}
            (_, false) => report.idle += 1,
            (Phase::Stopping, true) => report.finished += 1,
            (Phase::Aborting, true) => report.cut += 1,
        }
        self.report.set(report);
        self.set_open(self.open.get() - 1);
        self.wake_leave_waiters();
    }

    /// Takes a connection that goes on with another protocol, and is counted already, for as long as
    /// [`dismiss_upgraded`](Self::dismiss_upgraded) has not been called for it.
    pub(crate) fn admit_upgraded(&self) {
        self.upgraded.set(self.upgraded.get() + 1);
        if self.phase.get() == Phase::Aborting {
            self.leave_upgraded();
        }
    }

    /// Notes the end of such a connection.
    pub(crate) fn dismiss_upgraded(&self) {
        // After the deadline they have been left all at once.
        if let Some(upgraded) = self.upgraded.get().checked_sub(1) {
            self.upgraded.set(upgraded);
            self.leave(true);
        }
    }

    /// Nobody knows how long the others' protocol takes to end, so nobody waits for it.
    fn leave_upgraded(&self) {
        for _ in 0..self.upgraded.take() {
            self.leave(true);
        }
    }

    fn set_open(&self, open: u64) {
        self.open.set(open);
        if let Some(own) = &self.own {
            own.publish(open);
        }
    }

    fn take_seat(&self) -> usize {
        let mut seats = self.seats.borrow_mut();
        seats.free.pop().unwrap_or_else(|| {
            seats.all.push(None);
            seats.all.len() - 1
        })
    }

    fn free_seat(&self, number: usize) {
        let waker = {
            let mut seats = self.seats.borrow_mut();
            seats.free.push(number);
            seats.all[number].take()
        };
        drop(waker);
    }

    fn wake_leave_waiters(&self) {
        self.leave_waiters.take().into_iter().for_each(Waker::wake);
    }
}

/// A listener that still accepts.
#[derive(Debug)]
pub(crate) struct Listening {
    control: Rc<Control>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.control.listeners.set(self.control.listeners.get() - 1);
        self.control.wake_leave_waiters();
    }
}

/// What a connection is to its server: one that counts, and one that can be told of a stop.
///
/// Only a connection with a task of its own has a seat. One that is parked, or that is served in place, is asked by whoever
/// holds it.
#[derive(Debug)]
pub(crate) struct Member {
    control: Rc<Control>,
    /// A connection is counted for this member; it leaves when the member is dropped.
    present: bool,
    seat: Option<usize>,
    /// A request is being read or answered.
    busy: bool,
    /// `busy` was true at some time since the stop began.
    in_flight: bool,
}

impl Member {
    /// Returns the phase, and sees to it that a task is woken when it changes.
    pub(crate) fn poll_phase(&self, cx: &mut Context<'_>) -> Phase {
        if let Some(seat) = self.seat {
            let mut seats = self.control.seats.borrow_mut();
            match &mut seats.all[seat] {
                Some(waker) => waker.clone_from(cx.waker()),
                waker => *waker = Some(cx.waker().clone()),
            }
        }
        self.control.phase.get()
    }

    /// Gets a seat: the connection has a task from now on.
    pub(crate) fn sit_down(&mut self) {
        if self.seat.is_none() {
            self.seat = Some(self.control.take_seat());
        }
    }

    /// Gives the seat back: the connection has no task any more.
    pub(crate) fn stand_up(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.control.free_seat(seat);
        }
    }

    /// Lets the connection be counted as one that speaks another protocol now.
    pub(crate) fn upgrade(&mut self) -> Presence {
        let presence = Presence::new(Rc::clone(&self.control));
        self.hand_over();
        presence
    }

    /// Becomes the member of a connection that is counted already.
    pub(crate) fn take_over(&mut self) {
        self.present = true;
        self.busy = false;
        self.in_flight = false;
    }

    /// Lets the connection be counted without this member.
    pub(crate) fn hand_over(&mut self) {
        self.stand_up();
        self.present = false;
    }

    /// Ends the connection.
    pub(crate) fn leave(&mut self) {
        self.stand_up();
        if std::mem::take(&mut self.present) {
            self.note_stop();
            self.control.leave(self.in_flight);
        }
    }

    /// Returns the time that requests in flight had since the stop began, once it is over.
    pub(crate) fn deadline(&self) -> Duration {
        self.control.deadline.get()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.control.phase.get() >= Phase::Stopping
    }

    /// Says that a request has begun.
    pub(crate) fn begin_request(&mut self) {
        self.control.requests.set(self.control.requests.get() + 1);
        self.busy = true;
        self.note_stop();
    }

    /// Says that the last answer has left.
    pub(crate) fn end_request(&mut self) {
        self.note_stop();
        self.busy = false;
    }

    /// A request that ends after a stop began was in flight, for it had begun before its end.
    fn note_stop(&mut self) {
        self.in_flight |= self.busy && self.is_stopping();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Adds the waker to those that wait, unless it is one of them.
pub(crate) fn remember(waiters: &mut Vec<Waker>, cx: &Context<'_>) {
    if !waiters.iter().any(|waker| waker.will_wake(cx.waker())) {
        waiters.push(cx.waker().clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_counts_the_idle_the_finished_and_the_cut() {
        let control = Rc::new(Control::default());
        let members: Vec<_> = (0..4).map(|_| control.join()).collect();
        let [idle, mut finished, mut cut, mut late] =
            <[Member; 4]>::try_from(members).expect("four of them");
        finished.begin_request();
        cut.begin_request();
        control.advance(Phase::Stopping);
        drop(idle);
        finished.end_request();
        drop(finished);
        late.begin_request();
        late.end_request();
        drop(late);
        control.advance(Phase::Aborting);
        drop(cut);
        assert_eq!(
            control.report(),
            StopReport {
                cut: 1,
                finished: 2,
                idle: 1
            }
        );
        assert_eq!(
            control.counts(),
            Counts {
                accepted: 0,
                open: 0,
                requests: 3
            }
        );
        let text = "1 idle connections closed, 2 busy ones finished, 1 cut at the deadline";
        assert_eq!(control.report().to_string(), text);
    }

    #[test]
    fn seats_are_used_again() {
        let control = Rc::new(Control::default());
        for _ in 0..10 {
            let mut member = control.join();
            member.sit_down();
        }
        assert_eq!(control.seats.borrow().all.len(), 1);
        assert_eq!(
            control.report(),
            StopReport::default(),
            "nothing is reported while serving"
        );
    }

    #[test]
    fn the_phase_never_goes_back() {
        let control = Control::default();
        control.advance(Phase::Aborting);
        control.advance(Phase::Stopping);
        assert_eq!(control.phase.get(), Phase::Aborting);
    }
}
