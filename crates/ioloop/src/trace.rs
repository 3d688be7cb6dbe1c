//! What ran when: a loop tells an observer how it spends its time.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use crate::report;

/// A stretch of a loop's time, as handed to the observer of [`IoLoop::observe`](crate::IoLoop::observe).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Span {
    /// What the time went into.
    pub activity: Activity,
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

/// What a loop's time went into.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activity {
    /// A job ran on a thread pool and has come back to the loop.
    Pool {
        /// The name of the pool's thread.
        thread: String,
        /// Where the job was submitted.
        location: &'static Location<'static>,
    },
    /// The loop ran a callback, a timer, or a task up to its next wait.
    Run {
        /// Where the callback, the timer or the task was made.
        location: &'static Location<'static>,
    },
    /// The loop had nothing to do and waited for the system.
    Wait,
}

/// Who is told.
type Observer = (Rc<dyn Fn(Span)>, &'static Location<'static>);

/// The observer of one loop, if there is one.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Looked at for each unit, so apart from the rest.
    on: Cell<bool>,
    observer: RefCell<Option<Observer>>,
    parked: Cell<Option<Instant>>,
}

impl Recorder {
    pub(crate) fn set(&self, observer: Option<Observer>) {
        self.on.set(observer.is_some());
        let before = self.observer.replace(observer);
        // Not borrowed while it is dropped: it may hold anything.
        drop(before);
    }

    /// Runs `run`; with an observer, tells how long it took. `location` may change meanwhile.
    #[inline]
    pub(crate) fn around(&self, location: &Cell<&'static Location<'static>>, run: impl FnOnce()) {
        if !self.on.get() {
            return run();
        }
        let start = Instant::now();
        run();
        let location = location.get();
        self.tell(Activity::Run { location }, start, Instant::now());
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Tells of a job that has come back from a pool.
    pub(crate) fn pool(
        &self,
        thread: String,
        location: &'static Location<'static>,
        start: Instant,
        end: Instant,
    ) {
        self.tell(Activity::Pool { thread, location }, start, end);
    }

    pub(crate) fn parked(&self) {
        if self.on.get() {
            self.parked.set(Some(Instant::now()));
        }
    }

    pub(crate) fn unparked(&self) {
        if let Some(start) = self.parked.take() {
            self.tell(Activity::Wait, start, Instant::now());
        }
    }

    fn tell(&self, activity: Activity, start: Instant, end: Instant) {
        // Not borrowed while it runs: it may take itself away.
        let observer = self.observer.borrow().clone();
        if let Some((observer, location)) = observer {
            let span = Span {
                activity,
                start,
                end,
            };
            // It runs also where the runtime goes to sleep, where a panic would end the loop.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| observer(span))) {
                report::panicked("the observer", location, &report::caught(payload));
            }
        }
    }
}
