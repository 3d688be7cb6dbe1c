//! What carries a stream on top of another one, as TLS does.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::secured::TlsInfo;
use crate::stream::IoStream;

/// A stream that is carried by another one.
///
/// Calls whose names begin with `try_` never wait and never touch the wakers of who does.
pub(crate) trait Transport: AsyncRead + AsyncWrite + fmt::Debug + Unpin {
    /// The stream underneath, which knows the addresses.
    fn base(&self) -> &IoStream;

    fn into_base(self: Box<Self>) -> IoStream;

    /// Whether bytes, or the end, were taken from the stream underneath that the reader has not had: no event will tell
    /// of them.
    fn has_buffered(&self) -> bool;

    /// See [`IoStream::is_readable`].
    fn is_readable(&self) -> bool {
        self.has_buffered() || self.base().is_readable()
    }

    /// Whether some of what was written has not been taken by the stream underneath.
    fn holds_back(&self) -> bool;

    /// See [`IoStream::released`].
    fn released(&self) -> u64;

    /// See [`IoStream::tls`].
    fn tls(&self) -> Option<&Arc<TlsInfo>>;

    /// Lends what can be read, and nothing at the end. What is used of it has to be told to
    /// [`consume`](Self::consume).
    fn try_fill(&mut self) -> io::Result<&[u8]>;

    /// Waits for what [`try_fill`](Self::try_fill) lends.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>>;

    /// Notes that so many bytes of what was lent last have been used.
    fn consume(&mut self, count: usize);

    /// See [`IoStream::try_write`]; what it has taken may be held back.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Sends what is held back.
    fn try_flush(&mut self) -> io::Result<()>;
}
