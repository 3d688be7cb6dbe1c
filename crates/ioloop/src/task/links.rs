//! The list of a loop's living tasks, threaded through the tasks themselves.

use std::cell::Cell;
use std::pin::Pin;
use std::ptr::NonNull;

/// A member of a list, or the list itself: a ring with one member that is no task.
pub(crate) struct Links {
    previous: Cell<Option<NonNull<Links>>>,
    next: Cell<Option<NonNull<Links>>>,
}

impl Links {
    pub(super) fn unlinked() -> Self {
        Self {
            previous: Cell::new(None),
            next: Cell::new(None),
        }
    }

    /// Leaves the list, if it is in one.
    pub(super) fn unlink(&self) {
        let (Some(previous), Some(next)) = (self.previous.take(), self.next.take()) else {
            return;
        };
        // SAFETY: a member's neighbours are members, and members leave the list before they move or go.
        unsafe {
            previous.as_ref().next.set(Some(next));
            next.as_ref().previous.set(Some(previous));
        }
    }
}

/// Every task of a loop that is not complete, so that closing the loop can end them.
pub(crate) struct TaskList(Pin<Box<Links>>);

impl TaskList {
    pub(crate) fn new() -> Self {
        let ring = Box::pin(Links::unlinked());
        let itself = NonNull::from(ring.as_ref().get_ref());
        ring.previous.set(Some(itself));
        ring.next.set(Some(itself));
        Self(ring)
    }

    /// Adds a member at the end.
    ///
    /// # Safety
    ///
    /// The member must be in no list, and must leave this one before it moves or goes.
    pub(crate) unsafe fn link(&self, member: &Links) {
        let ring = NonNull::from(self.0.as_ref().get_ref());
        let last = self.0.previous.get().unwrap_or(ring);
        member.previous.set(Some(last));
        member.next.set(Some(ring));
        // SAFETY: `last` is a member of this list or the ring.
        unsafe { last.as_ref().next.set(Some(NonNull::from(member))) };
        self.0.previous.set(Some(NonNull::from(member)));
    }

    /// The member that has been in the list for longest.
    pub(crate) fn first(&self) -> Option<NonNull<Links>> {
        let ring = NonNull::from(self.0.as_ref().get_ref());
        self.0.next.get().filter(|first| *first != ring)
    }

    /// How many tasks there are; counts them one by one.
    pub(crate) fn count(&self) -> usize {
        let ring = NonNull::from(self.0.as_ref().get_ref());
        let mut count = 0;
        let mut at = self.0.next.get();
        while let Some(member) = at.filter(|member| *member != ring) {
            count += 1;
            // SAFETY: members of the list are alive.
            at = unsafe { member.as_ref() }.next.get();
        }
        count
    }
}
