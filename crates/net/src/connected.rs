//! A connected socket that belongs to no loop.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use squall_ioloop::reactor::{receive, send};

/// A socket of the standard library, of either kind.
#[derive(Debug)]
pub(crate) enum Connected {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connected {
    pub(crate) fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

impl AsFd for Connected {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Read for &Connected {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        receive(self.as_fd(), buf)
    }
}

impl Write for &Connected {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        send(self.as_fd(), buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Connected::Tcp(socket) => (&*socket).write_vectored(bufs),
            Connected::Unix(socket) => (&*socket).write_vectored(bufs),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
