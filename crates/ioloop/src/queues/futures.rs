//! The waits of a queue.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::errors::{QueueClosed, QueueFull};
use super::order::{Fifo, Order};
use super::shared::{Admission, Claim, Shared};
use crate::locks::waiters::WaitList;
use crate::locks::waiting::{Wait, Waiting};

/// The future of [`BaseQueue::get`](super::BaseQueue::get).
#[must_use = "an item is taken only when the future is awaited"]
pub struct Get<T, S: Order<T> = Fifo<T>>(Waiting<Getting<T, S>>);

impl<T, S: Order<T>> Get<T, S> {
    pub(super) fn new(shared: &Rc<Shared<T, S>>) -> Self {
        Self(Waiting::lazy(shared, ()))
    }
}

impl<T, S: Order<T>> Future for Get<T, S> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let claim = self.0.poll_grant(cx);
        claim.map(|claim| self.0.shared().redeem(claim))
    }
}

/// The future of [`BaseQueue::put`](super::BaseQueue::put).
#[must_use = "an item is put only when the future is awaited"]
pub struct Put<T, S: Order<T> = Fifo<T>>(Waiting<Putting<T, S>>);

impl<T, S: Order<T>> Put<T, S> {
    pub(super) fn new(shared: &Rc<Shared<T, S>>, item: T) -> Self {
        Self(Waiting::lazy(shared, item))
    }
}

impl<T, S: Order<T>> Future for Put<T, S> {
    type Output = Result<(), QueueClosed<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let admission = self.0.poll_grant(cx);
        admission.map_err(QueueClosed::new)
    }
}

/// The future of [`BaseQueue::join`](super::BaseQueue::join).
#[must_use = "a future waits only while it is awaited"]
pub struct Join<T, S: Order<T> = Fifo<T>>(Waiting<Joining<T, S>>);

impl<T, S: Order<T>> Join<T, S> {
    pub(super) fn new(shared: &Rc<Shared<T, S>>) -> Self {
        Self(Waiting::eager(shared, ()))
    }
}

impl<T, S: Order<T>> Future for Join<T, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_grant(cx)
    }
}

impl<T, S: Order<T>> fmt::Debug for Get<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(&self.0).finish()
    }
}

impl<T, S: Order<T>> fmt::Debug for Put<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Put").field(&self.0).finish()
    }
}

impl<T, S: Order<T>> fmt::Debug for Join<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Join").field(&self.0).finish()
    }
}

struct Getting<T, S>(PhantomData<(T, S)>);

impl<T, S: Order<T>> Wait for Getting<T, S> {
    type Shared = Shared<T, S>;
    type Offer = ();
    type Grant = Claim;

    fn line(shared: &Shared<T, S>) -> &WaitList<Claim> {
        &shared.getters
    }

    fn attempt(shared: &Shared<T, S>, (): ()) -> Result<Claim, ()> {
        shared.claim().ok_or(())
    }

    fn give_back(shared: &Shared<T, S>, claim: Claim) {
        shared.unclaim(claim);
    }
}

struct Putting<T, S>(PhantomData<(T, S)>);

impl<T, S: Order<T>> Wait for Putting<T, S> {
    type Shared = Shared<T, S>;
    type Offer = T;
    type Grant = Admission<T>;

    fn line(shared: &Shared<T, S>) -> &WaitList<Admission<T>, T> {
        &shared.putters
    }

    fn attempt(shared: &Shared<T, S>, item: T) -> Result<Admission<T>, T> {
        match shared.put(item) {
            Ok(()) => Ok(Ok(())),
            Err(refused) if refused.is_closed() => Ok(Err(refused.into_item())),
            Err(full) => Err(QueueFull::into_item(full)),
        }
    }

    /// An item that went in stays in, one that came back goes with its putter.
    fn give_back(_shared: &Shared<T, S>, _admission: Admission<T>) {}
}

struct Joining<T, S>(PhantomData<(T, S)>);

impl<T, S: Order<T>> Wait for Joining<T, S> {
    type Shared = Shared<T, S>;
    type Offer = ();
    type Grant = ();

    fn line(shared: &Shared<T, S>) -> &WaitList<()> {
        &shared.joiners
    }

    fn attempt(shared: &Shared<T, S>, (): ()) -> Result<(), ()> {
        if shared.unfinished() == 0 {
            Ok(())
        } else {
            Err(())
        }
    }

    fn give_back(_shared: &Shared<T, S>, (): ()) {}
}
