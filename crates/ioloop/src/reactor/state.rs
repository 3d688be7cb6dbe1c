//! The reactor of one loop: what the pump drives and registrations refer to.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Parked;
use super::batch::Batch;
use super::epoll;
use super::slot::{
    MOST_OWNERS, PARKED, QUEUED, READ_CLOSED, READABLE, Slab, Slot, Token, WRITABLE, WRITE_CLOSED,
};
use crate::core::Core;
use crate::inbox::Inbox;
use crate::unit::{Payload, Unit, Verb};

/// A call that is due: of whom, with what, and the place in the source that stands for it.
pub(crate) struct Call {
    pub(crate) owner: Rc<dyn Parked>,
    pub(crate) key: u32,
    pub(crate) location: &'static Location<'static>,
}

/// Who is called for parked descriptors.
struct Owner {
    parked: Rc<dyn Parked>,
    location: &'static Location<'static>,
}

/// The reactor of one loop. Registrations keep its memory alive, but when the loop is closed it watches nothing.
pub(crate) struct Reactor {
    /// The loop, to put calls into its queue.
    inbox: &'static Inbox,
    generation: u64,
    /// The epoll instance, and through it the runtime, from the first registration until the loop is closed.
    epoll: RefCell<Option<AsyncFd<OwnedFd>>>,
    /// The descriptor of `epoll`; -1 when there is none.
    raw: Cell<RawFd>,
    closed: Cell<bool>,
    /// The runtime has said that there are events, and they have not all been read.
    ready: Cell<bool>,
    batch: Batch,
    pub(super) slab: Slab,
    /// Indexed by the number of the owner. No foreign code runs while it is referred to.
    owners: UnsafeCell<Vec<Option<Owner>>>,
}

impl Reactor {
    pub(crate) fn new(inbox: &'static Inbox, generation: u64) -> Self {
        Self {
            inbox,
            generation,
            epoll: RefCell::default(),
            raw: Cell::new(-1),
            closed: Cell::new(false),
            ready: Cell::new(false),
            batch: Batch::new(),
            slab: Slab::new(),
            owners: UnsafeCell::default(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Whether the epoll instance was made.
    pub(crate) fn is_made(&self) -> bool {
        self.raw.get() >= 0
    }

    /// Makes the epoll instance. Must be called inside of the runtime.
    pub(crate) fn make(&self) -> io::Result<()> {
        let made = epoll::make()?;
        self.raw.set(made.as_raw_fd());
        // SAFETY: the descriptor is owned, so it stays open and the same for as long as it is watched.
        match unsafe { AsyncFd::register_with_interest(made, Interest::READABLE) } {
            Ok(watched) => {
                *self.epoll.borrow_mut() = Some(watched);
                Ok(())
            }
            Err(err) => {
                self.raw.set(-1);
                Err(err.into())
            }
        }
    }

    /// Takes a slot into use for `fd` and has the system watch it.
    pub(super) fn register(&self, fd: RawFd) -> io::Result<Token> {
        let token = self.slab.take(fd).ok_or(io::ErrorKind::OutOfMemory)?;
        if let Err(err) = epoll::add(self.raw.get(), fd, token) {
            self.slab.give_back(token.index);
            return Err(err);
        }
        Ok(token)
    }

    /// Gives the slot back, and has the system forget its descriptor.
    pub(super) fn deregister(&self, index: u32) {
        let Some(slot) = self.slab.slot(index) else {
            return;
        };
        let wakers = (slot.reader.take(), slot.writer.take());
        if self.is_made() {
            epoll::remove(self.raw.get(), slot.fd.get());
        }
        self.slab.give_back(index);
        drop(wakers);
    }

    pub(super) fn add_owner(
        &self,
        parked: Rc<dyn Parked>,
        location: &'static Location<'static>,
    ) -> u32 {
        let owner = Some(Owner { parked, location });
        if self.closed.get() {
            // Nobody is called any more. Every number is good: what is looked up is not there.
            return 0;
        }
        // SAFETY: no other reference to the list is held anywhere while this one is; no foreign code runs.
        let owners = unsafe { &mut *self.owners.get() };
        let vacant = owners.iter().position(Option::is_none);
        let number = vacant.unwrap_or(owners.len());
        match vacant {
            Some(number) => owners[number] = owner,
            None => owners.push(owner),
        }
        assert!(
            number < MOST_OWNERS,
            "a loop has fewer than {MOST_OWNERS} owners of parked descriptors"
        );
        number as u32
    }

    /// Takes an owner away. What is parked with it is parked no longer.
    pub(super) fn remove_owner(&self, number: u32) {
        let number = number as usize;
        for slot in self.slab.iter() {
            if slot.has(PARKED) && slot.owner() == number {
                slot.clear(PARKED);
            }
        }
        // SAFETY: as in `add_owner`; the owner is dropped when the reference has ended.
        let owners = unsafe { &mut *self.owners.get() };
        let owner = owners.get_mut(number).and_then(Option::take);
        drop(owner);
    }

    /// Whether events wait to be handed out.
    #[inline]
    pub(crate) fn has_events(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Asks the runtime whether there are events; false when there are none, and the pump will be woken for the next.
    #[inline]
    pub(crate) fn look(&self, cx: &mut Context<'_>) -> bool {
        if self.is_made() && !self.ready.get() {
            self.ask(cx);
        }
        self.ready.get()
    }

    #[inline(never)]
    fn ask(&self, cx: &mut Context<'_>) {
        if let Some(watched) = &*self.epoll.borrow()
            && matches!(watched.poll_read_ready(cx), Poll::Ready(Ok(_)))
        {
            // Its readiness stays until it is cleared.
            self.ready.set(true);
        }
    }

    /// Reads the next events, if the runtime has said that there are any and the last ones were all handed out.
    ///
    /// The runtime's readiness is cleared only when there is nothing left to read. What comes later is an edge that the
    /// runtime has not seen: it looks at descriptors only between two polls of the pump.
    #[inline]
    pub(crate) fn collect(&self, cx: &mut Context<'_>) {
        if self.ready.get() && self.batch.is_empty() {
            self.refill(cx);
        }
    }

    #[inline(never)]
    fn refill(&self, cx: &mut Context<'_>) {
        if self.batch.read(self.raw.get()) == 0 {
            self.settle(cx);
        }
    }

    /// All events have been read: has the runtime say when there are more.
    fn settle(&self, cx: &mut Context<'_>) {
        let watched = self.epoll.borrow();
        let cleared = match watched.as_ref().map(|watched| watched.poll_read_ready(cx)) {
            Some(Poll::Ready(Ok(mut guard))) => {
                guard.clear_ready();
                true
            }
            // The runtime's cooperative budget is used up, so it does not tell. It polls the pump again, which then
            // comes here once more.
            Some(Poll::Pending) => tokio::task::coop::has_budget_remaining(),
            // The loop is being closed.
            Some(Poll::Ready(Err(_))) | None => true,
        };
        self.ready.set(!cleared);
    }

    /// Handles the next event: wakes who waits for it, or answers with the call that is due.
    #[inline]
    pub(crate) fn handle_next(&self) -> Option<Call> {
        let (token, flags) = self.batch.next()?;
        let slot = self.slab.find(token)?;
        let before = slot.set(flags);
        if before & PARKED == 0 {
            wake(slot, flags);
            return None;
        }
        // Room to write is told only to who has run out of it; what can be read is always told, since a call too many
        // does no harm. A call that is queued already tells it all.
        let told = READABLE | READ_CLOSED | WRITE_CLOSED | (WRITABLE & !before);
        if before & QUEUED != 0 || flags & told == 0 {
            return None;
        }
        self.call(slot)
    }

    /// The call for a parked slot.
    #[inline]
    fn call(&self, slot: &Slot) -> Option<Call> {
        // SAFETY: as in `add_owner`: counting a reference runs no foreign code.
        let owners = unsafe { &*self.owners.get() };
        let owner = owners.get(slot.owner())?.as_ref()?;
        Some(Call {
            owner: Rc::clone(&owner.parked),
            key: slot.key.get(),
            location: owner.location,
        })
    }

    /// Has the owner of a slot called in a later turn, once however often it is asked for.
    pub(super) fn queue(&self, token: Token, slot: &Slot) {
        if slot.set(QUEUED) & QUEUED != 0 {
            return;
        }
        let words = [token.index as usize, token.generation as usize];
        // SAFETY: `act_on_call` reads the token from the two words; dropping it does nothing.
        let unit = unsafe { Unit::raw(act_on_call, words, Location::caller()) };
        Core::push_or_post(self.inbox, self.generation, unit);
    }

    /// The call that was queued for a token, if it is still parked.
    fn queued_call(&self, token: Token) -> Option<Call> {
        let slot = self.slab.find(token)?;
        slot.clear(QUEUED);
        if !slot.has(PARKED) {
            return None;
        }
        self.call(slot)
    }

    /// Stops watching anything, for good. Whoever waits is woken and told so.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.ready.set(false);
        self.batch.clear();
        self.raw.set(-1);
        drop(self.epoll.take());
        for slot in self.slab.iter() {
            slot.clear(PARKED);
            wake(slot, READABLE | WRITABLE);
        }
        // SAFETY: as in `add_owner`; they are dropped when the reference has ended.
        let owners = unsafe { std::mem::take(&mut *self.owners.get()) };
        drop(owners);
    }
}

/// Wakes who waits for what the flags say.
#[inline]
fn wake(slot: &Slot, flags: u32) {
    let reader = (flags & READABLE != 0).then(|| slot.reader.take());
    let writer = (flags & WRITABLE != 0).then(|| slot.writer.take());
    if let Some(reader) = reader.flatten() {
        reader.wake();
    }
    if let Some(writer) = writer.flatten() {
        writer.wake();
    }
}

/// Wakes who waits for what is true already.
pub(super) fn wake_told(slot: &Slot) {
    let mut flags = 0;
    if slot.has(READABLE | READ_CLOSED) {
        flags |= READABLE;
    }
    if slot.has(WRITABLE | WRITE_CLOSED) {
        flags |= WRITABLE;
    }
    wake(slot, flags);
}

/// # Safety
///
/// The payload must be one made by [`Reactor::queue`].
unsafe fn act_on_call(payload: *mut Payload, verb: Verb) {
    if verb == Verb::Drop {
        // The loop is closed.
        return;
    }
    // SAFETY: given by the caller.
    let (index, generation) = unsafe { ((*payload)[0].assume_init(), (*payload)[1].assume_init()) };
    let token = Token {
        index: index as u32,
        generation: generation as u32,
    };
    let due = Core::with_current(|core| {
        let call = core.reactor.queued_call(token)?;
        core.set_location(call.location);
        Some(call)
    });
    if let Some(call) = due.flatten() {
        call.owner.ready(call.key);
    }
}
