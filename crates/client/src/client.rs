//! Fetching.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::{HeaderValue, USER_AGENT};
use http::{HeaderMap, Uri};
use squall_http::Body;
use squall_http::h1::{RequestStart, TargetForm};
use squall_ioloop::{IoLoop, with_timeout};
use squall_net::{IoStream, Secure, usual_security};

use crate::config::ClientConfig;
use crate::connection::{Answer, Connection};
use crate::error::{Error, Kind};
use crate::pool::Pool;
use crate::request::{HttpRequest, IntoRequest};
use crate::response::Response;
use crate::url::Origin;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("Squall/", env!("CARGO_PKG_VERSION")));

/// An HTTP/1.1 client; Tornado's `AsyncHTTPClient`.
///
/// It keeps connections open and uses them again, so make one for each loop and clone it: clones share the connections,
/// which belong to the loop on which they were opened. Fetches run side by side, each on a connection of its own.
#[derive(Clone, Debug)]
pub struct HttpClient {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: ClientConfig,
    pool: Rc<Pool>,
    secure: Rc<dyn Secure>,
}

impl HttpClient {
    /// Makes a client with the default limits. Nothing happens until it fetches, so no loop is needed yet.
    pub fn new() -> Self {
        Self::with_config(ClientConfig::default())
    }

    /// Makes a client with limits of your own.
    pub fn with_config(config: ClientConfig) -> Self {
        Self::with_secure(config, usual_security())
    }

    pub(crate) fn with_secure(config: ClientConfig, secure: Rc<dyn Secure>) -> Self {
        let pool = Rc::new(Pool::new(config.idle_connections, config.idle_timeout));
        Self {
            shared: Rc::new(Shared {
                config,
                pool,
                secure,
            }),
        }
    }

    /// Fetches a URL, given as text or [`Uri`], or what an [`HttpRequest`] says.
    ///
    /// The answer is a [`Response`] whatever its status. The future owns all it needs, so it can be spawned; it does nothing
    /// before it is polled.
    ///
    /// A connection that was kept open may have been closed by the server meanwhile. If it turns out to be dead before any of
    /// the answer came, and the method is idempotent (RFC 9110 §9.2.2) and the body no stream, the request is sent once more, on
    /// a new connection.
    ///
    /// # Errors
    ///
    /// [`Error`] has questions for each sort; all come from the future, also that of a bad URL.
    ///
    /// # Panics
    ///
    /// The future panics when it is polled off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes its connection. Whether the server has seen the request, and acts on it, is not known then.
    pub fn fetch(&self, request: impl IntoRequest) -> Fetch {
        let shared = Rc::clone(&self.shared);
        let request = request.into_request();
        Fetch(Box::pin(async move { shared.fetch(request).await }))
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

/// The future of [`HttpClient::fetch`].
#[must_use = "a fetch does nothing until it is awaited or spawned"]
pub struct Fetch(Pin<Box<dyn Future<Output = Result<Response, Error>>>>);

impl Future for Fetch {
    type Output = Result<Response, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").finish_non_exhaustive()
    }
}

/// Where a request goes and how it is written.
struct Target {
    uri: Uri,
    origin: Origin,
    /// All headers, with those that the client adds.
    headers: HeaderMap,
}

impl Shared {
    async fn fetch(&self, mut request: HttpRequest) -> Result<Response, Error> {
        let begun = IoLoop::current().time();
        let label = request.label();
        let idempotent = request.method.is_idempotent();
        let answer = match request.check() {
            Ok((uri, origin)) => {
                let mut headers = request.headers.clone();
                headers.entry(USER_AGENT).or_insert(AGENT);
                let target = Target {
                    uri,
                    origin,
                    headers,
                };
                self.attempt_in_time(&mut request, &target).await
            }
            Err(kind) => Err(kind),
        };
        match answer {
            Ok(answer) => Ok(respond(request, answer, begun)),
            Err(kind) => {
                let may_retry = match &kind {
                    Kind::Connect(_) | Kind::ConnectTimeout(_) => true,
                    kind => idempotent && kind.is_silent_death(),
                };
                Err(Error::new(kind, label, may_retry))
            }
        }
    }

    async fn attempt_in_time(
        &self,
        request: &mut HttpRequest,
        target: &Target,
    ) -> Result<Answer, Kind> {
        let limit = request
            .request_timeout
            .unwrap_or(self.config.request_timeout);
        match with_timeout(or_none(limit), self.attempts(request, target)).await {
            Ok(answer) => answer,
            Err(_) => Err(Kind::RequestTimeout(limit)),
        }
    }

    /// Sends the request, a second time if a connection was kept too long.
    async fn attempts(&self, request: &mut HttpRequest, target: &Target) -> Result<Answer, Kind> {
        if let Some(connection) = self.pool.take(&target.origin) {
            let again = match &request.body {
                Body::Full(bytes) if request.method.is_idempotent() => Some(bytes.clone()),
                _ => None,
            };
            match (self.attempt(connection, request, target).await, again) {
                (Err(kind), Some(bytes)) if kind.is_silent_death() => {
                    tracing::debug!(
                        "a kept connection to {} was dead: {kind}",
                        target.origin.host
                    );
                    request.body = bytes.into();
                }
                (answer, _) => return answer,
            }
        }
        let connection = self.connect(request, &target.origin).await?;
        self.attempt(connection, request, target).await
    }

    async fn attempt(
        &self,
        connection: Connection,
        request: &mut HttpRequest,
        target: &Target,
    ) -> Result<Answer, Kind> {
        let body = match &mut request.body {
            Body::Full(bytes) => Body::Full(bytes.clone()),
            stream @ Body::Stream(_) => std::mem::take(stream),
        };
        let start = RequestStart {
            method: &request.method,
            target: &target.uri,
            form: TargetForm::Origin,
            headers: &target.headers,
            length: body.length(),
            keep_alive: true,
        };
        let mut limits = self.config.limits;
        limits.body_bytes = request.max_body_size.unwrap_or(limits.body_bytes);
        let (answer, connection) = connection.exchange(&start, body, limits).await?;
        if let Some(connection) = connection {
            self.pool.put(target.origin.clone(), connection);
        }
        Ok(answer)
    }

    async fn connect(&self, request: &HttpRequest, origin: &Origin) -> Result<Connection, Kind> {
        let limit = request
            .connect_timeout
            .unwrap_or(self.config.connect_timeout);
        match with_timeout(or_none(limit), self.open(origin)).await {
            Ok(opened) => opened.map(Connection::new),
            Err(_) => Err(Kind::ConnectTimeout(limit)),
        }
    }

    async fn open(&self, origin: &Origin) -> Result<IoStream, Kind> {
        let stream = IoStream::connect(&origin.host, origin.port).await;
        let stream = stream.map_err(Kind::Connect)?;
        if !origin.secure {
            return Ok(stream);
        }
        let securing = self.secure.secure(&origin.host, stream);
        securing.ok_or(Kind::Tls)?.await.map_err(Kind::Connect)
    }
}

fn respond(request: HttpRequest, answer: Answer, begun: Instant) -> Response {
    let Answer { head, body } = answer;
    let reason = match head.reason.is_empty() {
        true => head
            .status
            .canonical_reason()
            .unwrap_or_default()
            .to_owned(),
        false => String::from_utf8_lossy(&head.reason).into_owned(),
    };
    Response {
        code: head.status.as_u16(),
        reason,
        headers: head.headers,
        body,
        request_time: IoLoop::current().time() - begun,
        effective_url: request.url().to_owned(),
        request: Rc::new(request),
    }
}

/// Turns "zero means no limit" into a limit that is never over.
fn or_none(limit: Duration) -> Duration {
    if limit.is_zero() {
        Duration::MAX
    } else {
        limit
    }
}
