//! One connection, whatever carries it.

use std::cell::Cell;
use std::fmt;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::UnixStream;

use crate::address::Address;
use crate::duplex::DuplexEnd;
use crate::resolve::resolve;
use crate::secured::TlsInfo;

/// Size in bytes of the buffer that [`IoStream::poll_read_with`] lends: 64 KiB, one for each thread.
pub const SHARED_BUFFER: usize = 64 * 1024;

/// A byte stream in both directions: a TCP connection, a Unix socket or one end of the in-memory
/// [`duplex`](crate::duplex).
///
/// Any of them may be secured by TLS. Use it through tokio's [`AsyncRead`] and [`AsyncWrite`] (and their `Ext` traits): what
/// is written to a secured stream has left only when it is flushed. Shutting it down ends only the writing direction,
/// dropping it ends both. Belongs to the loop on which it was made.
#[derive(Debug)]
pub struct IoStream {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Boxed(Box<dyn Transport>),
    Duplex(DuplexEnd),
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What carries a stream on top of another one, as TLS does.
pub(crate) trait Transport: AsyncRead + AsyncWrite + fmt::Debug + Unpin {
    /// The stream underneath, which knows the addresses.
    fn base(&self) -> &IoStream;

    fn into_base(self: Box<Self>) -> IoStream;

    /// See [`IoStream::has_unread`].
    fn has_unread(&self) -> bool;

    /// See [`IoStream::tls`].
    fn tls(&self) -> Option<&Rc<TlsInfo>>;
}

thread_local! {
    /// Taken out while it is lent, so that a nested read finds nothing and makes its own.
    static SHARED: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

impl IoStream {
    /// Connects to a host name or IP address (`::1` and `[::1]` alike), with `TCP_NODELAY` on.
    ///
    /// The addresses of a name are tried in the order in which the system lists them. There is no time limit here but the
    /// system's; wrap the call where one is needed.
    ///
    /// # Errors
    ///
    /// When the name does not resolve, or else the error of the last address tried, with that address in its message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for addr in resolve(host, port).await? {
            match Self::connect_addr(addr).await {
                Ok(stream) => return Ok(stream),
                Err(err) => failure = err,
            }
        }
        Err(failure)
    }

    /// Connects to one address, with `TCP_NODELAY` on.
    ///
    /// # Errors
    ///
    /// What the system says, with the address in the message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_addr(addr: SocketAddr) -> io::Result<Self> {
        match TcpStream::connect(addr).await {
            Ok(stream) => Ok(Self::from_tcp(stream)),
            Err(err) => Err(io::Error::new(err.kind(), format!("{addr}: {err}"))),
        }
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    ///
    /// What the system says, with the path in the message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        match UnixStream::connect(path).await {
            Ok(stream) => Ok(Self::from_unix(stream)),
            Err(err) => {
                let text = format!("unix:{}: {err}", path.display());
                Err(io::Error::new(err.kind(), text))
            }
        }
    }

    /// Takes over a TCP connection of tokio, and turns `TCP_NODELAY` on.
    pub fn from_tcp(stream: TcpStream) -> Self {
        // Fails only on a socket that is dead already, which the next read or write reports better.
        let _ = stream.set_nodelay(true);
        Self {
            inner: Inner::Tcp(stream),
        }
    }

    /// Takes over a Unix socket of tokio.
    pub fn from_unix(stream: UnixStream) -> Self {
        Self {
            inner: Inner::Unix(stream),
        }
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
            inner: Inner::Duplex(end),
        }
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    ///
    /// When a TCP connection is gone already.
    pub fn peer_addr(&self) -> io::Result<Address> {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().peer_addr(),
            Inner::Duplex(_) => Ok(Address::Memory),
            Inner::Tcp(stream) => stream.peer_addr().map(Address::Tcp),
            Inner::Unix(stream) => {
                let addr: std::os::unix::net::SocketAddr = stream.peer_addr()?.into();
                Ok(addr.into())
            }
        }
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    ///
    /// When the system does not know.
    pub fn local_addr(&self) -> io::Result<Address> {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().local_addr(),
            Inner::Duplex(_) => Ok(Address::Memory),
            Inner::Tcp(stream) => stream.local_addr().map(Address::Tcp),
            Inner::Unix(stream) => {
                let addr: std::os::unix::net::SocketAddr = stream.local_addr()?.into();
                Ok(addr.into())
            }
        }
    }

    /// Turns `TCP_NODELAY` on (the default: small writes leave at once) or off; only TCP has it.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().set_nodelay(nodelay),
            Inner::Duplex(_) => Ok(()),
            Inner::Tcp(stream) => stream.set_nodelay(nodelay),
            Inner::Unix(_) => Ok(()),
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
            Inner::Tcp(stream) => {
                // Fails only on a socket that is dead already; dropping it is the reset.
                let _ = stream.set_zero_linger();
            }
            // There is no telling it from an end.
            Inner::Unix(_) => {}
        }
    }

    /// Returns how the stream is secured; `None` if it is not.
    pub fn tls(&self) -> Option<&Rc<TlsInfo>> {
        match &self.inner {
            Inner::Boxed(transport) => transport.tls(),
            Inner::Duplex(_) | Inner::Tcp(_) | Inner::Unix(_) => None,
        }
    }

    /// Asks whether bytes, or the end of the stream, wait to be read.
    ///
    /// The loop learns of them a little later: a read may still be pending when this is true, and will not stay so.
    pub fn has_unread(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.has_unread(),
            Inner::Duplex(end) => end.has_unread(),
            Inner::Tcp(stream) => peeks(&SockRef::from(stream)),
            Inner::Unix(stream) => peeks(&SockRef::from(stream)),
        }
    }

    /// Reads what has come, at most [`SHARED_BUFFER`] bytes, and lends it to `take`; no bytes mean the end of the stream.
    ///
    /// The buffer belongs to the thread, not to the stream: thousands of streams that wait hold no buffer at all. `take` must
    /// copy what it wants to keep.
    ///
    /// # Errors
    ///
    /// Those of the transport; `take` is not called then.
    pub fn poll_read_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Poll<io::Result<R>> {
        let mut shared = SHARED
            .take()
            .unwrap_or_else(|| vec![0; SHARED_BUFFER].into_boxed_slice());
        let mut buffer = ReadBuf::new(&mut shared);
        let read = Pin::new(&mut *self).poll_read(cx, &mut buffer);
        let outcome = read.map_ok(|()| take(buffer.filled()));
        SHARED.set(Some(shared));
        outcome
    }
}

/// Asks whether a read would not block.
fn peeks(socket: &SockRef<'_>) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    // Anything but "would block" is something that reading will tell.
    !matches!(socket.peek(&mut byte), Err(err) if err.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for IoStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Boxed(transport) => Pin::new(transport).poll_read(cx, buf),
            Inner::Duplex(end) => end.poll_read(cx, buf),
            Inner::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Inner::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for IoStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Boxed(transport) => Pin::new(transport).poll_write(cx, buf),
            Inner::Duplex(end) => end.poll_write(cx, buf),
            Inner::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Inner::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Boxed(transport) => Pin::new(transport).poll_write_vectored(cx, bufs),
            Inner::Duplex(end) => end.poll_write_vectored(cx, bufs),
            Inner::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Inner::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Boxed(transport) => Pin::new(transport).poll_flush(cx),
            Inner::Duplex(_) => Poll::Ready(Ok(())),
            Inner::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Boxed(transport) => {
                Poll::Ready(shut(ready!(Pin::new(transport).poll_shutdown(cx))))
            }
            Inner::Duplex(end) => {
                end.shutdown();
                Poll::Ready(Ok(()))
            }
            Inner::Tcp(stream) => Poll::Ready(shut(ready!(Pin::new(stream).poll_shutdown(cx)))),
            Inner::Unix(stream) => Poll::Ready(shut(ready!(Pin::new(stream).poll_shutdown(cx)))),
        }
    }
}

fn shut(done: io::Result<()>) -> io::Result<()> {
    match done {
        // The other side was faster.
        Err(err) if err.kind() == io::ErrorKind::NotConnected => Ok(()),
        done => done,
    }
}
