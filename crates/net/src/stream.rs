//! One connection, whatever carries it.

mod connect;
mod parking;
mod transfer;

use std::io;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use squall_ioloop::reactor::prepare;

pub use self::transfer::SHARED_BUFFER;
use crate::address::Address;
use crate::connected::Connected;
use crate::duplex::DuplexEnd;
use crate::portable::{Portable, is_portable};
use crate::secured::TlsInfo;
use crate::socket::address_of;
use crate::transport::Transport;
use crate::watched::Watched;

/// A byte stream in both directions: a TCP connection, a Unix socket or one end of the in-memory
/// [`duplex`](crate::duplex).
///
/// Any of them may be secured by TLS. Use it through tokio's [`AsyncRead`](tokio::io::AsyncRead) and
/// [`AsyncWrite`](tokio::io::AsyncWrite) (and their `Ext` traits): what is written to a secured stream has left only when it
/// is flushed. Shutting it down ends only the writing direction, dropping it ends both. Belongs to the loop on which it was
/// made.
///
/// # Parking
///
/// On Linux a socket can be [`park`](Self::park)ed, secured or not: it then has no task, and the loop calls its owner
/// when something happens to it. The owner reads and writes with [`try_read_with`](Self::try_read_with) and
/// [`try_write`](Self::try_write), which never wait; what a secured stream [`holds_back`](Self::holds_back) for want of
/// room has to be sent by [`try_flush`](Self::try_flush). Other streams, and sockets elsewhere, are waited for by a task;
/// [`can_park`](Self::can_park) tells. The environment variable `SQUALL_IO=portable`, read once, has a program on Linux
/// behave as elsewhere.
#[derive(Debug)]
pub struct IoStream {
    inner: Inner,
}

/// What is large or rare is boxed, so that the common case is small.
#[derive(Debug)]
enum Inner {
    Boxed(Box<dyn Transport>),
    Duplex(Box<DuplexEnd>),
    Portable(Box<Portable>),
    Watched(Watched),
}

impl IoStream {
    /// Takes over a TCP connection of tokio, and turns `TCP_NODELAY` on.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch the socket.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn from_tcp(stream: tokio::net::TcpStream) -> io::Result<Self> {
        Self::from_portable(Portable::Tcp(stream))
    }

    /// Takes over a Unix socket of tokio.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch the socket.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn from_unix(stream: tokio::net::UnixStream) -> io::Result<Self> {
        Self::from_portable(Portable::Unix(stream))
    }

    /// Takes over a TCP connection of the standard library for the current loop, makes it non-blocking and turns
    /// `TCP_NODELAY` on.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch the socket; off a loop.
    ///
    /// # Panics
    ///
    /// Off a loop where sockets are tokio's, so not on Linux by default.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::from_connected(Connected::Tcp(stream))
    }

    /// Has the current loop take now what it needs to watch sockets, which it takes with the first one otherwise. A server
    /// that is about to accept should: a loop whose first connection comes when the process is out of descriptors could
    /// not take it over.
    ///
    /// # Errors
    ///
    /// When the process is out of descriptors or memory, or there is no loop on this thread.
    pub fn prepare() -> io::Result<()> {
        if is_portable() {
            return Ok(());
        }
        prepare()
    }

    /// Takes over a socket, which must be non-blocking.
    pub(crate) fn from_connected(socket: Connected) -> io::Result<Self> {
        let inner = if is_portable() {
            Inner::Portable(Box::new(Portable::new(socket)?))
        } else {
            Inner::Watched(Watched::new(socket)?)
        };
        Ok(Self::without_delay(inner))
    }

    fn from_portable(stream: Portable) -> io::Result<Self> {
        let inner = if is_portable() {
            Inner::Portable(Box::new(stream))
        } else {
            Inner::Watched(Watched::new(stream.into_connected()?)?)
        };
        Ok(Self::without_delay(inner))
    }

    fn without_delay(inner: Inner) -> Self {
        let stream = Self { inner };
        // Fails only on a socket that is dead already, which the next read or write reports better.
        let _ = stream.set_nodelay(true);
        stream
    }

    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "TLS is the one there is")
    )]
    pub(crate) fn from_transport(transport: impl Transport + 'static) -> Self {
        Self {
            inner: Inner::Boxed(Box::new(transport)),
        }
    }

    pub(crate) fn from_duplex(end: DuplexEnd) -> Self {
        Self {
            inner: Inner::Duplex(Box::new(end)),
        }
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    ///
    /// When a TCP connection is gone already.
    pub fn peer_addr(&self) -> io::Result<Address> {
        match self.socket() {
            Some(socket) => socket.peer_addr().map(|addr| address_of(&addr)),
            None => Ok(Address::Memory),
        }
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    ///
    /// When the system does not know.
    pub fn local_addr(&self) -> io::Result<Address> {
        match self.socket() {
            Some(socket) => socket.local_addr().map(|addr| address_of(&addr)),
            None => Ok(Address::Memory),
        }
    }

    /// Turns `TCP_NODELAY` on (the default: small writes leave at once) or off; only TCP has it.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match self.socket() {
            Some(socket) if self.is_tcp() => socket.set_tcp_nodelay(nodelay),
            _ => Ok(()),
        }
    }

    /// Cuts the connection off: what was not read by the other end is lost, and it is told of a reset instead of an end.
    ///
    /// For a message whose end is the end of the stream and that cannot be completed, so that nobody takes it for whole.
    /// A Unix socket has no resets, unless bytes are unread at this end: the other end takes it for the end.
    pub fn reset(self) {
        match self.inner {
            Inner::Boxed(transport) => transport.into_base().reset(),
            Inner::Duplex(end) => end.reset(),
            Inner::Portable(_) | Inner::Watched(_) => {
                if let Some(socket) = self.socket() {
                    // Fails only on a socket that is dead already; dropping it is the reset. To a Unix socket it means
                    // nothing.
                    let _ = socket.set_linger(Some(Duration::ZERO));
                }
            }
        }
    }

    /// Returns how the stream is secured; `None` if it is not.
    pub fn tls(&self) -> Option<&Arc<TlsInfo>> {
        match &self.inner {
            Inner::Boxed(transport) => transport.tls(),
            Inner::Duplex(_) | Inner::Portable(_) | Inner::Watched(_) => None,
        }
    }

    /// Asks whether bytes, or the end of the stream, wait to be read.
    ///
    /// The loop learns of them a little later: a read may still be pending when this is true, and will not stay so.
    pub fn has_unread(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.has_buffered() || transport.base().has_unread(),
            Inner::Duplex(end) => end.has_unread(),
            Inner::Portable(_) | Inner::Watched(_) => {
                self.socket().is_some_and(|socket| peeks(&socket))
            }
        }
    }

    fn is_tcp(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().is_tcp(),
            Inner::Duplex(_) => false,
            Inner::Portable(socket) => socket.is_tcp(),
            Inner::Watched(socket) => socket.socket().is_tcp(),
        }
    }

    /// The socket, if there is one, at the bottom.
    fn socket(&self) -> Option<SockRef<'_>> {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().socket(),
            Inner::Duplex(_) => None,
            Inner::Portable(socket) => Some(SockRef::from(&**socket)),
            Inner::Watched(socket) => Some(SockRef::from(socket.socket())),
        }
    }
}

/// Asks whether a read would not block.
fn peeks(socket: &SockRef<'_>) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    // Anything but "would block" is something that reading will tell.
    !matches!(socket.peek(&mut byte), Err(err) if err.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_takes_24_bytes() {
        assert_eq!(size_of::<IoStream>(), 24);
    }
}
