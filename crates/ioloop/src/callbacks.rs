//! Done callbacks: what tasks and promises run when they are settled.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use crate::error::TaskError;
use crate::report;

/// What a done callback is called with: the value or why there is none.
type Done<T> = dyn FnOnce(Result<&T, &TaskError>);

/// One done callback and the place that added it.
struct DoneCallback<T> {
    run: Box<Done<T>>,
    location: &'static Location<'static>,
}

/// The done callbacks of one task or promise, in the order in which they were added.
pub(crate) struct Callbacks<T> {
    /// Apart from the rest, because there is mostly one.
    first: Option<DoneCallback<T>>,
    rest: Vec<DoneCallback<T>>,
}

impl<T> Default for Callbacks<T> {
    fn default() -> Self {
        Self {
            first: None,
            rest: Vec::new(),
        }
    }
}

impl<T> Callbacks<T> {
    pub(crate) fn add(
        &mut self,
        callback: impl FnOnce(Result<&T, &TaskError>) + 'static,
        location: &'static Location<'static>,
    ) {
        let run = Box::new(callback);
        let callback = DoneCallback { run, location };
        if self.first.is_none() {
            self.first = Some(callback);
        } else {
            self.rest.push(callback);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Runs them all; one that panics is logged and keeps none of the others from running.
    pub(crate) fn run(self, result: Result<&T, &TaskError>) {
        for callback in self.first.into_iter().chain(self.rest) {
            let run = AssertUnwindSafe(|| (callback.run)(result));
            if let Err(payload) = catch_unwind(run) {
                report::panicked(
                    "a done callback",
                    callback.location,
                    &report::caught(payload),
                );
            }
        }
    }
}
