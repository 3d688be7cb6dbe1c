//! Locks, semaphores, events and conditions for the tasks of one loop.
//!
//! They have the names and the meaning of Tornado's `tornado.locks`. All of them live on one thread: nothing they guard has
//! to be `Send`, an `Rc` may go anywhere, and none of them makes a system call or an atomic operation of its own.
//!
//! ```
//! use squall_ioloop::{IoLoop, spawn};
//! use squall_ioloop::locks::Semaphore;
//!
//! IoLoop::run_sync(async {
//!     let two_at_a_time = Semaphore::new(2);
//!     let mut workers = Vec::new();
//!     for id in 0..4 {
//!         let limit = two_at_a_time.clone();
//!         workers.push(spawn(async move {
//!             let _permit = limit.acquire().await;
//!             id * 10
//!         }));
//!     }
//!     let mut results = Vec::new();
//!     for worker in workers {
//!         results.push(worker.await?);
//!     }
//!     assert_eq!(results, [0, 10, 20, 30]);
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | type | waits for | Tornado |
//! |---|---|---|
//! | [`Condition`] | somebody to say that something changed | `locks.Condition` |
//! | [`Event`] | a flag to be set | `locks.Event` |
//! | [`Lock`] | its turn with a value | `locks.Lock`, which guards no value |
//! | [`Semaphore`] | one of a number of permits | `locks.Semaphore` |
//! | [`BoundedSemaphore`] | the same, and never has more permits than at first | `locks.BoundedSemaphore` |
//!
//! # What all of them promise
//!
//! * **Handles.** Each is a handle of shared state: a clone is the same lock. The futures and guards they give own what they
//!   need and borrow nothing, so they can be stored, returned and spawned.
//! * **Fair.** Waiters are served first come, first served, and what is given is given to a waiter by name: a task that comes
//!   later cannot snatch it while the waiter is on its way.
//! * **Cancel safe.** Any of the futures may be dropped at any time. It leaves the line in constant time, wherever in the line it
//!   stands, and what it had already been given goes to the next in line.
//! * **Guards instead of `release`.** A permit or a lock is given back when its guard is dropped, also by a panic; there is no
//!   poisoning.
//! * **No wait, no turn.** A future that is ready at once does not yield to the loop. A long loop of calls that never have to wait
//!   should await [`moment()`](crate::moment) now and then.
//!
//! The signals, [`Condition::wait`] and [`Event::wait`], count from the call: what happens between the call and the first poll
//! is not missed. The futures that take something, like [`Lock::acquire`], take it, or stand in line for it, when they are
//! first polled.
//!
//! # Time limits
//!
//! Tornado's methods have a `timeout` argument. Here any wait is limited by [`with_timeout`](crate::with_timeout):
//!
//! ```
//! use std::time::Duration;
//! use squall_ioloop::{IoLoop, with_timeout};
//! use squall_ioloop::locks::Lock;
//!
//! IoLoop::run_sync(async {
//!     let lock = Lock::new("free");
//!     let guard = with_timeout(Duration::from_secs(5), lock.acquire()).await?;
//!     assert_eq!(*guard, "free");
//!
//!     let second = with_timeout(Duration::from_millis(1), lock.acquire()).await;
//!     assert!(second.is_err(), "it is held");
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! The number of waiters is limited by memory only. A waiter costs 40 bytes beside its own future; what a burst of waiters
//! took is given back when the last of them has gone.

mod condition;
mod event;
mod lock;
#[cfg(test)]
pub(crate) mod probe;
mod semaphore;
pub(crate) mod waiters;
pub(crate) mod waiting;

pub use condition::{Condition, ConditionWait};
pub use event::{Event, EventWait};
pub use lock::{AcquireLock, Lock, LockGuard};
pub use semaphore::{Acquire, BoundedSemaphore, Permit, ReleasedTooOften, Semaphore};
