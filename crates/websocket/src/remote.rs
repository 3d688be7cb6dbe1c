//! A connection, as other threads may hold it.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use squall_ioloop::{IoLoop, LoopClosed, LoopHandle};

use crate::common;
use crate::link::Link;
use crate::message::Message;
use crate::proto::CloseCode;
use crate::websocket::WebSocket;

/// Sends on a connection from any thread.
///
/// What is sent crosses over to the connection's loop and is sent there, in the order in which it was given to this handle
/// and its clones by one thread. Nobody is told what became of it: the connection may have ended meanwhile.
#[derive(Clone)]
pub struct WebSocketRemote {
    io_loop: LoopHandle,
    /// The connection among those that other threads know.
    number: u64,
}

impl WebSocketRemote {
    pub(crate) fn new(link: &Rc<Link>) -> Self {
        Self {
            io_loop: IoLoop::current().handle(),
            number: link.remote_number(),
        }
    }

    /// Sends a message; see [`WebSocket::send`].
    ///
    /// # Errors
    ///
    /// The connection's loop is closed.
    pub fn send(&self, message: impl Into<Message<'static>>) -> Result<(), LoopClosed> {
        let message = message.into();
        self.with(move |ws| {
            // Whoever sends from afar has no use for the answer.
            let _ = ws.send(message);
        })
    }

    /// Closes the connection; see [`WebSocket::close`].
    ///
    /// # Errors
    ///
    /// The connection's loop is closed.
    pub fn close(
        &self,
        code: CloseCode,
        reason: impl Into<Cow<'static, str>>,
    ) -> Result<(), LoopClosed> {
        let reason = reason.into();
        self.with(move |ws| ws.close(code, reason))
    }

    /// Does something with the connection on its loop; nothing when it has ended.
    ///
    /// # Errors
    ///
    /// The connection's loop is closed.
    pub fn with(&self, f: impl FnOnce(&WebSocket) + Send + 'static) -> Result<(), LoopClosed> {
        let number = self.number;
        self.io_loop.add_callback(move || {
            if let Some(link) = common::with(|common| common.remote(number)) {
                f(&WebSocket { link });
            }
        })
    }
}

impl fmt::Debug for WebSocketRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketRemote")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
