//! Serving over TLS, behind the feature `tls`.

use std::fmt;
use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;

use squall_net::tls::ServerTls;
use squall_net::{IoStream, ListenSocket, bind_sockets};

use crate::door::{Secure, Securing};
use crate::server::{BIND, HttpServer};
use crate::service::Service;

impl Secure for ServerTls {
    fn secure(&self, stream: IoStream) -> Securing {
        let tls = self.clone();
        Box::pin(async move { tls.accept(stream).await })
    }
}

impl<F, S> HttpServer<F>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Service,
{
    /// Binds `address` at once, for connections that are secured; may be called several times, beside
    /// [`listen`](Self::listen).
    ///
    /// ```no_run
    /// use squall_http::Body;
    /// use squall_net::tls::ServerTls;
    /// use squall_server::HttpServer;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let hello = || |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
    /// let tls = ServerTls::new("cert.pem", "key.pem")?;
    /// // Kept by whoever learns that there is a new certificate, and calls `reload` then.
    /// let handle = tls.clone();
    /// HttpServer::new(hello).listen_tls("0.0.0.0:8443", tls)?.run()
    /// # }
    /// ```
    ///
    /// A client that speaks plain HTTP there gets 400 and a sentence; one whose handshake is not done within
    /// [`Config::handshake_timeout`](crate::Config::handshake_timeout) is cut.
    /// [`ConnectInfo::tls`](crate::ConnectInfo::tls) tells the service how its connection is secured, and the client's
    /// certificate.
    ///
    /// # Errors
    ///
    /// The message names the address and the remedy; see [`bind_sockets`].
    pub fn listen_tls<A>(mut self, address: A, tls: ServerTls) -> io::Result<Self>
    where
        A: ToSocketAddrs + fmt::Debug,
    {
        let secure: Arc<dyn Secure> = Arc::new(tls);
        let sockets = bind_sockets(address, &BIND)?;
        for socket in sockets {
            self.doors.add(socket, Some(Arc::clone(&secure)));
        }
        Ok(self)
    }

    /// Listens on a socket that is bound already, for connections that are secured; see [`listen_on`](Self::listen_on) and
    /// [`listen_tls`](Self::listen_tls).
    #[must_use]
    pub fn listen_tls_on(mut self, socket: impl Into<ListenSocket>, tls: ServerTls) -> Self {
        self.doors.add(socket, Some(Arc::new(tls)));
        self
    }
}
