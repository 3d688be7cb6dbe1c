//! Connections in the style of a loop: `while let Some(message) = ws.next().await?`.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use squall_ioloop::IoLoop;
use tokio::task::coop;

use crate::common::{self, Common};
use crate::connection::Connection;
use crate::error::{SendError, WebSocketError};
use crate::link::{Heard, Link, Phase};
use crate::message::Message;
use crate::proto::{CloseCode, CloseFrame, MessageKind, ProtocolError};
use crate::reader::{self, Reader, Step};
use crate::websocket::WebSocket;

/// A connection whose messages are asked for one after the other; everything else is that of a [`WebSocket`], which it
/// derefs to.
///
/// A connection in this style has a task of its own, and all that its function remembers while it waits. Where that is too
/// much for many idle connections there is [`WebSocketHandler`](crate::WebSocketHandler).
///
/// Dropping it closes the connection with code 1000 if nobody has closed it, and does not wait for the other end's answer:
/// that goes on by itself.
///
/// ```
/// use squall_websocket::{WebSocketError, WebSocketStream};
///
/// async fn echo(mut ws: WebSocketStream) -> Result<(), WebSocketError> {
///     while let Some(message) = ws.next().await? {
///         let _ = ws.send(message);
///     }
///     Ok(())
/// }
/// # let _ = echo;
/// ```
pub struct WebSocketStream {
    ws: WebSocket,
    reader: Option<Reader>,
    /// What was read and not looked at.
    input: Vec<u8>,
    /// Bytes at the front of `input` that have been looked at.
    used: usize,
    /// What is kept until the connection has ended.
    held: Option<Rc<dyn Any>>,
}

impl WebSocketStream {
    /// Takes a connection.
    pub fn new(connection: Connection) -> Self {
        let (ws, unread) = connection.into_parts();
        ws.link.tasked.set(true);
        Self {
            reader: Some(Reader::default()),
            ws,
            input: unread.into(),
            used: 0,
            held: None,
        }
    }

    /// Keeps a value until the connection has ended, which may be some time after this is dropped: something that counts
    /// connections, say. A second one takes the place of the first.
    pub fn hold(&mut self, value: Rc<dyn Any>) {
        self.held = Some(value);
    }

    /// Waits for the next message. `None` says that the connection was closed by a close frame of either end;
    /// [`close_frame`](WebSocket::close_frame) has the code.
    ///
    /// Pings are answered, and the other end's goodbye is, while this is waited for; so ask for messages also where none are
    /// expected. What waits for a slow reader is sent on while this is waited for, or [`flush`](Self::flush) is.
    ///
    /// # Errors
    ///
    /// The connection was lost, or the other end broke the protocol and was told so. It is the same ever after.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no message.
    pub async fn next(&mut self) -> Result<Option<Message<'static>>, WebSocketError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for the next message; see [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next).
    pub fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message<'static>>, WebSocketError>> {
        // Messages that are here already should not keep the loop from others.
        let mut taken = Some(ready!(coop::poll_proceed(cx)));
        loop {
            if let Some(message) = self.take_message() {
                if let Some(taken) = taken.take() {
                    taken.made_progress();
                }
                return Poll::Ready(Ok(Some(message)));
            }
            let link = &self.ws.link;
            if link.is_done() {
                return Poll::Ready(self.end());
            }
            let mut input = common::with(Common::take_input);
            let heard = link.poll_heard(cx, &mut input, false);
            if input.is_empty() {
                // An idle connection holds no buffer.
                common::with(|common| common.give_input(input));
            } else {
                self.input = input;
            }
            if ready!(heard) == Heard::Ended {
                return Poll::Ready(self.end());
            }
        }
    }

    /// Waits until everything sent so far has been taken by the system, thus for a slow reader to catch up.
    ///
    /// # Errors
    ///
    /// The connection was lost.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn flush(&mut self) -> Result<(), SendError> {
        let link = &self.ws.link;
        let flushed = poll_fn(|cx| {
            link.register(cx);
            if link.phase() == Phase::Over {
                return Poll::Ready(Err(SendError::Closed));
            }
            link.poll_flush(cx).map_err(|_| SendError::Closed)
        });
        flushed.await
    }

    /// Takes the next message out of what was read.
    fn take_message(&mut self) -> Option<Message<'static>> {
        if self.used == self.input.len() {
            return None;
        }
        let reader = self.reader.as_mut()?;
        let mut decoding = reader.resume(&self.ws.link);
        let mut input = &self.input[self.used..];
        let mut message = None;
        while message.is_none() {
            match decoding.step(&self.ws.link, &mut input) {
                Step::Message(kind) => match owned(kind, decoding.take_message()) {
                    Ok(whole) => message = Some(whole),
                    Err(error) => reader::fail(&self.ws.link, error),
                },
                Step::Ping | Step::Pong => {}
                Step::Closed | Step::More => break,
            }
        }
        self.used = self.input.len() - input.len();
        if input.is_empty() {
            let input = std::mem::take(&mut self.input);
            common::with(|common| common.give_input(input));
            self.used = 0;
        }
        reader.pause(&self.ws.link, decoding);
        message
    }

    /// Ends the connection, and says how it has ended.
    fn end(&mut self) -> Result<Option<Message<'static>>, WebSocketError> {
        self.reader = None;
        self.held = None;
        let frame = if self.ws.link.is_finished() {
            self.ws.link.closed()
        } else {
            Some(self.ws.link.finish())
        };
        match frame {
            Some(frame) if !self.ws.link.was_goodbye() => Err(WebSocketError::Closed(frame)),
            _ => Ok(None),
        }
    }
}

fn owned(kind: MessageKind, payload: Vec<u8>) -> Result<Message<'static>, ProtocolError> {
    Ok(match kind {
        MessageKind::Binary => payload.into(),
        MessageKind::Text => String::from_utf8(payload)
            .map_err(|_| ProtocolError::Text)?
            .into(),
    })
}

/// A connection that nobody listens to any more; it ends with its loop, if not before.
struct Parting {
    link: Rc<Link>,
    _held: Option<Rc<dyn Any>>,
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.link.finish();
    }
}

/// Waits for the end of a connection that nobody listens to any more.
async fn part(parting: Parting, mut reader: Reader, mut input: Vec<u8>) {
    let link = &parting.link;
    loop {
        let mut decoding = reader.resume(link);
        let mut rest = &input[..];
        while !matches!(decoding.step(link, &mut rest), Step::Closed | Step::More) {}
        reader.pause(link, decoding);
        input.clear();
        if link.is_done()
            || poll_fn(|cx| link.poll_heard(cx, &mut input, false)).await == Heard::Ended
        {
            break;
        }
    }
}

impl Deref for WebSocketStream {
    type Target = WebSocket;

    fn deref(&self) -> &WebSocket {
        &self.ws
    }
}

impl Drop for WebSocketStream {
    fn drop(&mut self) {
        let link = &self.ws.link;
        let Some(reader) = self.reader.take() else {
            return;
        };
        if IoLoop::try_current().is_err() {
            link.finish();
            return;
        }
        let code = if std::thread::panicking() {
            CloseCode::INTERNAL_ERROR
        } else {
            CloseCode::NORMAL
        };
        link.close(Some(&CloseFrame::new(code, "")));
        let input = self.input.split_off(self.used);
        let parting = Parting {
            link: Rc::clone(link),
            _held: self.held.take(),
        };
        squall_ioloop::spawn_callback(part(parting, reader, input));
    }
}

impl fmt::Debug for WebSocketStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ws.fmt(f)
    }
}
