//! WebSockets (RFC 6455): routes that open them, and an extractor for handlers that decide first.
//!
//! | style | route | a connection is |
//! |---|---|---|
//! | [`WebSocketHandler`](squall_websocket::WebSocketHandler) | [`Application::websocket`](crate::Application::websocket) | a value; idle ones cost a few hundred bytes |
//! | loop | [`Application::websocket_stream`](crate::Application::websocket_stream) | an `async fn` that asks for messages |
//! | either | a handler with a [`WebSocketUpgrade`] | whatever the handler decides |
//!
//! A request that is no opening handshake is refused with 400 or 426, one from a page of another origin with 403
//! ([`WebSocketOptions::origins`](squall_websocket::WebSocketOptions::origins)). When the server stops, its WebSockets are
//! closed with [`WebSocketOptions::goodbye`](squall_websocket::WebSocketOptions::goodbye), and the server waits for them
//! until its deadline.
//!
//! # Examples
//!
//! ```
//! use squall_web::Application;
//! use squall_websocket::{Message, Result, WebSocket, WebSocketHandler, WebSocketStream};
//!
//! struct Echo;
//!
//! impl WebSocketHandler for Echo {
//!     async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
//!         ws.send(message)?;
//!         Ok(())
//!     }
//! }
//!
//! async fn echo(mut ws: WebSocketStream) -> Result {
//!     while let Some(message) = ws.next().await? {
//!         ws.send(message)?;
//!     }
//!     Ok(())
//! }
//!
//! let app = Application::new().websocket("/parked", |_| Echo).websocket_stream("/task", echo);
//! # app.check().unwrap();
//! ```

mod guest;
mod opening;
mod route;
mod upgrade;

pub(crate) use opening::Place;
pub use route::{Fallible, IntoWebSocketHandler, Plain};
pub(crate) use route::{HandlerRoute, StreamRoute};
pub use upgrade::WebSocketUpgrade;
