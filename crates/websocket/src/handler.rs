//! What answers messages.

use std::error::Error;
use std::future::Future;

use crate::message::Message;
use crate::proto::CloseFrame;
use crate::websocket::WebSocket;

/// The result of a handler: any error will do. It goes to the log, and the connection is closed with code 1011.
pub type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Answers what comes over one connection; one value for each connection, on the loop that accepted it.
///
/// An idle connection is this value, some two hundred bytes more, and no task. Nothing in it need be `Send`.
///
/// # Order and back-pressure
///
/// Messages are handed over one after the other: while [`message`](Self::message) waits for something, nothing more is
/// read, so a client that sends faster than it is answered is slowed down by the network. What a method sends leaves in one
/// write when the method returns, or waits, and before what others send later.
///
/// # Panics
///
/// A panic is logged and ends the connection alone, with code 1011; [`close`](Self::close) is not called then.
///
/// # Examples
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// use squall_websocket::{CloseFrame, Message, Result, WebSocket, WebSocketHandler};
///
/// /// Says to everybody in the room what one of them says.
/// struct Guest {
///     room: Rc<RefCell<Vec<WebSocket>>>,
/// }
///
/// impl WebSocketHandler for Guest {
///     fn open(&mut self, ws: &WebSocket) -> Result {
///         self.room.borrow_mut().push(ws.clone());
///         Ok(())
///     }
///
///     async fn message(&mut self, _ws: &WebSocket, message: Message<'_>) -> Result {
///         for guest in &*self.room.borrow() {
///             let _ = guest.send(&message);
///         }
///         Ok(())
///     }
///
///     fn close(&mut self, ws: &WebSocket, _frame: &CloseFrame) {
///         self.room.borrow_mut().retain(|guest| guest != ws);
///     }
/// }
/// ```
pub trait WebSocketHandler: 'static {
    /// The connection is open.
    ///
    /// # Errors
    ///
    /// Any; see [`Result`].
    fn open(&mut self, ws: &WebSocket) -> Result {
        let _ = ws;
        Ok(())
    }

    /// A message has come. May be an `async fn`; the next message is read when it has ended.
    ///
    /// # Errors
    ///
    /// Any; see [`Result`].
    ///
    /// # Cancel safety
    ///
    /// The future is run to its end, also when the connection is lost meanwhile; only the end of the loop drops it.
    fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> impl Future<Output = Result>;

    /// Everything that had to wait for a slow reader has left.
    fn drain(&mut self, ws: &WebSocket) {
        let _ = ws;
    }

    /// A ping has come, and was answered.
    fn ping(&mut self, ws: &WebSocket, payload: &[u8]) {
        let _ = (ws, payload);
    }

    /// A pong has come.
    fn pong(&mut self, ws: &WebSocket, payload: &[u8]) {
        let _ = (ws, payload);
    }

    /// The connection has ended; called once for each that was opened, and last.
    ///
    /// The frame is the other end's; code 1005 if it gave no code, 1006 if it left without a word or was cut, and this
    /// end's own code when it was this end that gave up.
    fn close(&mut self, ws: &WebSocket, frame: &CloseFrame) {
        let _ = (ws, frame);
    }
}
