//! The hand-over of a connection to another protocol.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use squall_ioloop::{Promise, Resolver, promise};
use squall_net::IoStream;

use crate::control::{Control, Phase};

/// A connection after its last HTTP message: 101 was sent, or 2xx to CONNECT.
#[derive(Debug)]
pub struct Upgraded {
    /// The connection itself. Nobody else reads it any more, and no time limit of the server holds for it.
    pub stream: IoStream,
    /// What the client has sent behind its request: the first bytes of the new protocol.
    pub unread: Bytes,
    /// Keeps the connection among those that the server counts; to be kept for as long as the connection is.
    pub presence: Presence,
}

/// A connection with another protocol, as its server counts it: for `max_connections`, for the balance between loops, and
/// when the server stops.
///
/// Dropping it says that the connection has ended. A server that stops waits for that until its deadline; then it goes
/// without those who are left, and reports them as cut. The default is present at no server.
#[derive(Debug, Default)]
pub struct Presence {
    control: Option<Rc<Control>>,
}

impl Presence {
    pub(crate) fn new(control: Rc<Control>) -> Self {
        control.admit_upgraded();
        Self {
            control: Some(control),
        }
    }

    /// Waits until the server is asked to stop: it is time to say goodbye. Never ready without a server.
    ///
    /// # Cancel safety
    ///
    /// Dropping it loses nothing.
    pub fn stopping(&self) -> impl Future<Output = ()> + use<> {
        self.reached(Phase::Stopping)
    }

    /// Waits until the deadline of the stop is over: whoever is still here is not waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropping it loses nothing.
    pub fn cut(&self) -> impl Future<Output = ()> + use<> {
        self.reached(Phase::Aborting)
    }

    fn reached(&self, phase: Phase) -> impl Future<Output = ()> + use<> {
        let control = self.control.clone();
        poll_fn(move |cx| match &control {
            Some(control) => control.poll_phase(phase, cx),
            None => Poll::Pending,
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(control) = &self.control {
            control.dismiss_upgraded();
        }
    }
}

/// The right to a connection once its protocol has changed; see [`Request::on_upgrade`](crate::Request::on_upgrade).
///
/// Answer with 101 (or with 2xx to CONNECT), and await this in a task of its own: it is ready when the answer has left,
/// which cannot be before the service's future has ended.
///
/// ```
/// use http::StatusCode;
/// use http::header::{CONNECTION, UPGRADE};
/// use squall_http::Body;
/// use squall_server::{Request, Upgraded};
/// use tokio::io::AsyncWriteExt;
///
/// async fn greet(mut request: Request) -> http::Result<http::Response<Body>> {
///     let Some(upgrade) = request.on_upgrade() else {
///         return http::Response::builder().status(StatusCode::UPGRADE_REQUIRED).body(Body::empty());
///     };
///     squall_ioloop::spawn_callback(async {
///         if let Some(Upgraded { mut stream, presence, .. }) = upgrade.await {
///             let _ = stream.write_all(b"hello in another protocol").await;
///             drop((stream, presence));
///         }
///     });
///     http::Response::builder()
///         .status(StatusCode::SWITCHING_PROTOCOLS)
///         .header(CONNECTION, "upgrade")
///         .header(UPGRADE, "greeting")
///         .body(Body::empty())
/// }
/// # let _ = greet;
/// ```
///
/// The value is `None` if the answer was another one, or the connection was lost before it had left.
///
/// # Cancel safety
///
/// Dropping it gives the connection up: it is closed after the answer.
pub struct OnUpgrade {
    promise: Promise<Upgraded>,
}

impl OnUpgrade {
    /// Makes the right, and what fulfils it.
    pub(crate) fn pair() -> (Resolver<Upgraded>, Self) {
        let (resolver, promise) = promise();
        (resolver, Self { promise })
    }
}

impl Future for OnUpgrade {
    type Output = Option<Upgraded>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.promise).poll(cx).map(Result::ok)
    }
}

impl fmt::Debug for OnUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnUpgrade").finish_non_exhaustive()
    }
}
