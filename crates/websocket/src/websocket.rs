//! One connection, as everybody on its loop may hold it.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;
use std::rc::Rc;

use crate::error::{SendError, Sent};
use crate::link::{Link, Phase};
use crate::message::Message;
use crate::proto::{CloseCode, CloseFrame, OpCode};
use crate::remote::WebSocketRemote;

/// A connection to send on. Clones are the same connection, which ends when it is closed, not when they are dropped.
///
/// Belongs to the loop of the connection; [`remote`](Self::remote) makes a handle for other threads. Two are equal if they
/// are the same connection.
#[derive(Clone)]
pub struct WebSocket {
    pub(crate) link: Rc<Link>,
}

impl WebSocket {
    /// Sends a message: text from `&str` and `String`, bytes from `&[u8]` and `Vec<u8>`.
    ///
    /// It never waits. What is sent in one turn of the loop leaves together at its end; what the other end is too slow for
    /// waits in memory, up to [`max_queued`](crate::WebSocketOptions::max_queued) bytes. It is compressed if that was agreed on
    /// and it is long enough for it.
    ///
    /// # Errors
    ///
    /// The connection is closed or about to be, or too much waits for it already; the message was not taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use squall_websocket::{SendError, Sent, WebSocket};
    ///
    /// fn tell(ws: &WebSocket, price: f64) -> Result<(), SendError> {
    ///     if ws.queued() > 64 * 1024 {
    ///         return Ok(()); // too slow for each price; it will get a later one
    ///     }
    ///     match ws.send(format!("{price}"))? {
    ///         Sent::Now => {}
    ///         Sent::Queued { bytes } => println!("{bytes} bytes wait"),
    ///     }
    ///     Ok(())
    /// }
    /// # let _ = tell;
    /// ```
    #[inline]
    pub fn send<'m>(&self, message: impl Into<Message<'m>>) -> Result<Sent, SendError> {
        self.link.send(&message.into(), true)
    }

    /// Sends a message as it is, whatever was agreed on: for what is compressed already, or secret beside what an attacker
    /// chooses.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send).
    pub fn send_uncompressed<'m>(
        &self,
        message: impl Into<Message<'m>>,
    ) -> Result<Sent, SendError> {
        self.link.send(&message.into(), false)
    }

    /// Sends a ping; the other end answers with a pong. Those that show whether it is still there are sent without this.
    ///
    /// # Errors
    ///
    /// The connection is closed or about to be.
    ///
    /// # Panics
    ///
    /// The payload has more than 125 bytes, the most there can be (RFC 6455 section 5.5).
    pub fn ping(&self, payload: &[u8]) -> Result<(), SendError> {
        assert!(
            payload.len() <= 125,
            "a ping carries at most 125 bytes, not {}",
            payload.len()
        );
        if !self.is_open() {
            return Err(SendError::Closed);
        }
        self.link.catch_up();
        self.link.send_control(OpCode::Ping, payload);
        Ok(())
    }

    /// Closes the connection, after what was sent so far; of a reason at most 123 bytes are sent. What comes from now on is
    /// not handed over any more. Does nothing to a connection that is closed already.
    ///
    /// The other end answers, or is cut after [`close_timeout`](crate::WebSocketOptions::close_timeout). A code that may not
    /// be sent, such as [`CloseCode::NO_STATUS`], makes the close frame empty.
    pub fn close(&self, code: CloseCode, reason: impl Into<Cow<'static, str>>) {
        self.link.close(Some(&CloseFrame::new(code, reason)));
    }

    /// Whether messages are still taken.
    pub fn is_open(&self) -> bool {
        self.link.phase() == Phase::Open
    }

    /// Returns how the connection ended, once it has; see [`WebSocketHandler::close`](crate::WebSocketHandler::close).
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.link.closed()
    }

    /// Returns the subprotocol that both ends have agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.link.subprotocol()
    }

    /// Whether messages may be compressed, as both ends have agreed.
    pub fn is_compressed(&self) -> bool {
        self.link.agreement().is_on()
    }

    /// Returns how many bytes wait because the other end is slow.
    pub fn queued(&self) -> usize {
        self.link.queued()
    }

    /// Makes a handle that may go to other threads, and send from there.
    ///
    /// # Panics
    ///
    /// Off the loop.
    pub fn remote(&self) -> WebSocketRemote {
        WebSocketRemote::new(&self.link)
    }
}

impl PartialEq for WebSocket {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.link, &other.link)
    }
}

impl Eq for WebSocket {}

impl Hash for WebSocket {
    fn hash<S: Hasher>(&self, state: &mut S) {
        ptr::hash(Rc::as_ptr(&self.link), state);
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("phase", &self.link.phase())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}
