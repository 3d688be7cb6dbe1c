//! The client.

mod connect;
mod dial;
mod error;
mod exchange;
#[cfg(feature = "tls")]
mod tls;
mod url;

use std::cell::Cell;

use http::header::HeaderValue;

pub use connect::{Connecting, WebSocketConnect, websocket_connect};
pub use error::ConnectError;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("Squall/", env!("CARGO_PKG_VERSION")));

/// With whom a connection that is being made is busy.
#[derive(Debug, Default)]
struct Stage {
    at_proxy: Cell<bool>,
}

impl Stage {
    fn enter_proxy(&self) {
        self.at_proxy.set(true);
    }

    fn enter_server(&self) {
        self.at_proxy.set(false);
    }
}
