//! Reading from and writing to a socket that is watched.
//!
//! The C library makes its `recv` and `send` points at which a thread can be cancelled, and pays for that in every program
//! with more than one thread. Nobody cancels a loop's thread, so on Linux the system is called directly.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Reads from a socket into `buffer`: how many bytes came, none at the end.
///
/// # Errors
///
/// What the system says, [`WouldBlock`](io::ErrorKind::WouldBlock) when nothing has come to a non-blocking socket.
#[inline]
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (fd, start, length) = (socket.as_raw_fd(), buffer.as_mut_ptr(), buffer.len());
    let null = std::ptr::null_mut::<u8>();
    // SAFETY: there is room for so many bytes, which are borrowed through the call; no address is asked for.
    #[cfg(target_os = "linux")]
    let count = unsafe { libc::syscall(libc::SYS_recvfrom, fd, start, length, 0, null, null) };
    #[cfg(not(target_os = "linux"))]
    let count = {
        let _ = null;
        // SAFETY: as above.
        unsafe { libc::recv(fd, start.cast(), length, 0) }
    };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Writes to a socket: how many bytes there was room for. A connection that is gone is an error, never a signal.
///
/// # Errors
///
/// What the system says, [`WouldBlock`](io::ErrorKind::WouldBlock) when a non-blocking socket has no room.
#[inline]
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let (fd, start, length) = (socket.as_raw_fd(), bytes.as_ptr(), bytes.len());
    let null = std::ptr::null::<u8>();
    // SAFETY: so many bytes are borrowed through the call; no address is given.
    #[cfg(target_os = "linux")]
    let count = unsafe {
        libc::syscall(
            libc::SYS_sendto,
            fd,
            start,
            length,
            libc::MSG_NOSIGNAL,
            null,
            0,
        )
    };
    #[cfg(not(target_os = "linux"))]
    let count = {
        let _ = null;
        // SAFETY: as above.
        unsafe { libc::send(fd, start.cast(), length, libc::MSG_NOSIGNAL) }
    };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn bytes_go_through_and_ends_are_told() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        let mut buffer = [0; 8];
        let nothing = receive(near.as_fd(), &mut buffer).map_err(|err| err.kind());
        assert_eq!(nothing, Err(io::ErrorKind::WouldBlock));
        assert_eq!(send(far.as_fd(), b"hello")?, 5);
        assert_eq!(receive(near.as_fd(), &mut buffer)?, 5);
        assert_eq!(&buffer[..5], b"hello");
        let mut sent = 0;
        let full = loop {
            match send(near.as_fd(), &[0; 4096]) {
                Ok(count) => sent += count,
                Err(err) => break err.kind(),
            }
        };
        assert_eq!((full, sent > 0), (io::ErrorKind::WouldBlock, true));
        drop(far);
        let gone = send(near.as_fd(), b"x").map_err(|err| err.kind());
        assert_eq!(gone, Err(io::ErrorKind::BrokenPipe));
        let end = receive(near.as_fd(), &mut buffer);
        assert!(matches!(end, Ok(0)) || end.is_err(), "{end:?}");
        Ok(())
    }
}
