//! What other threads leave for a loop: the only part of a loop that is shared between threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::unit::Unit;

/// The mailbox of one loop.
///
/// Mailboxes are never freed: a loop that is closed gives its mailbox back for the next one. So
/// tasks and handles refer to it by a plain `&'static`, which costs them no reference count; a
/// `generation` tells a handle that its loop is gone. There are never more of them than there
/// were loops alive at one time.
pub(crate) struct Inbox {
    /// Whether there may be mail: lets a busy loop look without taking the lock.
    mail: AtomicBool,
    slot: Mutex<Slot>,
}

struct Slot {
    units: Vec<SendUnit>,
    /// Whether the loop's pump went to sleep and must be woken for the next unit.
    asleep: bool,
    /// Wakes the pump; set once the pump has run for the first time.
    pump: Option<Waker>,
    generation: u64,
    open: bool,
}

/// A unit on its way to the loop's thread.
pub(crate) struct SendUnit(Unit);

// SAFETY: `post` is the only way in, and its callers promise that the unit may be run or dropped on
// the loop's thread although it was made on another.
unsafe impl Send for SendUnit {}

/// Mailboxes whose loops are gone.
static SPARE: Mutex<Vec<&'static Inbox>> = Mutex::new(Vec::new());

impl Inbox {
    /// Takes a mailbox for a new loop; answers with its generation.
    pub(crate) fn take() -> (&'static Self, u64) {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let inbox = spare.unwrap_or_else(|| Box::leak(Box::new(Self::new())));
        let mut slot = inbox.lock();
        slot.open = true;
        slot.generation += 1;
        let generation = slot.generation;
        drop(slot);
        (inbox, generation)
    }

    fn new() -> Self {
        Self {
            mail: AtomicBool::new(false),
            slot: Mutex::new(Slot {
                units: Vec::new(),
                asleep: false,
                pump: None,
                generation: 0,
                open: false,
            }),
        }
    }

    /// Leaves a unit for the loop and wakes it if it sleeps: at most one wake-up for a burst.
    ///
    /// A unit for a loop that was closed comes back, also when another loop has taken the mailbox
    /// over since; it is the caller's to drop.
    ///
    /// # Safety
    ///
    /// The unit may be run or dropped on the loop's thread.
    pub(crate) unsafe fn post(&self, unit: Unit, generation: u64) -> Result<(), Unit> {
        let mut slot = self.lock();
        if !slot.open || generation != slot.generation {
            return Err(unit);
        }
        slot.units.push(SendUnit(unit));
        self.mail.store(true, Ordering::Relaxed);
        let pump = if slot.asleep {
            slot.asleep = false;
            slot.pump.clone()
        } else {
            None
        };
        drop(slot);
        if let Some(pump) = pump {
            pump.wake();
        }
        Ok(())
    }

    /// Whether `collect` may find something. Exact once the lock was taken, a hint otherwise.
    pub(crate) fn has_mail(&self) -> bool {
        self.mail.load(Ordering::Relaxed)
    }

    /// Hands every waiting unit to `keep`, in the order in which they were left.
    /// `spare` is an empty list whose room is used again.
    pub(crate) fn collect(&self, spare: &mut Vec<SendUnit>, mut keep: impl FnMut(Unit)) {
        let mut slot = self.lock();
        self.mail.store(false, Ordering::Relaxed);
        // The two lists change places, so neither is allocated again.
        std::mem::swap(&mut slot.units, spare);
        drop(slot);
        for SendUnit(unit) in spare.drain(..) {
            keep(unit);
        }
    }

    /// Notes that the pump is about to sleep; false when mail came in the meantime.
    pub(crate) fn fall_asleep(&self) -> bool {
        let mut slot = self.lock();
        slot.asleep = slot.units.is_empty();
        slot.asleep
    }

    /// Notes that the pump runs: nobody need wake it.
    pub(crate) fn awake(&self) {
        self.lock().asleep = false;
    }

    /// Tells how to wake the pump.
    pub(crate) fn set_pump(&self, pump: Waker) {
        self.lock().pump = Some(pump);
    }

    /// Whether the loop of that generation still takes units.
    pub(crate) fn is_open(&self, generation: u64) -> bool {
        let slot = self.lock();
        slot.open && slot.generation == generation
    }

    /// Shuts the mailbox and hands back what was in it.
    pub(crate) fn shut(&self) -> Vec<SendUnit> {
        let mut slot = self.lock();
        slot.open = false;
        slot.asleep = false;
        slot.pump = None;
        self.mail.store(false, Ordering::Relaxed);
        std::mem::take(&mut slot.units)
    }

    /// Gives the mailbox back for another loop. Its own loop must be gone.
    pub(crate) fn give_back(&'static self) {
        SPARE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self);
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Nothing that can panic runs under the lock, so poison means nothing here.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
