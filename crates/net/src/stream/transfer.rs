//! Reading and writing.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Inner, IoStream};

/// Size in bytes of the buffer that [`IoStream::poll_read_with`] lends: 64 KiB, one for each thread.
pub const SHARED_BUFFER: usize = 64 * 1024;

thread_local! {
    /// Taken out while it is lent, so that a nested read finds nothing and makes its own.
    static SHARED: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

impl IoStream {
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
}

/// The buffer of this thread, or a new one when it is lent already.
fn borrow_shared() -> Box<[u8]> {
    SHARED
        .take()
        .unwrap_or_else(|| vec![0; SHARED_BUFFER].into_boxed_slice())
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
