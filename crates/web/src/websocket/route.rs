//! Routes that open WebSockets.

use std::any::Any;
use std::future::{Ready, ready};
use std::rc::Rc;

use squall_server::Presence;
use squall_websocket::{
    Acceptor, Connection, SendError, WebSocketError, WebSocketHandler, WebSocketOptions,
    WebSocketStream,
};

use super::guest::Guest;
use super::opening::{Agreement, Place, refusal};
use crate::context::Context;
use crate::extract::Needs;
use crate::handler::Handler;
use crate::response::{IntoResponse, Response};

/// What the closure of a WebSocket route may return: a [`WebSocketHandler`], or a `Result` of one whose error is the
/// response that refuses the connection. The compiler finds `Kind`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer a WebSocket",
    label = "not a `WebSocketHandler`",
    note = "the closure of a WebSocket route returns a type that implements `WebSocketHandler`, or a `Result` of one"
)]
pub trait IntoWebSocketHandler<Kind> {
    /// The handler.
    type Handler: WebSocketHandler;

    /// Gives the handler, or refuses.
    ///
    /// # Errors
    ///
    /// The response that says why.
    fn into_handler(self) -> Result<Self::Handler, Response>;
}

/// Says that a handler was returned.
#[derive(Debug)]
pub enum Plain {}

/// Says that a result was returned.
#[derive(Debug)]
pub enum Fallible {}

impl<H: WebSocketHandler> IntoWebSocketHandler<Plain> for H {
    type Handler = H;

    fn into_handler(self) -> Result<H, Response> {
        Ok(self)
    }
}

impl<H: WebSocketHandler, E: IntoResponse> IntoWebSocketHandler<Fallible> for Result<H, E> {
    type Handler = H;

    fn into_handler(self) -> Result<H, Response> {
        self.map_err(IntoResponse::into_response)
    }
}

/// Opens a WebSocket for a new handler.
pub(crate) struct HandlerRoute<M, H: WebSocketHandler> {
    place: Rc<Place>,
    make: M,
    acceptor: Rc<Acceptor<Guest<H>>>,
}

impl<M, H: WebSocketHandler> HandlerRoute<M, H> {
    pub(crate) fn new(options: WebSocketOptions, make: M) -> Self {
        Self {
            place: Place::new(options),
            make,
            acceptor: Rc::default(),
        }
    }
}

impl<M, H: WebSocketHandler> HandlerRoute<M, H> {
    /// Answers a request; the error refuses it.
    fn answer<R, Kind>(&self, cx: &mut Context) -> Result<Response, Response>
    where
        M: Fn(&mut Context) -> R,
        R: IntoWebSocketHandler<Kind, Handler = H>,
    {
        // First, so that nobody's code runs for a request that opens nothing, or for a page of another origin.
        let agreement = agree(&self.place, cx)?;
        let handler = (self.make)(cx).into_handler()?;
        let acceptor = Rc::clone(&self.acceptor);
        let give = move |connection, presence| {
            acceptor.accept(connection, Guest::new(handler, presence));
        };
        Ok(self.place.open_as(agreement, cx.on_upgrade(), give))
    }
}

impl<M, R, Kind> Handler<(R, Kind)> for HandlerRoute<M, R::Handler>
where
    M: Fn(&mut Context) -> R + 'static,
    R: IntoWebSocketHandler<Kind> + 'static,
    Kind: 'static,
{
    type Begun = Ready<Response>;

    fn begin(&self, cx: &mut Context) -> Option<Result<Ready<Response>, Response>> {
        Some(self.answer(cx).map(ready))
    }

    async fn call(self: Rc<Self>, mut cx: Context) -> Response {
        self.answer(&mut cx).unwrap_or_else(|refused| refused)
    }

    fn needs(needs: &mut Needs) {
        // A handshake is GET (RFC 6455 section 4.1), and nothing has a head alone.
        needs.no_head = true;
    }
}

/// Opens a WebSocket for a function that asks for messages.
pub(crate) struct StreamRoute<F> {
    place: Rc<Place>,
    function: Rc<F>,
}

impl<F> StreamRoute<F> {
    pub(crate) fn new(options: WebSocketOptions, function: F) -> Self {
        Self {
            place: Place::new(options),
            function: Rc::new(function),
        }
    }
}

impl<F, Fut> StreamRoute<F>
where
    F: Fn(WebSocketStream) -> Fut + 'static,
    Fut: Future<Output = squall_websocket::Result> + 'static,
{
    /// Answers a request; the error refuses it.
    fn answer(&self, cx: &mut Context) -> Result<Response, Response> {
        let agreement = agree(&self.place, cx)?;
        let function = Rc::clone(&self.function);
        let give = move |connection, presence| run(connection, presence, move |ws| function(ws));
        Ok(self.place.open_as(agreement, cx.on_upgrade(), give))
    }
}

impl<F, Fut> Handler<(Fut,)> for StreamRoute<F>
where
    F: Fn(WebSocketStream) -> Fut + 'static,
    Fut: Future<Output = squall_websocket::Result> + 'static,
{
    type Begun = Ready<Response>;

    fn begin(&self, cx: &mut Context) -> Option<Result<Ready<Response>, Response>> {
        Some(self.answer(cx).map(ready))
    }

    async fn call(self: Rc<Self>, mut cx: Context) -> Response {
        self.answer(&mut cx).unwrap_or_else(|refused| refused)
    }

    fn needs(needs: &mut Needs) {
        // A handshake is GET (RFC 6455 section 4.1), and nothing has a head alone.
        needs.no_head = true;
    }
}

fn agree(place: &Place, cx: &Context) -> Result<Agreement, Response> {
    let request = cx.request();
    let (method, version) = (request.method(), request.version());
    let agreement = place.agree(method, version, request.headers());
    agreement.map_err(|error| refusal(&error))
}

/// Runs a function with a connection, in a task of its own.
pub(super) fn run<Fut>(
    connection: Connection,
    presence: Presence,
    function: impl FnOnce(WebSocketStream) -> Fut + 'static,
) where
    Fut: Future<Output = squall_websocket::Result> + 'static,
{
    // The connection counts until it has ended, and until the function has.
    let presence = Rc::new(presence);
    let mut ws = WebSocketStream::new(connection);
    ws.hold(Rc::clone(&presence) as Rc<dyn Any>);
    let future = function(ws);
    squall_ioloop::spawn_callback(async move {
        if let Err(error) = future.await {
            let cause = crate::error::chain(&*error);
            // Whoever likes can be gone, be slow or break the protocol, so nobody is woken for it.
            if error.is::<SendError>() || error.is::<WebSocketError>() {
                tracing::debug!(target: "squall::web", "WebSocket ended: {cause}");
            } else {
                tracing::error!(target: "squall::web", "WebSocket ended: {cause}");
            }
        }
        drop(presence);
    });
}
