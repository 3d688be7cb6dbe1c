//! The web framework of Squall: applications, routes, handlers.
//!
//! An [`Application`] maps methods and paths to handlers, which are `async fn`s whose arguments are made from the request
//! and whose output is the response. It is made once on every loop, and nothing in it must be `Send`.
//!
//! ```
//! use squall_web::testing::TestClient;
//! use squall_web::{Application, Json, Path, Query, State};
//! # use serde::Deserialize;
//! # use std::cell::Cell;
//!
//! #[derive(Deserialize)]
//! struct Greeting {
//!     shout: Option<bool>,
//! }
//!
//! #[derive(Default)]
//! struct Greeted(Cell<u64>);
//!
//! async fn hello(
//!     Path(name): Path<String>,
//!     Query(greeting): Query<Greeting>,
//!     State(greeted): State<Greeted>,
//! ) -> String {
//!     greeted.0.set(greeted.0.get() + 1);
//!     let end = if greeting.shout == Some(true) { "!" } else { "" };
//!     format!("Hello, {name}{end}")
//! }
//!
//! async fn sum(Json(numbers): Json<Vec<i64>>) -> Json<i64> {
//!     Json(numbers.iter().sum())
//! }
//!
//! # squall_ioloop::IoLoop::run_sync(async {
//! let app = Application::new()
//!     .state(Greeted::default())
//!     .get("/hello/{name}", hello)
//!     .post("/sum", sum);
//! app.check()?;
//!
//! // In a test there is no socket; `HttpServer::new(|| app)` serves the same application.
//! let client = TestClient::new(app);
//! let response = client.get("/hello/you?shout=true").await;
//! assert_eq!(response.text(), "Hello, you!");
//! let response = client.post("/sum").json(&[1, 2, 3]).await;
//! assert_eq!(response.json::<i64>(), 6);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! * [`Application`]: routes and what they share; [`handler`]: what answers a route.
//! * [`extract`]: the arguments of handlers; [`IntoResponse`]: their results; [`error`]: their failures.
//! * [`files`]: the files of a folder.
//! * [`sse`]: events that a page gets as they happen.
//! * [`websocket`]: connections on which both sides speak.
//! * [`testing`]: a client that needs no socket.

mod application;
mod context;
pub mod error;
pub mod extract;
pub mod files;
pub mod handler;
mod response;
mod router;
pub mod sse;
pub mod testing;
pub mod websocket;

use squall_http::Body;

pub use application::{Application, ConfigError, Problem};
pub use context::Context;
pub use error::{Failure, HttpError, Result};
pub use extract::{FromRequest, Path, Query, State};
pub use files::Files;
pub use handler::Handler;
pub use response::{Html, IntoResponse, Json, JsonRejection, Redirect, Response};
pub use router::PatternError;
pub use websocket::WebSocketUpgrade;

/// A request: the type of the `http` crate, with our body.
pub type Request = http::Request<Body>;
