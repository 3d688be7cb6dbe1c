//! What waits between those who send events and the peer: one buffer, bounded in bytes, on one thread.
//!
//! Invariants: `text` holds whole events only; an event enters if it fits below `limit` or nothing is waiting; wakers
//! are called with nothing borrowed, since a waker may poll the other end at once.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{Event, InvalidEvent};

/// Sends events to one peer; clones send to the same one.
///
/// The stream ends for the peer when all of them have been dropped and what they sent has been delivered.
pub struct EventSender {
    queue: Rc<RefCell<Queue>>,
}

impl EventSender {
    /// Sends an event, waiting while the peer is slow and its buffer full.
    ///
    /// # Errors
    ///
    /// The peer has gone, or the event cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, nothing of the event has been sent, and the event is lost.
    pub async fn send(&self, event: impl Into<Event>) -> Result<(), SendError> {
        let text = event.into().encode().map_err(SendError::Invalid)?;
        let bytes = text.len();
        self.wait(|queue| {
            if queue.closed {
                return Some(Err(SendError::Closed));
            }
            queue.has_room(bytes).then_some(Ok(()))
        })
        .await?;
        self.push(&text);
        Ok(())
    }

    /// Sends an event if there is room for it now.
    ///
    /// # Errors
    ///
    /// The peer has gone or is too slow, or the event cannot be sent.
    pub fn try_send(&self, event: impl Into<Event>) -> Result<(), SendError> {
        let text = event.into().encode().map_err(SendError::Invalid)?;
        if self.is_closed() {
            return Err(SendError::Closed);
        }
        if !self.queue.borrow().has_room(text.len()) {
            return Err(SendError::Full);
        }
        self.push(&text);
        Ok(())
    }

    /// Waits until the peer has gone, or the server that stops wants no more.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn closed(&self) {
        self.wait(|queue| queue.closed.then_some(())).await;
    }

    /// Whether the peer has gone, or the server that stops wants no more.
    pub fn is_closed(&self) -> bool {
        self.queue.borrow().closed
    }

    /// How many bytes wait for the peer.
    pub fn queued(&self) -> usize {
        self.queue.borrow().text.len()
    }

    /// Waits until `done` says something; asked whenever the peer has read, and when it has gone.
    async fn wait<T>(&self, done: impl Fn(&Queue) -> Option<T>) -> T {
        let ticket = Ticket::new(&self.queue);
        poll_fn(|cx| {
            let mut queue = self.queue.borrow_mut();
            if let Some(value) = done(&queue) {
                return Poll::Ready(value);
            }
            queue.wait(ticket.number, cx);
            Poll::Pending
        })
        .await
    }

    fn push(&self, text: &str) {
        let reader = {
            let mut queue = self.queue.borrow_mut();
            queue.text.push_str(text);
            queue.reader.take()
        };
        wake(reader);
    }
}

impl Clone for EventSender {
    fn clone(&self) -> Self {
        self.queue.borrow_mut().senders += 1;
        let queue = Rc::clone(&self.queue);
        Self { queue }
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        let reader = {
            let mut queue = self.queue.borrow_mut();
            queue.senders -= 1;
            if queue.senders == 0 {
                queue.reader.take()
            } else {
                None
            }
        };
        wake(reader);
    }
}

impl fmt::Debug for EventSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSender")
            .field("queued", &self.queued())
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// An event was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The peer has gone, or the server that stops wants no more: the normal end of a stream.
    Closed,
    /// There is no room now; only [`EventSender::try_send`] says so.
    Full,
    /// The event has a field that cannot be sent.
    Invalid(InvalidEvent),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the peer of the event stream has gone",
            Self::Full => "the buffer of the event stream is full",
            Self::Invalid(_) => "the event cannot be sent",
        })
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(err) => Some(err),
            _ => None,
        }
    }
}

/// The reading end.
pub(super) struct Receiver {
    queue: Rc<RefCell<Queue>>,
}

impl Receiver {
    /// Sets the limit, in bytes.
    pub(super) fn limit(&self, bytes: usize) {
        self.queue.borrow_mut().limit = bytes;
    }

    /// Lets nothing more in, as if the peer had gone; what waits is still to be taken.
    pub(super) fn close(&self) {
        let waiting = {
            let mut queue = self.queue.borrow_mut();
            queue.closed = true;
            mem::take(&mut queue.waiting)
        };
        wake_all(waiting);
    }

    /// Takes all that waits; `None` once nothing waits and nobody is left who could send.
    pub(super) fn poll_text(&self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let (text, waiting) = {
            let mut queue = self.queue.borrow_mut();
            if queue.text.is_empty() {
                if queue.senders == 0 || queue.closed {
                    return Poll::Ready(None);
                }
                match &mut queue.reader {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                return Poll::Pending;
            }
            (mem::take(&mut queue.text), mem::take(&mut queue.waiting))
        };
        wake_all(waiting);
        Poll::Ready(Some(text))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let (text, waiting) = {
            let mut queue = self.queue.borrow_mut();
            queue.closed = true;
            (mem::take(&mut queue.text), mem::take(&mut queue.waiting))
        };
        drop(text);
        wake_all(waiting);
    }
}

pub(super) fn queue(limit: usize) -> (EventSender, Receiver) {
    let queue = Rc::new(RefCell::new(Queue {
        text: String::new(),
        limit,
        senders: 1,
        closed: false,
        reader: None,
        waiting: Vec::new(),
        tickets: 0,
    }));
    let receiver = Receiver {
        queue: Rc::clone(&queue),
    };
    (EventSender { queue }, receiver)
}

/// What both ends see.
struct Queue {
    /// Encoded events that the peer has not been given.
    text: String,
    /// What the length of `text` should not cross.
    limit: usize,
    /// How many senders live.
    senders: usize,
    /// The reader is gone, or wants no more.
    closed: bool,
    /// Wakes the reader: text, or the last sender gone.
    reader: Option<Waker>,
    /// Wakes those that wait for room or for the end, by their tickets.
    waiting: Vec<(u64, Waker)>,
    /// The number of the next ticket.
    tickets: u64,
}

impl Queue {
    fn has_room(&self, bytes: usize) -> bool {
        self.text.is_empty() || bytes <= self.limit.saturating_sub(self.text.len())
    }

    fn wait(&mut self, ticket: u64, cx: &Context<'_>) {
        let known = self.waiting.iter_mut().find(|(of, _)| *of == ticket);
        match known {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => self.waiting.push((ticket, cx.waker().clone())),
        }
    }
}

/// One wait; dropped, it leaves nothing behind, however often a task tries while a peer does not read.
struct Ticket<'q> {
    queue: &'q RefCell<Queue>,
    number: u64,
}

impl<'q> Ticket<'q> {
    fn new(queue: &'q RefCell<Queue>) -> Self {
        let number = {
            let mut queue = queue.borrow_mut();
            queue.tickets += 1;
            queue.tickets
        };
        Self { queue, number }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut queue = self.queue.borrow_mut();
        queue.waiting.retain(|(of, _)| *of != self.number);
    }
}

fn wake_all(waiting: Vec<(u64, Waker)>) {
    for (_, waker) in waiting {
        waker.wake();
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn poll_text(receiver: &Receiver) -> Poll<Option<String>> {
        receiver.poll_text(&mut Context::from_waker(Waker::noop()))
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn events_of_one_turn_leave_together() {
        let (sender, receiver) = queue(1024);
        assert_eq!(poll_text(&receiver), Poll::Pending);
        sender.try_send("a").expect("room");
        sender.try_send("b").expect("room");
        let text = "data: a\n\ndata: b\n\n".to_owned();
        assert_eq!(poll_text(&receiver), Poll::Ready(Some(text)));
        assert_eq!(poll_text(&receiver), Poll::Pending);
    }

    #[test]
    fn a_full_buffer_refuses_or_waits() {
        let (sender, receiver) = queue(10);
        sender.try_send("longer than the limit").expect("alone");
        assert_eq!(sender.try_send("b"), Err(SendError::Full));
        let mut send = pin!(sender.send("b"));
        assert_eq!(poll(send.as_mut()), Poll::Pending);
        assert!(poll_text(&receiver).is_ready());
        assert_eq!(poll(send), Poll::Ready(Ok(())));
        assert_eq!(sender.queued(), 9);
    }

    #[test]
    fn a_wait_given_up_leaves_nothing_behind() {
        let (sender, _receiver) = queue(1);
        sender.try_send("a").expect("room");
        let mut kept = pin!(sender.closed());
        for _ in 0..100 {
            assert!(poll(pin!(sender.send("b"))).is_pending());
            assert!(poll(kept.as_mut()).is_pending());
        }
        assert_eq!(sender.queue.borrow().waiting.len(), 1);
    }

    #[test]
    fn the_stream_ends_with_its_last_sender() {
        let (sender, receiver) = queue(1024);
        let other = sender.clone();
        sender.try_send("a").expect("room");
        drop(sender);
        assert!(poll_text(&receiver).is_ready());
        assert_eq!(poll_text(&receiver), Poll::Pending);
        drop(other);
        assert_eq!(poll_text(&receiver), Poll::Ready(None));
    }

    #[test]
    fn senders_learn_that_the_peer_has_gone() {
        let (sender, receiver) = queue(1);
        sender.try_send("a").expect("room");
        let mut send = pin!(sender.send("b"));
        let mut closed = pin!(sender.closed());
        assert!(poll(send.as_mut()).is_pending());
        assert!(poll(closed.as_mut()).is_pending());
        drop(receiver);
        assert_eq!(poll(send), Poll::Ready(Err(SendError::Closed)));
        assert_eq!(poll(closed), Poll::Ready(()));
        assert_eq!(sender.try_send("c"), Err(SendError::Closed));
        assert!(sender.is_closed());
    }
}
