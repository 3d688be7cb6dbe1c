//! Connections with handlers: parked while nothing comes, called when something does.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use squall_ioloop::reactor::{Parked, ParkedOwner, Places};
use squall_ioloop::spawn_callback;
use tokio::task::yield_now;

use crate::common::{self, Common};
use crate::connection::Connection;
use crate::delivery::{Delivery, Job, delivery};
use crate::handler::WebSocketHandler;
use crate::link::{Heard, Link};
use crate::session::Session;
use crate::websocket::WebSocket;

/// Bytes of messages that a connection hands over before others have their turn: a few compressed ones may become as much
/// as the limit allows, each.
const TURN: usize = 1 << 20;

/// Gives connections to handlers of one type, and looks after them from then on.
///
/// An idle connection has neither a task nor a buffer where its stream can be
/// [parked](squall_net::IoStream::can_park); elsewhere (in memory, off Linux) it has a task. Dropping the acceptor
/// leaves its connections alone. Belongs to the loop of its first connection.
pub struct Acceptor<H: WebSocketHandler> {
    hall: Rc<Hall<H>>,
}

impl<H: WebSocketHandler> Acceptor<H> {
    /// Makes one; it takes no memory to speak of before the first connection.
    pub fn new() -> Self {
        let hall = Hall {
            owner: RefCell::new(None),
            sessions: RefCell::default(),
            spare: Cell::new(None),
            closed: Cell::new(false),
        };
        Self {
            hall: Rc::new(hall),
        }
    }

    /// Gives a connection to `handler`, which is told at once that it is open, and returns it.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn accept(&self, connection: Connection, handler: H) -> WebSocket {
        let (ws, unread) = connection.into_parts();
        let session = Session::new(ws.clone(), handler);
        Rc::clone(&self.hall).admit(session, unread);
        ws
    }
}

impl<H: WebSocketHandler> Default for Acceptor<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: WebSocketHandler> Drop for Acceptor<H> {
    fn drop(&mut self) {
        self.hall.closed.set(true);
        self.hall.close_if_empty();
    }
}

impl<H: WebSocketHandler> fmt::Debug for Acceptor<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

/// The connections of one acceptor.
struct Hall<H> {
    /// The right to be called by the loop. It keeps the hall alive, so it goes when nobody needs the hall.
    owner: RefCell<Option<ParkedOwner>>,
    sessions: RefCell<Places<Box<Session<H>>>>,
    /// The memory for the next message; handlers that wait keep theirs.
    spare: Cell<Option<Pin<Box<dyn Delivery<H>>>>>,
    /// No new connections will come.
    closed: Cell<bool>,
}

/// What became of input.
enum Consumed<H> {
    /// It is used up.
    All(Box<Session<H>>),
    /// It was much for one turn; so many bytes are left.
    Enough(Box<Session<H>>, usize),
    /// The handler waits for something; so many bytes are left.
    Waiting(Pin<Box<dyn Delivery<H>>>, usize),
}

impl<H> Consumed<H> {
    /// How many bytes at the end of the input are left.
    fn left(&self) -> usize {
        match self {
            Self::All(_) => 0,
            Self::Enough(_, left) | Self::Waiting(_, left) => *left,
        }
    }
}

impl<H: WebSocketHandler> Hall<H> {
    fn admit(self: Rc<Self>, mut session: Box<Session<H>>, mut unread: Bytes) {
        let link = Rc::clone(&session.ws.link);
        // No turn: it may be that of another connection, whose handler has made this one, and there is one cork.
        session.open();
        let consumed = self.consume(session, &unread);
        let rest = unread.split_off(unread.len() - consumed.left());
        self.go_on(consumed, link, rest);
    }

    /// Looks after a session once input was consumed but for the rest.
    fn go_on(self: Rc<Self>, consumed: Consumed<H>, link: Rc<Link>, rest: Bytes) {
        match consumed {
            Consumed::All(session) if link.can_park() => self.park(session),
            Consumed::All(session) => spawn_callback(self.attend(session, rest)),
            Consumed::Enough(session, _) => {
                link.tasked.set(true);
                spawn_callback(self.attend(session, rest));
            }
            Consumed::Waiting(delivery, _) => {
                link.tasked.set(true);
                spawn_callback(self.await_handler(delivery, link, rest));
            }
        }
    }

    fn park(self: &Rc<Self>, session: Box<Session<H>>) {
        let link = Rc::clone(&session.ws.link);
        link.tasked.set(false);
        let mut owner = self.owner.borrow_mut();
        let owner =
            owner.get_or_insert_with(|| ParkedOwner::new(Rc::clone(self) as Rc<dyn Parked>));
        let mut sessions = self.sessions.borrow_mut();
        let key = sessions.reserve();
        sessions.put(key, session);
        link.with_stream(|stream| {
            stream.park(owner, key);
            // Something may have happened while nobody was told of it.
            stream.call_again();
        });
    }

    /// Reads what has come on a parked connection, and sends what there is room for.
    fn serve(self: Rc<Self>, key: u32) {
        let Some(mut session) = self.sessions.borrow_mut().take(key) else {
            return;
        };
        let link = Rc::clone(&session.ws.link);
        let place = Place { hall: &self, key };
        let turn = Turn::of(&link);
        session.flush();
        let mut buffer = common::with(Common::take_buffer);
        let count = match link.try_read(&mut buffer) {
            Ok(count) => count,
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                common::with(|common| common.give_buffer(buffer));
                drop(turn);
                return self.put_back(place, session);
            }
            Err(_) => 0,
        };
        if count == 0 {
            common::with(|common| common.give_buffer(buffer));
            drop((turn, place));
            return self.finish(session);
        }
        let consumed = self.consume(session, &buffer[..count]);
        drop(turn);
        match consumed {
            Consumed::All(session) => {
                common::with(|common| common.give_buffer(buffer));
                self.put_back(place, session);
            }
            waiting => {
                drop(place);
                link.with_stream(|stream| stream.unpark());
                let rest = Bytes::copy_from_slice(&buffer[count - waiting.left()..count]);
                Rc::clone(&self).go_on(waiting, link, rest);
                common::with(|common| common.give_buffer(buffer));
            }
        }
    }

    /// Leaves a session where it was parked, unless it has ended.
    #[inline]
    fn put_back(&self, place: Place<'_, H>, session: Box<Session<H>>) {
        let link = &session.ws.link;
        if link.is_done() {
            drop(place);
            return self.finish(session);
        }
        link.with_stream(|stream| {
            if stream.is_readable() {
                // It was read enough for one turn.
                stream.call_again();
            }
        });
        self.sessions.borrow_mut().put(place.key, session);
        mem::forget(place);
    }

    #[cold]
    #[expect(clippy::boxed_local, reason = "all others have it in its box, too")]
    fn finish(&self, mut session: Box<Session<H>>) {
        session.finish();
        self.close_if_empty();
    }

    /// Hands what has come to the handler, up to a message that it has to wait for.
    #[inline]
    fn consume(&self, mut session: Box<Session<H>>, mut input: &[u8]) -> Consumed<H> {
        let mut decoding = session.reader.resume(&session.ws.link);
        let mut bytes = 0;
        while let Some(kind) = session.next(&mut input, &mut decoding) {
            bytes += decoding.scratch.message.len();
            let mut delivery = self.spare.take().unwrap_or_else(delivery);
            delivery.as_mut().begin(Job {
                session,
                decoding,
                kind,
            });
            match delivery
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(job) => {
                    self.spare.set(Some(delivery));
                    session = job.session;
                    decoding = job.decoding;
                }
                Poll::Pending => return Consumed::Waiting(delivery, input.len()),
            }
            if bytes > TURN && !input.is_empty() {
                session.pause(decoding);
                return Consumed::Enough(session, input.len());
            }
        }
        session.pause(decoding);
        Consumed::All(session)
    }

    /// Waits for a handler, then goes on with what has come meanwhile.
    async fn await_handler(
        self: Rc<Self>,
        mut delivery: Pin<Box<dyn Delivery<H>>>,
        link: Rc<Link>,
        rest: Bytes,
    ) {
        let mut drained = false;
        let job = poll_fn(|cx| {
            link.register(cx);
            let polled = delivery.as_mut().poll(cx);
            let behind = link.is_behind();
            // What it has sent before it waits should not wait with it.
            let flushed = link.poll_flush(cx);
            drained |= behind && matches!(flushed, Poll::Ready(Ok(())));
            polled
        });
        link.busy.set(true);
        let Job {
            mut session,
            decoding,
            ..
        } = job.await;
        link.busy.set(false);
        common::with(|common| link.hear(common.now()));
        session.pause(decoding);
        drop(delivery);
        if drained {
            // It could not be told while it was at work.
            session.drain();
        }
        self.attend(session, rest).await;
    }

    /// Looks after a connection that cannot be parked, or has to be read further first.
    async fn attend(self: Rc<Self>, mut session: Box<Session<H>>, mut input: Bytes) {
        let link = Rc::clone(&session.ws.link);
        link.tasked.set(true);
        loop {
            if !input.is_empty() {
                let turn = Turn::of(&link);
                let consumed = self.consume(session, &input);
                drop(turn);
                input.advance(input.len() - consumed.left());
                match consumed {
                    Consumed::All(kept) => session = kept,
                    Consumed::Enough(kept, _) => {
                        session = kept;
                        yield_now().await;
                        continue;
                    }
                    Consumed::Waiting(..) => return self.go_on(consumed, link, input),
                }
                // An idle connection holds no buffer.
                input = Bytes::new();
            }
            if link.is_done() {
                break;
            }
            if link.can_park() {
                return self.park(session);
            }
            let mut read = Vec::new();
            match poll_fn(|cx| link.poll_heard(cx, &mut read, true)).await {
                Heard::Input => input = Bytes::from(read),
                Heard::Drained => session.drain(),
                Heard::Ended => break,
            }
        }
        session.finish();
        self.close_if_empty();
    }

    /// Lets go of the right to be called when nobody needs it any more.
    fn close_if_empty(&self) {
        if self.closed.get() && self.sessions.borrow().is_empty() {
            let owner = self.owner.take();
            drop(owner);
        }
    }
}

impl<H: WebSocketHandler> Parked for Hall<H> {
    fn ready(self: Rc<Self>, key: u32) {
        self.serve(key);
    }
}

/// A place whose session is being served; it is given back also when that panics.
struct Place<'a, H: WebSocketHandler> {
    hall: &'a Hall<H>,
    key: u32,
}

impl<H: WebSocketHandler> Drop for Place<'_, H> {
    fn drop(&mut self) {
        self.hall.sessions.borrow_mut().free(self.key);
    }
}

/// The turn of a connection, during which what is sent on it is corked.
struct Turn<'a> {
    link: &'a Rc<Link>,
}

impl<'a> Turn<'a> {
    fn of(link: &'a Rc<Link>) -> Self {
        link.cork();
        Self { link }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.link.end_turn();
    }
}
