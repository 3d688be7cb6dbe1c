//! The one line of waiters on which every lock and every queue stands.
//!
//! # Rules
//!
//! * A waiter is a node of a slab, linked to its neighbours by index: it enters at the back, is served at the front, and may
//!   leave from anywhere, each in constant time.
//! * A node is *waiting*, with what it offers (the item of a putter; nothing for most), or *handed*, with what it was granted
//!   (a permit, the value of a lock). Only a waiting node is in the line; a handed one just keeps the grant for its owner.
//! * A node belongs to the one future that holds its [`Key`], and only that future frees it: by collecting the grant or by
//!   leaving. So an index is never stale, and a grant is never without an owner who gives it back.
//! * Foreign code never runs while the slab is borrowed. Wakers are cloned, woken and dropped outside, offers and grants are
//!   dropped outside: any of these may come straight back here, for instance when a waker was the last owner of a task.

use std::cell::RefCell;
use std::mem;
use std::task::Waker;

/// Marks the end of a linked list inside the slab.
const NONE: usize = usize::MAX;

/// How many nodes an idle list may keep allocated. Above it the memory goes back when the last waiter has gone.
const KEPT_NODES: usize = 32;

/// A first come, first served line of waiters.
///
/// `G` is what a waiter is granted, `O` what it offers while it waits.
pub(crate) struct WaitList<G, O = ()> {
    slab: RefCell<Slab<G, O>>,
}

/// The place of one waiter; using it up is collecting the grant or leaving.
#[derive(Debug)]
pub(crate) struct Key(usize);

/// A wake-up that is owed, paid when this is dropped.
///
/// Whoever hands out a grant first brings its own state in order and then lets go of this, so the woken code, should it run
/// at once, meets no half-done change; and neither an early return nor a panic can forget it.
#[derive(Debug)]
#[must_use = "the waiter is woken when this is dropped, which should come after all changes of state"]
pub(crate) struct Wakeup(Option<Waker>);

impl Drop for Wakeup {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}

impl<G, O> WaitList<G, O> {
    pub(crate) const fn new() -> Self {
        Self {
            slab: RefCell::new(Slab::new()),
        }
    }

    /// The number of waiters in the line; those who were handed something are not in it any more.
    pub(crate) fn len(&self) -> usize {
        self.slab.borrow().waiting
    }

    /// Enters at the back of the line. Without a waker the waiter is found at its first poll.
    pub(crate) fn enter(&self, offer: O, waker: Option<Waker>) -> Key {
        Key(self.slab.borrow_mut().push(offer, waker))
    }

    /// Collects the grant, or leaves `waker` to be called when there is one.
    pub(crate) fn poll(&self, key: Key, waker: &Waker) -> Result<G, Key> {
        let in_line = match &self.slab.borrow().nodes[key.0].state {
            State::Waiting {
                waker: Some(known), ..
            } if known.will_wake(waker) => return Err(key),
            state => matches!(state, State::Waiting { .. }),
        };
        let mut waker = in_line.then(|| waker.clone());
        let mut slab = self.slab.borrow_mut();
        if let State::Waiting { waker: known, .. } = &mut slab.nodes[key.0].state {
            mem::swap(known, &mut waker);
            return Err(key);
        }
        let state = slab.take(key.0);
        drop(slab);
        match state {
            State::Handed(grant) => Ok(grant),
            State::Free | State::Waiting { .. } => unreachable!("a key names a live node"),
        }
    }

    /// Leaves, from the line or from the place beside it where the handed ones are, and returns the grant if there was one.
    #[must_use = "the grant must go to somebody else"]
    pub(crate) fn leave(&self, key: Key) -> Option<G> {
        let state = self.slab.borrow_mut().take(key.0);
        match state {
            State::Handed(grant) => Some(grant),
            State::Free | State::Waiting { .. } => None,
        }
    }

    /// Hands the first in line what `grant` makes of its offer; the rest of the offer comes back.
    ///
    /// `grant` runs while the line is borrowed: it may move values and nothing else.
    pub(crate) fn hand_first<R>(&self, grant: impl FnOnce(O) -> (G, R)) -> Option<(R, Wakeup)> {
        self.slab.borrow_mut().hand_first(grant)
    }

    /// Hands all who are in line now, in their order.
    ///
    /// As with [`hand_first`](Self::hand_first), `grant` may move values and nothing else.
    pub(crate) fn hand_all(&self, grant: impl Fn(O) -> G) -> Vec<Wakeup> {
        self.hand_up_to(usize::MAX, grant)
    }

    /// Hands up to `limit` of those who are in line now, in their order, before any of them is woken.
    pub(crate) fn hand_up_to(&self, limit: usize, grant: impl Fn(O) -> G) -> Vec<Wakeup> {
        let mut slab = self.slab.borrow_mut();
        let count = limit.min(slab.waiting);
        let mut wakeups = Vec::with_capacity(count);
        while wakeups.len() < count
            && let Some(((), wakeup)) = slab.hand_first(|offer| (grant(offer), ()))
        {
            wakeups.push(wakeup);
        }
        wakeups
    }
}

impl<G> WaitList<G> {
    /// Hands the grant to the first in line, or returns it when nobody waits.
    pub(crate) fn hand(&self, grant: G) -> Result<Wakeup, G> {
        let mut slab = self.slab.borrow_mut();
        if slab.head == NONE {
            return Err(grant);
        }
        let handed = slab.hand_first(|()| (grant, ()));
        let ((), wakeup) = handed.expect("the line was not empty a line above");
        Ok(wakeup)
    }
}

/// The nodes: a line of the waiting, a list of the free, and the handed, who are in neither.
struct Slab<G, O> {
    nodes: Vec<Node<G, O>>,
    /// The first free node; their `next` leads through the others.
    free: usize,
    /// The first and the last in line, `NONE` when nobody waits.
    head: usize,
    tail: usize,
    /// How many nodes wait, and how many wait or hold a grant.
    waiting: usize,
    used: usize,
}

struct Node<G, O> {
    /// The neighbours in line while the node waits; `next` is the next free node while it is free.
    prev: usize,
    next: usize,
    state: State<G, O>,
}

enum State<G, O> {
    Free,
    Handed(G),
    Waiting {
        offer: O,
        /// `None` until the owner was polled for the first time.
        waker: Option<Waker>,
    },
}

impl<G, O> Slab<G, O> {
    const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            head: NONE,
            tail: NONE,
            waiting: 0,
            used: 0,
        }
    }

    fn push(&mut self, offer: O, waker: Option<Waker>) -> usize {
        let node = Node {
            prev: self.tail,
            next: NONE,
            state: State::Waiting { offer, waker },
        };
        let index = match self.free {
            NONE => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
            index => {
                self.free = self.nodes[index].next;
                self.nodes[index] = node;
                index
            }
        };
        match self.tail {
            NONE => self.head = index,
            last => self.nodes[last].next = index,
        }
        self.tail = index;
        self.waiting += 1;
        self.used += 1;
        index
    }

    fn hand_first<R>(&mut self, grant: impl FnOnce(O) -> (G, R)) -> Option<(R, Wakeup)> {
        let index = self.head;
        if index == NONE {
            return None;
        }
        self.unlink(index);
        let state = mem::replace(&mut self.nodes[index].state, State::Free);
        let State::Waiting { offer, waker } = state else {
            unreachable!("only waiting nodes are in line");
        };
        let (grant, rest) = grant(offer);
        self.nodes[index].state = State::Handed(grant);
        Some((rest, Wakeup(waker)))
    }

    /// Frees a node and returns what was in it, to be dropped when the slab is no longer borrowed.
    fn take(&mut self, index: usize) -> State<G, O> {
        if matches!(self.nodes[index].state, State::Waiting { .. }) {
            self.unlink(index);
        }
        let state = mem::replace(&mut self.nodes[index].state, State::Free);
        self.nodes[index].next = self.free;
        self.free = index;
        self.used -= 1;
        if self.used == 0 && self.nodes.len() > KEPT_NODES {
            self.nodes = Vec::new();
            self.free = NONE;
        }
        state
    }

    fn unlink(&mut self, index: usize) {
        let Node { prev, next, .. } = self.nodes[index];
        match prev {
            NONE => self.head = next,
            before => self.nodes[before].next = next,
        }
        match next {
            NONE => self.tail = prev,
            after => self.nodes[after].prev = prev,
        }
        self.waiting -= 1;
    }
}

#[cfg(test)]
mod tests;
