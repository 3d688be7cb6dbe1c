//! The pump: the one task of the runtime that runs everything on a loop.
//!
//! # A turn
//!
//! What stands in the queue when a turn begins runs in that turn; what it adds runs in the next.
//! Before a turn the pump takes in the mail of other threads and the timers that are due. After
//! `UNITS_PER_POLL` units it yields to the runtime, in the middle of a turn if need be, so that
//! descriptors and tasks of other libraries get their share; it also yields when the runtime's
//! cooperative budget is used up, since every read and write would then only be put off.
//!
//! Events of the reactor are units as well: a turn begins with some of them (`core/events`).
//!
//! When the queue is empty the pump sleeps. A push from its own thread, a letter from another one,
//! the alarm for the next timer or an event of the reactor wakes it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use tokio::task::coop::unconstrained;

use super::{Alarm, Core, EVENT_INTERVAL, nowhere};
use crate::report;

/// Units between two yields to the runtime.
const UNITS_PER_POLL: usize = 32;

/// How often the pump looks for the answer of a job before it goes to sleep: about a microsecond.
const LOOKS: u32 = 100;

/// What the pump is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// The loop does not run.
    Nothing,
    /// It runs, or the runtime is about to poll it.
    Working,
    /// It waits to be woken.
    Sleeping,
    /// It has seen that the loop is to stop.
    Stopped,
}

/// The pump's own state.
pub(super) struct PumpState {
    doing: Cell<Doing>,
    /// Whether the pump's task was made.
    made: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Units of this turn that have not run yet.
    left: Cell<usize>,
    /// Wakes the pump for the next timer.
    alarm: RefCell<Option<Alarm>>,
    /// The tick that the alarm is set to.
    armed: Cell<Option<u64>>,
    /// Whether the mailbox was told that the pump sleeps.
    asleep: Cell<bool>,
    /// With a paused clock: polls to let pass without work before time moves on.
    probes: Cell<u32>,
    /// A job was just given to a thread pool, and its answer may be here in no time.
    expecting: Cell<bool>,
    /// How often the pump was polled.
    polls: Cell<u64>,
}

impl PumpState {
    pub(super) fn new() -> Self {
        Self {
            doing: Cell::new(Doing::Nothing),
            made: Cell::new(false),
            waker: RefCell::default(),
            left: Cell::new(0),
            alarm: RefCell::default(),
            armed: Cell::new(None),
            asleep: Cell::new(false),
            probes: Cell::new(0),
            expecting: Cell::new(false),
            polls: Cell::new(0),
        }
    }

    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.doing.get() == Doing::Sleeping
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.doing.get() == Doing::Stopped
    }

    /// Whether a timer for this tick needs an earlier alarm.
    pub(super) fn armed_after(&self, tick: u64) -> bool {
        self.armed.get().is_none_or(|armed| tick < armed)
    }

    pub(super) fn polls(&self) -> u64 {
        self.polls.get()
    }

    /// Has the pump look out for an answer before it sleeps the next time.
    pub(super) fn expect_answer(&self) {
        self.expecting.set(true);
    }

    /// Has the runtime poll the pump.
    #[cold]
    pub(super) fn wake(&self) {
        self.doing.set(Doing::Working);
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// The loop starts; true when the pump's task must be made first.
    pub(super) fn start(&self) -> bool {
        self.wake();
        !self.made.replace(true)
    }

    /// The loop has returned: pushes need not wake anybody.
    pub(super) fn pause(&self) {
        self.doing.set(Doing::Nothing);
    }

    /// The loop is closed.
    pub(super) fn forget(&self) {
        drop(self.waker.take());
        drop(self.alarm.take());
    }
}

/// The future of the pump's task.
pub(super) struct Pump {
    core: Weak<Core>,
}

impl Pump {
    pub(super) fn new(core: &Rc<Core>) -> Self {
        let core = Rc::downgrade(core);
        Self { core }
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.core.upgrade() {
            Some(core) => {
                core.pump(cx);
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

/// Why a run of units ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The turn is over.
    Turn,
    /// The runtime must have its share first.
    Share,
}

impl Core {
    /// Runs turns until there is nothing to run, the loop is to stop, or the runtime's share is due.
    fn pump(&self, cx: &mut Context<'_>) {
        self.adopt(cx.waker());
        self.pump.doing.set(Doing::Working);
        self.pump.polls.set(self.pump.polls.get().wrapping_add(1));
        if self.pump.asleep.take() {
            self.inbox.awake();
        }
        self.collect_timers();
        if self.queued() > 0 {
            // It may not come to rest for long; before it does, it looks in any case.
            self.look_for_events(cx);
        }
        let mut share = UNITS_PER_POLL;
        loop {
            if self.inbox.has_mail() {
                self.collect_mail();
            }
            if self.pump.left.get() == 0 {
                self.pump.left.set(self.queued());
            }
            self.collect_events(cx);
            let events = self.has_events();
            let worked = events || self.pump.left.get() > 0;
            if worked {
                self.pump.probes.set(0);
                if (events && self.run_events(&mut share) == Ended::Share)
                    || self.run_units(&mut share) == Ended::Share
                {
                    cx.waker().wake_by_ref();
                    return;
                }
            }
            if self.stop.get() {
                self.pump.doing.set(Doing::Stopped);
                if let Some(root) = self.root.take() {
                    root.wake();
                }
                return;
            }
            if !worked && self.rest(cx) {
                return;
            }
        }
    }

    /// Runs units of this turn, as many as the share allows.
    fn run_units(&self, share: &mut usize) -> Ended {
        loop {
            let run = AssertUnwindSafe(|| {
                while self.pump.left.get() > 0 {
                    if *share == 0 || !tokio::task::coop::has_budget_remaining() {
                        return Ended::Share;
                    }
                    *share -= 1;
                    self.pump.left.set(self.pump.left.get() - 1);
                    if let Some(unit) = self.pop() {
                        self.location.set(unit.location());
                        self.recorder.around(&self.location, || unit.run());
                    }
                }
                Ended::Turn
            });
            match catch_unwind(run) {
                Ok(ended) => return ended,
                Err(payload) => {
                    report::panicked("a callback", self.location.get(), &report::caught(payload));
                }
            }
        }
    }

    fn collect_mail(&self) {
        self.inbox
            .collect(&mut self.received.borrow_mut(), |unit| self.push(unit));
    }

    /// Puts the timers that are due into the queue.
    fn collect_timers(&self) {
        let mut timers = self.timers.borrow_mut();
        let armed = self.pump.armed.get();
        if timers.len() == 0 && armed.is_none() {
            return;
        }
        let now = self.clock.tick();
        // Also when there are no timers: the alarm may have rung for one that was cancelled.
        if armed.is_some_and(|armed| armed <= now) {
            self.pump.armed.set(None);
        }
        timers.advance(now, |key| self.push(Self::timer_unit(key, nowhere())));
    }

    /// Takes in all timers that are due by now, so that one for a time that has passed comes right
    /// after them.
    pub(crate) fn catch_up(&self) {
        let now = self.clock.tick();
        let mut timers = self.timers.borrow_mut();
        timers.advance(now, |key| self.push(Self::timer_unit(key, nowhere())));
    }

    /// Goes to sleep until there is something to run; false when there is something already.
    fn rest(&self, cx: &mut Context<'_>) -> bool {
        if self.look_for_events(cx) {
            if tokio::task::coop::has_budget_remaining() {
                return false;
            }
            // Whether they have all been read can only be told when there is budget again.
            cx.waker().wake_by_ref();
            return true;
        }
        if self.pump.probes.get() > 0 {
            return self.probe(cx);
        }
        if !self.clock.is_paused() && !self.set_alarm(cx) {
            self.collect_timers();
            return false;
        }
        if self.look_out() || !self.inbox.fall_asleep() {
            return false;
        }
        self.pump.asleep.set(true);
        self.pump.doing.set(Doing::Sleeping);
        true
    }

    /// After a job went to a pool: waits a moment for its answer, since a short job is done before a
    /// sleeping thread would be woken. True when there is mail.
    fn look_out(&self) -> bool {
        if self.pump.expecting.take() {
            for _ in 0..LOOKS {
                if self.inbox.has_mail() {
                    return true;
                }
                spin_loop();
            }
        }
        false
    }

    /// Has the runtime wake the pump for the next timer; false when it is due already.
    fn set_alarm(&self, cx: &mut Context<'_>) -> bool {
        let Some(tick) = self.timers.borrow().next_tick() else {
            return true;
        };
        let mut alarm = self.pump.alarm.borrow_mut();
        // It may have rung a moment before the tick began.
        let rang = alarm.as_ref().is_some_and(|alarm| alarm.is_elapsed());
        if !rang && !self.pump.armed_after(tick) {
            return true;
        }
        let deadline = self.clock.instant_of(tick).into();
        let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        alarm.as_mut().reset(deadline);
        self.pump.armed.set(Some(tick));
        // With the budget used up it would not look at its deadline, and ask for a poll that has no reason to poll it again.
        let polled = pin!(unconstrained(alarm.as_mut())).poll(cx);
        if polled.is_pending() {
            return true;
        }
        self.pump.armed.set(None);
        false
    }

    fn adopt(&self, waker: &Waker) {
        let mut known = self.pump.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
            self.inbox.set_pump(waker.clone());
        }
    }

    /// Called by the runtime when it has nothing to do and is about to wait for the system.
    pub(super) fn before_park(&self) {
        self.recorder.parked();
        if self.clock.is_paused() && self.pump.is_idle() && self.may_jump() {
            // First let the runtime look at its descriptors once more.
            self.pump.probes.set(EVENT_INTERVAL + 2);
            self.pump.wake();
        }
    }

    /// Whether a paused clock may jump to the next timer: nobody is away who could come back first.
    fn may_jump(&self) -> bool {
        self.clock.jumps() && self.away.get() == 0 && self.timers.borrow().len() > 0
    }

    /// With a paused clock: lets the runtime have some polls, and if nothing turned up by then moves
    /// the time on to the next timer. False when it did.
    fn probe(&self, cx: &mut Context<'_>) -> bool {
        let left = self.pump.probes.get() - 1;
        self.pump.probes.set(left);
        if left > 0 || !self.may_jump() {
            cx.waker().wake_by_ref();
            return true;
        }
        if let Some(tick) = self.timers.borrow().next_tick() {
            self.clock.jump_to(tick);
        }
        self.collect_timers();
        false
    }
}
