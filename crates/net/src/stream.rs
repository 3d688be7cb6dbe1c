//! One connection, whatever carries it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use squall_ioloop::reactor::{ParkedOwner, prepare};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::address::Address;
use crate::connected::Connected;
use crate::duplex::DuplexEnd;
use crate::portable::{Portable, is_portable};
use crate::resolve::resolve;
use crate::secured::TlsInfo;
use crate::socket::address_of;
use crate::transport::Transport;
use crate::watched::Watched;

/// Size in bytes of the buffer that [`IoStream::poll_read_with`] lends: 64 KiB, one for each thread.
pub const SHARED_BUFFER: usize = 64 * 1024;

/// A byte stream in both directions: a TCP connection, a Unix socket or one end of the in-memory
/// [`duplex`](crate::duplex).
///
/// Any of them may be secured by TLS. Use it through tokio's [`AsyncRead`] and [`AsyncWrite`] (and their `Ext` traits): what
/// is written to a secured stream has left only when it is flushed. Shutting it down ends only the writing direction,
/// dropping it ends both. Belongs to the loop on which it was made.
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
        let connected = tokio::net::TcpStream::connect(addr).await;
        connected
            .and_then(Self::from_tcp)
            .map_err(|err| io::Error::new(err.kind(), format!("{addr}: {err}")))
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
        let connected = tokio::net::UnixStream::connect(path).await;
        connected
            .and_then(Self::from_unix)
            .map_err(|err| io::Error::new(err.kind(), format!("unix:{}: {err}", path.display())))
    }

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

    /// Whether the stream can be [`park`](Self::park)ed: a socket on Linux can, secured or not.
    #[inline]
    pub fn can_park(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().can_park(),
            Inner::Duplex(_) | Inner::Portable(_) => false,
            Inner::Watched(_) => true,
        }
    }

    /// Has the loop call `owner` with `key` when something happens to the stream, in place of waking a task; see
    /// [`Registration::park`](squall_ioloop::reactor::Registration::park). Does nothing to a stream that cannot be parked.
    ///
    /// When the stream may have something to read already, the first call comes in the next turn. Whoever has something to
    /// write tries that first, and parks when it finds no room.
    ///
    /// # Panics
    ///
    /// When `owner` belongs to another loop.
    pub fn park(&self, owner: &ParkedOwner, key: u32) {
        match &self.inner {
            Inner::Boxed(transport) => {
                transport.base().park(owner, key);
                if transport.has_buffered() {
                    // It has left the socket, whose events say nothing of it.
                    transport.base().call_again();
                }
            }
            Inner::Duplex(_) | Inner::Portable(_) => {}
            Inner::Watched(stream) => stream.registration().park(owner, key),
        }
    }

    /// Has tasks woken again, as before the stream was parked. Nothing that was told meanwhile is lost.
    pub fn unpark(&self) {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().unpark(),
            Inner::Duplex(_) | Inner::Portable(_) => {}
            Inner::Watched(stream) => stream.registration().unpark(),
        }
    }

    /// Whether a read from a stream that can be parked is worth trying.
    #[inline]
    pub fn is_readable(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.is_readable(),
            Inner::Duplex(_) | Inner::Portable(_) => false,
            Inner::Watched(stream) => stream.registration().is_readable(),
        }
    }

    /// Has the owner of a parked stream called once more in a later turn, such as when it has read enough for now.
    pub fn call_again(&self) {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().call_again(),
            Inner::Duplex(_) | Inner::Portable(_) => {}
            Inner::Watched(stream) => stream.registration().call_again(),
        }
    }

    /// Reads what has come, at most [`SHARED_BUFFER`] bytes, and lends it to `take`; no bytes mean the end of the stream.
    ///
    /// The buffer belongs to the thread, not to the stream: thousands of streams that wait hold no buffer at all. `take` must
    /// copy what it wants to keep. A secured stream lends what it has decrypted, a record at a time.
    ///
    /// # Errors
    ///
    /// Those of the transport; `take` is not called then.
    pub fn poll_read_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Poll<io::Result<R>> {
        if let Inner::Boxed(transport) = &mut self.inner {
            let chunk = ready!(transport.poll_fill(cx))?;
            let (count, outcome) = (chunk.len(), take(chunk));
            transport.consume(count);
            return Poll::Ready(Ok(outcome));
        }
        let mut shared = borrow_shared();
        let read = self.poll_read_slice(cx, &mut shared);
        let outcome = read.map_ok(|count| take(&shared[..count]));
        SHARED.set(Some(shared));
        outcome
    }

    /// Reads what has come and lends it to `take`, as [`poll_read_with`](Self::poll_read_with) does, but never waits.
    ///
    /// On Linux a read from a socket that leaves room in the buffer has taken everything: the next one costs no system call, and says so
    /// until more has come.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing to read; those of the transport. `take` is not
    /// called then.
    pub fn try_read_with<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
        if let Inner::Boxed(transport) = &mut self.inner {
            let chunk = transport.try_fill()?;
            let (count, outcome) = (chunk.len(), take(chunk));
            transport.consume(count);
            return Ok(outcome);
        }
        let mut shared = borrow_shared();
        let outcome = self
            .try_read(&mut shared)
            .map(|count| take(&shared[..count]));
        SHARED.set(Some(shared));
        outcome
    }

    /// Reads what has come into `buffer` and answers with the number of bytes, none at the end of the stream; never waits.
    ///
    /// # Errors
    ///
    /// Those of [`try_read_with`](Self::try_read_with).
    #[inline]
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Boxed(transport) => {
                let chunk = transport.try_fill()?;
                let count = chunk.len().min(buffer.len());
                buffer[..count].copy_from_slice(&chunk[..count]);
                transport.consume(count);
                Ok(count)
            }
            Inner::Duplex(end) => end.try_read(&mut ReadBuf::new(buffer)),
            Inner::Portable(stream) => stream.try_read(buffer),
            Inner::Watched(stream) => stream.try_read(buffer),
        }
    }

    /// Writes what there is room for and answers with the number of bytes, but never waits.
    ///
    /// A secured stream takes up to 64 KiB more than there is room for, and [`holds_back`](Self::holds_back) that.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; those of the transport.
    #[inline]
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Boxed(transport) => transport.try_write(bytes),
            Inner::Duplex(end) => end.try_write(&[IoSlice::new(bytes)]),
            Inner::Portable(stream) => stream.try_write(bytes),
            Inner::Watched(stream) => stream.try_write(bytes),
        }
    }

    /// Writes what there is room for of several pieces, at once where that can be done.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "TLS has several records to write")
    )]
    pub(crate) fn try_write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Boxed(transport) => match bufs.first() {
                Some(first) => transport.try_write(first),
                None => Ok(0),
            },
            Inner::Duplex(end) => end.try_write(bufs),
            Inner::Portable(stream) => stream.try_write_vectored(bufs),
            Inner::Watched(stream) => stream.try_write_vectored(bufs),
        }
    }

    /// Whether some of what was written has not left: a secured stream holds back what its transport has no room for, until
    /// it is flushed. Others hold nothing back.
    #[inline]
    pub fn holds_back(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.holds_back(),
            Inner::Duplex(_) | Inner::Portable(_) | Inner::Watched(_) => false,
        }
    }

    /// Counts the bytes that have left of a secured stream, encrypted, so somewhat more than were written. Others, which hold
    /// nothing back, do not count: what was written has left.
    ///
    /// How a slow reader makes way with what is [held back](Self::holds_back) shows here alone.
    pub fn released(&self) -> u64 {
        match &self.inner {
            Inner::Boxed(transport) => transport.released(),
            Inner::Duplex(_) | Inner::Portable(_) | Inner::Watched(_) => 0,
        }
    }

    /// Sends what the stream [`holds_back`](Self::holds_back), but never waits. The owner of a parked stream is called when
    /// there is room again.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is not room for all of it; those of the transport.
    pub fn try_flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Boxed(transport) => transport.try_flush(),
            Inner::Duplex(_) | Inner::Portable(_) | Inner::Watched(_) => Ok(()),
        }
    }

    /// Whether [`poll_send_file`](Self::poll_send_file) has a chance: true of sockets on Linux that are not secured.
    pub fn can_send_file(&self) -> bool {
        cfg!(target_os = "linux") && matches!(self.inner, Inner::Watched(_))
    }

    /// Sends up to `count` bytes of a file at `offset` without having them pass through the program; answers with how many
    /// there was room for, none at the end of the file. What was written before goes first.
    ///
    /// The loop waits for the disk meanwhile, and for the copying: see
    /// [`files::send_file`](squall_ioloop::files::send_file).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) and [`InvalidInput`](io::ErrorKind::InvalidInput) when the stream, or the
    /// file, cannot do that, so that it has to be read and written; those of the socket, and of the disk.
    pub fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        count: usize,
    ) -> Poll<io::Result<usize>> {
        match &self.inner {
            Inner::Watched(stream) => stream.poll_send_file(cx, file, offset, count),
            _ => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    pub(crate) fn poll_read_slice(
        &mut self,
        cx: &mut Context<'_>,
        slice: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if let Inner::Watched(stream) = &self.inner {
            return stream.poll_read_slice(cx, slice);
        }
        let mut buffer = ReadBuf::new(slice);
        let read = Pin::new(self).poll_read(cx, &mut buffer);
        read.map_ok(|()| buffer.filled().len())
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

/// The buffer of this thread, or a new one when it is lent already.
fn borrow_shared() -> Box<[u8]> {
    SHARED
        .take()
        .unwrap_or_else(|| vec![0; SHARED_BUFFER].into_boxed_slice())
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
            Inner::Portable(stream) => stream.poll_read(cx, buf),
            Inner::Watched(stream) => stream.poll_read(cx, buf),
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
            Inner::Portable(stream) => stream.poll_write(cx, buf),
            Inner::Watched(stream) => stream.poll_write(cx, buf),
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
            Inner::Portable(stream) => stream.poll_write_vectored(cx, bufs),
            Inner::Watched(stream) => stream.poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Boxed(transport) => Pin::new(transport).poll_flush(cx),
            // They keep nothing back.
            Inner::Duplex(_) | Inner::Portable(_) | Inner::Watched(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = match &mut this.inner {
            Inner::Boxed(transport) => ready!(Pin::new(transport).poll_shutdown(cx)),
            Inner::Duplex(end) => {
                end.shutdown();
                Ok(())
            }
            Inner::Portable(_) | Inner::Watched(_) => this
                .socket()
                .map_or(Ok(()), |socket| socket.shutdown(Shutdown::Write)),
        };
        Poll::Ready(match done {
            // The other side was faster.
            Err(err) if err.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_takes_24_bytes() {
        assert_eq!(size_of::<IoStream>(), 24);
    }
}
