//! What answers requests.

use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use squall_http::Body;
use squall_net::Address;

/// The future of an answer; nothing in it need be `Send`.
pub type Answer = Pin<Box<dyn Future<Output = Response<Body>>>>;

/// Answers requests, one future each; an error is a response too.
///
/// A closure `Fn(Request<Body>) -> impl Future<Output = Response<Body>>` is a service:
///
/// ```
/// use squall_http::Body;
/// use squall_server::Service;
///
/// fn hello() -> impl Service {
///     |_request: http::Request<Body>| async { http::Response::new(Body::from("hello")) }
/// }
/// # hello();
/// ```
///
/// The server fills in what the service leaves out: `Date`, `Content-Length` or `Transfer-Encoding`, `Connection`. It
/// suppresses the body of an answer to HEAD. The extensions of each request carry [`ConnectInfo`].
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
    fn call(&self, request: Request<Body>) -> Answer;
}

impl<F, A> Service for F
where
    F: Fn(Request<Body>) -> A + 'static,
    A: Future<Output = Response<Body>> + 'static,
{
    fn call(&self, request: Request<Body>) -> Answer {
        Box::pin(self(request))
    }
}

/// The two ends of the connection on which a request came, in the request's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConnectInfo {
    /// The address of the server's end.
    pub local: Address,
    /// The address of the client's end, as the socket tells it.
    pub peer: Address,
}
