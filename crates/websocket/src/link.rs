//! What a connection is to those who send on it: it can be cloned, stored and sent on from anywhere on its loop.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use squall_net::IoStream;
use tokio::io::AsyncWrite;

use crate::common::{self, Common};
use crate::error::{SendError, Sent};
use crate::group::{Gathering, Membership};
use crate::message::Message;
use crate::options::{SlowReader, WebSocketOptions};
use crate::outbox::Outbox;
use crate::packer::{Agreement, Contexts};
use crate::proto::{CloseCode, CloseFrame, OpCode, Role, write_close, write_frame};

/// What a turn sends is written when there is so much of it, and otherwise at its end.
const CORK: usize = 32 * 1024;

/// How far a connection is on its way to the end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// Messages go both ways.
    Open,
    /// A close frame was sent; the other end's is waited for.
    Closing,
    /// All is said: what is queued leaves, then the stream ends.
    Ending,
    /// Nothing comes or goes any more.
    Over,
}

/// What becomes of what is queued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flushed {
    /// Nothing was.
    Idle,
    /// All of it has left.
    All,
    /// Some of it waits for the other end.
    Some,
}

/// What a task has waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// Everything that was queued has left.
    Drained,
    /// Nothing more will come.
    Ended,
    /// Something was read.
    Input,
}

pub(crate) struct Link {
    /// `None` when the connection is over.
    stream: RefCell<Option<IoStream>>,
    outbox: RefCell<Option<Box<Outbox>>>,
    rare: RefCell<Option<Box<Rare>>>,
    options: Rc<WebSocketOptions>,
    /// Its number among all connections of the thread.
    pub(crate) key: Cell<u32>,
    /// When the other end was last heard of, or the phase has changed; in milliseconds of the coarse clock.
    heard: Cell<u32>,
    phase: Cell<Phase>,
    role: Role,
    /// It is its turn: what it sends is corked.
    corked: Cell<bool>,
    /// It will be visited at the end of the turn.
    dirty: Cell<bool>,
    /// A task waits for it or works for it, and does its reading.
    pub(crate) tasked: Cell<bool>,
    /// A handler is at work, so that nobody reads and silence means nothing.
    pub(crate) busy: Cell<bool>,
    /// The other end may still be sending, and is to see the end of what it was told.
    lingers: Cell<bool>,
    /// The other end has sent a close frame.
    goodbye: Cell<bool>,
    /// A ping was sent, and nothing has come since.
    pinged: Cell<bool>,
    /// How messages are compressed, if they are.
    agreement: Agreement,
    /// The number of the subprotocol among the options'; 255 is none.
    protocol: u8,
}

/// What most connections do not have.
#[derive(Default)]
struct Rare {
    /// Wakes the task that waits.
    waker: Option<Waker>,
    /// How it ended.
    closed: Option<CloseFrame>,
    contexts: Option<Contexts>,
    memberships: Vec<Membership>,
    /// Its number among those that other threads know.
    remote: Option<u64>,
}

impl Link {
    pub(crate) fn new(
        stream: IoStream,
        role: Role,
        options: Rc<WebSocketOptions>,
        agreement: Agreement,
        protocol: Option<usize>,
    ) -> Rc<Self> {
        let contexts = agreement.contexts();
        let rare = contexts.map(|contexts| {
            Box::new(Rare {
                contexts: Some(contexts),
                ..Rare::default()
            })
        });
        let link = Rc::new(Self {
            stream: RefCell::new(Some(stream)),
            outbox: RefCell::new(None),
            rare: RefCell::new(rare),
            options,
            key: Cell::new(u32::MAX),
            heard: Cell::new(0),
            phase: Cell::new(Phase::Open),
            role,
            corked: Cell::new(false),
            dirty: Cell::new(false),
            tasked: Cell::new(false),
            busy: Cell::new(false),
            lingers: Cell::new(false),
            goodbye: Cell::new(false),
            pinged: Cell::new(false),
            agreement,
            protocol: protocol
                .and_then(|index| u8::try_from(index).ok())
                .unwrap_or(u8::MAX),
        });
        common::enter(&link, &link.options);
        link
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn options(&self) -> &Rc<WebSocketOptions> {
        &self.options
    }

    pub(crate) fn agreement(&self) -> Agreement {
        self.agreement
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        let protocol = self.options.subprotocols.get(usize::from(self.protocol));
        protocol.map(String::as_str)
    }

    /// Whether the other end has sent a close frame.
    pub(crate) fn was_goodbye(&self) -> bool {
        self.goodbye.get()
    }

    pub(crate) fn note_goodbye(&self) {
        self.goodbye.set(true);
    }

    /// How many bytes wait to be sent.
    pub(crate) fn queued(&self) -> usize {
        self.outbox
            .borrow()
            .as_ref()
            .map_or(0, |outbox| outbox.len())
    }

    /// Lends the stream, as long as there is one.
    pub(crate) fn with_stream<R>(&self, f: impl FnOnce(&mut IoStream) -> R) -> Option<R> {
        self.stream.borrow_mut().as_mut().map(f)
    }

    fn with_rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> R {
        f(self.rare.borrow_mut().get_or_insert_default())
    }

    /// Lends the contexts for compression that only this connection has.
    pub(crate) fn with_contexts<R>(&self, f: impl FnOnce(Option<&mut Contexts>) -> R) -> R {
        match &mut *self.rare.borrow_mut() {
            Some(rare) => f(rare.contexts.as_mut()),
            None => f(None),
        }
    }

    // Sending.

    pub(crate) fn send(
        self: &Rc<Self>,
        message: &Message<'_>,
        compress: bool,
    ) -> Result<Sent, SendError> {
        if self.phase.get() != Phase::Open {
            return Err(SendError::Closed);
        }
        self.catch_up();
        common::with(|common| {
            let (kind, payload) = (message.kind(), message.as_bytes());
            if !compress || !self.agreement.compresses(payload.len(), &self.options) {
                return self.send_frame(common, OpCode::from(kind), false, payload);
            }
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
            let sent = self.send_frame(common, OpCode::from(kind), shorter, frame);
            common.packer.borrow_mut().give_buffer(packed);
            sent
        })
    }

    /// Sends a frame of a message, as far as limits allow.
    #[inline]
    fn send_frame(
        self: &Rc<Self>,
        common: &Common,
        opcode: OpCode,
        compressed: bool,
        payload: &[u8],
    ) -> Result<Sent, SendError> {
        let mask = self.mask(common);
        let write = |out: &mut Vec<u8>| write_frame(out, opcode, true, compressed, payload, mask);
        let mut outbox = self.outbox.borrow_mut();
        if let Some(outbox) = &mut *outbox {
            self.make_room(outbox, payload.len())?;
            outbox.append(self.joins(), write);
            let bytes = outbox.len();
            return Ok(Sent::Queued { bytes });
        }
        drop(outbox);
        self.enqueue(common, write);
        Ok(Sent::Now)
    }

    /// Sends a control frame, whatever waits already.
    pub(crate) fn send_control(self: &Rc<Self>, opcode: OpCode, payload: &[u8]) {
        common::with(|common| {
            let mask = self.mask(common);
            self.enqueue(common, |out| {
                write_frame(out, opcode, true, false, payload, mask)
            });
        });
    }

    /// Sends what `write` writes behind all else.
    #[inline]
    fn enqueue(self: &Rc<Self>, common: &Common, write: impl FnOnce(&mut Vec<u8>)) {
        let mut outbox = self.outbox.borrow_mut();
        if let Some(outbox) = &mut *outbox {
            return outbox.append(self.joins(), write);
        }
        if self.corked.get() {
            let mut cork = common.cork.borrow_mut();
            write(&mut cork);
            if cork.len() >= CORK {
                drop((cork, outbox));
                self.uncork(common);
            }
            return;
        }
        let waiting = outbox.insert(Box::default());
        waiting.moved = common.now();
        waiting.append(self.joins(), write);
        drop(outbox);
        self.soil(common);
    }

    /// Sends frames that others send too, or takes them into the queue.
    pub(crate) fn send_shared(self: &Rc<Self>, common: &Common, frames: &Bytes) {
        if self.phase.get() != Phase::Open {
            return;
        }
        if self.corked.get() {
            // It is its turn, so that what it sent before stands in the cork.
            return self.enqueue(common, |out| out.extend_from_slice(frames));
        }
        let mut outbox = self.outbox.borrow_mut();
        if let Some(outbox) = &mut *outbox {
            if self.make_room(outbox, frames.len()).is_ok() {
                outbox.share(frames.clone());
            }
            return;
        }
        let written = self.with_stream(|stream| stream.try_write(frames));
        let count = match written {
            Some(Ok(count)) if count == frames.len() => return,
            Some(Ok(count)) => count,
            Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => 0,
            Some(Err(_)) => return self.break_off(),
            None => return,
        };
        let mut waiting = Box::<Outbox>::default();
        waiting.moved = common.now();
        waiting.share(frames.clone());
        waiting.advance(count);
        *outbox = Some(waiting);
        drop(outbox);
        self.wake_if_tasked();
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

    /// Whether frames may be put together: not where single messages may be thrown away.
    fn joins(&self) -> bool {
        self.options.slow != SlowReader::DropOldest
    }

    #[inline]
    fn mask(&self, common: &Common) -> Option<[u8; 4]> {
        match self.role {
            Role::Client => Some(common.masks.borrow_mut().next()),
            Role::Server => None,
        }
    }

    fn soil(self: &Rc<Self>, common: &Common) {
        if !self.dirty.replace(true) {
            common.flush_later(Rc::clone(self));
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
        self.corked.set(false);
        common::with(|common| self.uncork(common));
    }

    /// Writes what is corked, or queues it.
    fn uncork(self: &Rc<Self>, common: &Common) {
        let mut cork = common.cork.borrow_mut();
        if cork.is_empty() {
            return;
        }
        let written = self.with_stream(|stream| stream.try_write(&cork[..]));
        let count = match written {
            Some(Ok(count)) => count,
            Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => 0,
            Some(Err(_)) => {
                cork.clear();
                drop(cork);
                return self.break_off();
            }
            None => cork.len(),
        };
        if count < cork.len() {
            let mut outbox = self.outbox.borrow_mut();
            let waiting = outbox.get_or_insert_default();
            waiting.moved = common.now();
            // With what has left, so that it is known where frames begin.
            waiting.append(false, |out| out.extend_from_slice(&cork));
            waiting.advance(count);
        }
        cork.clear();
        cork.shrink_to(2 * CORK);
        if self.tasked.get() {
            drop(cork);
            // A secured stream has to be flushed, and that is done by the task.
            self.wake_if_tasked();
        }
    }

    /// Is visited at the end of the turn.
    pub(crate) fn flush_dirty(self: &Rc<Self>) {
        self.dirty.set(false);
        if self.flush() != Flushed::Idle {
            self.wake_if_tasked();
        }
    }

    /// Sends what is queued, as far as there is room.
    pub(crate) fn flush(self: &Rc<Self>) -> Flushed {
        let mut outbox = self.outbox.borrow_mut();
        let Some(waiting) = &mut *outbox else {
            return Flushed::Idle;
        };
        while let Some(front) = waiting.front() {
            match self.with_stream(|stream| stream.try_write(front)) {
                Some(Ok(count)) => {
                    waiting.advance(count);
                    waiting.moved = common::with(Common::now);
                }
                Some(Err(err)) if err.kind() == io::ErrorKind::WouldBlock => return Flushed::Some,
                Some(Err(_)) | None => {
                    drop(outbox);
                    self.break_off();
                    return Flushed::Idle;
                }
            }
        }
        *outbox = None;
        Flushed::All
    }

    /// Sends what is queued and waits for the room it needs; for a task that does the reading.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut outbox = self.outbox.borrow_mut();
        let mut stream = self.stream.borrow_mut();
        let Some(stream) = &mut *stream else {
            return Poll::Ready(Ok(()));
        };
        let mut stream = Pin::new(stream);
        if let Some(waiting) = &mut *outbox {
            while let Some(front) = waiting.front() {
                let Poll::Ready(written) = stream.as_mut().poll_write(cx, front)? else {
                    // What was written so far should not wait with the rest.
                    let _ = stream.poll_flush(cx)?;
                    return Poll::Pending;
                };
                waiting.advance(written);
                waiting.moved = common::with(Common::now);
            }
            *outbox = None;
        }
        stream.poll_flush(cx)
    }

    // Ending.

    /// Begins to close the connection from this end.
    pub(crate) fn close(self: &Rc<Self>, frame: Option<&CloseFrame>) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.catch_up();
        self.send_close(frame);
        self.set_phase(Phase::Closing);
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

    fn send_close(self: &Rc<Self>, frame: Option<&CloseFrame>) {
        common::with(|common| {
            let mask = self.mask(common);
            self.enqueue(common, |out| write_close(out, frame, mask));
        });
    }

    fn set_phase(&self, phase: Phase) {
        if phase > self.phase.get() {
            self.phase.set(phase);
            self.heard.set(common::with(Common::now));
        }
    }

    /// Notes how it ended; the first one to say so is right.
    fn note_close(&self, frame: CloseFrame) {
        self.with_rare(|rare| {
            rare.closed.get_or_insert(frame);
        });
    }

    /// How it ended, once it has: with code 1006 when nobody said.
    pub(crate) fn closed(&self) -> Option<CloseFrame> {
        let rare = self.rare.borrow();
        rare.as_ref().and_then(|rare| rare.closed.clone())
    }

    /// Lets go of the stream and of everything else that others could find.
    pub(crate) fn finish(&self) -> CloseFrame {
        self.set_phase(Phase::Over);
        let stream = self.stream.take();
        let outbox = self.outbox.take();
        let (memberships, remote) = match &mut *self.rare.borrow_mut() {
            Some(rare) => (std::mem::take(&mut rare.memberships), rare.remote.take()),
            None => (Vec::new(), None),
        };
        drop((stream, outbox, memberships));
        common::leave(self, remote);
        self.note_close(CloseFrame::new(CloseCode::ABNORMAL, ""));
        self.wake();
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

    /// A handler has failed.
    pub(crate) fn fail_with(self: &Rc<Self>, error: &dyn Error) {
        let peer = self.peer();
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
    pub(crate) fn is_done(&self) -> bool {
        match self.phase.get() {
            Phase::Open | Phase::Closing => false,
            Phase::Ending if self.outbox.borrow().is_some() => false,
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

    // Being looked after.

    /// Notes that the other end is alive.
    #[inline]
    pub(crate) fn hear(&self, now: u32) {
        if self.phase.get() == Phase::Open {
            self.heard.set(now);
            self.pinged.set(false);
        }
    }

    /// Whether it is time to do something about it.
    pub(crate) fn is_due(&self, now: u32) -> bool {
        let silent = now.wrapping_sub(self.heard.get());
        let options = &self.options;
        if self.stalled(now) {
            return true;
        }
        match self.phase.get() {
            Phase::Open if self.busy.get() => false,
            Phase::Open => options
                .ping_interval
                .is_some_and(|interval| silent >= self.patience(millis(interval))),
            Phase::Closing | Phase::Ending => silent >= millis(options.close_timeout),
            Phase::Over => false,
        }
    }

    fn stalled(&self, now: u32) -> bool {
        let moved = self.outbox.borrow().as_ref().map(|outbox| outbox.moved);
        moved.is_some_and(|moved| now.wrapping_sub(moved) >= millis(self.options.write_timeout))
    }

    /// How long it may be silent, different for each so that pings are spread.
    fn patience(&self, interval: u32) -> u32 {
        let spread = interval / 8;
        let part = self.key.get().wrapping_mul(0x9e37_79b9) >> 24;
        interval - (u64::from(spread) * u64::from(part) / 256) as u32
    }

    /// Does what is due.
    pub(crate) fn remind(self: &Rc<Self>) {
        let now = common::with(Common::now);
        let silent = now.wrapping_sub(self.heard.get());
        if self.stalled(now) {
            return self.give_up("nothing it was sent made way (write_timeout)");
        }
        if self.phase.get() != Phase::Open {
            return self.give_up("its end took too long (close_timeout)");
        }
        let Some(interval) = self.options.ping_interval else {
            return;
        };
        if !self.pinged.replace(true) {
            return self.send_control(OpCode::Ping, &[]);
        }
        let most = self
            .patience(millis(interval))
            .saturating_add(millis(self.options.ping_timeout));
        if silent >= most {
            self.give_up("it was silent for too long (ping_timeout)");
        }
    }

    fn give_up(self: &Rc<Self>, why: &str) {
        let peer = self.peer();
        tracing::debug!(%peer, "WebSocket cut: {why}");
        self.break_off();
    }

    pub(crate) fn peer(&self) -> String {
        let addr = self.with_stream(|stream| stream.peer_addr());
        match addr {
            Some(Ok(addr)) => addr.to_string(),
            _ => "a peer that is gone".to_owned(),
        }
    }

    // Reading, and being waited for.

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

    /// Reads and sends, until there is something to do for the task that waits.
    pub(crate) fn poll_heard(&self, cx: &mut Context<'_>, input: &mut Vec<u8>) -> Poll<Heard> {
        self.register(cx);
        if self.phase.get() == Phase::Over || self.is_finished() {
            return Poll::Ready(Heard::Ended);
        }
        let queued = self.outbox.borrow().is_some();
        match self.poll_flush(cx) {
            Poll::Ready(Ok(())) if queued || self.is_done() => {
                let done = self.is_done();
                return Poll::Ready(if done { Heard::Ended } else { Heard::Drained });
            }
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

    fn wake_if_tasked(&self) {
        if self.tasked.get() {
            self.wake();
        }
    }

    fn wake(&self) {
        let waker = match &mut *self.rare.borrow_mut() {
            Some(rare) => rare.waker.take(),
            None => None,
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns the number by which other threads know it.
    pub(crate) fn remote_number(self: &Rc<Self>) -> u64 {
        let add = || common::with(|common| common.add_remote(self));
        self.with_rare(|rare| *rare.remote.get_or_insert_with(add))
    }

    // Groups.

    /// Sends first what its groups have for it already, so that everything leaves in the order in which it was sent.
    #[inline]
    pub(crate) fn catch_up(self: &Rc<Self>) {
        if self.rare.borrow().is_some() {
            self.catch_up_groups();
        }
    }

    #[cold]
    fn catch_up_groups(self: &Rc<Self>) {
        let mut at = 0;
        loop {
            let rare = self.rare.borrow();
            let membership = rare.as_ref().and_then(|rare| rare.memberships.get(at));
            let Some(pending) = membership.map(|membership| membership.pending()) else {
                return;
            };
            drop(rare);
            if let Some(frames) = pending {
                self.send_behind(frames);
            }
            at += 1;
        }
    }

    /// Takes frames into the queue, or the cork.
    pub(crate) fn send_behind(self: &Rc<Self>, frames: Bytes) {
        common::with(|common| self.enqueue(common, |out| out.extend_from_slice(&frames)));
    }

    pub(crate) fn is_member(&self, of: &Rc<Gathering>) -> bool {
        let rare = self.rare.borrow();
        let memberships = rare.as_ref().map_or(&[][..], |rare| &rare.memberships);
        memberships.iter().any(|membership| membership.is_of(of))
    }

    pub(crate) fn add_membership(&self, membership: Membership) {
        self.with_rare(|rare| rare.memberships.push(membership));
    }

    pub(crate) fn take_membership(&self, of: &Rc<Gathering>) -> Option<Membership> {
        let mut rare = self.rare.borrow_mut();
        let memberships = &mut rare.as_mut()?.memberships;
        let at = memberships
            .iter()
            .position(|membership| membership.is_of(of))?;
        Some(memberships.swap_remove(at))
    }
}

fn millis(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
