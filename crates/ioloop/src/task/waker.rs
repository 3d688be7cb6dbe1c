//! Wakers of tasks: from the loop's own thread a push onto its queue, from others a letter.

use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::cell::{Header, free, queue_unit};
use crate::core::Core;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker that is not counted. It must be forgotten, not dropped, and must not outlive the poll
/// that it is made for.
pub(super) fn borrowed(header: NonNull<Header>) -> Waker {
    // SAFETY: the table's functions keep the contract of `RawWaker`: they may be called from any
    // thread, because they touch only the state word and the mailbox.
    unsafe { Waker::from_raw(RawWaker::new(header.as_ptr().cast(), &VTABLE)) }
}

fn header(data: *const ()) -> NonNull<Header> {
    NonNull::new(data.cast_mut().cast()).expect("wakers hold a pointer to a header")
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned keeps the task's memory alive.
    unsafe { header(data).as_ref() }.state.add_waker();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker is valid until it is dropped here.
    unsafe {
        wake_by_ref(data);
        drop_waker(data);
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    let header = header(data);
    // SAFETY: the waker keeps the task's memory alive.
    let task = unsafe { header.as_ref() };
    if task.is_local() {
        if task.state.schedule() {
            Core::with_current(|core| core.push(queue_unit(header)));
        }
        return;
    }
    if task.state.schedule_shared() {
        // SAFETY: a task's unit may be dropped anywhere and is run by its own loop. If the loop is
        // closed the unit is dropped here, which takes the task off the schedule again.
        let _ = unsafe { task.inbox.post(queue_unit(header), task.generation) };
    }
}

unsafe fn drop_waker(data: *const ()) {
    let header = header(data);
    // SAFETY: this waker has kept the task's memory alive until now.
    unsafe {
        if header.as_ref().state.remove_waker().is_unused() {
            free(header);
        }
    }
}
