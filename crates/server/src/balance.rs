//! Who serves a newcomer: what the loops of one server know of each other.
//!
//! Each loop accepts from sockets of its own and mostly serves what it accepts. Connections stay where they are, so chance
//! would leave some loops with more than their share for as long as they live; a loop that is ahead of another one
//! gives it the newcomer instead, by a mailbox. A loop that does not look into its mailbox within [`PATIENCE`] is stuck
//! in somebody's code: the giver takes the newcomers back, and nobody gives it more until it has looked.
//!
//! Invariants: a place's counters are written by its loop alone, but for `waiting` and `stuck`; a newcomer is in exactly
//! one mailbox or with exactly one loop; wakers are called with nothing locked.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::door::Newcomer;

/// Time that a newcomer may lie in a mailbox. A turn of a loop that is well takes a fraction of it.
pub(crate) const PATIENCE: Duration = Duration::from_millis(5);

/// Connections by which a loop may be ahead of another one before it gives its newcomers away, beside one in
/// [`SHARE`]: giving costs two threads a microsecond or two each, and two connections are no imbalance.
const SLACK: u64 = 2;

/// See [`SLACK`]; 64 allows 1.6 %.
const SHARE: u64 = 64;

/// The loops of one server.
#[derive(Debug)]
pub(crate) struct Balance {
    places: Box<[Place]>,
}

/// One loop, on cache lines of its own, so that counting disturbs no other loop.
#[derive(Debug)]
#[repr(align(128))]
struct Place {
    /// Connections that the loop serves.
    open: AtomicU64,
    /// Newcomers that it has accepted itself, whoever serves them.
    accepted: AtomicU64,
    /// Newcomers in its mailbox.
    waiting: AtomicUsize,
    /// It has not looked into its mailbox in time.
    stuck: AtomicBool,
    /// Connections that it may serve at a time.
    most: u64,
    mailbox: Mutex<Mailbox>,
}

#[derive(Debug, Default)]
struct Mailbox {
    newcomers: VecDeque<Newcomer>,
    /// When the first of them came.
    since: Option<Instant>,
    /// Somebody looks after it in time.
    watched: bool,
    /// The loop stops: it takes no more.
    closed: bool,
    /// Wakes the loop.
    waker: Option<Waker>,
}

/// One loop's part in the balance.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) balance: Arc<Balance>,
    pub(crate) number: usize,
}

/// What giving has led to.
#[derive(Debug)]
pub(crate) enum Given {
    /// It lies in the mailbox, and somebody looks after that.
    Left,
    /// It lies in the mailbox; the giver has to look after it, see [`Balance::overdue`].
    Unwatched,
    /// The other loop stops; here it is again.
    Refused(Newcomer),
}

impl Balance {
    /// Makes the balance of so many loops, each of which serves `most` connections at most.
    pub(crate) fn new(loops: usize, most: usize) -> Arc<Self> {
        let most = most.max(1) as u64;
        let place = || Place {
            open: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
            most,
            mailbox: Mutex::default(),
        };
        let places = (0..loops).map(|_| place()).collect();
        Arc::new(Self { places })
    }

    /// Chooses who serves the next newcomer: `own`, the loop that accepts it, unless that is full, stuck, or ahead of
    /// another. `None` when nobody has room.
    ///
    /// Looks at all the loops, which is a read of one cache line for each.
    pub(crate) fn choose(&self, own: Option<usize>) -> Option<usize> {
        let own_load = own.and_then(|own| self.places[own].room());
        let numbers = 0..self.places.len();
        let least = numbers
            .filter(|number| Some(*number) != own)
            .filter(|number| !self.places[*number].stuck.load(Ordering::Relaxed))
            .filter_map(|number| Some((self.places[number].room()?, number)))
            .min();
        match (own_load, least) {
            (Some(mine), Some((load, other))) if mine > load + SLACK + load / SHARE => Some(other),
            (Some(_), _) => own,
            (None, least) => least.map(|(_, other)| other),
        }
    }

    /// Puts a newcomer into the mailbox of another loop.
    pub(crate) fn give(&self, to: usize, newcomer: Newcomer) -> Given {
        let place = &self.places[to];
        let mut mailbox = place.lock();
        if mailbox.closed {
            return Given::Refused(newcomer);
        }
        mailbox.since.get_or_insert_with(Instant::now);
        mailbox.newcomers.push_back(newcomer);
        place.count(&mailbox);
        let watched = std::mem::replace(&mut mailbox.watched, true);
        let waker = mailbox.waker.take();
        drop(mailbox);
        waker.into_iter().for_each(Waker::wake);
        if watched {
            Given::Left
        } else {
            Given::Unwatched
        }
    }

    /// Takes back what has lain in a mailbox for too long; nobody gives the loop more until it looks. `Pending` means that
    /// what is there now is younger, so somebody has to look again after [`PATIENCE`].
    pub(crate) fn overdue(&self, number: usize) -> Poll<VecDeque<Newcomer>> {
        let place = &self.places[number];
        let mut mailbox = place.lock();
        match mailbox.since {
            Some(since) if since.elapsed() < PATIENCE => return Poll::Pending,
            Some(_) => {
                place.stuck.store(true, Ordering::Relaxed);
                mailbox.since = None;
            }
            None => {}
        }
        mailbox.watched = false;
        let newcomers = std::mem::take(&mut mailbox.newcomers);
        place.count(&mailbox);
        Poll::Ready(newcomers)
    }

    /// Returns how many newcomers a loop has accepted from its own sockets.
    pub(crate) fn accepted(&self, number: usize) -> u64 {
        self.places[number].accepted.load(Ordering::Relaxed)
    }
}

impl Own {
    /// A loop that has no others.
    pub(crate) fn alone(most: usize) -> Self {
        Self {
            balance: Balance::new(1, most),
            number: 0,
        }
    }

    fn place(&self) -> &Place {
        &self.balance.places[self.number]
    }

    pub(crate) fn count_accepted(&self) {
        let accepted = &self.place().accepted;
        accepted.store(accepted.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Says how many connections the loop serves.
    pub(crate) fn publish(&self, open: u64) {
        self.place().open.store(open, Ordering::Relaxed);
    }

    /// Takes what is in the loop's mailbox, at least one newcomer.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<VecDeque<Newcomer>> {
        let place = self.place();
        place.stuck.store(false, Ordering::Relaxed);
        let mut mailbox = place.lock();
        if mailbox.newcomers.is_empty() {
            match &mut mailbox.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                waker => *waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(place.empty(&mut mailbox))
    }

    /// Closes the mailbox and returns what is left in it.
    pub(crate) fn close(&self) -> VecDeque<Newcomer> {
        let place = self.place();
        let mut mailbox = place.lock();
        mailbox.closed = true;
        place.empty(&mut mailbox)
    }
}

impl Place {
    /// How many connections the loop has or is about to have; `None` if it may not have more.
    fn room(&self) -> Option<u64> {
        let waiting = self.waiting.load(Ordering::Relaxed) as u64;
        let load = self.open.load(Ordering::Relaxed) + waiting;
        (load < self.most).then_some(load)
    }

    fn empty(&self, mailbox: &mut Mailbox) -> VecDeque<Newcomer> {
        mailbox.since = None;
        let newcomers = std::mem::take(&mut mailbox.newcomers);
        self.count(mailbox);
        newcomers
    }

    /// Says how full the mailbox is; it is locked, so the last word is right.
    fn count(&self, mailbox: &Mailbox) {
        self.waiting
            .store(mailbox.newcomers.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Mailbox> {
        // Nothing panics while it is locked; if something did, the newcomers would still be there.
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
