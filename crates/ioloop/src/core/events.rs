//! The pump's share in the reactor of parked descriptors.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Context;

use super::Core;
use super::pump::Ended;
use crate::reactor::Reactor;
use crate::report;

/// Events that are handled before the queue has its turn again: half of what the pump does before it yields to the
/// runtime, so that neither a flood of events nor a long queue keeps the other waiting.
const IN_A_ROW: usize = 16;

impl Core {
    /// The reactor, ready to take registrations.
    ///
    /// # Errors
    ///
    /// When the loop is closed, or the system refuses the descriptor that the reactor needs.
    pub(crate) fn open_reactor(&self) -> io::Result<&Rc<Reactor>> {
        if self.is_closed() {
            return Err(io::Error::other(
                "the event loop is closed: it watches nothing any more",
            ));
        }
        if !self.reactor.is_made() {
            self.with_runtime(|| self.reactor.make())?;
            // The pump has not asked the runtime yet to be woken for it.
            if self.pump.is_idle() {
                self.pump.wake();
            }
        }
        Ok(&self.reactor)
    }

    /// The loop is being closed: nothing is watched any more.
    pub(super) fn close_reactor(&self) {
        self.reactor.close();
    }

    /// Whether an event waits to be handled.
    #[inline]
    pub(super) fn has_events(&self) -> bool {
        self.reactor.has_events()
    }

    /// Asks the runtime for news of the reactor; false when there are none, and the pump will be woken for the next.
    #[inline]
    pub(super) fn look_for_events(&self, cx: &mut Context<'_>) -> bool {
        self.reactor.look(cx)
    }

    /// Reads events, if some are known to be there.
    #[inline]
    pub(super) fn collect_events(&self, cx: &mut Context<'_>) {
        self.reactor.collect(cx);
    }

    /// Handles some events, each a unit of the share; `Ended::Turn` when others may have theirs.
    #[inline(never)]
    pub(super) fn run_events(&self, share: &mut usize) -> Ended {
        let mut row = IN_A_ROW;
        loop {
            let run = AssertUnwindSafe(|| {
                while row > 0 && self.reactor.has_events() {
                    if *share == 0 || !tokio::task::coop::has_budget_remaining() {
                        return Ended::Share;
                    }
                    *share -= 1;
                    row -= 1;
                    if let Some(call) = self.reactor.handle_next() {
                        self.location.set(call.location);
                        self.recorder
                            .around(&self.location, || call.owner.ready(call.key));
                    }
                }
                Ended::Turn
            });
            match catch_unwind(run) {
                Ok(ended) => return ended,
                Err(payload) => {
                    report::panicked("a callback", self.location.get(), &report::caught(payload));
                }
            }
        }
    }
}
