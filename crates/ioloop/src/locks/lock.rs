//! A value that one task at a time may use, across awaits.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::waiters::WaitList;
use super::waiting::{Wait, Waiting};

/// Gives a value to one task at a time.
///
/// On one loop a lock is needed only where something must stay untouched *across an await*; for anything shorter an `Rc<Cell>` or
/// `Rc<RefCell>` will do. Tornado's `Lock` guards no value: that is `Lock<()>`, made by `Lock::default()`.
///
/// A clone is the same lock.
///
/// # Examples
///
/// ```
/// use squall_ioloop::{IoLoop, moment, spawn};
/// use squall_ioloop::locks::Lock;
///
/// IoLoop::run_sync(async {
///     let log = Lock::new(Vec::new());
///     let mut writers = Vec::new();
///     for name in ["a", "b"] {
///         let log = log.clone();
///         writers.push(spawn(async move {
///             let mut log = log.acquire().await;
///             log.push(format!("{name} begins"));
///             moment().await; // the others run, but cannot write
///             log.push(format!("{name} ends"));
///         }));
///     }
///     for writer in writers {
///         writer.await?;
///     }
///     assert_eq!(*log.acquire().await, ["a begins", "a ends", "b begins", "b ends"]);
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Lock<T = ()> {
    shared: Rc<Shared<T>>,
}

impl<T> Lock<T> {
    /// Creates an unlocked lock around a value.
    pub fn new(value: T) -> Self {
        Self {
            shared: Rc::new(Shared {
                value: RefCell::new(Some(Box::new(value))),
                line: WaitList::new(),
            }),
        }
    }

    /// Waits for its turn and returns the guard of the value.
    ///
    /// The place in line is taken at the first poll. A task that asks for a lock it holds waits for ever; a time limit is set
    /// with [`with_timeout`](crate::with_timeout).
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time: it leaves the line, and if it was its turn, it is the next one's.
    pub fn acquire(&self) -> AcquireLock<T> {
        AcquireLock(Waiting::lazy(&self.shared, ()))
    }

    /// Returns the guard if the lock is free, that is, neither held nor promised to somebody in line.
    pub fn try_acquire(&self) -> Option<LockGuard<T>> {
        let value = self.shared.value.take()?;
        Some(LockGuard::new(&self.shared, value))
    }

    /// Tells whether the lock is held, or promised to a waiter that has not run yet.
    pub fn is_locked(&self) -> bool {
        self.shared.value.borrow().is_none()
    }

    /// Returns the value if this is the last handle and nobody holds the lock or waits for it; drops the handle otherwise.
    pub fn into_inner(self) -> Option<T> {
        let value = Rc::into_inner(self.shared)?.value.into_inner();
        value.map(|value| *value)
    }
}

impl<T> Clone for Lock<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("locked", &self.is_locked())
            .field("waiters", &self.shared.line.len())
            .finish()
    }
}

/// The future of [`Lock::acquire`].
#[must_use = "a lock is acquired only when the future is awaited"]
pub struct AcquireLock<T>(Waiting<Turn<T>>);

impl<T> Future for AcquireLock<T> {
    type Output = LockGuard<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<T>> {
        let value = self.0.poll_grant(cx);
        value.map(|value| LockGuard::new(self.0.shared(), value))
    }
}

impl<T> fmt::Debug for AcquireLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AcquireLock").field(&self.0).finish()
    }
}

/// The turn with the value of a [`Lock`]; dropping it makes it the next waiter's turn.
///
/// It borrows nothing, so it may move into another task of the loop.
#[must_use = "the lock is free again as soon as the guard is dropped"]
pub struct LockGuard<T> {
    /// `None` only while it is being dropped.
    value: Option<Box<T>>,
    shared: Rc<Shared<T>>,
}

impl<T> LockGuard<T> {
    fn new(shared: &Rc<Shared<T>>, value: Box<T>) -> Self {
        Self {
            value: Some(value),
            shared: Rc::clone(shared),
        }
    }
}

impl<T> Deref for LockGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("a live guard has the value")
    }
}

impl<T> DerefMut for LockGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a live guard has the value")
    }
}

impl<T> Drop for LockGuard<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.shared.pass_on(value);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// The value goes from hand to hand: it is here while the lock is free, else in a guard, or in the line, handed to a waiter that
/// has not run yet. Who has the value has the lock, and there is nothing else to keep in step. The box makes the moves cheap.
struct Shared<T> {
    value: RefCell<Option<Box<T>>>,
    /// Empty while the value is here.
    line: WaitList<Box<T>>,
}

impl<T> Shared<T> {
    fn pass_on(&self, value: Box<T>) {
        if let Err(value) = self.line.hand(value) {
            *self.value.borrow_mut() = Some(value);
        }
    }
}

struct Turn<T>(std::marker::PhantomData<T>);

impl<T> Wait for Turn<T> {
    type Shared = Shared<T>;
    type Offer = ();
    type Grant = Box<T>;

    fn line(shared: &Shared<T>) -> &WaitList<Box<T>> {
        &shared.line
    }

    fn attempt(shared: &Shared<T>, (): ()) -> Result<Box<T>, ()> {
        shared.value.take().ok_or(())
    }

    fn give_back(shared: &Shared<T>, value: Box<T>) {
        shared.pass_on(value);
    }
}

#[cfg(test)]
mod tests;
