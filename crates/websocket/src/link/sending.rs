//! Sending: the cork of a turn, the queue of a slow reader, and control frames.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::{Flushed, Link, Phase};
use crate::common::{self, Common};
use crate::error::{SendError, Sent};
use crate::message::Message;
use crate::options::SlowReader;
use crate::outbox::{Kind, Outbox};
use crate::proto::{CloseCode, CloseFrame, OpCode, Role, write_frame};

/// What a turn sends is written when there is so much of it, and otherwise at its end.
const CORK: usize = 32 * 1024;

impl Link {
    /// Sends a message, as far as limits allow.
    #[inline]
    pub(crate) fn send(
        self: &Rc<Self>,
        message: &Message<'_>,
        compress: bool,
    ) -> Result<Sent, SendError> {
        if self.phase.get() != Phase::Open {
            return Err(SendError::Closed);
        }
        self.catch_up();
        let (opcode, payload) = (OpCode::from(message.kind()), message.as_bytes());
        if compress && self.agreement.compresses(payload.len(), &self.options) {
            return self.send_packed(opcode, payload);
        }
        self.send_frame(opcode, false, payload)
    }

    #[cold]
    fn send_packed(self: &Rc<Self>, opcode: OpCode, payload: &[u8]) -> Result<Sent, SendError> {
        common::with(|common| {
            let mut packer = common.packer.borrow_mut();
            let mut packed = packer.take_buffer();
            let shorter = self.with_contexts(|contexts| {
                packer.pack(
                    self.agreement,
                    &self.options,
                    contexts,
                    payload,
                    &mut packed,
                )
            });
            drop(packer);
            let frame = if shorter { &packed } else { payload };
            let sent = self.send_frame(opcode, shorter, frame);
            common.packer.borrow_mut().give_buffer(packed);
            sent
        })
    }

    #[inline]
    fn send_frame(
        self: &Rc<Self>,
        opcode: OpCode,
        compressed: bool,
        payload: &[u8],
    ) -> Result<Sent, SendError> {
        common::with(|common| {
            let mask = self.mask(common);
            let write =
                |out: &mut Vec<u8>| write_frame(out, opcode, true, compressed, payload, mask);
            if !self.has_outbox() || self.relieve() {
                self.send_first(common, self.message_kind(), write);
                return Ok(Sent::Now);
            }
            self.with_outbox(|outbox| {
                let outbox = outbox.get_or_insert_default();
                self.make_room(outbox, payload.len())?;
                outbox.append(self.message_kind(), write);
                let bytes = outbox.len();
                Ok(Sent::Queued { bytes })
            })
        })
    }

    /// Writes what waits for the end of the turn alone, when there is so much of it; whether nothing waits any more.
    fn relieve(self: &Rc<Self>) -> bool {
        if !self.dirty.get() || self.queued() < CORK {
            return false;
        }
        let flushed = self.flush();
        if flushed != Flushed::Idle {
            self.wake_if_tasked();
        }
        flushed == Flushed::All
    }

    /// Sends a control frame, whatever waits already.
    pub(crate) fn send_control(self: &Rc<Self>, opcode: OpCode, payload: &[u8]) {
        common::with(|common| {
            let mask = self.mask(common);
            self.enqueue(common, |out| {
                write_frame(out, opcode, true, false, payload, mask);
            });
        });
    }

    /// Sends a control frame that `write` writes, behind all else.
    pub(super) fn enqueue(self: &Rc<Self>, common: &Common, write: impl FnOnce(&mut Vec<u8>)) {
        let kind = match self.message_kind() {
            Kind::Message => Kind::Control,
            kind => kind,
        };
        if !self.has_outbox() {
            return self.send_first(common, kind, write);
        }
        self.with_outbox(|outbox| outbox.get_or_insert_default().append(kind, write));
    }

    /// Sends what `write` writes where nothing waits: with the rest of its turn, or at the end of the loop's.
    #[inline]
    pub(super) fn send_first(
        self: &Rc<Self>,
        common: &Common,
        kind: Kind,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if !self.corked.get() {
            return self.begin_queue(common, kind, write);
        }
        let mut cork = common.cork.borrow_mut();
        write(&mut cork);
        if kind == Kind::Control {
            common.cork_stays.set(true);
        }
        if cork.len() >= CORK {
            drop(cork);
            self.uncork(common);
        }
    }

    fn begin_queue(self: &Rc<Self>, common: &Common, kind: Kind, write: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = common.take_outbox();
        waiting.append(kind, write);
        self.outbox.set(Some(waiting));
        if !self.dirty.replace(true) {
            common.flush_later(Rc::clone(self));
        }
    }

    /// Sends frames that others send too, or takes them into the queue.
    pub(crate) fn send_shared(self: &Rc<Self>, common: &Common, frames: &Bytes) {
        if self.phase.get() != Phase::Open {
            return;
        }
        if self.has_outbox() {
            return self.queue_shared(frames);
        }
        if self.corked.get() {
            // It is its turn, so that what it sent before stands in the cork.
            let kind = self.message_kind();
            return self.send_first(common, kind, |out| out.extend_from_slice(frames));
        }
        let (written, held) = self
            .with_stream(|stream| (stream.try_write(frames), stream.holds_back()))
            .unzip();
        let count = match written {
            Some(Ok(count)) => count,
            Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => 0,
            Some(Err(_)) => return self.break_off(),
            None => return,
        };
        if count < frames.len() || held == Some(true) {
            // A secured stream may have taken what there was no room for. There is a queue, empty if need be, for as long as
            // it has: with it goes all that is done about slow readers.
            let mut waiting = common.take_outbox();
            waiting.share(frames.clone());
            waiting.advance(count);
            self.outbox.set(Some(waiting));
        }
        // What waits has to be waited for.
        self.wake_if_tasked();
    }

    /// Takes frames that others send too into the queue, if there is room.
    pub(super) fn queue_shared(self: &Rc<Self>, frames: &Bytes) {
        self.with_outbox(|outbox| {
            let outbox = outbox.get_or_insert_default();
            if self.make_room(outbox, frames.len()).is_ok() {
                outbox.share(frames.clone());
            }
        });
    }

    /// Sees to it that so many more bytes may wait.
    fn make_room(self: &Rc<Self>, outbox: &mut Outbox, bytes: usize) -> Result<(), SendError> {
        let limit = self.options.max_queued;
        if outbox.len() + bytes <= limit || outbox.len() == 0 {
            return Ok(());
        }
        let full = SendError::QueueFull { limit };
        match self.options.slow {
            SlowReader::DropNewest => Err(full),
            SlowReader::DropOldest => {
                outbox.make_room(limit.saturating_sub(bytes));
                Ok(())
            }
            SlowReader::Disconnect => {
                let peer = self.peer();
                tracing::debug!(%peer, limit, "WebSocket closed: its reader is too slow (max_queued)");
                let reason = "too slow a reader";
                self.note_close(CloseFrame::new(CloseCode::POLICY, reason));
                // There is no room for a close frame behind all that waits, and nobody who would read it.
                self.set_phase(Phase::Over);
                self.notify();
                Err(full)
            }
        }
    }

    /// What a message is to the queue.
    pub(super) fn message_kind(&self) -> Kind {
        match self.options.slow {
            SlowReader::DropOldest => Kind::Message,
            SlowReader::DropNewest | SlowReader::Disconnect => Kind::Any,
        }
    }

    #[inline]
    pub(super) fn mask(&self, common: &Common) -> Option<[u8; 4]> {
        match self.role {
            Role::Client => Some(common.masks.borrow_mut().next()),
            Role::Server => None,
        }
    }

    /// Begins a turn: what is sent from now on leaves together.
    #[inline]
    pub(crate) fn cork(&self) {
        self.corked.set(true);
    }

    /// Ends a turn.
    #[inline]
    pub(crate) fn end_turn(self: &Rc<Self>) {
        if self.corked.replace(false) {
            common::with(|common| self.uncork(common));
        }
    }

    /// Writes what is corked, or queues it.
    #[inline]
    fn uncork(self: &Rc<Self>, common: &Common) {
        let mut cork = common.cork.borrow_mut();
        if cork.is_empty() {
            return;
        }
        let stays = common.cork_stays.take();
        let (written, held) = self
            .with_stream(|stream| (stream.try_write(&cork[..]), stream.holds_back()))
            .unzip();
        let all = matches!(written, Some(Ok(count)) if count == cork.len());
        if !all || held == Some(true) {
            self.keep_corked(common, &cork, stays, written);
        }
        cork.clear();
        if cork.capacity() > 2 * CORK {
            *cork = Vec::new();
        }
        drop(cork);
        // What waits has to be waited for.
        self.wake_if_tasked();
    }

    /// Queues what there was no room for.
    #[cold]
    fn keep_corked(
        self: &Rc<Self>,
        common: &Common,
        cork: &[u8],
        stays: bool,
        written: Option<io::Result<usize>>,
    ) {
        let count = match written {
            Some(Ok(count)) => count,
            Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => 0,
            Some(Err(_)) => return self.break_off(),
            None => return,
        };
        let mut waiting = common.take_outbox();
        // With what has left, so that it is known where frames begin.
        let kind = match stays {
            true => Kind::Control,
            false => self.message_kind(),
        };
        waiting.append(kind, |out| out.extend_from_slice(cork));
        waiting.advance(count);
        self.outbox.set(Some(waiting));
    }

    /// Whether what is queued, or was until now, has waited for nothing but the end of the turn.
    pub(crate) fn is_fresh(&self) -> bool {
        self.dirty.get()
    }

    /// Whether something waits for a slow reader.
    pub(crate) fn is_behind(&self) -> bool {
        self.has_outbox() && !self.is_fresh()
    }

    /// Is visited at the end of the turn.
    pub(crate) fn flush_dirty(self: &Rc<Self>) {
        self.dirty.set(false);
        if self.flush() != Flushed::Idle {
            self.wake_if_tasked();
        }
    }

    /// Sends what is queued, as far as there is room.
    #[inline]
    pub(crate) fn flush(self: &Rc<Self>) -> Flushed {
        if !self.has_outbox() {
            return Flushed::Idle;
        }
        self.flush_outbox()
    }

    fn flush_outbox(&self) -> Flushed {
        let flushed = self.with_outbox(|outbox| {
            let waiting = outbox.get_or_insert_default();
            while let Some(front) = waiting.front() {
                match self.with_stream(|stream| stream.try_write(front)) {
                    Some(Ok(count)) => {
                        waiting.advance(count);
                        waiting.moved = common::with(Common::now);
                    }
                    Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => {
                        return Some(Flushed::Some);
                    }
                    Some(Err(_)) | None => return None,
                }
            }
            let flushed = self.with_stream(|stream| {
                let released = stream.released();
                let flushed = stream.try_flush();
                waiting.note_released(stream.released() - released);
                flushed
            });
            match flushed {
                Some(Ok(())) => {}
                Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => {
                    return Some(Flushed::Some);
                }
                Some(Err(_)) | None => return None,
            }
            common::with(|common| common.give_outbox(outbox.take()));
            self.note_flushed();
            Some(Flushed::All)
        });
        flushed.unwrap_or_else(|| {
            self.break_off();
            Flushed::Idle
        })
    }

    /// Nothing waits any more: the time that the other end has for its goodbye begins, or that for its pong.
    fn note_flushed(&self) {
        if self.phase.get() == Phase::Open {
            self.note_ping_left();
        } else {
            self.heard.set(common::now());
        }
    }

    /// Sends what is queued and waits for the room it needs; for a task that does the reading.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = self.stream.borrow_mut();
        let Some(stream) = &mut *stream else {
            return Poll::Ready(Ok(()));
        };
        let mut stream = Pin::new(stream);
        self.with_outbox(|outbox| {
            let Some(waiting) = outbox else {
                return stream.poll_flush(cx);
            };
            while let Some(front) = waiting.front() {
                let count = ready!(stream.as_mut().poll_write(cx, front))?;
                waiting.advance(count);
                waiting.moved = common::with(Common::now);
            }
            let released = stream.released();
            let flushed = stream.as_mut().poll_flush(cx);
            waiting.note_released(stream.released() - released);
            ready!(flushed)?;
            common::with(|common| common.give_outbox(outbox.take()));
            self.note_flushed();
            Poll::Ready(Ok(()))
        })
    }
}
