//! What the reactor keeps for each descriptor, and the slab in which it does.

use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;
use std::task::Waker;

/// A read is worth trying.
pub(super) const READABLE: u32 = 1;
/// A write is worth trying.
pub(super) const WRITABLE: u32 = 1 << 1;
/// The other side writes no more: reading never waits again.
pub(super) const READ_CLOSED: u32 = 1 << 2;
/// Both directions have ended: writing never waits again.
pub(super) const WRITE_CLOSED: u32 = 1 << 3;
/// Events go to an owner, not to wakers.
pub(super) const PARKED: u32 = 1 << 4;
/// A call of the owner stands in the loop's queue.
pub(super) const QUEUED: u32 = 1 << 5;
/// Where the number of the owner begins.
const OWNER_SHIFT: u32 = 8;
/// Owners a loop can number.
pub(super) const MOST_OWNERS: usize = 1 << (32 - OWNER_SHIFT);

/// Slots in a chunk: 3 KiB.
const CHUNK: usize = 64;
/// Ends the list of free slots.
const NONE: u32 = u32::MAX;

/// What names a slot for as long as it is in use: its index, and how often it was used before.
///
/// The system hands it back with each event. When the slot was freed in the meantime, the generation no longer fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// As epoll keeps it.
#[cfg(target_os = "linux")]
impl Token {
    pub(super) fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(super) fn unpack(packed: u64) -> Self {
        Self {
            index: packed as u32,
            generation: (packed >> 32) as u32,
        }
    }
}

/// One registered descriptor: 48 bytes.
///
/// Everything is a cell that is taken or replaced whole, so no foreign code (wakers) ever runs while one is borrowed.
pub(super) struct Slot {
    /// Who waits to read. Not used while it is parked.
    pub(super) reader: Cell<Option<Waker>>,
    /// Who waits to write. Not used while it is parked.
    pub(super) writer: Cell<Option<Waker>>,
    /// The descriptor; only there to be taken out of the system's list.
    pub(super) fd: Cell<i32>,
    /// Goes up when the slot is freed.
    pub(super) generation: Cell<u32>,
    /// What the owner of a parked slot knows it by. Of a free slot: the next free one.
    pub(super) key: Cell<u32>,
    /// The flags above, and from `OWNER_SHIFT` on the number of the owner when it is parked.
    flags: Cell<u32>,
}

impl Slot {
    fn free(next: u32) -> Self {
        Self {
            reader: Cell::new(None),
            writer: Cell::new(None),
            fd: Cell::new(-1),
            generation: Cell::new(0),
            key: Cell::new(next),
            flags: Cell::new(0),
        }
    }

    #[inline]
    pub(super) fn has(&self, flags: u32) -> bool {
        self.flags.get() & flags != 0
    }

    #[inline]
    pub(super) fn has_all(&self, flags: u32) -> bool {
        self.flags.get() & flags == flags
    }

    /// Sets flags; answers with those that were set before.
    #[inline]
    pub(super) fn set(&self, flags: u32) -> u32 {
        let before = self.flags.get();
        self.flags.set(before | flags);
        before
    }

    #[inline]
    pub(super) fn clear(&self, flags: u32) {
        self.flags.set(self.flags.get() & !flags);
    }

    #[inline]
    pub(super) fn owner(&self) -> usize {
        (self.flags.get() >> OWNER_SHIFT) as usize
    }

    pub(super) fn park(&self, owner: u32, key: u32) {
        let rest = self.flags.get() & ((1 << OWNER_SHIFT) - 1);
        self.flags.set(rest | PARKED | owner << OWNER_SHIFT);
        self.key.set(key);
    }
}

/// The slots of one loop, in chunks that never move and are freed with the slab.
pub(super) struct Slab {
    /// Only `add` changes it, which runs no foreign code.
    chunks: UnsafeCell<Vec<NonNull<[Slot; CHUNK]>>>,
    /// The first free slot; each knows the next.
    free: Cell<u32>,
}

impl Slab {
    pub(super) fn new() -> Self {
        Self {
            chunks: UnsafeCell::default(),
            free: Cell::new(NONE),
        }
    }

    /// Slots there are, in use or free.
    fn capacity(&self) -> usize {
        // SAFETY: no other reference to the list is held anywhere while this one is.
        unsafe { (*self.chunks.get()).len() * CHUNK }
    }

    /// The slot with this index, if there is one.
    #[inline]
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        // SAFETY: no other reference to the list is held anywhere while this one is. Chunks stay where they are for
        // as long as the slab exists, and are only ever referred to as shared.
        unsafe {
            let chunks = &*self.chunks.get();
            let chunk = chunks.get(index / CHUNK)?;
            Some(&chunk.as_ref()[index % CHUNK])
        }
    }

    /// The slot of a token, unless it was freed since the token was made.
    #[inline]
    pub(super) fn find(&self, token: Token) -> Option<&Slot> {
        let slot = self.slot(token.index)?;
        (slot.generation.get() == token.generation).then_some(slot)
    }

    /// Takes a free slot into use, ready in both directions; answers with nothing when all indices are used up.
    pub(super) fn take(&self, fd: i32) -> Option<Token> {
        if self.free.get() == NONE {
            self.add()?;
        }
        let index = self.free.get();
        let slot = self.slot(index)?;
        self.free.set(slot.key.get());
        slot.fd.set(fd);
        slot.flags.set(READABLE | WRITABLE);
        Some(Token {
            index,
            generation: slot.generation.get(),
        })
    }

    /// Gives a slot back. Its wakers must have been taken out.
    pub(super) fn give_back(&self, index: u32) {
        if let Some(slot) = self.slot(index) {
            slot.generation.set(slot.generation.get().wrapping_add(1));
            slot.flags.set(0);
            slot.fd.set(-1);
            slot.key.set(self.free.replace(index));
        }
    }

    /// Every slot, in use or free.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        // Chunks may be added meanwhile, so the list is not borrowed between two steps.
        (0..).map_while(|index| self.slot(index))
    }

    /// Adds a chunk of free slots.
    #[cold]
    fn add(&self) -> Option<()> {
        let first = u32::try_from(self.capacity()).ok()?;
        let last = first.checked_add(CHUNK as u32)?;
        let chunk: Box<[Slot; CHUNK]> = Box::new(std::array::from_fn(|offset| {
            let next = first + offset as u32 + 1;
            Slot::free(if next == last { NONE } else { next })
        }));
        // SAFETY: as in `capacity`; pushing runs no foreign code.
        unsafe { (*self.chunks.get()).push(NonNull::from(Box::leak(chunk))) };
        self.free.set(first);
        Some(())
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        for chunk in self.chunks.get_mut().drain(..) {
            // SAFETY: it was leaked by `add` and is freed once; nobody refers to a slot without the slab.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_takes_48_bytes() {
        assert!(size_of::<Slot>() <= 48, "{}", size_of::<Slot>());
    }

    #[test]
    fn a_token_survives_packing() {
        let token = Token {
            index: 0xfedc_ba98,
            generation: 0x1234_5678,
        };
        assert_eq!(Token::unpack(token.pack()), token);
    }

    #[test]
    fn a_freed_slot_is_used_again_under_another_token() {
        let slab = Slab::new();
        let first = slab.take(3).expect("there is room");
        assert!(slab.find(first).is_some());
        slab.give_back(first.index);
        assert!(slab.find(first).is_none(), "the token is stale");
        let second = slab.take(4).expect("there is room");
        assert_eq!(second.index, first.index);
        assert_ne!(second.generation, first.generation);
        assert!(slab.find(first).is_none(), "still stale");
    }

    #[test]
    fn slots_stay_where_they_are_when_more_are_added() {
        let slab = Slab::new();
        let first = slab.take(0).expect("there is room");
        let before = std::ptr::from_ref(slab.slot(first.index).expect("taken"));
        let more: Vec<Token> = (1..1000)
            .map(|fd| slab.take(fd).expect("there is room"))
            .collect();
        assert!(std::ptr::eq(before, slab.slot(first.index).expect("taken")));
        for (token, fd) in more.iter().zip(1..) {
            assert_eq!(slab.find(*token).expect("taken").fd.get(), fd);
        }
        assert_eq!(slab.iter().count(), 1024, "whole chunks");
        assert!(slab.slot(1024).is_none());
    }

    #[test]
    fn parking_keeps_the_other_flags() {
        let slab = Slab::new();
        let token = slab.take(0).expect("there is room");
        let slot = slab.find(token).expect("taken");
        slot.clear(WRITABLE);
        slot.set(QUEUED);
        slot.park(0x00ab_cdef, 7);
        assert_eq!(slot.owner(), 0x00ab_cdef);
        assert!(slot.has(READABLE) && slot.has(PARKED) && slot.has(QUEUED));
        assert!(!slot.has(WRITABLE));
        slot.park(1, 8);
        assert_eq!((slot.owner(), slot.key.get()), (1, 8));
    }
}
