//! Waiting until a descriptor can be read.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor whose readability futures of the current loop can wait for, such as that of a listening socket.
///
/// Unlike a [handler](crate::IoLoop::add_handler) it calls nothing back, and takes no turn of the loop until somebody waits.
pub struct Readable {
    watched: AsyncFd<OwnedFd>,
}

impl Readable {
    /// Registers a non-blocking descriptor with the current loop.
    ///
    /// # Errors
    ///
    /// When the system refuses to watch it, as it does with a regular file.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        // SAFETY: an `OwnedFd` is open and stays the same descriptor until it is dropped, and nothing here gives it away
        // or replaces it while it is registered.
        let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
        Ok(Self { watched })
    }

    /// Calls `read` when the descriptor is readable, again and again until it does not fail with
    /// [`WouldBlock`](io::ErrorKind::WouldBlock); pending, and woken later, if nothing is there to read.
    ///
    /// # Errors
    ///
    /// Those of `read`, and [`Other`](io::ErrorKind::Other) when the loop is closed.
    pub fn poll_read<R>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut guard = ready!(self.watched.poll_read_ready(cx))?;
            match guard.try_io(|watched| read(watched.get_ref().as_fd())) {
                Ok(done) => return Poll::Ready(done),
                Err(_would_block) => {}
            }
        }
    }

    /// Takes the descriptor back; the loop watches it no more.
    pub fn into_inner(self) -> OwnedFd {
        self.watched.into_inner()
    }
}

impl AsFd for Readable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watched.get_ref().as_fd()
    }
}

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptor = self.as_fd().as_raw_fd();
        f.debug_tuple("Readable").field(&descriptor).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::{IoLoop, moment, spawn};

    #[test]
    fn a_read_waits_for_bytes_and_the_descriptor_comes_back() {
        IoLoop::run_sync(async {
            let (mut near, far) = UnixStream::pair()?;
            far.set_nonblocking(true)?;
            let readable = Readable::new(far.into())?;
            let reading = spawn(async move {
                let read = |descriptor: BorrowedFd<'_>| {
                    let mut stream = UnixStream::from(descriptor.try_clone_to_owned()?);
                    let mut byte = [0];
                    stream.read_exact(&mut byte).map(|()| byte[0])
                };
                let byte = poll_fn(|cx| readable.poll_read(cx, read)).await;
                (byte, readable)
            });
            moment().await;
            assert!(!reading.is_done());
            near.write_all(b"x")?;
            let (byte, readable) = reading.await.expect("it does not panic");
            assert_eq!(byte?, b'x');
            near.write_all(b"y")?;
            let mut byte = [0];
            UnixStream::from(readable.into_inner()).read_exact(&mut byte)?;
            assert_eq!(byte, *b"y");
            Ok::<_, io::Error>(())
        })
        .unwrap();
    }
}
