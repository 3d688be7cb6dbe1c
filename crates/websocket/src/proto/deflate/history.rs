//! What a connection remembers of the messages before.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{LARGEST_WINDOW, SMALLEST_WINDOW};

/// The last bytes that went through a connection in one direction: the context that is taken over from one message to
/// the next (RFC 7692 section 7.2).
///
/// It takes no memory before the first message, grows with what is sent, and has 2^bits bytes at most: 512 bytes at
/// 9 bits, 4 KiB at 12, 32 KiB at 15. A connection has one for each direction whose context is kept.
#[derive(Debug)]
pub struct History {
    /// A ring once it is full; until then the bytes from the first on.
    bytes: Vec<u8>,
    /// Where the oldest byte stands once the ring is full, zero before.
    oldest: usize,
    /// The binary logarithm of the length of the full ring.
    bits: u8,
    /// Which machine has been left with exactly these bytes in its window.
    stamp: Stamp,
}

impl History {
    /// Begins one for a window of 2^`bits` bytes; what is outside of 9 to 15 becomes the nearest of them.
    pub fn new(bits: u8) -> Self {
        Self {
            bytes: Vec::new(),
            oldest: 0,
            bits: bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW),
            stamp: Stamp::NONE,
        }
    }

    /// Returns how many bytes of memory it holds on to, itself not counted.
    pub fn allocated_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The bytes in order, oldest first, in two pieces.
    pub(super) fn pieces(&self) -> [&[u8]; 2] {
        let (newer, older) = self.bytes.split_at(self.oldest);
        [older, newer]
    }

    /// Remembers bytes, and forgets as many of the oldest as there is no room for.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let size = 1 << self.bits;
        let mut rest = &bytes[bytes.len().saturating_sub(size)..];
        let room = size - self.bytes.len();
        if room > 0 {
            let (first, second) = rest.split_at(room.min(rest.len()));
            self.grow(first.len());
            self.bytes.extend_from_slice(first);
            rest = second;
        }
        while !rest.is_empty() {
            let end = size.min(self.oldest + rest.len());
            let (first, second) = rest.split_at(end - self.oldest);
            self.bytes[self.oldest..end].copy_from_slice(first);
            self.oldest = end % size;
            rest = second;
        }
    }

    /// Makes room in powers of two, which end at the size of the window and not above.
    fn grow(&mut self, more: usize) {
        let length = self.bytes.len() + more;
        if length > self.bytes.capacity() {
            let capacity = length.next_power_of_two().max(64);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(super) fn set_stamp(&mut self, stamp: Stamp) {
        self.stamp = stamp;
    }
}

/// A point in the life of one machine. It goes on with each message, and a history that carries the present one is
/// what the machine has in its window: there is nothing to load when the same connection is served twice in a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stamp {
    machine: u64,
    turn: u64,
}

impl Stamp {
    /// What no machine ever has.
    const NONE: Self = Self {
        machine: 0,
        turn: 0,
    };

    /// The first one of a new machine.
    pub(super) fn first() -> Self {
        static MACHINES: AtomicU64 = AtomicU64::new(1);
        Self {
            machine: MACHINES.fetch_add(1, Ordering::Relaxed),
            turn: 0,
        }
    }

    /// Goes on: no history has the stamp that it returns.
    pub(super) fn next(&mut self) -> Self {
        self.turn += 1;
        *self
    }
}
