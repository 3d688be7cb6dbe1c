//! Ending: goodbyes, failures, and letting go.

use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::AsyncWrite;

use super::{Link, Phase};
use crate::common;
use crate::error::SendError;
use crate::proto::{CloseCode, CloseFrame, Role, write_close};

impl Link {
    /// Begins to close the connection from this end.
    pub(crate) fn close(self: &Rc<Self>, frame: Option<&CloseFrame>) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.catch_up();
        if self.phase.get() == Phase::Open {
            self.send_close(frame);
            self.set_phase(Phase::Closing);
        }
    }

    /// Answers the other end's close frame, or tells it what it did wrong; nothing is read from here on.
    pub(crate) fn end(
        self: &Rc<Self>,
        answer: Option<&CloseFrame>,
        closed: CloseFrame,
        lingers: bool,
    ) {
        self.lingers.set(lingers || self.role == Role::Client);
        if self.phase.get() == Phase::Open {
            self.catch_up();
        }
        // A reader who is too slow for that has ended it already.
        if self.phase.get() == Phase::Open {
            self.send_close(answer);
        }
        self.note_close(closed);
        self.set_phase(Phase::Ending);
    }

    /// Ends without another word.
    pub(crate) fn break_off(&self) {
        self.note_close(CloseFrame::new(CloseCode::ABNORMAL, ""));
        self.set_phase(Phase::Over);
        self.notify();
    }

    pub(super) fn send_close(self: &Rc<Self>, frame: Option<&CloseFrame>) {
        common::with(|common| {
            let mask = self.mask(common);
            self.enqueue(common, |out| write_close(out, frame, mask));
        });
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        if phase > self.phase.get() {
            self.phase.set(phase);
            self.heard.set(common::now());
        }
    }

    /// Notes how it ended; the first one to say so is right.
    pub(super) fn note_close(&self, frame: CloseFrame) {
        self.with_rare(|rare| {
            rare.closed.get_or_insert(frame);
        });
    }

    /// How it ended, once it has: with code 1006 when nobody said.
    pub(crate) fn closed(&self) -> Option<CloseFrame> {
        self.with_rare_if_any(|rare| rare.and_then(|rare| rare.closed.clone()))
    }

    /// Lets go of the stream and of everything else that others could find.
    pub(crate) fn finish(&self) -> CloseFrame {
        self.set_phase(Phase::Over);
        let Some(stream) = self.stream.take() else {
            // Its number may be another's by now.
            return self.ended();
        };
        let outbox = self.outbox.take();
        let (memberships, remote) = self.with_rare_if_any(|rare| match rare {
            Some(rare) => (std::mem::take(&mut rare.memberships), rare.remote.take()),
            None => (Vec::new(), None),
        });
        drop((stream, outbox, memberships));
        common::leave(self, remote);
        self.note_close(CloseFrame::new(CloseCode::ABNORMAL, ""));
        self.wake();
        self.ended()
    }

    fn ended(&self) -> CloseFrame {
        self.closed()
            .unwrap_or(CloseFrame::new(CloseCode::ABNORMAL, ""))
    }

    /// Ends the writing direction when all has been sent, so that the other end sees that this was all.
    pub(crate) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => Pin::new(stream).poll_shutdown(cx).map(|_| ()),
            None => Poll::Ready(()),
        }
    }

    /// A handler has failed. That the other end is gone or too slow to be told something is no failure of ours, and whoever
    /// likes can bring it about: nobody is woken for it.
    pub(crate) fn fail_with(self: &Rc<Self>, error: &(dyn Error + 'static)) {
        let peer = self.peer();
        if let Some(error) = error.downcast_ref::<SendError>() {
            tracing::debug!(%peer, "WebSocket ended: {error}");
            let frame = CloseFrame::new(CloseCode::POLICY, "too slow a reader");
            self.end(Some(&frame), frame.clone(), true);
            return;
        }
        let mut causes = String::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes += &format!(": {error}");
            cause = error.source();
        }
        tracing::error!(%peer, "WebSocket handler failed: {error}{causes}");
        let frame = CloseFrame::new(CloseCode::INTERNAL_ERROR, "");
        self.end(Some(&frame), frame.clone(), true);
    }

    /// Whether the connection is to be finished: all is said, and nothing is waited for.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        match self.phase.get() {
            Phase::Open | Phase::Closing => false,
            Phase::Ending if self.has_outbox() => false,
            Phase::Ending if self.lingers.get() => {
                if self.role == Role::Server {
                    // So that the other end sees that this was all, and ends too.
                    let _ = self.poll_shutdown(&mut Context::from_waker(Waker::noop()));
                }
                false
            }
            Phase::Ending | Phase::Over => true,
        }
    }

    /// Whether it has been let go of.
    pub(crate) fn is_finished(&self) -> bool {
        self.stream.borrow().is_none()
    }
}
