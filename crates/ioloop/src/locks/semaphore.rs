//! A number of permits to share.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::waiters::WaitList;
use super::waiting::{Wait, Waiting};

/// Lets a limited number of tasks do something at the same time.
///
/// A clone is the same semaphore.
///
/// # Examples
///
/// ```
/// use squall_ioloop::IoLoop;
/// use squall_ioloop::locks::Semaphore;
///
/// IoLoop::run_sync(async {
///     let connections = Semaphore::new(2);
///     let first = connections.acquire().await;
///     let _second = connections.acquire().await;
///     assert!(connections.try_acquire().is_none());
///     drop(first); // given back
///     assert_eq!(connections.available_permits(), 1);
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Tornado's `acquire` in one place and `release` in another, without a guard:
///
/// ```
/// # use squall_ioloop::locks::Semaphore;
/// # squall_ioloop::IoLoop::run_sync(async {
/// let free = Semaphore::new(1);
/// free.acquire().await.forget();
/// assert_eq!(free.available_permits(), 0);
/// free.release();
/// assert_eq!(free.available_permits(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Semaphore {
    shared: Rc<Shared>,
}

impl Semaphore {
    /// Creates a semaphore with a number of permits; Tornado's default is 1, and 0 is allowed.
    pub fn new(permits: usize) -> Self {
        Self {
            shared: Rc::new(Shared {
                available: Cell::new(permits),
                total: Cell::new(permits),
                line: WaitList::new(),
            }),
        }
    }

    /// Waits for a permit.
    ///
    /// The place in line is taken at the first poll. A time limit is set with [`with_timeout`](crate::with_timeout).
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time: it leaves the line, and if it had already been given a permit, the next in line
    /// gets it.
    pub fn acquire(&self) -> Acquire {
        Acquire(Waiting::lazy(&self.shared, ()))
    }

    /// Returns a permit if there is one that is not promised to somebody in line.
    pub fn try_acquire(&self) -> Option<Permit> {
        Permits::attempt(&self.shared, ()).ok()?;
        Some(Permit::new(&self.shared))
    }

    /// Adds one permit: [`add_permits(1)`](Self::add_permits) under Tornado's name.
    ///
    /// A [`Permit`] gives itself back. This is for permits that were [forgotten](Permit::forget), and for raising the limit.
    pub fn release(&self) {
        self.add_permits(1);
    }

    /// Adds permits; those who have waited longest get them first.
    ///
    /// The number of permits stays at `usize::MAX` once it gets there.
    pub fn add_permits(&self, permits: usize) {
        let total = self.shared.total.get();
        self.shared.total.set(total.saturating_add(permits));
        self.shared.put_back(permits);
    }

    /// Returns the number of permits that can be had without waiting.
    pub fn available_permits(&self) -> usize {
        self.shared.available.get()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available_permits())
            .field("waiters", &self.shared.line.len())
            .finish()
    }
}

/// A [`Semaphore`] that never has more permits than at first.
///
/// A permit too many is a mistake in most programs: something was released twice. Here it is an error. The bound counts
/// the permits that are held as well: what can be released is only what was [forgotten](Permit::forget).
///
/// A clone is the same semaphore.
///
/// # Examples
///
/// ```
/// use squall_ioloop::locks::BoundedSemaphore;
///
/// let semaphore = BoundedSemaphore::new(1);
/// assert!(semaphore.release().is_err());
///
/// semaphore.try_acquire().expect("it is free").forget();
/// assert!(semaphore.release().is_ok());
/// assert!(semaphore.release().is_err());
/// ```
#[derive(Clone)]
pub struct BoundedSemaphore {
    semaphore: Semaphore,
    bound: usize,
}

impl BoundedSemaphore {
    /// Creates a semaphore with a number of permits, which is also its bound; Tornado's default is 1.
    pub fn new(permits: usize) -> Self {
        Self {
            semaphore: Semaphore::new(permits),
            bound: permits,
        }
    }

    /// Waits for a permit, like [`Semaphore::acquire`].
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time: it leaves the line, and if it had already been given a permit, the next in line
    /// gets it.
    pub fn acquire(&self) -> Acquire {
        self.semaphore.acquire()
    }

    /// Returns a permit if there is one that is not promised to somebody in line.
    pub fn try_acquire(&self) -> Option<Permit> {
        self.semaphore.try_acquire()
    }

    /// Gives a [forgotten](Permit::forget) permit back.
    ///
    /// # Errors
    ///
    /// Fails, and changes nothing, when all permits are there or held by somebody.
    pub fn release(&self) -> Result<(), ReleasedTooOften> {
        if self.semaphore.shared.total.get() >= self.bound {
            return Err(ReleasedTooOften(()));
        }
        self.semaphore.release();
        Ok(())
    }

    /// Returns the number of permits that can be had without waiting.
    pub fn available_permits(&self) -> usize {
        self.semaphore.available_permits()
    }

    /// Returns the number of permits it was created with.
    pub fn bound(&self) -> usize {
        self.bound
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedSemaphore")
            .field("available", &self.available_permits())
            .field("bound", &self.bound)
            .field("waiters", &self.semaphore.shared.line.len())
            .finish()
    }
}

/// The error of [`BoundedSemaphore::release`]: there is no permit missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleasedTooOften(());

impl fmt::Display for ReleasedTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore released too many times")
    }
}

impl Error for ReleasedTooOften {}

/// The future of [`Semaphore::acquire`] and [`BoundedSemaphore::acquire`].
#[derive(Debug)]
#[must_use = "a permit is acquired only when the future is awaited"]
pub struct Acquire(Waiting<Permits>);

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let granted = self.0.poll_grant(cx);
        granted.map(|()| Permit::new(self.0.shared()))
    }
}

/// One permit of a semaphore; dropping it gives it back, to the first in line if somebody waits.
///
/// It borrows nothing, so it may move into another task of the loop.
#[must_use = "the permit is given back as soon as it is dropped"]
pub struct Permit {
    /// `None` once it was forgotten.
    shared: Option<Rc<Shared>>,
}

impl Permit {
    fn new(shared: &Rc<Shared>) -> Self {
        Self {
            shared: Some(Rc::clone(shared)),
        }
    }

    /// Lets the permit go without giving it back: the semaphore has one less until somebody calls its `release`.
    pub fn forget(mut self) {
        if let Some(shared) = self.shared.take() {
            shared.total.set(shared.total.get() - 1);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.put_back(1);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

struct Shared {
    /// Permits that are neither held nor promised.
    available: Cell<usize>,
    /// Permits that exist: available, promised or held. What was forgotten is not in it.
    total: Cell<usize>,
    /// Empty while permits are available.
    line: WaitList<()>,
}

impl Shared {
    /// Takes back permits that are counted in `total` already.
    fn put_back(&self, permits: usize) {
        if permits == 1 {
            // The common case needs no list of wake-ups.
            if let Err(()) = self.line.hand(()) {
                self.keep(1);
            }
            return;
        }
        let wakeups = self.line.hand_up_to(permits, |()| ());
        self.keep(permits - wakeups.len());
    }

    fn keep(&self, permits: usize) {
        self.available
            .set(self.available.get().saturating_add(permits));
    }
}

struct Permits;

impl Wait for Permits {
    type Shared = Shared;
    type Offer = ();
    type Grant = ();

    fn line(shared: &Shared) -> &WaitList<()> {
        &shared.line
    }

    fn attempt(shared: &Shared, (): ()) -> Result<(), ()> {
        let rest = shared.available.get().checked_sub(1).ok_or(())?;
        shared.available.set(rest);
        Ok(())
    }

    fn give_back(shared: &Shared, (): ()) {
        shared.put_back(1);
    }
}

#[cfg(test)]
mod tests;
