//! An extractor for handlers that decide themselves whether a WebSocket is opened.

use std::convert::Infallible;
use std::fmt;
use std::rc::Rc;

use http::{HeaderMap, Method, Version};
use squall_server::OnUpgrade;
use squall_websocket::{WebSocketHandler, WebSocketStream};

use super::guest::Guest;
use super::route::run;
use crate::context::{Context, Shared};
use crate::extract::FromRequest;
use crate::response::Response;

/// The right to make a WebSocket of the request: for handlers that look at other arguments, or ask somebody, first.
///
/// Whether the request is an opening handshake at all is found out when one of the two methods is called: what they return
/// is the response, in either case.
///
/// ```
/// use squall_web::{Application, HttpError, Path, Response, Result, WebSocketUpgrade};
/// use squall_websocket::WebSocketStream;
///
/// async fn room(upgrade: WebSocketUpgrade, Path(room): Path<String>) -> Result<Response> {
///     if !is_open(&room).await {
///         return Err(HttpError::not_found("there is no such room"));
///     }
///     Ok(upgrade.stream(move |mut ws: WebSocketStream| async move {
///         ws.send(format!("welcome to {room}"))?;
///         while let Some(message) = ws.next().await? {
///             ws.send(message)?;
///         }
///         Ok(())
///     }))
/// }
/// # async fn is_open(_: &str) -> bool { true }
///
/// let app = Application::new().get("/rooms/{room}", room);
/// # app.check().unwrap();
/// ```
pub struct WebSocketUpgrade {
    method: Method,
    version: Version,
    headers: HeaderMap,
    upgrade: Option<OnUpgrade>,
    shared: Rc<Shared>,
}

impl WebSocketUpgrade {
    /// Opens the WebSocket for this handler; the application's
    /// [`websocket_options`](crate::Application::websocket_options) hold for it.
    pub fn handler<H: WebSocketHandler>(self, handler: H) -> Response {
        let acceptor = self.shared.acceptor::<Guest<H>>();
        self.open(move |connection, presence| {
            acceptor.accept(connection, Guest::new(handler, presence));
        })
    }

    /// Opens the WebSocket and calls `function` with it, in a task of its own; an error of it is logged.
    pub fn stream<Fut>(self, function: impl FnOnce(WebSocketStream) -> Fut + 'static) -> Response
    where
        Fut: Future<Output = squall_websocket::Result> + 'static,
    {
        self.open(move |connection, presence| run(connection, presence, function))
    }

    fn open(
        self,
        give: impl FnOnce(squall_websocket::Connection, squall_server::Presence) + 'static,
    ) -> Response {
        let place = self.shared.websockets();
        place.open(
            &self.method,
            self.version,
            &self.headers,
            self.upgrade,
            give,
        )
    }
}

impl FromRequest for WebSocketUpgrade {
    type Rejection = Infallible;

    async fn from_request(cx: &mut Context) -> Result<Self, Infallible> {
        Ok(Self {
            upgrade: cx.on_upgrade(),
            method: cx.method().clone(),
            version: cx.request().version(),
            headers: cx.headers().clone(),
            shared: Rc::clone(cx.shared()),
        })
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

impl fmt::Debug for WebSocketUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade").finish_non_exhaustive()
    }
}
