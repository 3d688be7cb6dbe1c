//! A connection on which the opening handshake is over.

use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use squall_net::IoStream;

use crate::link::Link;
use crate::options::WebSocketOptions;
use crate::packer::Agreement;
use crate::proto::Role;
use crate::proto::deflate::DeflateParams;
use crate::websocket::WebSocket;

/// What both ends have agreed on in the opening handshake.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Agreed {
    /// How messages are compressed, if they are.
    pub compression: Option<DeflateParams>,
    /// The subprotocol, by its place in [`WebSocketOptions::subprotocols`].
    pub subprotocol: Option<usize>,
}

/// A connection that speaks WebSocket from now on, for an [`Acceptor`](crate::Acceptor) or a
/// [`WebSocketStream`](crate::WebSocketStream).
///
/// Dropping it cuts the connection.
pub struct Connection {
    ws: WebSocket,
    unread: Bytes,
    /// It was given to somebody.
    given: bool,
}

impl Connection {
    /// Makes it of a stream and of what was read from it behind the handshake already.
    ///
    /// Connections with the same `options` value, not an equal one, are closed together by
    /// [`close_all`](crate::close_all).
    pub fn new(
        stream: IoStream,
        unread: Bytes,
        role: Role,
        options: &Rc<WebSocketOptions>,
        agreed: Agreed,
    ) -> Self {
        let agreement = Agreement::new(agreed.compression.as_ref(), role, options);
        let options = Rc::clone(options);
        let link = Link::new(stream, role, options, agreement, agreed.subprotocol);
        Self {
            ws: WebSocket { link },
            unread,
            given: false,
        }
    }

    pub(crate) fn into_parts(mut self) -> (WebSocket, Bytes) {
        self.given = true;
        (self.ws.clone(), std::mem::take(&mut self.unread))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.given {
            self.ws.link.finish();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("ws", &self.ws)
            .field("unread", &self.unread.len())
            .finish_non_exhaustive()
    }
}
