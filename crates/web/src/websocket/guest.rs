//! A handler, as the server counts its connection.

use squall_server::Presence;
use squall_websocket::{CloseFrame, Message, Result, WebSocket, WebSocketHandler};

/// A handler whose connection is present at a server for as long as the handler lives.
pub(crate) struct Guest<H> {
    handler: H,
    _presence: Presence,
}

impl<H> Guest<H> {
    pub(super) fn new(handler: H, presence: Presence) -> Self {
        Self {
            handler,
            _presence: presence,
        }
    }
}

impl<H: WebSocketHandler> WebSocketHandler for Guest<H> {
    fn open(&mut self, ws: &WebSocket) -> Result {
        self.handler.open(ws)
    }

    fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> impl Future<Output = Result> {
        self.handler.message(ws, message)
    }

    fn drain(&mut self, ws: &WebSocket) {
        self.handler.drain(ws);
    }

    fn ping(&mut self, ws: &WebSocket, payload: &[u8]) {
        self.handler.ping(ws, payload);
    }

    fn pong(&mut self, ws: &WebSocket, payload: &[u8]) {
        self.handler.pong(ws, payload);
    }

    fn close(&mut self, ws: &WebSocket, frame: &CloseFrame) {
        self.handler.close(ws, frame);
    }
}
