//! Futures that are run for their effect: `spawn_callback`.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::cell;
use crate::core::Core;
use crate::outcome::Outcome;
use crate::report;
use crate::unit::Unit;

/// A future up to this size, in bytes, waits for its first poll in the queue itself.
const SMALL: usize = 24;

/// Runs a future in the next turn and logs its failure.
pub(crate) fn spawn<F>(core: &Rc<Core>, future: F, location: &'static Location<'static>)
where
    F: Future + 'static,
    F::Output: Outcome,
{
    if size_of::<F>() <= SMALL {
        // The place is not kept twice: the queue has it, and tells it while the unit runs.
        let start = move || {
            Core::with_current(|core| {
                let location = core.location();
                cell::run_detached(core, Reported { future, location }, location);
            });
        };
        core.push(Unit::new(start, location));
    } else {
        // SAFETY: the future is `'static`. Nobody needs the pointer.
        let _ = unsafe { cell::spawn(core, Reported { future, location }, false, location) };
    }
}

/// A future whose failure is logged.
struct Reported<F> {
    future: F,
    location: &'static Location<'static>,
}

impl<F> Future for Reported<F>
where
    F: Future,
    F::Output: Outcome,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let location = self.location;
        // SAFETY: the future is pinned together with this, and never moved out.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        future.poll(cx).map(|outcome| {
            if let Some(failure) = outcome.into_failure() {
                report::failed("a callback", location, failure.as_ref());
            }
        })
    }
}
