//! Queues between the tasks of one loop.
//!
//! They have the names and the meaning of Tornado's `tornado.queues`. Producers [`put`](BaseQueue::put) and wait while the queue is
//! full, consumers [`get`](BaseQueue::get) and wait while it is empty, and [`join`](BaseQueue::join) waits until every item was not
//! only taken but reported as [done](BaseQueue::task_done). Items need not be `Send`.
//!
//! ```
//! use std::rc::Rc;
//! use squall_ioloop::{IoLoop, spawn};
//! use squall_ioloop::queues::Queue;
//!
//! IoLoop::run_sync(async {
//!     let pages = Queue::new(2); // at most two items wait in it
//!
//!     let inbox = pages.clone();
//!     let consumer = spawn(async move {
//!         let mut seen = Vec::new();
//!         while let Some(page) = inbox.get().await {
//!             seen.push(page);
//!             inbox.task_done().expect("one for each item");
//!         }
//!         seen.len() // the queue was closed and is empty
//!     });
//!
//!     for number in 0..5 {
//!         pages.put(Rc::new(format!("page {number}"))).await?;
//!     }
//!     pages.join().await;
//!     pages.close();
//!     assert_eq!(consumer.await?, 5);
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Queue`] returns the oldest item first, [`LifoQueue`] the newest, [`PriorityQueue`] the smallest. All three are [`BaseQueue`]
//! with another [`Order`], so they have the same methods. A queue is a handle: a clone is the same queue, and its futures
//! borrow nothing, so they can be spawned.
//!
//! # Closing
//!
//! Tornado's queues live for ever, and their consumers are cancelled. Here [`close`](BaseQueue::close) ends a queue: nothing more
//! goes in, what is in it still comes out, and then [`get`](BaseQueue::get) returns `None`. Nothing closes a queue by itself, since
//! a handle does not say whether it belongs to a producer or to a consumer.
//!
//! # Fairness and cancellation
//!
//! Putters and getters are served first come, first served. An item that comes while somebody waits is promised to the first in line and
//! cannot be snatched by a later call. The promise is for *an* item: the waiter takes the one that is next in the queue's order when it
//! runs. So an item is in the queue until the moment it is returned, and dropping a future that was promised one loses nothing: the
//! promise goes to the next in line.
//!
//! Time limits are set with [`with_timeout`](crate::with_timeout), which takes the place of Tornado's `timeout` argument:
//! `with_timeout(Duration::from_secs(1), queue.get()).await`.
//!
//! A call that need not wait does not yield to the loop either; a task that moves very many items in one go should await
//! [`moment()`](crate::moment) now and then.

mod errors;
mod futures;
mod order;
mod queue;
mod shared;

pub use errors::{QueueClosed, QueueEmpty, QueueFull, TaskDoneTooOften};
pub use futures::{Get, Join, Put};
pub use order::{Fifo, Lifo, Order, SmallestFirst};
pub use queue::BaseQueue;

/// A queue that returns the oldest item first.
///
/// # Examples
///
/// ```
/// use squall_ioloop::queues::Queue;
///
/// let queue = Queue::new(0);
/// for item in [3, 1, 2] {
///     queue.put_nowait(item)?;
/// }
/// assert_eq!([queue.get_nowait()?, queue.get_nowait()?, queue.get_nowait()?], [3, 1, 2]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub type Queue<T> = BaseQueue<T, Fifo<T>>;

/// A queue that returns the newest item first.
///
/// # Examples
///
/// ```
/// use squall_ioloop::queues::LifoQueue;
///
/// let queue = LifoQueue::new(0);
/// for item in [3, 1, 2] {
///     queue.put_nowait(item)?;
/// }
/// assert_eq!([queue.get_nowait()?, queue.get_nowait()?, queue.get_nowait()?], [2, 1, 3]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub type LifoQueue<T> = BaseQueue<T, Lifo<T>>;

/// A queue that returns the smallest item first, and equal ones in the order in which they came.
///
/// Items are typically tuples of a priority and something, as in Tornado; [`std::cmp::Reverse`] turns the order round.
///
/// # Examples
///
/// ```
/// use squall_ioloop::queues::PriorityQueue;
///
/// let queue = PriorityQueue::new(0);
/// queue.put_nowait((1, "medium"))?;
/// queue.put_nowait((0, "high"))?;
/// queue.put_nowait((10, "low"))?;
/// assert_eq!(queue.get_nowait()?, (0, "high"));
/// assert_eq!(queue.get_nowait()?, (1, "medium"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub type PriorityQueue<T> = BaseQueue<T, SmallestFirst<T>>;

#[cfg(test)]
mod tests;
