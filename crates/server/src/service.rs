//! What answers requests.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use squall_http::Response;
use squall_net::{Address, IoStream, TlsInfo};

use crate::forwarded::Forwarding;
use crate::request::Request;

/// The answer of a service: there already, or a future; nothing in it need be `Send`.
///
/// An answer that is there already costs no allocation. A boxed future turns into one that is to come:
///
/// ```
/// use squall_server::{Answer, Response};
///
/// let soon: Answer = Box::pin(async { Response::new("computed") }).into();
/// let now = Answer::Ready(Response::new("known"));
/// # let _ = (soon, now);
/// ```
///
/// It is a future itself, for services around services.
pub enum Answer {
    /// To come.
    Later(Pin<Box<dyn Future<Output = Response>>>),
    /// There.
    Ready(Response),
}

impl Future for Answer {
    type Output = Response;

    /// The answer; an empty one when it was taken already.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.get_mut() {
            Self::Later(future) => future.as_mut().poll(cx),
            Self::Ready(response) => Poll::Ready(mem::take(response)),
        }
    }
}

impl<F: Future<Output = Response> + 'static> From<Pin<Box<F>>> for Answer {
    fn from(future: Pin<Box<F>>) -> Self {
        Self::Later(future)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(_) => f.write_str("Later(_)"),
            Self::Ready(response) => f.debug_tuple("Ready").field(response).finish(),
        }
    }
}

/// Answers requests, one future each; an error is a response too.
///
/// A closure `Fn(Request) -> impl Future<Output = R>` is a service, where `R` is a [`Response`] or the `http` crate's:
///
/// ```
/// use squall_http::Body;
/// use squall_server::Service;
///
/// fn hello() -> impl Service {
///     |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) }
/// }
/// # hello();
/// ```
///
/// The server fills in what the service leaves out: `Date`, `Content-Length` or `Transfer-Encoding`, `Connection`. It
/// suppresses the body of an answer to HEAD.
///
/// # Panics
///
/// A panic in `call`, in the future, or in the body of the answer concerns that one request: the client gets a 500 (or,
/// once the head of the answer has left, a cut connection), and the log a line.
///
/// # Cancel safety
///
/// The future and the body are dropped when the client leaves, when a time limit is over, and at the deadline of a graceful
/// stop. Work that must be finished belongs into a task of its own.
pub trait Service: 'static {
    /// Answers one request.
    fn call(&self, request: Request) -> Answer;

    /// Looks whether the service can do its work at all: called on each loop before it accepts the first connection.
    ///
    /// The default finds nothing wrong.
    ///
    /// # Errors
    ///
    /// What is wrong with the way in which the service was put together. The server does not start then:
    /// [`serve`](crate::HttpServer::serve) and [`run`](crate::HttpServer::run) end with this text.
    fn check(&self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }
}

impl<F, A> Service for F
where
    F: Fn(Request) -> A + 'static,
    A: Future<Output: Into<Response>> + 'static,
{
    fn call(&self, request: Request) -> Answer {
        let answer = self(request);
        Answer::Later(Box::pin(async { answer.await.into() }))
    }
}

/// The two ends of the connection on which a request came; see [`Request::connect_info`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConnectInfo {
    /// The address of the server's end.
    pub local: Address,
    /// The address of the client's end, as the socket tells it.
    pub peer: Address,
    /// How the connection is secured, with the client's certificate if it has shown one; `None` if it is not.
    pub tls: Option<Arc<TlsInfo>>,
    /// The two ends of the connection that a proxy forwards, as its PROXY header tells them; see
    /// [`Config::proxy_protocol`](crate::Config::proxy_protocol) and
    /// [`HttpServer::proxy_protocol`](crate::HttpServer::proxy_protocol).
    pub proxied: Option<Arc<Proxied>>,
    /// Which proxies' fields [`Request::client_info`](crate::Request::client_info) believes.
    pub forwarding: Option<Arc<Forwarding>>,
}

/// What a PROXY header tells of a forwarded connection.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Proxied {
    /// The client's end.
    pub source: Address,
    /// The end that the client has connected to.
    pub destination: Address,
}

impl ConnectInfo {
    /// Makes what a server would tell a service, for tests and for other hosts of a service.
    pub fn new(local: impl Into<Address>, peer: impl Into<Address>) -> Self {
        let (local, peer) = (local.into(), peer.into());
        Self {
            local,
            peer,
            tls: None,
            proxied: None,
            forwarding: None,
        }
    }

    /// Who has opened the connection, as the PROXY header or else the socket tells it.
    pub(crate) fn source(&self) -> &Address {
        self.proxied
            .as_deref()
            .map_or(&self.peer, |proxied| &proxied.source)
    }

    pub(crate) fn of(stream: &IoStream, peer: Address) -> Self {
        Self {
            // Unknown when the connection is gone already, which reading will tell.
            local: stream.local_addr().unwrap_or(Address::Memory),
            peer,
            tls: stream.tls().cloned(),
            proxied: None,
            forwarding: None,
        }
    }
}

/// Checks a service that is about to serve.
pub(crate) fn checked(service: Rc<dyn Service>) -> io::Result<Rc<dyn Service>> {
    let Err(err) = service.check() else {
        return Ok(service);
    };
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(err) = source {
        text = format!("{text}: {err}");
        source = err.source();
    }
    // As text, for the error goes to another thread.
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}
