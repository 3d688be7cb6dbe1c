//! The state of a queue: its items, the promises on them, and its three lines.
//!
//! # Rules
//!
//! * *Available* items are those in the store on which there is no claim. A claim is the promise of an item to a getter that was woken
//!   and has not run yet; it stands for any one item, so there are never more claims than items.
//! * Getters wait only while nothing is available and the queue is open.
//! * Putters wait only while the queue is full and open. Their items wait with them, and go in as soon as there is room, without
//!   waiting for the putter to run.
//! * A dropped getter returns its claim. If nobody waits for it, the item is available again, and the queue may for a while
//!   hold more than its maximum, by as many items as getters were dropped; it takes nothing more until it is below.

use std::cell::{Cell, RefCell};

use super::errors::{QueueFull, TaskDoneTooOften};
use super::order::Order;
use crate::locks::waiters::WaitList;

pub(super) struct Shared<T, S> {
    /// 0 for no limit.
    pub(super) maxsize: usize,
    store: RefCell<S>,
    /// The number of claims.
    claims: Cell<usize>,
    /// Items that went in and were not reported as done.
    unfinished: Cell<usize>,
    closed: Cell<bool>,
    pub(super) getters: WaitList<Claim>,
    pub(super) putters: WaitList<Admission<T>, T>,
    pub(super) joiners: WaitList<()>,
}

/// What a getter is handed.
pub(super) enum Claim {
    /// The queue is closed and has nothing for it.
    Closed,
    /// One of the items in the store.
    Item,
}

/// What a putter is handed: its item went in, or comes back because the queue was closed.
pub(super) type Admission<T> = Result<(), T>;

impl<T, S: Order<T>> Shared<T, S> {
    pub(super) fn new(maxsize: usize) -> Self {
        Self {
            maxsize,
            store: RefCell::default(),
            claims: Cell::new(0),
            unfinished: Cell::new(0),
            closed: Cell::new(false),
            getters: WaitList::new(),
            putters: WaitList::new(),
            joiners: WaitList::new(),
        }
    }

    pub(super) fn available(&self) -> usize {
        self.store.borrow().len() - self.claims.get()
    }

    pub(super) fn is_full(&self) -> bool {
        self.maxsize != 0 && self.available() >= self.maxsize
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn unfinished(&self) -> usize {
        self.unfinished.get()
    }

    pub(super) fn put(&self, item: T) -> Result<(), QueueFull<T>> {
        if self.closed.get() || self.is_full() {
            return Err(QueueFull::new(item, self.closed.get()));
        }
        self.store(item);
        self.promise_available();
        Ok(())
    }

    /// Claims an item for somebody who comes to get one.
    pub(super) fn claim(&self) -> Option<Claim> {
        if self.available() == 0 {
            return self.closed.get().then_some(Claim::Closed);
        }
        // As in Tornado the next putter's item goes in first, and may be the one whose turn it is.
        if self.available() <= self.maxsize {
            self.admit_putter();
        }
        self.claims.set(self.claims.get() + 1);
        Some(Claim::Item)
    }

    /// Takes what was claimed; `None` if the queue was closed.
    pub(super) fn redeem(&self, claim: Claim) -> Option<T> {
        match claim {
            Claim::Closed => None,
            Claim::Item => {
                self.claims.set(self.claims.get() - 1);
                let item = self.store.borrow_mut().pop();
                Some(item.expect("there are never more claims than items"))
            }
        }
    }

    pub(super) fn unclaim(&self, claim: Claim) {
        if let Claim::Item = claim {
            self.claims.set(self.claims.get() - 1);
            self.promise_available();
        }
    }

    pub(super) fn task_done(&self) -> Result<(), TaskDoneTooOften> {
        let unfinished = self.unfinished.get().checked_sub(1);
        let unfinished = unfinished.ok_or(TaskDoneTooOften(()))?;
        self.unfinished.set(unfinished);
        if unfinished == 0 {
            drop(self.joiners.hand_all(|()| ()));
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.closed.set(true);
        let getters = self.getters.hand_all(|()| Claim::Closed);
        let putters = self.putters.hand_all(Err);
        drop((getters, putters));
    }

    fn store(&self, item: T) {
        self.unfinished.set(self.unfinished.get() + 1);
        self.store.borrow_mut().push(item);
    }

    /// Promises one available item to the first getter in line, if anybody waits.
    fn promise_available(&self) {
        if let Ok(wakeup) = self.getters.hand(Claim::Item) {
            self.claims.set(self.claims.get() + 1);
            drop(wakeup);
        }
    }

    /// Moves the item of the first putter in line into the store. Nobody waits for it: there are items while putters wait.
    fn admit_putter(&self) {
        if let Some((item, wakeup)) = self.putters.hand_first(|item| (Ok(()), item)) {
            self.store(item);
            drop(wakeup);
        }
    }
}
