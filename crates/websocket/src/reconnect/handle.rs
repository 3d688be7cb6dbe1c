//! Sending on whichever connection there is.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Waker};

use crate::error::{SendError, Sent};
use crate::message::Message;
use crate::proto::CloseCode;
use crate::websocket::WebSocket;

/// Sends on the connection that a [`ReconnectingWebSocket`](crate::ReconnectingWebSocket) has at the moment. Clones are the
/// same.
#[derive(Clone)]
pub struct ReconnectingHandle {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The connection, while there is one.
    ws: RefCell<Option<WebSocket>>,
    /// There will be no further one.
    closed: Cell<bool>,
    /// Wakes whoever waits for the next event while there is no connection.
    waker: Cell<Option<Waker>>,
}

impl ReconnectingHandle {
    pub(super) fn new() -> Self {
        Self {
            shared: Rc::default(),
        }
    }

    /// Sends a message on the connection; see [`WebSocket::send`].
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] if there is none at the moment, or it is about to end; the message is not kept. Those of
    /// [`WebSocket::send`].
    pub fn send<'m>(&self, message: impl Into<Message<'m>>) -> Result<Sent, SendError> {
        match &*self.shared.ws.borrow() {
            Some(ws) => ws.send(message),
            None => Err(SendError::Closed),
        }
    }

    /// Whether there is a connection that takes messages at the moment.
    pub fn is_connected(&self) -> bool {
        let ws = self.shared.ws.borrow();
        ws.as_ref().is_some_and(WebSocket::is_open)
    }

    /// Returns the connection, if there is one at the moment. It is of no more use when it is lost.
    pub fn socket(&self) -> Option<WebSocket> {
        self.shared.ws.borrow().clone()
    }

    /// Closes the connection, if there is one, and ends the reconnecting.
    pub fn close(&self, code: CloseCode, reason: impl Into<Cow<'static, str>>) {
        self.shared.closed.set(true);
        if let Some(ws) = self.socket() {
            ws.close(code, reason);
        }
        self.wake();
    }

    /// Whether there will be no further connection.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.get()
    }

    pub(super) fn register(&self, cx: &Context<'_>) {
        self.shared.waker.set(Some(cx.waker().clone()));
    }

    pub(super) fn enter(&self, ws: &WebSocket) {
        *self.shared.ws.borrow_mut() = Some(ws.clone());
    }

    pub(super) fn leave(&self) {
        let ws = self.shared.ws.take();
        drop(ws);
    }

    /// Nobody will make connections any more.
    pub(super) fn end(&self) {
        self.shared.closed.set(true);
        self.leave();
    }

    fn wake(&self) {
        if let Some(waker) = self.shared.waker.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for ReconnectingHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingHandle")
            .field("connected", &self.is_connected())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
