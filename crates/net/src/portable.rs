//! Sockets that are waited for by tokio, in place of the loop's reactor.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::connected::Connected;

/// Whether sockets are waited for in this way: everywhere but on Linux, and there when the environment variable `SQUALL_IO`
/// was `portable` at the first use.
pub(crate) fn is_portable() -> bool {
    static ASKED_FOR: OnceLock<bool> = OnceLock::new();
    let asked_for = || std::env::var_os("SQUALL_IO").is_some_and(|io| io == "portable");
    !cfg!(target_os = "linux") || *ASKED_FOR.get_or_init(asked_for)
}

/// A socket of tokio.
#[derive(Debug)]
pub(crate) enum Portable {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Portable {
    /// Registers `socket`, which must be non-blocking, with the current loop.
    pub(crate) fn new(socket: Connected) -> io::Result<Self> {
        match socket {
            Connected::Tcp(socket) => TcpStream::from_std(socket).map(Self::Tcp),
            Connected::Unix(socket) => UnixStream::from_std(socket).map(Self::Unix),
        }
    }

    /// Gives the socket back, watched no longer.
    pub(crate) fn into_connected(self) -> io::Result<Connected> {
        match self {
            Self::Tcp(socket) => socket.into_std().map(Connected::Tcp),
            Self::Unix(socket) => socket.into_std().map(Connected::Unix),
        }
    }

    pub(crate) fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read(buf),
            Self::Unix(socket) => socket.try_read(buf),
        }
    }

    pub(crate) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(buf),
            Self::Unix(socket) => socket.try_write(buf),
        }
    }

    pub(crate) fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write_vectored(bufs),
            Self::Unix(socket) => socket.try_write_vectored(bufs),
        }
    }

    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, buf),
        }
    }

    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, buf),
        }
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Self::Unix(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
        }
    }
}

impl AsFd for Portable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}
