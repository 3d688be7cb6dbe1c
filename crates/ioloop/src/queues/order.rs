//! Where items wait, and which of them goes first.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// Decides which item of a queue goes first.
///
/// It is implemented by [`Fifo`], [`Lifo`] and [`SmallestFirst`]; there is nothing to call.
pub trait Order<T>: sealed::Store<T> {}

pub(crate) mod sealed {
    /// A heap of items; what goes in comes out once.
    pub trait Store<T>: Default {
        /// Puts an item in.
        fn push(&mut self, item: T);
        /// Takes the item out whose turn it is.
        fn pop(&mut self) -> Option<T>;
        /// The number of items in it.
        fn len(&self) -> usize;
    }
}

use sealed::Store;

/// The order of a [`Queue`](super::Queue): the oldest first.
pub struct Fifo<T>(VecDeque<T>);

impl<T> Order<T> for Fifo<T> {}

impl<T> Store<T> for Fifo<T> {
    fn push(&mut self, item: T) {
        self.0.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> fmt::Debug for Fifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fifo").finish_non_exhaustive()
    }
}

/// The order of a [`LifoQueue`](super::LifoQueue): the newest first.
pub struct Lifo<T>(Vec<T>);

impl<T> Order<T> for Lifo<T> {}

impl<T> Store<T> for Lifo<T> {
    fn push(&mut self, item: T) {
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> fmt::Debug for Lifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifo").finish_non_exhaustive()
    }
}

/// The order of a [`PriorityQueue`](super::PriorityQueue): the smallest first, and the older of two equal ones.
pub struct SmallestFirst<T> {
    heap: BinaryHeap<Entry<T>>,
    /// The number of items that ever came in; it tells equal ones apart.
    arrivals: u64,
}

struct Entry<T> {
    item: T,
    arrival: u64,
}

impl<T: Ord> Order<T> for SmallestFirst<T> {}

impl<T: Ord> Store<T> for SmallestFirst<T> {
    fn push(&mut self, item: T) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.heap.push(Entry { item, arrival });
    }

    fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|entry| entry.item)
    }

    fn len(&self) -> usize {
        self.heap.len()
    }
}

/// `BinaryHeap` returns the greatest, so an entry is the greater the smaller and the older it is.
impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_item = other.item.cmp(&self.item);
        by_item.then(other.arrival.cmp(&self.arrival))
    }
}

impl<T: Ord> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Ord> Eq for Entry<T> {}

impl<T: Ord> Default for SmallestFirst<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            arrivals: 0,
        }
    }
}

impl<T> fmt::Debug for SmallestFirst<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmallestFirst").finish_non_exhaustive()
    }
}
