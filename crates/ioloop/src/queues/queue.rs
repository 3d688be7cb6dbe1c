//! The handle of a queue, whatever its order.

use std::fmt;
use std::rc::Rc;

use super::errors::{QueueEmpty, QueueFull, TaskDoneTooOften};
use super::futures::{Get, Join, Put};
use super::order::Order;
use super::shared::Shared;

/// What [`Queue`](super::Queue), [`LifoQueue`](super::LifoQueue) and [`PriorityQueue`](super::PriorityQueue) have in common.
///
/// A clone is the same queue. The [module page](super) has an example and tells about closing, fairness and cancellation.
pub struct BaseQueue<T, S> {
    shared: Rc<Shared<T, S>>,
}

impl<T, S: Order<T>> BaseQueue<T, S> {
    /// Creates a queue that holds at most `maxsize` items, or any number if `maxsize` is 0, as in Tornado.
    ///
    /// At the limit [`put`](Self::put) waits and [`put_nowait`](Self::put_nowait) refuses. An item that is promised to a waiting
    /// [`get`](Self::get) does not count.
    pub fn new(maxsize: usize) -> Self {
        Self {
            shared: Rc::new(Shared::new(maxsize)),
        }
    }

    /// Puts an item in, and waits for room if there is none.
    ///
    /// The item goes in, or the place in line is taken, at the first poll. While it waits its item goes in as soon as there
    /// is room, even before the putter runs again.
    ///
    /// # Errors
    ///
    /// [`QueueClosed`](super::QueueClosed) with the item, if the queue is closed or becomes so during the wait.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time. An item that has not gone in yet is dropped with it; one that must not be lost
    /// is put with [`put_nowait`](Self::put_nowait), which returns it.
    pub fn put(&self, item: T) -> Put<T, S> {
        Put::new(&self.shared, item)
    }

    /// Puts an item in if there is room.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] with the item, if the queue is full or closed.
    pub fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        self.shared.put(item)
    }

    /// Takes the next item, and waits for one if there is none; `None` once the queue is closed and empty.
    ///
    /// The item is taken, or the place in line, at the first poll.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time without losing an item: one that was promised to it is promised to the next in line, or
    /// stays in the queue.
    pub fn get(&self) -> Get<T, S> {
        Get::new(&self.shared)
    }

    /// Takes the next item if there is one that is not promised to a waiting [`get`](Self::get).
    ///
    /// # Errors
    ///
    /// [`QueueEmpty`] if there is none.
    pub fn get_nowait(&self) -> Result<T, QueueEmpty> {
        let claim = self.shared.claim();
        claim
            .and_then(|claim| self.shared.redeem(claim))
            .ok_or_else(|| QueueEmpty::new(self.shared.is_closed()))
    }

    /// Reports that an item that was taken is dealt with; once for each item.
    ///
    /// # Errors
    ///
    /// [`TaskDoneTooOften`] if every item that went in was reported already; nothing changes.
    pub fn task_done(&self) -> Result<(), TaskDoneTooOften> {
        self.shared.task_done()
    }

    /// Waits until every item that went in was reported as [done](Self::task_done).
    ///
    /// The wait begins with this call, not with the first poll, and it is over when there is nothing left to do for the first
    /// time since, also if new items went in before it runs. The items of putters who wait for room do not count.
    /// Closing the queue does not end it: the items that are left still have to be taken and reported.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time; nothing is lost.
    pub fn join(&self) -> Join<T, S> {
        Join::new(&self.shared)
    }

    /// Closes the queue for good: nothing more goes in, what is in it still comes out.
    ///
    /// Waiting putters get their items back, waiting getters get `None`. Closing twice does nothing.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Tells whether the queue was [closed](Self::close).
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Returns the number of items in the queue, without those that are promised to a waiting [`get`](Self::get).
    ///
    /// It is at most [`maxsize`](Self::maxsize), but for the items that come back when a [`get`](Self::get) is dropped with its promise.
    pub fn qsize(&self) -> usize {
        self.shared.available()
    }

    /// Tells whether [`get_nowait`](Self::get_nowait) would find nothing.
    pub fn is_empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Tells whether the queue holds as much as it may; never if there is no limit.
    pub fn is_full(&self) -> bool {
        self.shared.is_full()
    }

    /// Returns the number of items that the queue may hold, 0 for any number.
    pub fn maxsize(&self) -> usize {
        self.shared.maxsize
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Shared<T, S> {
        &self.shared
    }
}

impl<T, S> Clone for BaseQueue<T, S> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
        }
    }
}

/// A queue without a limit, Tornado's default.
impl<T, S: Order<T>> Default for BaseQueue<T, S> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<T, S: Order<T>> fmt::Debug for BaseQueue<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("maxsize", &self.maxsize())
            .field("qsize", &self.qsize())
            .field("getters", &self.shared.getters.len())
            .field("putters", &self.shared.putters.len())
            .field("unfinished", &self.shared.unfinished())
            .field("closed", &self.is_closed())
            .finish()
    }
}
