//! The entry of the loop's queue: one thing to run, stored without an allocation when it is small.

use std::mem::{ManuallyDrop, MaybeUninit, align_of, size_of};
use std::panic::Location;

/// Words a closure may take before it is boxed: 24 bytes on a 64-bit machine.
const WORDS: usize = 3;

/// Where a unit keeps its closure, or a pointer to it.
pub(crate) type Payload = [MaybeUninit<usize>; WORDS];

/// What to do with the payload. Either ends the payload's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Throw it away without running it: the loop was closed.
    Drop,
    /// Run it.
    Run,
}

/// A callback, a task to poll or a timer that is due.
///
/// The queue holds tens of millions of these a second, so a unit is five words that are moved
/// by value: a function that knows the payload's type, the place in the source that made it
/// (for the log), and the payload.
pub(crate) struct Unit {
    act: unsafe fn(*mut Payload, Verb),
    location: &'static Location<'static>,
    payload: Payload,
}

impl Unit {
    /// Wraps a closure; one of at most three words is stored in place.
    pub(crate) fn new<F: FnOnce() + 'static>(
        callback: F,
        location: &'static Location<'static>,
    ) -> Self {
        let mut payload: Payload = [MaybeUninit::uninit(); WORDS];
        let act: unsafe fn(*mut Payload, Verb) =
            if size_of::<F>() <= size_of::<Payload>() && align_of::<F>() <= align_of::<Payload>() {
                // SAFETY: the payload is large and aligned enough, as just checked.
                unsafe { payload.as_mut_ptr().cast::<F>().write(callback) };
                act_inline::<F>
            } else {
                let boxed = Box::into_raw(Box::new(callback));
                // SAFETY: a thin pointer is one word.
                unsafe { payload.as_mut_ptr().cast::<*mut F>().write(boxed) };
                act_boxed::<F>
            };
        Self {
            act,
            location,
            payload,
        }
    }

    /// Makes a unit of a hand-written action and up to two words.
    ///
    /// # Safety
    ///
    /// `act` must be sound for a payload whose first two words are `words`, must be called once at
    /// most, and must tolerate both verbs.
    pub(crate) unsafe fn raw(
        act: unsafe fn(*mut Payload, Verb),
        words: [usize; 2],
        location: &'static Location<'static>,
    ) -> Self {
        let [first, second] = words;
        Self {
            act,
            location,
            payload: [
                MaybeUninit::new(first),
                MaybeUninit::new(second),
                MaybeUninit::uninit(),
            ],
        }
    }

    /// Where in the source this unit was made.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// Runs it. A panic of the closure passes through; the payload is gone all the same.
    pub(crate) fn run(self) {
        let mut unit = ManuallyDrop::new(self);
        // SAFETY: `act` belongs to this payload, and `ManuallyDrop` keeps it from being called twice.
        unsafe { (unit.act)(&raw mut unit.payload, Verb::Run) }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: `run` forgets the unit, so this is the only call.
        unsafe { (self.act)(&raw mut self.payload, Verb::Drop) }
    }
}

/// # Safety
///
/// The payload must hold an `F` in place, which this call consumes.
unsafe fn act_inline<F: FnOnce()>(payload: *mut Payload, verb: Verb) {
    // SAFETY: given by the caller.
    let callback = unsafe { payload.cast::<F>().read() };
    match verb {
        Verb::Drop => drop(callback),
        Verb::Run => callback(),
    }
}

/// # Safety
///
/// The payload's first word must be a pointer from `Box::<F>::into_raw`, which this call consumes.
unsafe fn act_boxed<F: FnOnce()>(payload: *mut Payload, verb: Verb) {
    // SAFETY: given by the caller.
    let callback = unsafe { Box::from_raw(payload.cast::<*mut F>().read()) };
    match verb {
        Verb::Drop => drop(callback),
        Verb::Run => callback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    fn unit(callback: impl FnOnce() + 'static) -> Unit {
        Unit::new(callback, Location::caller())
    }

    #[test]
    fn small_and_large_closures_run_once() {
        let sum = Rc::new(Cell::new(0_u64));
        let small = Rc::clone(&sum);
        unit(move || small.set(small.get() + 1)).run();
        let large = Rc::clone(&sum);
        let numbers = [2_u64; 16];
        unit(move || large.set(large.get() + numbers.iter().sum::<u64>())).run();
        assert_eq!(sum.get(), 33);
        assert_eq!(Rc::strong_count(&sum), 1);
    }

    #[test]
    fn a_unit_that_never_runs_drops_what_it_holds() {
        let held = Rc::new(());
        let small = Rc::clone(&held);
        drop(unit(move || drop(small)));
        let large = Rc::clone(&held);
        let ballast = [0_u64; 16];
        drop(unit(move || {
            drop(large);
            assert_eq!(ballast.len(), 16);
        }));
        assert_eq!(Rc::strong_count(&held), 1);
    }

    #[test]
    fn a_panicking_closure_is_dropped_once() {
        let held = Rc::new(());
        let inner = Rc::clone(&held);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            unit(move || {
                let _inner = inner;
                panic!("on purpose");
            })
            .run();
        }));
        assert!(outcome.is_err());
        assert_eq!(Rc::strong_count(&held), 1);
    }
}
