//! The opening handshake, from a request to a connection.

use std::cell::Cell;
use std::rc::Rc;

use http::{HeaderMap, Method, StatusCode, Version};
use squall_ioloop::spawn_callback;
use squall_server::{OnUpgrade, Presence, Upgraded};
use squall_websocket::proto::Role;
use squall_websocket::proto::handshake::{HandshakeError, Offer};
use squall_websocket::{Agreed, CloseFrame, Connection, WebSocketOptions, close_all};

use crate::error::HttpError;
use crate::response::{IntoResponse, Response};

/// What the WebSockets of a route have in common.
pub(crate) struct Place {
    options: Rc<WebSocketOptions>,
    /// Somebody waits for the server to stop, to say goodbye then.
    watched: Cell<bool>,
}

/// What was agreed on, and the fields that tell the client.
pub(super) type Agreement = (Agreed, HeaderMap);

impl Place {
    pub(crate) fn new(options: WebSocketOptions) -> Rc<Self> {
        Rc::new(Self {
            options: Rc::new(options),
            watched: Cell::new(false),
        })
    }

    /// Answers an opening handshake, or says what is wrong with it. When the answer has left, `give` gets the connection.
    pub(super) fn open(
        self: &Rc<Self>,
        method: &Method,
        version: Version,
        headers: &HeaderMap,
        upgrade: Option<OnUpgrade>,
        give: impl FnOnce(Connection, Presence) + 'static,
    ) -> Response {
        match self.agree(method, version, headers) {
            Ok(agreement) => self.open_as(agreement, upgrade, give),
            Err(error) => refusal(&error),
        }
    }

    /// Answers an opening handshake by what was agreed on.
    pub(super) fn open_as(
        self: &Rc<Self>,
        (agreed, fields): Agreement,
        upgrade: Option<OnUpgrade>,
        give: impl FnOnce(Connection, Presence) + 'static,
    ) -> Response {
        let Some(upgrade) = upgrade else {
            // Somebody has taken the right to the connection, or the request has not come over one.
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let place = Rc::clone(self);
        spawn_callback(async move {
            let Some(upgraded) = upgrade.await else {
                return;
            };
            let Upgraded {
                stream,
                unread,
                presence,
                ..
            } = upgraded;
            place.watch(&presence);
            let options = &place.options;
            give(
                Connection::new(stream, unread, Role::Server, options, agreed),
                presence,
            );
        });
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        *response.headers_mut() = fields;
        response
    }

    /// Looks at an opening handshake, and says what comes of it.
    pub(super) fn agree(
        &self,
        method: &Method,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<Agreement, HandshakeError> {
        let offer = Offer::read(method, version, headers)?;
        self.options.origins.check(headers)?;
        let chosen = offer.prefer_subprotocol(&self.options.subprotocols);
        let extensions = match &self.options.compression {
            // What cannot be read as a list of offers is no offer.
            Some(wanted) => wanted.accept(offer.extensions()).ok().flatten(),
            None => None,
        };
        let (compression, extensions) = extensions.unzip();
        let fields = offer.response(chosen, extensions)?;
        let known = &self.options.subprotocols;
        let subprotocol = chosen.and_then(|name| known.iter().position(|known| known == name));
        let agreed = Agreed {
            compression,
            subprotocol,
        };
        Ok((agreed, fields))
    }

    /// Sees to it that the connections are closed when the server stops.
    fn watch(self: &Rc<Self>, presence: &Presence) {
        if self.watched.replace(true) {
            return;
        }
        let (place, stopping) = (Rc::clone(self), presence.stopping());
        spawn_callback(async move {
            stopping.await;
            place.watched.set(false);
            let frame = CloseFrame::new(place.options.goodbye, "the server stops");
            close_all(&place.options, &frame);
        });
    }
}

/// The answer to a request that opens nothing; its text says why.
pub(super) fn refusal(error: &HandshakeError) -> Response {
    let refused = HttpError::new(error.status()).message(error.to_string());
    let mut response = refused.into_response();
    response.headers_mut().extend(error.headers());
    response
}
