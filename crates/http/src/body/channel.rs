//! A body and its sender: a queue bounded in bytes, on one thread.
//!
//! Invariants: `queued` is the sum of the queue's lengths; a piece enters if it fits below `limit` or the queue is
//! empty; wakers are called with nothing borrowed, since a waker may poll the other end at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;

use super::{BodyError, BodyStream};

/// The filling end of [`Body::channel`](super::Body::channel).
///
/// Dropping it before [`finish`](Self::finish) makes the reader fail with [`BodyError::Aborted`] once it has
/// read what was sent.
pub struct BodySender {
    shared: Rc<RefCell<Shared>>,
}

/// The reader has dropped the body: nobody wants the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// A piece that [`BodySender::try_send`] did not take, given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrySendError {
    /// The reader has dropped the body.
    Closed(Bytes),
    /// The piece would cross the limit; wait with [`BodySender::ready`].
    Full(Bytes),
}

/// What both ends see.
struct Shared {
    /// Pieces sent and not yet read, none of them empty.
    queue: VecDeque<Bytes>,
    /// Their bytes.
    queued: usize,
    /// What `queued` should not cross.
    limit: usize,
    /// Bytes of the announced length that were not yet read.
    remaining: Option<u64>,
    /// How the body ended, from the sender's side; read after the queue is empty.
    ending: Option<Result<(), BodyError>>,
    /// Left by `finish_with`, taken by the reader after the end.
    trailers: Option<HeaderMap>,
    /// The reader has asked for data at least once.
    wanted: bool,
    /// The reader is gone.
    closed: bool,
    /// Wakes the reader: data, or the end.
    reader: Option<Waker>,
    /// Wakes the sender: room, the first wish, or the reader gone.
    sender: Option<Waker>,
}

pub(super) struct Receiver {
    shared: Rc<RefCell<Shared>>,
}

pub(super) fn channel(limit: usize, length: Option<u64>) -> (BodySender, Receiver) {
    let shared = Rc::new(RefCell::new(Shared {
        queue: VecDeque::new(),
        queued: 0,
        limit,
        remaining: length,
        ending: None,
        trailers: None,
        wanted: false,
        closed: false,
        reader: None,
        sender: None,
    }));
    let receiver = Receiver {
        shared: Rc::clone(&shared),
    };
    (BodySender { shared }, receiver)
}

impl BodySender {
    /// Sends a piece, waiting while the queue is full.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the reader is gone; the piece is dropped.
    ///
    /// # Cancel safety
    ///
    /// The piece is lost if the future is dropped before it is done; nothing of it was sent.
    pub async fn send(&mut self, piece: impl Into<Bytes>) -> Result<(), Closed> {
        let mut piece = piece.into();
        loop {
            match self.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(Closed),
                Err(TrySendError::Full(back)) => piece = back,
            }
            let bytes = piece.len();
            poll_fn(|cx| self.poll_room(cx, bytes)).await?;
        }
    }

    /// Sends a piece if there is room for it; an empty one does nothing.
    ///
    /// # Errors
    ///
    /// The piece comes back when the queue is full or the reader is gone.
    pub fn try_send(&mut self, piece: Bytes) -> Result<(), TrySendError> {
        let mut shared = self.shared.borrow_mut();
        if shared.closed {
            return Err(TrySendError::Closed(piece));
        }
        if piece.is_empty() {
            return Ok(());
        }
        if !shared.has_room(piece.len()) {
            return Err(TrySendError::Full(piece));
        }
        shared.queued += piece.len();
        shared.queue.push_back(piece);
        let reader = shared.reader.take();
        drop(shared);
        wake(reader);
        Ok(())
    }

    /// Waits until there is room for at least one byte.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the reader is gone.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn ready(&mut self) -> Result<(), Closed> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Polls for room for at least one byte; see [`ready`](Self::ready).
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.poll_room(cx, 1)
    }

    /// Waits until the reader has asked for data once: the moment for `100 Continue`.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the reader is gone, whether or not it has asked before.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn wanted(&mut self) -> Result<(), Closed> {
        poll_fn(|cx| self.poll_wanted(cx)).await
    }

    /// Polls for the reader's first wish; see [`wanted`](Self::wanted).
    pub fn poll_wanted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let mut shared = self.shared.borrow_mut();
        let wanted = shared.wanted;
        shared.poll_sender(cx, wanted)
    }

    /// Waits until the reader is gone.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Polls for the reader being gone; see [`closed`](Self::closed).
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.borrow_mut().poll_sender(cx, false).map(|_| ())
    }

    /// Says whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.borrow().closed
    }

    /// Returns how many bytes may be sent without waiting.
    pub fn capacity(&self) -> usize {
        let shared = self.shared.borrow();
        shared.limit.saturating_sub(shared.queued)
    }

    /// Ends the body: the reader sees its end after what was sent.
    pub fn finish(self) {
        self.end(Ok(()));
    }

    /// Ends the body with trailer fields.
    pub fn finish_with(self, trailers: HeaderMap) {
        self.shared.borrow_mut().trailers = Some(trailers);
        self.end(Ok(()));
    }

    /// Ends the body with an error: the reader sees it after what was sent.
    pub fn fail(self, err: BodyError) {
        self.end(Err(err));
    }

    fn end(&self, ending: Result<(), BodyError>) {
        let mut shared = self.shared.borrow_mut();
        shared.ending.get_or_insert(ending);
        let reader = shared.reader.take();
        drop(shared);
        wake(reader);
    }

    fn poll_room(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<Result<(), Closed>> {
        let mut shared = self.shared.borrow_mut();
        let room = shared.has_room(bytes);
        shared.poll_sender(cx, room)
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        // After `finish` this changes nothing: the first ending stays.
        self.end(Err(BodyError::Aborted));
    }
}

impl Shared {
    fn has_room(&self, bytes: usize) -> bool {
        self.queue.is_empty() || bytes <= self.limit.saturating_sub(self.queued)
    }

    /// Ready when the reader is gone or `done`; else remembers the sender's waker.
    fn poll_sender(&mut self, cx: &mut Context<'_>, done: bool) -> Poll<Result<(), Closed>> {
        if self.closed {
            return Poll::Ready(Err(Closed));
        }
        if done {
            return Poll::Ready(Ok(()));
        }
        remember(&mut self.sender, cx);
        Poll::Pending
    }

    /// Takes the next piece, or how the body ended; `None` while neither is there.
    fn next(&mut self) -> Option<Option<Result<Bytes, BodyError>>> {
        if let Some(piece) = self.queue.pop_front() {
            self.queued -= piece.len();
            let bytes = piece.len() as u64;
            self.remaining = self.remaining.map(|left| left.saturating_sub(bytes));
            return Some(Some(Ok(piece)));
        }
        match self.ending.as_ref()? {
            Ok(()) => Some(None),
            Err(err) => Some(Some(Err(err.clone()))),
        }
    }
}

impl BodyStream for Receiver {
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let mut shared = self.shared.borrow_mut();
        let first_wish = !shared.wanted;
        shared.wanted = true;
        let next = shared.next();
        if next.is_none() {
            remember(&mut shared.reader, cx);
        }
        let sender = match next {
            Some(Some(Ok(_))) => shared.sender.take(),
            _ if first_wish => shared.sender.take(),
            _ => None,
        };
        drop(shared);
        wake(sender);
        match next {
            Some(ready) => Poll::Ready(ready),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> Option<u64> {
        self.shared.borrow().remaining
    }

    fn take_trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        let mut shared = self.shared.borrow_mut();
        if !shared.queue.is_empty() {
            return None;
        }
        shared.trailers.take()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut shared = self.shared.borrow_mut();
        shared.closed = true;
        shared.queued = 0;
        let queue = std::mem::take(&mut shared.queue);
        let sender = shared.sender.take();
        drop(shared);
        drop(queue);
        wake(sender);
    }
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for BodySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared.borrow();
        f.debug_struct("BodySender")
            .field("queued", &shared.queued)
            .field("limit", &shared.limit)
            .field("closed", &shared.closed)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("body dropped by its reader")
    }
}

impl Error for Closed {}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "body dropped by its reader",
            Self::Full(_) => "body queue full",
        })
    }
}

impl Error for TrySendError {}
