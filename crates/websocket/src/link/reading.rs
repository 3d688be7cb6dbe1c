//! Reading, and being waited for.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use squall_net::IoStream;

use super::{Heard, Link, Phase};
use crate::common;

impl Link {
    /// Whether it can go without a task.
    pub(crate) fn can_park(&self) -> bool {
        let stream = self.stream.borrow();
        stream.as_ref().is_some_and(IoStream::can_park)
    }

    /// Reads what has come; nothing means the end.
    #[inline]
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut *self.stream.borrow_mut() else {
            return Ok(0);
        };
        let count = stream.try_read(buffer)?;
        common::with(|common| self.hear(common.now()));
        Ok(count)
    }

    /// Reads and sends, until there is something to do for the task that waits; that all has left is such a thing if
    /// `tells_drained`.
    pub(crate) fn poll_heard(
        &self,
        cx: &mut Context<'_>,
        input: &mut Vec<u8>,
        tells_drained: bool,
    ) -> Poll<Heard> {
        self.register(cx);
        if self.phase.get() == Phase::Over || self.is_finished() {
            return Poll::Ready(Heard::Ended);
        }
        let queued = self.is_behind();
        match self.poll_flush(cx) {
            Poll::Ready(Ok(())) if self.is_done() => return Poll::Ready(Heard::Ended),
            Poll::Ready(Ok(())) if queued && tells_drained => return Poll::Ready(Heard::Drained),
            Poll::Ready(Err(_)) => return Poll::Ready(Heard::Ended),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        let Some(stream) = &mut *self.stream.borrow_mut() else {
            return Poll::Ready(Heard::Ended);
        };
        let read = ready!(stream.poll_read_with(cx, |bytes| input.extend_from_slice(bytes)));
        if read.is_err() || input.is_empty() {
            return Poll::Ready(Heard::Ended);
        }
        common::with(|common| self.hear(common.now()));
        Poll::Ready(Heard::Input)
    }

    /// Has `cx` woken when something happens to the connection that its stream does not tell.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        self.with_rare(|rare| match &mut rare.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            waker => *waker = Some(cx.waker().clone()),
        });
    }

    /// Tells whoever looks after the connection to do so.
    pub(crate) fn notify(&self) {
        if self.tasked.get() {
            self.wake();
        } else {
            self.with_stream(|stream| stream.call_again());
        }
    }

    pub(super) fn wake_if_tasked(&self) {
        if self.tasked.get() {
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        let waker = self.with_rare_if_any(|rare| rare.and_then(|rare| rare.waker.take()));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns the number by which other threads know it.
    pub(crate) fn remote_number(self: &Rc<Self>) -> u64 {
        let add = || common::with(|common| common.add_remote(self));
        self.with_rare(|rare| *rare.remote.get_or_insert_with(add))
    }
}
