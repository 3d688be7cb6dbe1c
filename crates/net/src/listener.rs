//! Accepting TCP connections on one loop.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll, ready};

use crate::accept::{Accepted, Listener};
use crate::address::Address;
use crate::bind::{BindOptions, bind_sockets};
use crate::stream::IoStream;

/// A listening TCP socket of the current loop.
#[derive(Debug)]
pub struct TcpListener {
    inner: Listener,
}

impl TcpListener {
    /// Binds one socket to the first address that `address` stands for, with a backlog of 4096.
    ///
    /// # Errors
    ///
    /// Those of [`bind_sockets`].
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn bind<A: ToSocketAddrs + fmt::Debug>(address: A) -> io::Result<Self> {
        let socket = bind_sockets(address, &BindOptions::default())?
            .into_iter()
            .next();
        Self::adopt(socket.ok_or(io::ErrorKind::AddrNotAvailable)?)
    }

    /// Registers a bound socket, such as one of [`bind_sockets`] or an inherited one, with the current loop.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch the socket.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn adopt(socket: std::net::TcpListener) -> io::Result<Self> {
        Ok(Self {
            inner: Listener::adopt(socket)?,
        })
    }

    /// Waits for the next connection; its `TCP_NODELAY` is on.
    ///
    /// # Errors
    ///
    /// Errors are of two sorts, and none of them ends the listener: the one connection failed before it was accepted
    /// ([`ConnectionAborted`](io::ErrorKind::ConnectionAborted) and the like), or the process is out of descriptors or
    /// memory; then wait a little and try again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(IoStream, SocketAddr)> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls for the next connection; the form of [`accept`](Self::accept) for hand-written futures.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(IoStream, SocketAddr)>> {
        let accepted = ready!(self.inner.poll_accept(cx))?;
        Poll::Ready(adopt(accepted))
    }

    /// Closes the listener and returns the connections that the system had queued on it, which would be reset otherwise.
    ///
    /// What keeps a connection from being accepted, such as a lack of descriptors, ends the list early. It has 4097 at most;
    /// see [`Listener::close`].
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn close(self) -> Vec<(IoStream, SocketAddr)> {
        let queued = self.inner.close().into_iter();
        queued.map_while(|accepted| adopt(accepted).ok()).collect()
    }

    /// Returns the address the socket is bound to, with the port that the system picked for port 0.
    ///
    /// # Errors
    ///
    /// When the system does not know.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        socket_addr(&self.inner.local_addr()?)
    }
}

fn adopt(accepted: Accepted) -> io::Result<(IoStream, SocketAddr)> {
    let peer = socket_addr(accepted.peer())?;
    accepted.adopt().map(|stream| (stream, peer))
}

/// The address of a TCP socket always has a port.
fn socket_addr(addr: &Address) -> io::Result<SocketAddr> {
    addr.socket_addr()
        .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
