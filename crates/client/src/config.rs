//! The settings of a client.

use std::time::Duration;

use squall_http::h1::Limits;

/// What a client allows itself and its servers.
///
/// ```
/// use std::time::Duration;
/// use squall_client::{ClientConfig, HttpClient};
///
/// let client = HttpClient::with_config(ClientConfig {
///     request_timeout: Duration::from_secs(5),
///     ..ClientConfig::default()
/// });
/// ```
///
/// Time is measured on the loop's clock.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Time to find and reach the server. Default 20 s, as Tornado has it; zero means no limit. Then the fetch fails with
    /// an error that is both [`is_timeout`](crate::Error::is_timeout) and [`is_connect`](crate::Error::is_connect). A request
    /// may set [its own](crate::HttpRequest::connect_timeout).
    pub connect_timeout: Duration,
    /// Time for the whole fetch, from its first poll to the last byte of the answer, connecting included. Default 20 s, as
    /// Tornado has it; zero means no limit. Then it fails with an error that [`is_timeout`](crate::Error::is_timeout). A request
    /// may set [its own](crate::HttpRequest::request_timeout).
    pub request_timeout: Duration,
    /// What an answer may have: bytes of head and body, fields, interim answers; each limit knows its default. More is an
    /// error, never a truncated answer. A request may set [its own body limit](crate::HttpRequest::max_body_size).
    pub limits: Limits,
    /// Connections to one server (scheme, host and port) that are kept open while nobody uses them. Default 16; zero keeps
    /// none. One more is closed instead of kept. There is no limit on those in use.
    pub idle_connections: usize,
    /// Time that an unused connection is kept open. Default 30 s, less than most servers wait.
    pub idle_timeout: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(20),
            limits: Limits::default(),
            idle_connections: 16,
            idle_timeout: Duration::from_secs(30),
        }
    }
}
