//! The state word of a task.
//!
//! # Rules
//!
//! - Everything in a task but this word belongs to the loop's thread. Other threads only clone,
//!   drop and use wakers, and those touch this word and nothing else.
//! - The word holds flags in its low bits and the number of wakers above them. A waker can only be
//!   cloned from a waker, and the first one is handed out on the loop's thread while it polls. So
//!   **while the number of wakers is zero, no other thread can reach the word**, and the loop
//!   changes it with plain loads and stores; otherwise with atomic read-modify-writes. The one
//!   exception is the time of the poll itself: the borrowed waker may be lent to scoped threads, so
//!   whatever can happen inside of a poll uses read-modify-writes in any case.
//! - The memory lives while any of these hold it: the task is not complete, it is scheduled, it is
//!   being polled, its callbacks are about to run, a handle exists, a waker exists. Whoever clears
//!   the last one frees it. By then the future and the result are gone, so another thread may be
//!   the one: only memory is left.
//! - `COMPLETE` is set once, on the loop's thread, after the future was dropped there.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The task stands in its loop's queue or mailbox.
pub(super) const SCHEDULED: usize = 1;
/// The future is gone; the result is in its place or was thrown away.
pub(super) const COMPLETE: usize = 1 << 1;
/// The future is being polled.
pub(super) const POLLING: usize = 1 << 2;
/// A `Task` handle exists.
pub(super) const HANDLE: usize = 1 << 3;
/// Done callbacks stand in the queue, or run.
pub(super) const NOTIFYING: usize = 1 << 4;
/// `cancel` was called while the future was being polled.
pub(super) const CANCELLING: usize = 1 << 5;
/// Somebody has seen the result.
pub(super) const SEEN: usize = 1 << 6;
/// One waker.
const WAKER: usize = 1 << 8;

/// What keeps the memory of a complete task alive.
const HOLDS: usize = SCHEDULED | POLLING | HANDLE | NOTIFYING;

/// A value that the word had or has.
#[derive(Clone, Copy)]
pub(super) struct Snapshot(usize);

impl Snapshot {
    /// Whether any of these flags is set.
    pub(super) fn has(self, flags: usize) -> bool {
        self.0 & flags != 0
    }

    /// Whether nothing holds the memory any more.
    pub(super) fn is_unused(self) -> bool {
        self.has(COMPLETE) && !self.has(HOLDS) && self.0 < WAKER
    }
}

/// The state word.
pub(super) struct State(AtomicUsize);

impl State {
    /// A new task without wakers.
    pub(super) fn new(flags: usize) -> Self {
        Self(AtomicUsize::new(flags))
    }

    pub(super) fn load(&self) -> Snapshot {
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// Changes flags; answers with the new value. On the loop's thread only.
    #[inline]
    pub(super) fn update(&self, clear: usize, set: usize) -> Snapshot {
        let old = self.0.load(Ordering::Acquire);
        if old < WAKER {
            // Nobody else can reach the word: see the rules above.
            let new = (old & !clear) | set;
            self.0.store(new, Ordering::Relaxed);
            return Snapshot(new);
        }
        self.update_shared(clear, set)
    }

    /// Changes flags from any thread; answers with the new value.
    pub(super) fn update_shared(&self, clear: usize, set: usize) -> Snapshot {
        let mut old = self.0.load(Ordering::Relaxed);
        loop {
            let new = (old & !clear) | set;
            match self
                .0
                .compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Snapshot(new),
                Err(seen) => old = seen,
            }
        }
    }

    /// Marks the task as scheduled; true when it was not and the caller must put it in a queue. On
    /// the loop's thread only.
    #[inline]
    pub(super) fn schedule(&self) -> bool {
        // A look first: waking what is already scheduled is common and need not write, since the
        // poll to come is on this thread and sees what was done before.
        !self.load().has(SCHEDULED | COMPLETE) && self.schedule_shared()
    }

    /// As `schedule`, from any thread. It writes in any case: what was done before a wake-up must be
    /// seen by the poll that clears the flag, and only a write is ordered against that.
    pub(super) fn schedule_shared(&self) -> bool {
        let old = Snapshot(self.0.fetch_or(SCHEDULED, Ordering::AcqRel));
        if old.has(COMPLETE) && !old.has(SCHEDULED) {
            // It is complete; the caller's own waker keeps the memory.
            self.0.fetch_and(!SCHEDULED, Ordering::AcqRel);
        }
        !old.has(SCHEDULED | COMPLETE)
    }

    pub(super) fn add_waker(&self) {
        // Relaxed as in `Arc`: a new reference is only made from an existing one.
        let old = self.0.fetch_add(WAKER, Ordering::Relaxed);
        assert!(old <= isize::MAX as usize, "too many wakers of one task");
    }

    /// Takes a waker away; answers with the new value.
    pub(super) fn remove_waker(&self) -> Snapshot {
        Snapshot(self.0.fetch_sub(WAKER, Ordering::AcqRel) - WAKER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheduling_twice_queues_once() {
        let state = State::new(SCHEDULED);
        assert!(!state.schedule(), "a new task stands in the queue already");
        state.update(SCHEDULED, 0);
        assert!(state.schedule());
        assert!(!state.schedule());
    }

    #[test]
    fn a_complete_task_is_never_scheduled() {
        let state = State::new(SCHEDULED | HANDLE);
        state.update(SCHEDULED, COMPLETE);
        assert!(!state.schedule());
        assert!(!state.load().has(SCHEDULED));
    }

    #[test]
    fn every_hold_keeps_the_memory() {
        for hold in [SCHEDULED, POLLING, HANDLE, NOTIFYING] {
            let state = State::new(SCHEDULED);
            state.update(SCHEDULED, COMPLETE | hold);
            assert!(!state.load().is_unused(), "flag {hold:#b}");
            assert!(state.update(hold, 0).is_unused(), "flag {hold:#b}");
        }
        let state = State::new(SCHEDULED);
        state.add_waker();
        state.update(SCHEDULED, COMPLETE);
        assert!(!state.load().is_unused());
        assert!(state.remove_waker().is_unused());
    }
}
