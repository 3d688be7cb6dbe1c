//! A hierarchical timing wheel: timers in 28 bytes, inserted and cancelled in constant time.
//!
//! # How it works
//!
//! Time is counted in ticks of one millisecond. Level 0 has a slot for each of the next 64 ticks,
//! level 1 a slot for each of the next 64 times 64, and so on. A timer goes to the level of the
//! highest bit in which its deadline differs from the present; when the wheel enters a slot of a
//! higher level, the timers in it move down. Timers of one tick run in the order in which they were
//! made: whatever moves down arrives in a slot before anything can be put there directly.
//!
//! # Rules
//!
//! - A node is free, in a slot's ring, or due. A due node waits for its turn in the loop's queue
//!   and can still be cancelled.
//! - A handle names a node by index and generation. The generation changes when the node is freed;
//!   a node whose generations are used up is never used again.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::panic::Location;

use crate::unit::Verb;

/// Slots of a level, and the bits of a tick that a level looks at.
const SLOTS: usize = 64;
const BITS: u32 = 6;
/// Levels; the top one spans 2.2 years. Timers beyond that wait in it for as often as it takes.
const LEVELS: usize = 6;
/// How far ahead a timer is placed, in ticks: one slot less than the wheel's turn, so that the slot
/// of the present is never used for the next turn.
const REACH: u64 = (SLOTS as u64 - 1) << (BITS * (LEVELS as u32 - 1));
/// The first nodes are the rings' own: one for each slot, whose `next` is the ring's first member.
const RINGS: usize = LEVELS * SLOTS;

/// Nodes are allocated by the chunk, so that a growing wheel never copies them.
const CHUNK: usize = 512;

/// No node.
const NIL: u32 = u32::MAX;

/// Bits of a node's `when` that hold the deadline (557 years); the others hold its site.
const DEADLINE_BITS: u32 = 44;
const DEADLINE_MASK: u64 = (1 << DEADLINE_BITS) - 1;
/// Sites that can be told apart; more share the last one's place in the log.
const MAX_SITES: usize = 1 << (64 - DEADLINE_BITS);

/// What to do with the data of a timer; as for a unit of the queue, either verb ends its life.
pub(crate) type Act = unsafe fn(Data, Verb);

/// What a timer runs with: a small closure or a pointer to one. Never looked into here, and copied
/// as raw memory, so that pointers in it stay pointers.
pub(crate) type Data = MaybeUninit<[u32; 2]>;

/// The code of a timer and the place that made it. There are as many as there are such places in
/// the program, so a node names its site by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Site {
    act: usize,
    location: usize,
}

/// One timer. The fields are split so that they need an alignment of four bytes only.
#[derive(Clone, Copy)]
struct Node {
    next: u32,
    /// `NIL` when the node is in no ring.
    previous: u32,
    generation: u32,
    /// Deadline in ticks and number of the site.
    when: [u32; 2],
    data: Data,
}

const _: () = assert!(size_of::<Node>() == 28 && RINGS < CHUNK);

/// Names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A timer that is taken out of the wheel: its code, its data and where it was made.
pub(crate) struct Timer {
    pub(crate) act: Act,
    pub(crate) data: Data,
    pub(crate) location: &'static Location<'static>,
}

/// The wheel. Dropping it does not drop the data of its timers; `clear` does.
pub(crate) struct Wheel {
    chunks: Vec<Box<[Node; CHUNK]>>,
    /// The first free node; free nodes are linked by `next`.
    free: u32,
    live: usize,
    /// The tick up to which everything that was due has been taken.
    elapsed: u64,
    /// For each level, which slots are not empty.
    occupied: [u64; LEVELS],
    sites: Vec<Site>,
    numbers: HashMap<Site, u32, BuildMixer>,
    /// The site that was asked for last, which is mostly asked for again.
    last_site: (Site, u32),
}

/// Hashes a site: the addresses in it are the program's own, so nobody can choose them.
#[derive(Clone, Copy, Default)]
struct Mixer(u64);

type BuildMixer = std::hash::BuildHasherDefault<Mixer>;

impl std::hash::Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, word: usize) {
        self.0 = (self.0.rotate_left(26) ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Wheel {
    pub(crate) fn new() -> Self {
        let mut wheel = Self {
            chunks: Vec::new(),
            free: NIL,
            live: 0,
            elapsed: 0,
            occupied: [0; LEVELS],
            sites: Vec::new(),
            numbers: HashMap::default(),
            last_site: (
                Site {
                    act: 0,
                    location: 0,
                },
                0,
            ),
        };
        wheel.grow();
        for ring in 0..RINGS as u32 {
            let node = wheel.node_mut(ring);
            node.next = ring;
            node.previous = ring;
        }
        wheel.free = RINGS as u32;
        wheel
    }

    /// Timers that have neither run nor been cancelled.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Whether everything that was due at that tick has been handed out.
    pub(crate) fn has_passed(&self, deadline: u64) -> bool {
        deadline <= self.elapsed
    }

    /// Puts a timer in. One whose deadline has passed is due with the next `advance`.
    pub(crate) fn insert(&mut self, deadline: u64, timer: Timer) -> Key {
        let key = self.insert_due(deadline, timer);
        self.place(key.index, deadline.min(DEADLINE_MASK));
        key
    }

    /// Puts a timer in that is due already: the caller queues it.
    pub(crate) fn insert_due(&mut self, deadline: u64, timer: Timer) -> Key {
        let site = self.number_of(Site {
            act: timer.act as usize,
            location: std::ptr::from_ref(timer.location).expose_provenance(),
        });
        let index = self.take_free();
        let when = deadline.min(DEADLINE_MASK) | (u64::from(site) << DEADLINE_BITS);
        let node = self.node_mut(index);
        node.when = split(when);
        node.data = timer.data;
        let generation = node.generation;
        self.live += 1;
        Key { index, generation }
    }

    /// Takes a timer out, whether it waits or is due; `None` when it has run or was cancelled.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Timer> {
        let node = *self.node(key.index)?;
        if node.generation != key.generation {
            return None;
        }
        if node.previous != NIL {
            self.unlink(node.next, node.previous);
        }
        self.release(key);
        let site = self.sites[(join(node.when) >> DEADLINE_BITS) as usize];
        Some(Timer {
            // SAFETY: the site was made from this very function and this reference.
            act: unsafe { std::mem::transmute::<usize, Act>(site.act) },
            data: node.data,
            // SAFETY: as above; the location is static.
            location: unsafe { &*std::ptr::with_exposed_provenance(site.location) },
        })
    }

    /// Moves on to the tick `now` and hands out the keys of everything that is due by then, in the
    /// order of the deadlines.
    pub(crate) fn advance(&mut self, now: u64, mut due: impl FnMut(Key)) {
        while let Some((level, slot, start)) = self.next_slot() {
            if start > now {
                break;
            }
            self.elapsed = self.elapsed.max(start);
            let ring = ring_of(level, slot);
            let mut index = self.take_ring(level, slot);
            while index != ring {
                let node = self.node_mut(index);
                let next = node.next;
                node.previous = NIL;
                let deadline = join(node.when) & DEADLINE_MASK;
                let generation = node.generation;
                if deadline <= self.elapsed {
                    due(Key { index, generation });
                } else {
                    self.place(index, deadline);
                }
                index = next;
            }
        }
        self.elapsed = self.elapsed.max(now);
    }

    /// The tick at which `advance` has something to do next: the next deadline, or the time at which
    /// timers that are far away must move down a level.
    pub(crate) fn next_tick(&self) -> Option<u64> {
        self.next_slot().map(|(_, _, start)| start)
    }

    /// Takes every timer out.
    pub(crate) fn clear(&mut self) -> Vec<Timer> {
        let count = self.chunks.len() * CHUNK;
        let mut timers = Vec::with_capacity(self.live);
        for index in RINGS as u32..count as u32 {
            if let Some(node) = self.node(index)
                && node.generation % 2 == 1
            {
                let generation = node.generation;
                timers.extend(self.remove(Key { index, generation }));
            }
        }
        timers
    }

    /// The number of a site, giving it one if it is new.
    fn number_of(&mut self, site: Site) -> u32 {
        let (last, number) = self.last_site;
        if last == site {
            return number;
        }
        let next = self.sites.len();
        let number = *self.numbers.entry(site).or_insert(next as u32);
        if number as usize == next {
            assert!(
                next < MAX_SITES,
                "a program has fewer than a million places that make timers"
            );
            self.sites.push(site);
        }
        self.last_site = (site, number);
        number
    }

    /// Puts a node at the end of the ring that its deadline belongs to.
    fn place(&mut self, index: u32, deadline: u64) {
        // What is late goes to the next tick's slot, what is too far away as far as there is.
        let at = deadline.clamp(self.elapsed + 1, self.elapsed + REACH);
        let level = level_of(self.elapsed, at);
        let slot = slot_of(at, level);
        let ring = ring_of(level, slot);
        let last = self.node_mut(ring).previous;
        self.node_mut(last).next = index;
        self.node_mut(ring).previous = index;
        let node = self.node_mut(index);
        node.next = ring;
        node.previous = last;
        self.occupied[level] |= 1 << slot;
    }

    /// Takes the node between two neighbours out of its ring.
    fn unlink(&mut self, next: u32, previous: u32) {
        self.node_mut(previous).next = next;
        self.node_mut(next).previous = previous;
        if next == previous {
            // Only the ring's own node is left.
            let (level, slot) = (next as usize / SLOTS, next as usize % SLOTS);
            self.occupied[level] &= !(1 << slot);
        }
    }

    /// Empties a slot; answers with its first node. The last one's `next` is the ring.
    fn take_ring(&mut self, level: usize, slot: usize) -> u32 {
        let ring = ring_of(level, slot);
        self.occupied[level] &= !(1 << slot);
        let own = self.node_mut(ring);
        let first = own.next;
        own.next = ring;
        own.previous = ring;
        first
    }

    /// The slot that comes next, and the tick at which it begins.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = (0..LEVELS).find(|level| self.occupied[*level] != 0)?;
        let shift = BITS * level as u32;
        let present = slot_of(self.elapsed, level);
        let ahead = self.occupied[level]
            .rotate_right(present as u32)
            .trailing_zeros() as usize;
        let slot = (present + ahead) % SLOTS;
        let turn = 1_u64 << (shift + BITS);
        let mut start = (self.elapsed & !(turn - 1)) + ((slot as u64) << shift);
        if start <= self.elapsed {
            // Only the top level wraps round: a lower one never reaches past its own turn.
            start += turn;
        }
        Some((level, slot, start))
    }

    fn take_free(&mut self) -> u32 {
        if self.free == NIL {
            self.grow();
        }
        let index = self.free;
        let node = self.node_mut(index);
        let next = node.next;
        // Odd while in use.
        node.generation += 1;
        node.previous = NIL;
        self.free = next;
        index
    }

    fn release(&mut self, key: Key) {
        self.live -= 1;
        let free = self.free;
        let node = self.node_mut(key.index);
        node.previous = NIL;
        node.generation = key.generation + 1;
        if node.generation < u32::MAX - 1 {
            node.next = free;
            self.free = key.index;
        }
    }

    fn grow(&mut self) {
        let first = (self.chunks.len() * CHUNK) as u32;
        assert!(
            first < NIL - CHUNK as u32,
            "fewer than four thousand million timers"
        );
        let mut chunk = Box::new(
            [Node {
                next: NIL,
                previous: NIL,
                generation: 0,
                when: [0; 2],
                data: MaybeUninit::uninit(),
            }; CHUNK],
        );
        for (offset, node) in chunk.iter_mut().enumerate().take(CHUNK - 1) {
            node.next = first + offset as u32 + 1;
        }
        self.chunks.push(chunk);
        self.free = first;
    }

    fn node(&self, index: u32) -> Option<&Node> {
        let index = index as usize;
        self.chunks
            .get(index / CHUNK)
            .map(|chunk| &chunk[index % CHUNK])
    }

    fn node_mut(&mut self, index: u32) -> &mut Node {
        let index = index as usize;
        &mut self.chunks[index / CHUNK][index % CHUNK]
    }
}

/// The level for a tick: that of the highest bit in which it differs from the present.
fn level_of(elapsed: u64, at: u64) -> usize {
    let differing = (elapsed ^ at) | (SLOTS as u64 - 1);
    let highest = u64::BITS - 1 - differing.leading_zeros();
    ((highest / BITS) as usize).min(LEVELS - 1)
}

/// The ring's own node of a slot.
fn ring_of(level: usize, slot: usize) -> u32 {
    (level * SLOTS + slot) as u32
}

fn slot_of(at: u64, level: usize) -> usize {
    ((at >> (BITS * level as u32)) % SLOTS as u64) as usize
}

fn split(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

fn join(halves: [u32; 2]) -> u64 {
    u64::from(halves[0]) | (u64::from(halves[1]) << 32)
}

#[cfg(test)]
mod tests;
