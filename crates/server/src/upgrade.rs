//! The hand-over of a connection to another protocol.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use squall_ioloop::{Promise, Resolver, promise};
use squall_net::IoStream;

/// A connection after its last HTTP message: 101 was sent, or 2xx to CONNECT.
#[derive(Debug)]
pub struct Upgraded {
    /// The connection itself. Nobody else watches it any more, and no limit of the server holds for it.
    pub stream: IoStream,
    /// What the client has sent behind its request: the first bytes of the new protocol.
    pub unread: Bytes,
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
///         if let Some(Upgraded { mut stream, .. }) = upgrade.await {
///             let _ = stream.write_all(b"hello in another protocol").await;
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
