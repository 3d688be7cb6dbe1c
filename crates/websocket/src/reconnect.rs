//! Connections that are made again when they are lost.

mod backoff;
mod cause;
mod handle;

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use squall_ioloop::{IoLoop, Sleep, sleep};

use crate::client::{ConnectError, WebSocketConnect};
use crate::message::Message;
use crate::stream::WebSocketStream;

pub use backoff::Backoff;
pub use cause::DisconnectCause;
pub use handle::ReconnectingHandle;

/// A WebSocket to a server that is connected to again whenever the connection is lost, until it makes no sense any more.
///
/// [`next`](Self::next) tells what happens, and does the work: nothing goes on while nobody waits for it. Sending is that of a
/// [`ReconnectingHandle`], which this derefs to, and of which others can have clones.
///
/// ```no_run
/// use squall_websocket::{ReconnectEvent, ReconnectingWebSocket, websocket_connect};
///
/// # async fn follow() {
/// let mut ws = ReconnectingWebSocket::new(websocket_connect("ws://127.0.0.1:8888/prices"));
/// while let Some(event) = ws.next().await {
///     match event {
///         // What the server has to know of a client has to be said each time.
///         ReconnectEvent::Connected { .. } => {
///             let _ = ws.send("subscribe");
///         }
///         ReconnectEvent::Message(message) => println!("{message:?}"),
///         ReconnectEvent::Disconnected { cause, retry_in } => match retry_in {
///             Some(wait) => println!("{cause}; again in {wait:?}"),
///             None => println!("{cause}; that is that"),
///         },
///         _ => {}
///     }
/// }
/// # }
/// ```
///
/// # What is tried again, and when
///
/// Losses, failures to connect that [may pass](ConnectError::may_retry), and close codes that say nothing against it: see
/// [`DisconnectCause::is_final`], which [`give_up_when`](Self::give_up_when) replaces. Before each attempt it waits as long as
/// its [`Backoff`] says: a random time below a bound that doubles with each failure in a row.
///
/// # What is lost
///
/// Messages of the time without a connection, and those that were on their way when it broke: neither end knows which. A
/// message that is sent without a connection is refused, not kept: what is still true later is for the application to say.
pub struct ReconnectingWebSocket {
    handle: ReconnectingHandle,
    connect: Box<dyn FnMut() -> Attempt>,
    gives_up: Box<dyn Fn(&DisconnectCause) -> bool>,
    backoff: Backoff,
    state: State,
    /// Attempts since a connection was open.
    attempts: u32,
    /// Waits since a connection was open for long enough.
    waits: u32,
    /// Happened, and was not told yet.
    events: VecDeque<ReconnectEvent>,
}

type Attempt = Pin<Box<dyn Future<Output = Result<WebSocketStream, ConnectError>>>>;

enum State {
    /// Nothing has been done yet.
    Fresh,
    /// Before the next attempt.
    Waiting(Sleep),
    Connecting(Attempt),
    Open(Box<WebSocketStream>, Instant),
    Over,
}

/// What happens to a [`ReconnectingWebSocket`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ReconnectEvent {
    /// A connection is open.
    Connected {
        /// How many attempts it took since the last one was lost; 1 if the first one succeeded.
        attempts: u32,
    },
    /// A connection was lost or closed, or an attempt has failed.
    Disconnected {
        /// Why.
        cause: DisconnectCause,
        /// How long it waits before the next attempt; `None` if there will be none, so that this is the last event.
        retry_in: Option<Duration>,
    },
    /// A message has come.
    Message(Message<'static>),
}

impl ReconnectingWebSocket {
    /// Connects as `connect` says, each time anew. The first attempt is made when the first event is asked for.
    pub fn new(connect: WebSocketConnect) -> Self {
        Self::with(move || connect.clone())
    }

    /// Connects by what the closure returns, which is called for each attempt: for tokens that grow old, and for several
    /// servers in turn. That is a [`WebSocketConnect`], or any future of a connection.
    ///
    /// ```
    /// use squall_websocket::{ReconnectingWebSocket, websocket_connect};
    ///
    /// # fn token() -> String { String::new() }
    /// let ws = ReconnectingWebSocket::with(|| {
    ///     let authorization = format!("Bearer {}", token());
    ///     websocket_connect("ws://127.0.0.1:8888/").header("Authorization", authorization)
    /// });
    /// # let _ = ws;
    /// ```
    pub fn with<C>(mut connect: impl FnMut() -> C + 'static) -> Self
    where
        C: IntoFuture<Output = Result<WebSocketStream, ConnectError>>,
        C::IntoFuture: 'static,
    {
        Self {
            handle: ReconnectingHandle::new(),
            connect: Box::new(move || Box::pin(connect().into_future())),
            gives_up: Box::new(DisconnectCause::is_final),
            backoff: Backoff::default(),
            state: State::Fresh,
            attempts: 0,
            waits: 0,
            events: VecDeque::new(),
        }
    }

    /// Sets how long it waits before attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets what it gives up for. Default: [`DisconnectCause::is_final`].
    ///
    /// ```
    /// use squall_websocket::{DisconnectCause, ReconnectingWebSocket, websocket_connect};
    ///
    /// // This server closes with a code of its own when a session is over.
    /// let ws = ReconnectingWebSocket::new(websocket_connect("ws://127.0.0.1:8888/")).give_up_when(|cause| {
    ///     let over = matches!(cause, DisconnectCause::Closed(frame) if frame.code.get() == 4401);
    ///     over || cause.is_final()
    /// });
    /// # let _ = ws;
    /// ```
    #[must_use]
    pub fn give_up_when(mut self, gives_up: impl Fn(&DisconnectCause) -> bool + 'static) -> Self {
        self.gives_up = Box::new(gives_up);
        self
    }

    /// Returns a handle to send with from elsewhere on the loop.
    pub fn handle(&self) -> ReconnectingHandle {
        self.handle.clone()
    }

    /// Waits for the next event; `None` once it is over, by [`close`](ReconnectingHandle::close) or because it has given up.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: an attempt to connect stands still, and goes on with the next call.
    pub async fn next(&mut self) -> Option<ReconnectEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for the next event; see [`next`](Self::next).
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ReconnectEvent>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            if self.handle.is_closed() && !matches!(self.state, State::Open(..)) {
                self.state = State::Over;
            }
            match &mut self.state {
                State::Over => return Poll::Ready(None),
                State::Fresh => self.begin(),
                State::Waiting(sleep) => {
                    self.handle.register(cx);
                    ready!(Pin::new(sleep).poll(cx));
                    self.begin();
                }
                State::Connecting(attempt) => {
                    self.handle.register(cx);
                    match ready!(attempt.as_mut().poll(cx)) {
                        Ok(ws) => self.enter(ws),
                        Err(err) => self.leave(DisconnectCause::Connect(err)),
                    }
                }
                State::Open(ws, _) => match ready!(ws.poll_next(cx)) {
                    Ok(Some(message)) => {
                        return Poll::Ready(Some(ReconnectEvent::Message(message)));
                    }
                    Ok(None) => {
                        let cause = DisconnectCause::of_close(ws.close_frame());
                        self.leave(cause);
                    }
                    Err(err) => self.leave(DisconnectCause::Lost(err)),
                },
            }
        }
    }

    fn begin(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::Connecting((self.connect)());
    }

    fn enter(&mut self, ws: WebSocketStream) {
        self.handle.enter(&ws);
        self.events.push_back(ReconnectEvent::Connected {
            attempts: mem::take(&mut self.attempts),
        });
        self.state = State::Open(Box::new(ws), IoLoop::current().time());
    }

    fn leave(&mut self, cause: DisconnectCause) {
        if let State::Open(_, since) = &self.state
            && IoLoop::current().time() - *since >= self.backoff.stable
        {
            self.waits = 0;
        }
        self.handle.leave();
        let tired = self
            .backoff
            .attempts
            .is_some_and(|most| self.attempts >= most);
        let retries = !tired && !self.handle.is_closed() && !(self.gives_up)(&cause);
        let retry_in = retries.then(|| self.backoff.wait(self.waits, &cause, random()));
        self.state = match retry_in {
            Some(wait) => State::Waiting(sleep(wait)),
            None => {
                self.handle.end();
                State::Over
            }
        };
        self.waits = self.waits.saturating_add(1);
        self.events
            .push_back(ReconnectEvent::Disconnected { cause, retry_in });
    }
}

/// Returns a random number; the largest one, which makes for the longest wait, if the system has none.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

impl Deref for ReconnectingWebSocket {
    type Target = ReconnectingHandle;

    fn deref(&self) -> &ReconnectingHandle {
        &self.handle
    }
}

impl Drop for ReconnectingWebSocket {
    fn drop(&mut self) {
        self.handle.end();
    }
}

impl fmt::Debug for ReconnectingWebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Fresh => "fresh",
            State::Waiting(_) => "waiting",
            State::Connecting(_) => "connecting",
            State::Open(..) => "open",
            State::Over => "over",
        };
        f.debug_struct("ReconnectingWebSocket")
            .field("state", &state)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}
