//! The events that were read last.

use std::cell::Cell;
use std::os::fd::RawFd;

use super::epoll::{self, Event, NO_EVENT};
use super::slot::Token;

/// Events that are read at a time.
const BATCH: usize = 64;

/// Events that were read and are handed out one by one.
pub(super) struct Batch {
    events: [Cell<Event>; BATCH],
    /// Events that were read last.
    count: Cell<usize>,
    /// The next of them to be handed out.
    at: Cell<usize>,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            events: [const { Cell::new(NO_EVENT) }; BATCH],
            count: Cell::new(0),
            at: Cell::new(0),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.at.get() == self.count.get()
    }

    /// Reads the events that are there, without waiting; the batch must be empty. Answers with their number.
    pub(super) fn read(&self, epoll: RawFd) -> usize {
        debug_assert!(self.is_empty(), "events would be lost");
        let count = epoll::read(epoll, &self.events);
        self.at.set(0);
        self.count.set(count);
        count
    }

    /// The next event: for whom, and the flags it sets.
    #[inline]
    pub(super) fn next(&self) -> Option<(Token, u32)> {
        let at = self.at.get();
        if at == self.count.get() {
            return None;
        }
        self.at.set(at + 1);
        self.events
            .get(at)
            .map(|event| epoll::read_event(event.get()))
    }

    /// Forgets what was not handed out.
    pub(super) fn clear(&self) {
        self.at.set(self.count.get());
    }
}
