//! Squall: one event loop per core, futures that never have to be `Send`, and an HTTP server, an HTTP client and a web
//! framework that belong together.
//!
//! # A complete program
//!
//! An application, a server for it, and a client that asks it, all on one loop:
//!
//! ```
//! use std::cell::Cell;
//! use std::time::Duration;
//!
//! use squall::{Application, HttpClient, HttpServer, IoLoop, Path, State, multi};
//!
//! #[derive(Default)]
//! struct Greeted(Cell<u64>);
//!
//! async fn hello(Path(name): Path<String>, State(greeted): State<Greeted>) -> String {
//!     greeted.0.set(greeted.0.get() + 1);
//!     format!("Hello, {name}")
//! }
//!
//! // Made once on every loop, so its state needs neither `Arc` nor a lock.
//! fn application() -> Application {
//!     Application::new().state(Greeted::default()).get("/hello/{name}", hello)
//! }
//!
//! async fn serve_and_ask() -> squall::Result<()> {
//!     let serving = HttpServer::new(application).listen("127.0.0.1:0")?.serve()?;
//!     let site = format!("http://{}", serving.local_addr());
//!
//!     let client = HttpClient::new();
//!     let names = ["storm", "squall"];
//!     let [first, second] =
//!         multi(names.map(|name| client.fetch(format!("{site}/hello/{name}")))).await?;
//!     assert_eq!((first.code, first.text().as_ref()), (200, "Hello, storm"));
//!     assert_eq!(second.text(), "Hello, squall");
//!
//!     serving.stop(Duration::from_secs(1)).await;
//!     Ok(())
//! }
//!
//! fn main() -> squall::Result<()> {
//!     IoLoop::run_sync(serve_and_ask())
//! }
//! ```
//!
//! `HttpServer::new(application).listen("127.0.0.1:8888")?.run()?` serves on one loop per core until Ctrl-C.
//!
//! # What is where
//!
//! The root has the names that most programs begin with. Everything is in the modules, one for each part:
//!
//! * [`ioloop`]: the loop, tasks, promises, timers, [`multi`], locks, queues, thread pools, processes.
//! * [`http`]: requests, responses and bodies; HTTP/1.1 as state machines without I/O.
//! * [`net`]: listeners and streams.
//! * [`server`], [`client`]: the two ends of HTTP.
//! * [`websocket`]: WebSockets, both ends.
//! * [`web`]: applications, routes, handlers, extractors, server-sent events, a test client.
//!
//! # Tornado's words
//!
//! | Tornado | Squall |
//! |---|---|
//! | `IOLoop.current().start()`, `run_sync(main)` | [`IoLoop::start`], [`IoLoop::run_sync`] |
//! | `future.add_done_callback(f)` | [`Task::add_done_callback`] |
//! | `IOLoop.spawn_callback(f)` | [`spawn_callback`] |
//! | `Future()`, `future.set_result(value)` | [`promise`] |
//! | `gen.Task(f, 1, 2)` | [`from_callback`] |
//! | `yield [a, b]`, `yield {"a": a}` | [`multi`] |
//! | `gen.sleep(1)`, `gen.with_timeout(...)` | [`sleep`], [`with_timeout`] |
//! | `concurrent.futures.ThreadPoolExecutor` | [`ThreadPoolExecutor`] |
//! | `AsyncHTTPClient().fetch(url)` | [`HttpClient::fetch`](client::HttpClient::fetch) |
//! | `websocket_connect(url)` | [`websocket_connect`](websocket::websocket_connect) |

use std::error;

#[doc(inline)]
pub use squall_client as client;
#[doc(inline)]
pub use squall_ioloop as ioloop;
#[doc(inline)]
pub use squall_net as net;
#[doc(inline)]
pub use squall_server as server;
#[doc(inline)]
pub use squall_web as web;
#[doc(inline)]
pub use squall_websocket as websocket;

pub use client::HttpClient;
pub use ioloop::{
    IoLoop, PeriodicCallback, Task, ThreadPoolExecutor, from_callback, multi, promise, sleep,
    spawn, spawn_callback, with_timeout,
};
pub use server::HttpServer;
pub use web::{Application, Json, Path, Query, State};
pub use websocket::{Message, WebSocket, WebSocketHandler};

pub mod http {
    //! HTTP: the vocabulary of the `http` crate, bodies, and HTTP/1.1 as state machines without I/O.
    //!
    //! `Request` and `Response` are the `http` crate's here. What a server works with are cheaper types that turn into these
    //! and back: [`server::Request`](crate::server::Request) and [`server::Response`](crate::server::Response).
    //!
    //! ```
    //! use squall::http::StatusCode;
    //! use squall::server::{Request, Response};
    //!
    //! async fn teapot(_request: Request) -> Response {
    //!     let mut response = Response::new("short and stout");
    //!     *response.status_mut() = StatusCode::IM_A_TEAPOT;
    //!     response
    //! }
    //! # let _ = squall::server::HttpServer::new(|| teapot);
    //! ```

    pub use ::http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
        header,
    };
    pub use squall_http::*;
}

/// Any error: what a program that only reports its errors needs to know about them.
///
/// Everything in Squall that fails has an error type of its own, which becomes this one by `?`.
pub type Error = Box<dyn error::Error>;

/// The result of a program, or of a part that only hands errors on.
///
/// Handlers have a result of their own, [`web::Result`], whose errors are responses.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The programs on the project's front pages, so that they compile.
#[cfg(doctest)]
mod front_pages {
    #[doc = include_str!("../../../README.md")]
    struct English;
    #[doc = include_str!("../../../README.zh-CN.md")]
    struct Chinese;
}
