//! A connected socket that the loop's reactor watches.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

use squall_ioloop::files::send_file;
use squall_ioloop::reactor::Registration;
use tokio::io::ReadBuf;

use crate::connected::Connected;

/// A non-blocking socket and its registration.
///
/// Each call keeps the rules of the [`reactor`](squall_ioloop::reactor): what is readable or writable is forgotten only
/// right after the system has shown that it is not, by refusing or by doing less than was asked for.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Goes first: a descriptor is closed after its registration has ended.
    registration: Registration,
    socket: Connected,
}

impl Watched {
    /// Has the current loop watch `socket`, which must be non-blocking.
    pub(crate) fn new(socket: Connected) -> io::Result<Self> {
        let registration = Registration::new(socket.as_fd())?;
        Ok(Self {
            registration,
            socket,
        })
    }

    pub(crate) fn socket(&self) -> &Connected {
        &self.socket
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = ready!(self.poll_read_slice(cx, buf.initialize_unfilled()))?;
        buf.advance(count);
        Poll::Ready(Ok(()))
    }

    pub(crate) fn poll_read_slice(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.poll_read_io(cx, |mut socket: &Connected| socket.read(buf)))?;
        self.note_read(count, buf.len());
        Poll::Ready(Ok(count))
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(self.poll_write_io(cx, |mut socket: &Connected| socket.write(buf)))?;
        self.note_written(count, buf.len());
        Poll::Ready(Ok(count))
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count =
            ready!(self.poll_write_io(cx, |mut socket: &Connected| socket.write_vectored(bufs)))?;
        self.note_written(count, bufs.iter().map(|buf| buf.len()).sum());
        Poll::Ready(Ok(count))
    }

    /// Reads without waiting. What is known to be empty costs no system call.
    #[inline]
    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.registration.is_readable() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.read_io(&mut |mut socket: &Connected| socket.read(buf))?;
        self.note_read(count, buf.len());
        Ok(count)
    }

    /// Writes without waiting. What is known to be full costs no system call.
    #[inline]
    pub(crate) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        if !self.registration.is_writable() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.write_io(&mut |mut socket: &Connected| socket.write(buf))?;
        self.note_written(count, buf.len());
        Ok(count)
    }

    /// Writes several pieces without waiting.
    pub(crate) fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.registration.is_writable() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.write_io(&mut |mut socket: &Connected| socket.write_vectored(bufs))?;
        self.note_written(count, bufs.iter().map(|buf| buf.len()).sum());
        Ok(count)
    }

    /// Sends a part of a file. It may be short for other reasons than a full socket, such as the end of the file, so only a
    /// refusal says that there is no room.
    pub(crate) fn poll_send_file(
        &self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        count: usize,
    ) -> Poll<io::Result<usize>> {
        self.poll_write_io(cx, |socket: &Connected| {
            send_file(socket.as_fd(), file, offset, count)
        })
    }

    /// Waits until `attempt`, which reads, does something else than to find nothing.
    fn poll_read_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&Connected) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            ready!(self.registration.poll_readable(cx))?;
            match self.read_io(&mut attempt) {
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Waits until `attempt`, which writes, does something else than to find no room.
    fn poll_write_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&Connected) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            ready!(self.registration.poll_writable(cx))?;
            match self.write_io(&mut attempt) {
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Reads by `attempt`, and notes when there was nothing.
    #[inline]
    fn read_io<R>(&self, attempt: &mut impl FnMut(&Connected) -> io::Result<R>) -> io::Result<R> {
        loop {
            match attempt(&self.socket) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                    self.registration.clear_readable();
                    return Err(err);
                }
                outcome => return outcome,
            }
        }
    }

    /// Writes by `attempt`, and notes when there was no room.
    #[inline]
    fn write_io<R>(&self, attempt: &mut impl FnMut(&Connected) -> io::Result<R>) -> io::Result<R> {
        loop {
            match attempt(&self.socket) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                    self.registration.clear_writable();
                    return Err(err);
                }
                outcome => return outcome,
            }
        }
    }

    /// Notes a read of `count` bytes with room for `room`: a short one has emptied the socket, and what comes later is
    /// told. No bytes are the end, which can be read again.
    #[inline]
    fn note_read(&self, count: usize, room: usize) {
        if 0 < count && count < room {
            self.registration.clear_readable();
        }
    }

    /// Notes a write of `count` bytes out of `wanted`: a short one has filled the socket.
    #[inline]
    fn note_written(&self, count: usize, wanted: usize) {
        if 0 < count && count < wanted {
            self.registration.clear_writable();
        }
    }
}
