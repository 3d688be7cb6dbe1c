//! The one future under all waits: it takes at once, or stands in line, and gives back what it was handed when it is dropped.

use std::fmt;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::waiters::{Key, WaitList};

/// What there is to wait for, and what becomes of it when the waiter goes away.
pub(crate) trait Wait {
    /// The state behind the handle.
    type Shared;
    /// What the waiter brings: the item of a putter, nothing for most.
    type Offer;
    /// What the waiter gets.
    type Grant;

    /// The line to stand in.
    fn line(shared: &Self::Shared) -> &WaitList<Self::Grant, Self::Offer>;

    /// Takes the grant without waiting, or returns the offer.
    fn attempt(shared: &Self::Shared, offer: Self::Offer) -> Result<Self::Grant, Self::Offer>;

    /// Gives a grant back that nobody collected: to the next in line, or to the shared state.
    fn give_back(shared: &Self::Shared, grant: Self::Grant);
}

/// A wait in progress.
pub(crate) struct Waiting<W: Wait> {
    shared: Rc<W::Shared>,
    stage: Stage<W>,
}

enum Stage<W: Wait> {
    /// Not polled yet: holds no place in line.
    Fresh(W::Offer),
    /// In line, or handed and not yet collected.
    Queued(Key),
    /// Granted at the call, not yet collected.
    Granted(W::Grant),
    /// Collected.
    Done,
}

/// Nothing in it is pinned: offers and grants are moved, never polled.
impl<W: Wait> Unpin for Waiting<W> {}

impl<W: Wait> Waiting<W> {
    /// Starts to wait at the first poll.
    pub(crate) fn lazy(shared: &Rc<W::Shared>, offer: W::Offer) -> Self {
        Self {
            shared: Rc::clone(shared),
            stage: Stage::Fresh(offer),
        }
    }

    /// Stands in line from now on.
    pub(crate) fn eager(shared: &Rc<W::Shared>, offer: W::Offer) -> Self {
        let stage = match W::attempt(shared, offer) {
            Ok(grant) => Stage::Granted(grant),
            Err(offer) => Stage::Queued(W::line(shared).enter(offer, None)),
        };
        Self {
            shared: Rc::clone(shared),
            stage,
        }
    }

    pub(crate) fn shared(&self) -> &Rc<W::Shared> {
        &self.shared
    }

    pub(crate) fn poll_grant(&mut self, cx: &mut Context<'_>) -> Poll<W::Grant> {
        let line = W::line(&self.shared);
        let place = match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Fresh(offer) => match W::attempt(&self.shared, offer) {
                Ok(grant) => Ok(grant),
                Err(offer) => Err(line.enter(offer, Some(cx.waker().clone()))),
            },
            Stage::Queued(key) => line.poll(key, cx.waker()),
            Stage::Granted(grant) => Ok(grant),
            Stage::Done => panic!("a future of a lock or queue was polled after it had completed"),
        };
        match place {
            Ok(grant) => Poll::Ready(grant),
            Err(key) => {
                self.stage = Stage::Queued(key);
                Poll::Pending
            }
        }
    }
}

impl<W: Wait> Drop for Waiting<W> {
    fn drop(&mut self) {
        let grant = match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Queued(key) => W::line(&self.shared).leave(key),
            Stage::Granted(grant) => Some(grant),
            Stage::Fresh(_) | Stage::Done => None,
        };
        if let Some(grant) = grant {
            W::give_back(&self.shared, grant);
        }
    }
}

impl<W: Wait> fmt::Debug for Waiting<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Fresh(_) => "not polled",
            Stage::Queued(_) => "waiting",
            Stage::Granted(_) => "granted",
            Stage::Done => "done",
        })
    }
}
