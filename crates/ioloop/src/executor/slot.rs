//! Where a job leaves its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};
use std::thread;
use std::time::Instant;

use super::error::ExecutorError;

/// Shared by a job and whoever awaits it.
pub(super) struct Slot<T>(Mutex<State<T>>);

struct State<T> {
    answer: Option<Answer<T>>,
    waker: Option<Waker>,
}

/// What a job ended with.
pub(super) struct Answer<T> {
    pub(super) result: Result<T, ExecutorError>,
    /// When and where it ran, if somebody wanted to know.
    pub(super) ran: Option<Ran>,
}

/// When a job ran, and on which thread.
pub(super) struct Ran {
    pub(super) thread: String,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            answer: None,
            waker: None,
        }))
    }

    /// Runs a job on this thread and leaves its answer.
    pub(super) fn run(&self, job: impl FnOnce() -> T, timed: bool) {
        let start = timed.then(Instant::now);
        let result = catch_unwind(AssertUnwindSafe(job)).map_err(ExecutorError::panicked);
        let ran = start.map(|start| Ran {
            thread: thread::current().name().unwrap_or("unnamed").to_owned(),
            start,
            end: Instant::now(),
        });
        self.settle(result, ran);
    }

    pub(super) fn settle(&self, result: Result<T, ExecutorError>, ran: Option<Ran>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.answer = Some(Answer { result, ran });
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The answer, once; until it is there, keeps the waker.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Option<Answer<T>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.answer.is_none()
            && !state
                .waker
                .as_ref()
                .is_some_and(|known| known.will_wake(cx.waker()))
        {
            state.waker = Some(cx.waker().clone());
        }
        state.answer.take()
    }
}
