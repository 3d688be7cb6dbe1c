//! A connection together with its handler.

use crate::handler::WebSocketHandler;
use crate::link::Flushed;
use crate::proto::{CloseCode, CloseFrame, MessageKind};
use crate::reader::{Decoding, Reader, Step};
use crate::websocket::WebSocket;

/// A connection and its handler; all of what an idle connection is, but for its [`Link`](crate::link::Link).
pub(crate) struct Session<H> {
    pub(crate) ws: WebSocket,
    pub(crate) reader: Reader,
    pub(crate) handler: H,
}

impl<H: WebSocketHandler> Session<H> {
    pub(crate) fn new(ws: WebSocket, handler: H) -> Box<Self> {
        Box::new(Self {
            reader: Reader::default(),
            ws,
            handler,
        })
    }

    /// Tells the handler that the connection is open.
    pub(crate) fn open(&mut self) {
        if let Err(error) = self.handler.open(&self.ws) {
            self.ws.link.fail_with(&*error);
        }
    }

    /// Takes input until a message has come, which stands in the scratch then; `None` when it is used up.
    #[inline]
    pub(crate) fn next(
        &mut self,
        input: &mut &[u8],
        decoding: &mut Decoding,
    ) -> Option<MessageKind> {
        while !input.is_empty() {
            match decoding.step(&self.ws.link, input) {
                Step::Message(kind) => return Some(kind),
                Step::Ping => self.handler.ping(&self.ws, &decoding.scratch.control),
                Step::Pong => self.handler.pong(&self.ws, &decoding.scratch.control),
                Step::Closed | Step::More => break,
            }
        }
        None
    }

    /// Keeps what is needed for the next input.
    #[inline]
    pub(crate) fn pause(&mut self, decoding: Box<Decoding>) {
        self.reader.pause(&self.ws.link, decoding);
    }

    /// Sends what is queued, and tells the handler when that was all.
    pub(crate) fn flush(&mut self) {
        let link = &self.ws.link;
        if link.flush() == Flushed::All && !link.is_fresh() {
            self.handler.drain(&self.ws);
        }
    }

    /// Tells the handler that all has left, in a turn of its own.
    pub(crate) fn drain(&mut self) {
        let link = &self.ws.link;
        link.cork();
        self.handler.drain(&self.ws);
        link.end_turn();
    }

    /// Ends the connection, and tells the handler.
    pub(crate) fn finish(&mut self) {
        let frame = self.ws.link.finish();
        self.handler.close(&self.ws, &frame);
    }
}

impl<H> Drop for Session<H> {
    /// A session that was not finished has lost its handler to a panic, or its loop is closed.
    fn drop(&mut self) {
        let link = &self.ws.link;
        if link.is_finished() {
            return;
        }
        if std::thread::panicking() {
            let frame = CloseFrame::new(CloseCode::INTERNAL_ERROR, "");
            link.end(Some(&frame), frame.clone(), false);
            link.end_turn();
            link.flush();
        }
        link.finish();
    }
}
