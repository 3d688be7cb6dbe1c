//! The memory of a task, and the operations on it that know the future's type.
//!
//! A task is one block: what every task has (`Header`), what depends on the type of its result
//! (`Front`), and the future, which makes room for the result when it is done (`Stage`). The parts
//! are laid out in that order, so that a pointer to the block can be read as any of them.
//!
//! The rules of who may touch what are in [`super::state`].

use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

pub(super) use super::state::HANDLE;
use super::state::{CANCELLING, COMPLETE, NOTIFYING, POLLING, SCHEDULED, SEEN, State};
use super::{cells::Cells, links::Links, waker};
use crate::callbacks::Callbacks;
use crate::core::Core;
use crate::error::TaskError;
use crate::inbox::Inbox;
use crate::report;
use crate::unit::{Payload, Unit, Verb};

/// What every task has, whatever its future.
#[repr(C)]
pub(crate) struct Header {
    /// First, so that the list of a loop's tasks can find the header.
    links: Links,
    pub(super) state: State,
    pub(super) vtable: &'static Vtable,
    /// The mailbox of the task's loop, and the loop's identity.
    pub(super) inbox: &'static Inbox,
    /// Tells the task's loop from one that took the mailbox over.
    pub(super) generation: u64,
    /// Where the task was spawned.
    pub(super) location: &'static Location<'static>,
}

/// What depends on the type of the result. Only the loop's thread touches it.
#[repr(C)]
pub(super) struct Front<T> {
    header: Header,
    /// Whoever awaits the handle.
    joiner: Cell<Option<Waker>>,
    /// Boxed, because most tasks have none.
    callbacks: Cell<Option<Box<Callbacks<T>>>>,
}

#[repr(C)]
struct TaskCell<T, F> {
    front: Front<T>,
    /// Only the loop's thread touches it. While it is `Running` it never moves.
    stage: UnsafeCell<Stage<T, F>>,
}

enum Stage<T, F> {
    Running(F),
    Finished(Result<T, TaskError>),
    /// The result was taken or thrown away.
    Consumed,
}

/// The operations that know the future's type. All but `free` are for the loop's thread.
pub(super) struct Vtable {
    poll: unsafe fn(NonNull<Header>),
    cancel: unsafe fn(NonNull<Header>, TaskError),
    /// Where the `Result<T, TaskError>` of a complete task is; null when it was consumed.
    result: unsafe fn(NonNull<Header>) -> *const (),
    /// Marks the result as consumed without dropping it.
    forget_result: unsafe fn(NonNull<Header>),
    drop_result: unsafe fn(NonNull<Header>),
    run_callbacks: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
}

/// Makes a task and puts it in the loop's list and queue.
///
/// # Safety
///
/// The future must not outlive what it borrows: with a future that is not `'static`, the caller
/// must see to it that the task is complete before the borrow ends.
pub(crate) unsafe fn spawn<F: Future>(
    core: &Core,
    future: F,
    handle: bool,
    location: &'static Location<'static>,
) -> NonNull<Header> {
    let held = if handle { HANDLE } else { 0 };
    let header = make(core, future, SCHEDULED | held, location);
    if core.is_closed() {
        // SAFETY: just made, on the loop's thread. It stands in no queue, so the flag is ours: it
        // keeps the task alive until here.
        unsafe {
            cancel(header, TaskError::closed(location));
            release(header, SCHEDULED);
        }
        return header;
    }
    // SAFETY: the header stays where it is until it is complete, and completing unlinks it.
    unsafe { core.tasks().link(&header.as_ref().links) };
    core.push(queue_unit(header));
    header
}

/// Polls a future that nobody waits for, and makes it a task of the loop if it has to wait.
///
/// Mostly it need not, and then the block it was polled in is free for the next one.
pub(crate) fn run_detached<F: Future + 'static>(
    core: &Core,
    future: F,
    location: &'static Location<'static>,
) {
    let header = make(core, future, POLLING, location);
    // SAFETY: just made, on the loop's thread; `POLLING` keeps it alive until it is released. A
    // task that waits stays where it is until it is complete, and completing unlinks it.
    unsafe {
        let _held = Held(header, POLLING);
        (header.as_ref().vtable.poll)(header);
        if !header.as_ref().state.load().has(COMPLETE) {
            core.tasks().link(&header.as_ref().links);
        }
    }
}

/// A task that is in no list and no queue.
fn make<F: Future>(
    core: &Core,
    future: F,
    flags: usize,
    location: &'static Location<'static>,
) -> NonNull<Header> {
    let memory = core.cells().take::<TaskCell<F::Output, F>>();
    // SAFETY: the memory is fresh and fits the cell.
    unsafe {
        memory.write(TaskCell {
            front: Front {
                header: Header {
                    links: Links::unlinked(),
                    state: State::new(flags),
                    vtable: &TaskCell::<F::Output, F>::VTABLE,
                    inbox: core.inbox(),
                    generation: core.generation(),
                    location,
                },
                joiner: Cell::new(None),
                callbacks: Cell::new(None),
            },
            stage: UnsafeCell::new(Stage::Running(future)),
        });
    }
    memory.cast()
}

/// The unit that polls a scheduled task. It holds the `SCHEDULED` flag.
pub(super) fn queue_unit(header: NonNull<Header>) -> Unit {
    // SAFETY: a scheduled task is alive.
    let location = unsafe { header.as_ref() }.location;
    // SAFETY: `act_on_task` takes the header from the first word and tolerates both verbs.
    unsafe {
        Unit::raw(
            act_on_task,
            [header.as_ptr().expose_provenance(), 0],
            location,
        )
    }
}

fn header_of(payload: *mut Payload) -> NonNull<Header> {
    // SAFETY: the units made in this file have the header's address as their first word.
    let address = unsafe { (*payload)[0].assume_init() };
    NonNull::new(std::ptr::with_exposed_provenance_mut(address))
        .expect("units of tasks hold the address of a header")
}

/// # Safety
///
/// The payload must be one made by [`queue_unit`].
unsafe fn act_on_task(payload: *mut Payload, verb: Verb) {
    let header = header_of(payload);
    // SAFETY: the unit's `SCHEDULED` flag keeps the task alive. With `Run` this is its loop's thread.
    unsafe {
        if verb == Verb::Drop {
            // Perhaps another thread: its loop was closed when it woke the task.
            let snapshot = header.as_ref().state.update_shared(SCHEDULED, 0);
            if snapshot.is_unused() {
                free(header);
            }
            return;
        }
        let state = &header.as_ref().state;
        if state.load().has(COMPLETE) {
            release(header, SCHEDULED);
            return;
        }
        state.update(SCHEDULED, POLLING);
        let _held = Held(header, POLLING);
        (header.as_ref().vtable.poll)(header);
    }
}

/// Clears flags that held the memory, and frees it if they were the last.
///
/// # Safety
///
/// The caller owns these flags, on the loop's thread; the task may be gone afterwards.
pub(super) unsafe fn release(header: NonNull<Header>, flags: usize) {
    // SAFETY: the flags keep it alive until here.
    unsafe {
        if header.as_ref().state.update(flags, 0).is_unused() {
            free(header);
        }
    }
}

/// Flags that hold the memory of a task, released also when a foreign destructor panics. With no
/// flags it does nothing. On the loop's thread.
struct Held(NonNull<Header>, usize);

impl Drop for Held {
    fn drop(&mut self) {
        if self.1 != 0 {
            // SAFETY: whoever made this owns the flags, and uses the task no more.
            unsafe { release(self.0, self.1) };
        }
    }
}

/// # Safety
///
/// Nothing holds the memory any more.
pub(super) unsafe fn free(header: NonNull<Header>) {
    // SAFETY: given by the caller.
    unsafe { (header.as_ref().vtable.free)(header) }
}

/// Ends a task with an error, dropping its future now unless it is being polled, in which case it
/// is dropped when the poll returns. Does nothing to a complete task.
///
/// # Safety
///
/// On the loop's thread, with the task alive.
pub(crate) unsafe fn cancel(header: NonNull<Header>, error: TaskError) {
    // SAFETY: given by the caller.
    unsafe {
        let state = &header.as_ref().state;
        let snapshot = state.load();
        if snapshot.has(COMPLETE) {
            return;
        }
        if snapshot.has(POLLING) {
            // Other threads may be using the waker that the poll was lent.
            state.update_shared(0, CANCELLING);
            return;
        }
        (header.as_ref().vtable.cancel)(header, error);
    }
}

impl Header {
    /// The header that a member of the list of tasks belongs to.
    pub(crate) fn from_links(links: NonNull<Links>) -> NonNull<Self> {
        links.cast()
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// Whether this is a task of the loop that runs on this thread.
    pub(super) fn is_local(&self) -> bool {
        Core::with_current(|core| std::ptr::eq(core.inbox(), self.inbox)).unwrap_or(false)
    }
}

impl<T> Front<T> {
    /// Whether the result may be taken: callbacks come first.
    fn is_ready(&self) -> bool {
        let snapshot = self.header.state.load();
        snapshot.has(COMPLETE) && !snapshot.has(NOTIFYING)
    }

    /// Whether the future is gone.
    pub(super) fn is_done(&self) -> bool {
        self.header.state.load().has(COMPLETE)
    }

    pub(super) fn location(&self) -> &'static Location<'static> {
        self.header.location
    }

    /// Takes the result, or keeps the waker until it is there.
    pub(super) fn poll_result(&self, cx: &mut Context<'_>) -> Poll<Result<T, TaskError>> {
        if !self.is_ready() {
            let known = self
                .joiner
                .take()
                .filter(|joiner| joiner.will_wake(cx.waker()));
            self.joiner
                .set(Some(known.unwrap_or_else(|| cx.waker().clone())));
            return Poll::Pending;
        }
        let header = NonNull::from(&self.header);
        // SAFETY: a complete task's result is a `Result<T, TaskError>` or gone, and this is the loop's thread.
        unsafe {
            let result = (self.header.vtable.result)(header).cast::<Result<T, TaskError>>();
            if result.is_null() {
                return Poll::Ready(Err(TaskError::taken(self.header.location)));
            }
            let value = result.read();
            (self.header.vtable.forget_result)(header);
            self.header.state.update(0, SEEN);
            Poll::Ready(value)
        }
    }

    pub(super) fn add_callback(
        &self,
        callback: impl FnOnce(Result<&T, &TaskError>) + 'static,
        location: &'static Location<'static>,
    ) {
        let mut callbacks = self.callbacks.take().unwrap_or_default();
        callbacks.add(callback, location);
        self.callbacks.set(Some(callbacks));
        if self.is_done() {
            self.notify_later();
        }
    }

    /// Forgets who awaited the handle, because the handle goes.
    pub(super) fn forget_joiner(&self) {
        drop(self.joiner.take());
    }

    /// Puts the callbacks in the queue of the loop.
    fn notify_later(&self) {
        if self.header.state.load().has(NOTIFYING) {
            return;
        }
        self.header.state.update(0, NOTIFYING);
        let address = std::ptr::from_ref(&self.header).expose_provenance();
        // SAFETY: `act_on_callbacks` takes the header from the first word and tolerates both verbs;
        // the `NOTIFYING` flag keeps the task alive. Posting to its own loop stays on this thread.
        unsafe {
            let unit = Unit::raw(act_on_callbacks, [address, 0], self.header.location);
            Core::push_or_post(self.header.inbox, self.header.generation, unit);
        }
    }

    fn has_callbacks(&self) -> bool {
        let callbacks = self.callbacks.take();
        let any = callbacks.as_ref().is_some_and(|list| !list.is_empty());
        self.callbacks.set(callbacks);
        any
    }
}

/// # Safety
///
/// The payload must be one made by `notify_later`.
unsafe fn act_on_callbacks(payload: *mut Payload, verb: Verb) {
    let header = header_of(payload);
    // SAFETY: the `NOTIFYING` flag keeps the task alive, and both verbs come on the loop's thread.
    unsafe {
        if verb == Verb::Run {
            (header.as_ref().vtable.run_callbacks)(header);
            return;
        }
        // The loop was closed. Whoever awaits the handle may be on another one, and goes on. The
        // joiner stands in the same place whatever the type of the result.
        let joiner = header.cast::<Front<()>>().as_ref().joiner.take();
        drop_unused_result(header, NOTIFYING);
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }
}

/// Clears a hold on the result; if nobody is left who could see it, drops it.
///
/// # Safety
///
/// The caller owns the flag, `HANDLE` or `NOTIFYING`, on the loop's thread.
pub(super) unsafe fn drop_unused_result(header: NonNull<Header>, flag: usize) {
    // SAFETY: given by the caller; `POLLING` stands in for the flag while foreign destructors run.
    unsafe {
        let state = &header.as_ref().state;
        let polling = state.load().has(POLLING);
        let snapshot = if polling {
            // Other threads may be using the waker that the poll was lent.
            state.update_shared(flag, 0)
        } else {
            state.update(flag, POLLING)
        };
        let _held = Held(header, if polling { 0 } else { POLLING });
        if snapshot.has(COMPLETE) && !snapshot.has(HANDLE | NOTIFYING) {
            (header.as_ref().vtable.drop_result)(header);
        }
    }
}

impl<T, F: Future<Output = T>> TaskCell<T, F> {
    const VTABLE: Vtable = Vtable {
        poll: Self::poll,
        cancel: Self::cancel,
        result: Self::result,
        forget_result: Self::forget_result,
        drop_result: Self::drop_result,
        run_callbacks: Self::run_callbacks,
        free: Self::free,
    };

    /// # Safety
    ///
    /// The header must be that of a living cell of this type.
    unsafe fn of<'a>(header: NonNull<Header>) -> &'a Self {
        // SAFETY: the header is the first field of the cell, and pointers to it are made from
        // pointers to the whole cell.
        unsafe { header.cast::<Self>().as_ref() }
    }

    unsafe fn poll(header: NonNull<Header>) {
        // SAFETY: the task is alive, this is its loop's thread, and a running future never moves.
        unsafe {
            let this = Self::of(header);
            let Stage::Running(future) = &mut *this.stage.get() else {
                return;
            };
            // The waker is borrowed from the task, so it is not counted.
            let waker = ManuallyDrop::new(waker::borrowed(header));
            let mut cx = Context::from_waker(&waker);
            let future = Pin::new_unchecked(future);
            let outcome = match catch_unwind(AssertUnwindSafe(|| future.poll(&mut cx))) {
                Ok(Poll::Ready(value)) => Ok(value),
                Ok(Poll::Pending) => {
                    if !this.front.header.state.load().has(CANCELLING) {
                        return;
                    }
                    Err(TaskError::cancelled(this.front.header.location))
                }
                Err(payload) => Err(TaskError::panicked(
                    report::caught(payload),
                    this.front.header.location,
                )),
            };
            Self::finish(header, outcome);
        }
    }

    unsafe fn cancel(header: NonNull<Header>, error: TaskError) {
        // SAFETY: as for `poll`; the flag keeps the task alive whatever the future's drop does.
        unsafe {
            header.as_ref().state.update(0, POLLING);
            let _held = Held(header, POLLING);
            Self::finish(header, Err(error));
        }
    }

    /// Drops the future, keeps the outcome for those who can still ask for it, and tells them.
    unsafe fn finish(header: NonNull<Header>, outcome: Result<T, TaskError>) {
        // SAFETY: as for `poll`.
        unsafe {
            let this = Self::of(header);
            let location = this.front.header.location;
            let stage = this.stage.get();
            // First of all: the future may hold the last handle to the loop, or close it.
            this.front.header.links.unlink();
            let dropped = catch_unwind(AssertUnwindSafe(|| std::ptr::drop_in_place(stage)));
            stage.write(Stage::Consumed);
            if let Err(payload) = dropped {
                report::panicked("dropping a future", location, &report::caught(payload));
            }
            let callbacks = this.front.has_callbacks();
            let snapshot = this.front.header.state.update(0, COMPLETE);
            if !snapshot.has(HANDLE) && !callbacks {
                if let Some(panicked) = outcome.as_ref().err().and_then(TaskError::as_panicked) {
                    report::panicked("a callback", location, panicked);
                }
                return;
            }
            stage.write(Stage::Finished(outcome));
            if callbacks {
                this.front.notify_later();
            } else if let Some(joiner) = this.front.joiner.take() {
                joiner.wake();
            }
        }
    }

    unsafe fn result(header: NonNull<Header>) -> *const () {
        // SAFETY: as for `poll`.
        match unsafe { &*Self::of(header).stage.get() } {
            Stage::Finished(result) => std::ptr::from_ref(result).cast(),
            _ => std::ptr::null(),
        }
    }

    unsafe fn forget_result(header: NonNull<Header>) {
        // SAFETY: as for `poll`; the caller has moved the result out.
        unsafe { Self::of(header).stage.get().write(Stage::Consumed) };
    }

    unsafe fn drop_result(header: NonNull<Header>) {
        // SAFETY: as for `poll`; a complete task has no future to be pinned.
        unsafe {
            let this = Self::of(header);
            let stage = std::mem::replace(&mut *this.stage.get(), Stage::Consumed);
            let seen = this.front.header.state.load().has(SEEN);
            if let (Stage::Finished(Err(error)), false) = (&stage, seen)
                && let Some(panicked) = error.as_panicked()
            {
                report::panicked("a task", this.front.header.location, panicked);
            }
            drop(stage);
            // Callbacks that are still here belong to a loop that was closed.
            drop(this.front.callbacks.take());
        }
    }

    unsafe fn run_callbacks(header: NonNull<Header>) {
        // SAFETY: as for `poll`; `NOTIFYING` keeps the result in its place while callbacks borrow it.
        unsafe {
            let this = Self::of(header);
            if let Some(callbacks) = this.front.callbacks.take() {
                let taken;
                let result = match &*this.stage.get() {
                    Stage::Finished(result) => result.as_ref(),
                    _ => {
                        taken = TaskError::taken(this.front.header.location);
                        Err(&taken)
                    }
                };
                callbacks.run(result);
                this.front.header.state.update(0, SEEN);
            }
            if let Some(joiner) = this.front.joiner.take() {
                joiner.wake();
            }
            // Callbacks that were added by callbacks run in a turn of their own.
            let again = this.front.has_callbacks();
            if again {
                this.front.header.state.update(NOTIFYING, 0);
                this.front.notify_later();
            } else {
                drop_unused_result(header, NOTIFYING);
            }
        }
    }

    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: nothing holds the memory. The future and the result are gone; what is left, a
        // joiner or callbacks that were never to run, was dropped with the handle.
        unsafe {
            Cells::give_back(header.cast::<Self>());
        }
    }
}
