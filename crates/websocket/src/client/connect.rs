//! Connecting.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};
use squall_http::h1::{RequestStart, ResponseHead, TargetForm};
use squall_ioloop::with_timeout;
use squall_net::{IoStream, Secure, usual_security};

use super::dial::{dial, secured};
use super::error::{ConnectError, Kind};
use super::exchange::exchange;
use super::url::{Url, label};
use super::{AGENT, Stage};
use crate::connection::{Agreed, Connection};
use crate::options::WebSocketOptions;
use crate::proto::Role;
use crate::proto::deflate::DeflateOptions;
use crate::proto::handshake::ClientHandshake;
use crate::stream::WebSocketStream;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects to a WebSocket; Tornado's function of that name.
///
/// Awaiting what it returns connects; before that, options can be set on it.
///
/// ```no_run
/// use squall_websocket::websocket_connect;
///
/// # async fn watch() -> Result<(), Box<dyn std::error::Error>> {
/// let mut ws = websocket_connect("ws://127.0.0.1:8888/prices")
///     .subprotocols(["prices.v2"])
///     .header("Authorization", "Bearer me")
///     .await?;
/// ws.send("subscribe")?;
/// while let Some(message) = ws.next().await? {
///     println!("{message:?}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// Redirects are not followed, cookies not kept. Several connections to one host may be opened at a time; browsers would have
/// them wait for one another (RFC 6455 section 4.1, step 2).
///
/// # Errors
///
/// [`ConnectError`] has questions for each sort; all come when it is awaited, also that of a bad URL.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub fn websocket_connect(url: impl fmt::Display) -> WebSocketConnect {
    WebSocketConnect::new(url)
}

/// A WebSocket that is to be opened; [`websocket_connect`] makes one.
///
/// Awaiting it connects. It can be cloned, to connect again.
#[derive(Clone)]
#[must_use = "nothing is connected until it is awaited"]
pub struct WebSocketConnect {
    /// As given.
    url: String,
    proxy: Option<String>,
    headers: HeaderMap,
    options: WebSocketOptions,
    connect_timeout: Duration,
    pub(super) secure: Rc<dyn Secure>,
    /// The first thing that was wrong.
    problem: Option<String>,
}

/// A connection after the handshake.
struct Opened {
    stream: IoStream,
    /// What the server has sent behind its answer: the first frames.
    unread: Bytes,
    agreed: Agreed,
    /// The fields of the answer.
    headers: HeaderMap,
}

impl WebSocketConnect {
    /// Takes the URL, of the form `ws://[user:password@]host[:port]/path?query` or `wss` alike, percent-encoded. User and
    /// password are sent as `Authorization: Basic`. A fragment is an error (RFC 6455 section 3).
    pub fn new(url: impl fmt::Display) -> Self {
        Self {
            url: url.to_string(),
            proxy: None,
            headers: HeaderMap::new(),
            options: WebSocketOptions::default(),
            connect_timeout: CONNECT_TIMEOUT,
            secure: usual_security(),
            problem: None,
        }
    }

    /// Adds a field to the request. `Host` and `User-Agent` are added where they are missing; those of the handshake itself
    /// must not be set.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName> + fmt::Debug + Clone,
        V: TryInto<HeaderValue>,
    {
        match (name.clone().try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            (Err(_), _) => self.blame(format!("{name:?} is no header name")),
            (_, Err(_)) => self.blame(format!(
                "the value of the header {name:?} has bytes that must not be there"
            )),
        }
        self
    }

    /// Sets how long it may take until the WebSocket is open: resolving, connecting, the proxy, TLS and the handshake
    /// together. Default 20 s, as Tornado has it; zero means no limit.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets all that a connection has besides: limits, pings, compression, subprotocols. What was set of it before is gone. Of
    /// [`WebSocketOptions`] a client has no use for `origins` and `drain`.
    pub fn options(mut self, options: WebSocketOptions) -> Self {
        self.options = options;
        self
    }

    /// Offers compression of messages (RFC 7692). The server may do without. Default: none is offered.
    pub fn compression(mut self, compression: DeflateOptions) -> Self {
        self.options.compression = Some(compression);
        self
    }

    /// Sets how many bytes a message that comes may have, inflated; see [`WebSocketOptions::max_message`].
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.options.max_message = bytes;
        self.options.max_frame = bytes;
        self
    }

    /// Sets how long the server may be silent before it is sent a ping, and then, before it is given up; see
    /// [`WebSocketOptions::ping_interval`] and [`ping_timeout`](WebSocketOptions::ping_timeout).
    pub fn ping(mut self, interval: Duration, timeout: Duration) -> Self {
        self.options.ping_interval = Some(interval);
        self.options.ping_timeout = timeout;
        self
    }

    /// Connects through an HTTP proxy, `http://[user:password@]host[:port]`, by a tunnel (`CONNECT`, RFC 9110 section 9.3.6)
    /// whether TLS follows or not. User and password are sent as `Proxy-Authorization: Basic`. Default: none, whatever the
    /// environment says.
    pub fn proxy(mut self, url: impl fmt::Display) -> Self {
        self.proxy = Some(url.to_string());
        self
    }

    /// Offers subprotocols, the ones it likes better first. The server may choose none of them.
    pub fn subprotocols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the URL as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connects. The future owns all it needs, so it can be spawned; it does nothing before it is polled.
    ///
    /// # Errors
    ///
    /// As [`websocket_connect`].
    ///
    /// # Panics
    ///
    /// The future panics when it is polled off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub fn connect(self) -> Connecting {
        self.over(None)
    }

    /// Connects over a stream that is there already, such as a Unix socket or one end of an in-memory
    /// [`duplex`](squall_net::duplex). `wss` secures it first. A proxy is not asked.
    ///
    /// # Errors
    ///
    /// As [`websocket_connect`].
    ///
    /// # Panics
    ///
    /// The future panics when it is polled off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub fn connect_over(self, stream: IoStream) -> Connecting {
        self.over(Some(stream))
    }

    /// Connects, and returns the fields of the server's answer, too: cookies, for instance.
    ///
    /// # Errors
    ///
    /// As [`websocket_connect`].
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn connect_with_headers(self) -> Result<(WebSocketStream, HeaderMap), ConnectError> {
        let opened = self.open(None).await?;
        Ok(self.enter(opened))
    }

    fn over(self, stream: Option<IoStream>) -> Connecting {
        Connecting(Box::pin(async move {
            let opened = self.open(stream).await?;
            Ok(self.enter(opened).0)
        }))
    }

    fn enter(self, opened: Opened) -> (WebSocketStream, HeaderMap) {
        let Opened {
            stream,
            unread,
            agreed,
            headers,
        } = opened;
        let options = Rc::new(self.options);
        let connection = Connection::new(stream, unread, Role::Client, &options, agreed);
        (WebSocketStream::new(connection), headers)
    }

    fn blame(&mut self, reason: String) {
        self.problem.get_or_insert(reason);
    }

    /// Shakes hands, over `stream` if there is one already.
    async fn open(&self, stream: Option<IoStream>) -> Result<Opened, ConnectError> {
        let stage = Stage::default();
        let limit = match self.connect_timeout.is_zero() {
            true => Duration::MAX,
            false => self.connect_timeout,
        };
        let opened = match with_timeout(limit, self.attempt(stream, &stage)).await {
            Ok(opened) => opened,
            Err(_) => Err(Kind::Timeout(limit)),
        };
        opened.map_err(|kind| {
            let proxy = self.proxy.as_deref().filter(|_| stage.at_proxy.get());
            ConnectError::new(kind, label(&self.url), proxy.map(label))
        })
    }

    async fn attempt(&self, stream: Option<IoStream>, stage: &Stage) -> Result<Opened, Kind> {
        if let Some(problem) = &self.problem {
            return Err(Kind::BadRequest(problem.clone()));
        }
        let url = Url::of_websocket(&self.url).map_err(Kind::unusable)?;
        let mut key = [0; 16];
        getrandom::fill(&mut key)
            .map_err(|err| Kind::Connect(io::Error::other(err.to_string())))?;
        let handshake = self.handshake(key);
        let mut headers = handshake
            .headers(&self.headers)
            .map_err(|err| Kind::BadRequest(err.to_string()))?;
        headers.entry(USER_AGENT).or_insert(AGENT);
        if let Some(authorization) = &url.authorization {
            headers
                .entry(AUTHORIZATION)
                .or_insert_with(|| authorization.clone());
        }
        let mut stream = match stream {
            Some(stream) => secured(&url, &*self.secure, stream).await?,
            None => {
                let proxy = self.proxy_url(stage)?;
                dial(&url, proxy.as_ref(), &*self.secure, stage).await?
            }
        };
        let start = RequestStart {
            method: &Method::GET,
            target: &url.uri,
            form: TargetForm::Origin,
            headers: &headers,
            length: Some(0),
            keep_alive: true,
        };
        let answer = exchange(&mut stream, &start).await?;
        if !answer.is_switch() {
            return Err(Kind::refused(answer));
        }
        Ok(Opened {
            stream,
            unread: answer.unread,
            agreed: self.agree(&handshake, &answer.head)?,
            headers: answer.head.headers,
        })
    }

    fn handshake(&self, key: [u8; 16]) -> ClientHandshake {
        let handshake = ClientHandshake::new(key).subprotocols(&self.options.subprotocols);
        match &self.options.compression {
            Some(compression) => handshake.extensions(compression.offer()),
            None => handshake,
        }
    }

    fn agree(&self, handshake: &ClientHandshake, head: &ResponseHead) -> Result<Agreed, Kind> {
        let agreed = handshake
            .check(head.status, &head.headers)
            .map_err(Kind::Answer)?;
        let compression = match &self.options.compression {
            Some(compression) => compression
                .read_response(&agreed.extensions)
                .map_err(Kind::Extension)?,
            None => None,
        };
        let subprotocol = agreed.subprotocol.and_then(|chosen| {
            let mut offered = self.options.subprotocols.iter();
            offered.position(|name| *name == chosen)
        });
        Ok(Agreed {
            compression,
            subprotocol,
        })
    }

    fn proxy_url(&self, stage: &Stage) -> Result<Option<Url>, Kind> {
        let Some(text) = &self.proxy else {
            return Ok(None);
        };
        Url::of_proxy(text).map(Some).map_err(|reason| {
            stage.enter_proxy();
            Kind::unusable(reason)
        })
    }
}

impl fmt::Debug for WebSocketConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Passwords are for nobody's log, and neither are the values of fields.
        f.debug_struct("WebSocketConnect")
            .field("url", &label(&self.url))
            .field("proxy", &self.proxy.as_deref().map(label))
            .field("options", &self.options)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl IntoFuture for WebSocketConnect {
    type Output = Result<WebSocketStream, ConnectError>;
    type IntoFuture = Connecting;

    fn into_future(self) -> Connecting {
        self.connect()
    }
}

/// The future of [`websocket_connect`].
#[must_use = "nothing is connected until it is awaited or spawned"]
pub struct Connecting(Pin<Box<dyn Future<Output = Result<WebSocketStream, ConnectError>>>>);

impl Future for Connecting {
    type Output = Result<WebSocketStream, ConnectError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
