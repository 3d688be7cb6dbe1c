//! The HTTP client of Squall: `fetch`, kept-alive connections, limits that are on by default.
//!
//! ```
//! use squall_client::{HttpClient, HttpRequest};
//! use squall_http::Body;
//! use squall_ioloop::IoLoop;
//! # use squall_server::HttpServer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! IoLoop::run_sync(async {
//!     # let hello = || |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
//!     # let serving = HttpServer::new(hello).listen("127.0.0.1:0")?.serve()?;
//!     # let url = format!("http://{}/", serving.local_addr());
//!     let client = HttpClient::new();
//!     let response = client.fetch(&url).await?;
//!     assert_eq!((response.code, response.text().as_ref()), (200, "hello"));
//!
//!     let question = HttpRequest::post(&url, "all about storms").header("Accept", "text/plain");
//!     client.fetch(question).await?.rethrow()?;
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })
//! # }
//! ```
//!
//! * [`HttpClient`] fetches; clones share its connections.
//! * [`HttpRequest`] says what to fetch; a URL alone is a GET.
//! * [`Response`] is what came back, whatever its status; [`Response::rethrow`] makes an error of a status that is one.
//! * [`Error`] says what failed, and whether it may be tried again.
//! * [`ClientConfig`] holds the limits.
//!
//! # Limits
//!
//! `https://` needs the feature `tls`, and is an error that says so without it. Redirects are answers like any other: the `Location` is for the
//! caller to follow. The answer is held in memory, up to [`Limits::body_bytes`](squall_http::h1::Limits). There are no cookies,
//! no proxies and no decompression, so none is asked for.

mod client;
mod config;
mod connection;
mod error;
mod pool;
mod request;
mod response;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub use client::{Fetch, HttpClient};
pub use config::ClientConfig;
pub use error::Error;
pub use request::{HttpRequest, IntoRequest};
pub use response::Response;
