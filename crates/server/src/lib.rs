//! The HTTP server of Squall: one event loop per core, limits that are on by default, a graceful stop.
//!
//! * [`HttpServer`] binds, serves on one loop or several, and stops on Ctrl-C; [`Serving`] is its handle on one loop.
//! * [`Service`] is what answers; any `Fn(Request) -> impl Future<Output = Response>` is one.
//! * [`Config`] holds the limits, each with its default and what happens at it.
//! * [`serve_connection`] serves a single [`IoStream`](squall_net::IoStream), such as one end of an in-memory duplex.
//!
//! A program is in the documentation of [`HttpServer`]. What the server does for a service:
//!
//! * keep-alive and pipelining (answers to pipelined requests leave together);
//! * bodies streamed both ways, with back-pressure: a request's body is read when the service asks for it, an answer's body
//!   is asked for more when the client has taken what there is, and is sent as it comes;
//! * `Expect: 100-continue` is answered when the service first reads the body;
//! * requests that break a rule or a limit get their status and `Connection: close`, and the log a line with the client's
//!   address; nothing half-read reaches a service;
//! * a panic is a 500 and a log line; the loop and the other connections go on;
//! * when the client leaves, what was working for it is dropped.
//!
//! The log lines go through [`tracing`], normal ends at level `debug`, broken rules and time limits at `info`, what the
//! operator must know at `warn`, bugs of the service at `error`.

mod accept;
mod balance;
mod config;
mod connection;
mod control;
mod date;
mod deadline;
mod door;
mod file;
mod forwarded;
mod handshakes;
mod intake;
mod parking;
mod proxy_protocol;
mod refuse;
mod request;
mod rescue;
mod run;
mod server;
mod service;
mod serving;
#[cfg(feature = "tls")]
mod tls;
mod trusted;
mod upgrade;

pub use config::{Config, WhenFull};
pub use connection::serve_connection;
pub use control::{Counts, StopReport};
pub use file::FileBody;
pub use forwarded::{ClientInfo, ForwardedFields, Forwarding};
pub use request::Request;
pub use server::HttpServer;
pub use service::{Answer, ConnectInfo, Proxied, Service};
pub use serving::Serving;
pub use squall_http::Response;
pub use trusted::{BadTrusted, Trusted};
pub use upgrade::{OnUpgrade, Presence, Upgraded};
