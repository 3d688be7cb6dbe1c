//! Why a queue did not do what it was asked.

use std::error::Error;
use std::fmt;

/// The error of `put_nowait`: the queue is full or closed. It returns the item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueueFull<T> {
    item: T,
    closed: bool,
}

impl<T> QueueFull<T> {
    pub(super) fn new(item: T, closed: bool) -> Self {
        Self { item, closed }
    }

    /// Returns the item that did not go in.
    pub fn into_item(self) -> T {
        self.item
    }

    /// Tells whether the queue was closed: then it will never take anything.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl<T> fmt::Debug for QueueFull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueFull")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for QueueFull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.closed {
            "queue is closed"
        } else {
            "queue is full"
        })
    }
}

impl<T> Error for QueueFull<T> {}

/// The error of `get_nowait`: there is no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueEmpty {
    closed: bool,
}

impl QueueEmpty {
    pub(super) fn new(closed: bool) -> Self {
        Self { closed }
    }

    /// Tells whether the queue was closed: then no item will come, except one whose getter was promised it and is dropped.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl fmt::Display for QueueEmpty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.closed {
            "queue is closed and empty"
        } else {
            "queue is empty"
        })
    }
}

impl Error for QueueEmpty {}

/// The error of `put`: the queue was closed before the item went in. It returns the item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueueClosed<T> {
    item: T,
}

impl<T> QueueClosed<T> {
    pub(super) fn new(item: T) -> Self {
        Self { item }
    }

    /// Returns the item that did not go in.
    pub fn into_item(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for QueueClosed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueClosed").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for QueueClosed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("queue is closed")
    }
}

impl<T> Error for QueueClosed<T> {}

/// The error of `task_done`: it was called more often than items went in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskDoneTooOften(pub(super) ());

impl fmt::Display for TaskDoneTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task_done called too many times")
    }
}

impl Error for TaskDoneTooOften {}
