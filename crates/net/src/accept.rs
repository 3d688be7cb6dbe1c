//! Accepting on one loop connections that any loop may serve.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};

use socket2::SockRef;
use squall_ioloop::Readable;

use crate::address::Address;
use crate::connected::Connected;
use crate::socket::{About, Family, ListenSocket, address_of, local_addr};
use crate::stream::IoStream;

/// Most connections that [`Listener::close`] hands over.
const MOST_QUEUED: usize = 4097;

/// A listening socket of the current loop, of whatever kind.
///
/// Unlike [`TcpListener`](crate::TcpListener) it gives out connections that belong to no loop yet: [`Accepted`].
#[derive(Debug)]
pub struct Listener {
    /// Watched as a bare descriptor: a listener of tokio would register each connection with its own loop, from which it
    /// could not be taken without two more calls of the system.
    watched: Readable,
    about: About,
}

impl Listener {
    /// Registers a socket with the current loop.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch the socket.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn adopt(socket: impl Into<ListenSocket>) -> io::Result<Self> {
        let ListenSocket { descriptor, about } = socket.into();
        SockRef::from(&descriptor).set_nonblocking(true)?;
        let watched = Readable::new(descriptor)?;
        Ok(Self { watched, about })
    }

    /// Waits for the next connection.
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
    pub async fn accept(&self) -> io::Result<Accepted> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls for the next connection; the form of [`accept`](Self::accept) for hand-written futures.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let family = self.about.family;
        self.watched
            .poll_read(cx, |descriptor| accept(descriptor, family))
    }

    /// Polls for the first sign of clients since the listener was made, without accepting one.
    ///
    /// For somebody who looks after a socket that another one accepts on.
    ///
    /// # Errors
    ///
    /// When the loop is closed.
    pub fn poll_waiting(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watched.poll_read(cx, |_| Ok(()))
    }

    /// Closes the listener and returns the connections that the system had queued on it, which would be reset otherwise.
    ///
    /// What keeps a connection from being accepted, such as a lack of descriptors, ends the list early. It has 4097 at most,
    /// which is what the system queues with the default backlog: new ones that keep coming do not keep the listener open.
    pub fn close(self) -> Vec<Accepted> {
        let descriptor = self.watched.into_inner();
        let family = self.about.family;
        std::iter::from_fn(|| accept(descriptor.as_fd(), family).ok())
            .take(MOST_QUEUED)
            .collect()
    }

    /// Returns the address the socket is bound to, with the port that the system picked for port 0.
    ///
    /// # Errors
    ///
    /// When the system does not know.
    pub fn local_addr(&self) -> io::Result<Address> {
        local_addr(self.watched.as_fd())
    }
}

/// A connection that was accepted and belongs to no loop yet: it may be sent to the thread whose loop shall serve it.
#[derive(Debug)]
pub struct Accepted {
    socket: Connected,
    peer: Address,
}

impl Accepted {
    /// Returns the address of the other end.
    pub fn peer(&self) -> &Address {
        &self.peer
    }

    /// Gives the connection to the current loop; `TCP_NODELAY` is on.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch the socket.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn adopt(self) -> io::Result<IoStream> {
        IoStream::from_connected(self.socket)
    }
}

impl ListenSocket {
    /// Accepts a connection if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`Listener::accept`], and [`WouldBlock`](io::ErrorKind::WouldBlock) when none is. A socket that was never
    /// adopted waits for one instead, unless it was made non-blocking.
    pub fn try_accept(&self) -> io::Result<Accepted> {
        accept(self.as_fd(), self.about.family)
    }
}

/// Accepts a connection if one is queued.
fn accept(descriptor: BorrowedFd<'_>, family: Family) -> io::Result<Accepted> {
    let (socket, peer) = SockRef::from(&descriptor).accept()?;
    socket.set_nonblocking(true)?;
    let peer = address_of(&peer);
    let socket = match family {
        Family::Tcp => Connected::Tcp(socket.into()),
        Family::Unix => Connected::Unix(socket.into()),
    };
    Ok(Accepted { socket, peer })
}
