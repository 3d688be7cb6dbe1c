//! The settings of a server, all of them limits that are on by default.

use std::sync::Arc;
use std::time::Duration;

use squall_http::h1::Limits;

use crate::forwarded::Forwarding;
use crate::trusted::Trusted;

/// What a server allows its clients.
///
/// ```
/// use std::time::Duration;
/// use squall_server::Config;
///
/// let config = Config { keep_alive_timeout: Duration::from_secs(20), ..Config::default() };
/// assert_eq!(config.head_timeout, Duration::from_secs(15));
/// ```
///
/// The time limits are measured on the loop's clock. There is none on the service: wrap its futures where one is wanted.
#[derive(Clone, Debug)]
pub struct Config {
    /// The limits of the parser: bytes of a head, of a target, of a body, and so on; each knows its default and the status
    /// that answers more.
    pub limits: Limits,
    /// Proxies that put a PROXY header, version 1 or 2, before everything else on their connections. Default: none, so no
    /// connection has one. With some, every connection must come from one of them and begin with the header; others are
    /// closed. [`HttpServer::proxy_protocol`](crate::HttpServer::proxy_protocol) says something else for single addresses.
    /// [`ConnectInfo::proxied`](crate::ConnectInfo::proxied) has what it says.
    pub proxy_protocol: Option<Trusted>,
    /// Proxies whose `Forwarded` or `X-Forwarded-*` fields are believed by
    /// [`Request::client_info`](crate::Request::client_info). Default: none.
    pub forwarding: Option<Arc<Forwarding>>,
    /// Time from accepting a connection to the end of its PROXY header, and from there to the end of its TLS handshake. Default 10 s. Then it is cut.
    pub handshake_timeout: Duration,
    /// TLS handshakes that one loop carries on at a time. Default 512: honest ones are through in two round trips, so that
    /// is thousands a second, while each may hold some ten KiB. One more costs the oldest its place: clients that connect
    /// and stay silent cannot keep others out.
    pub max_handshakes: usize,
    /// Time from the first byte of a request's head to its last. Default 15 s. Then the client gets 408, and the
    /// connection is closed.
    pub head_timeout: Duration,
    /// Time that a connection may wait for its first or next request. Default 75 s. Then it is closed without a word;
    /// for a connection without a task this is noticed up to a sixteenth of the limit, and at most a second, later.
    pub keep_alive_timeout: Duration,
    /// Time that the service waits for a request's body while less comes than [`min_rate`](Self::min_rate) asks for.
    /// Default 30 s. Then the body ends with [`BodyError::TimedOut`](squall_http::BodyError::TimedOut), for which 408 is the
    /// answer, and the connection is closed after it. The time that the service takes for itself is not counted.
    pub body_timeout: Duration,
    /// Time that an answer waits for its client while that takes less than [`min_rate`](Self::min_rate) asks for. Default
    /// 30 s. Then the connection is cut, and the service's future or body dropped.
    pub write_timeout: Duration,
    /// Bytes that a client must bring of a body, or take of an answer, for each second that it is waited for. Default 240,
    /// which any modem can do. It is measured over [`body_timeout`](Self::body_timeout) and
    /// [`write_timeout`](Self::write_timeout): 7,200 bytes start their 30 s over, so a client cannot hold a request for
    /// ever by sending or taking a byte now and then. Set zero, which lets every byte start them over, where clients are
    /// meant to stream a body that is mostly silence.
    pub min_rate: u32,
    /// Time to go on reading after an answer that ends the connection early, so that the client can read it instead of
    /// losing it to a reset (RFC 9112 §9.6). Default 2 s. Then the connection is closed.
    pub linger_timeout: Duration,
    /// Bytes of a body that the service left unread which the server reads itself, to keep the connection. Default
    /// 262,144 (256 KiB), what costs less than a new connection. With more to come the connection is closed.
    pub unread_bytes: u64,
    /// Connections that one loop holds open at a time. Default 65,536. Newcomers beyond it go to loops that have room; when
    /// none has, [`when_full`](Self::when_full) says what becomes of them.
    pub max_connections: usize,
    /// What becomes of newcomers when all loops have [`max_connections`](Self::max_connections). Default: they wait.
    pub when_full: WhenFull,
    /// Whether a client that has shut down its writing side (`nc -N` does) still gets answers that take time. Default
    /// off: such a client cannot be told from one that has left, so its futures are dropped. An answer that is ready at
    /// once is sent in any case.
    pub half_close: bool,
    /// Time that requests in flight may take when [`HttpServer::run`](crate::HttpServer::run) is asked to stop. Default
    /// 30 s. Then their connections are cut.
    pub stop_timeout: Duration,
}

/// What becomes of clients for whom there is no room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The connection that has waited longest for a request is closed for each of them. For services whose clients keep
    /// connections that they hardly use: a client has to be ready for that at any time (RFC 9112 §9.5). "Longest" is told to
    /// within a sixteenth of [`keep_alive_timeout`](Config::keep_alive_timeout), a second at most; connections that have
    /// brought something are spared as far as possible. Only connections of the same loop are closed, and only sockets on
    /// Linux. While there are none that wait, newcomers do.
    CloseIdle,
    /// They get 503 at once and are closed; those that would speak TLS are closed without a word. For services whose clients
    /// know other servers to go to.
    Refuse,
    /// They wait in the kernel's queue until others leave.
    #[default]
    Wait,
}

impl Config {
    /// Bytes after which a time limit starts over.
    pub(crate) fn enough(&self, limit: Duration) -> u64 {
        let bytes = limit.as_millis().saturating_mul(self.min_rate.into()) / 1000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            proxy_protocol: None,
            forwarding: None,
            handshake_timeout: Duration::from_secs(10),
            max_handshakes: 512,
            head_timeout: Duration::from_secs(15),
            keep_alive_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            min_rate: 240,
            linger_timeout: Duration::from_secs(2),
            unread_bytes: 256 * 1024,
            max_connections: 65_536,
            when_full: WhenFull::Wait,
            half_close: false,
            stop_timeout: Duration::from_secs(30),
        }
    }
}
