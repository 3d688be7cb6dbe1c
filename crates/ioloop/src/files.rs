//! Files on a loop: what can be had of them without waiting for a disk.
//!
//! A disk has no readiness: reading a file blocks until the bytes are there, and no poller tells when. But most files that
//! are served are in the system's cache of pages, and what is there costs no more than a copy. So each function here does
//! its work at once or says that it would have to wait; then it is a job for a thread
//! ([`IoLoop::run_in_executor`](crate::IoLoop::run_in_executor)), after which it is tried again.
//!
//! ```
//! use std::fs::File;
//! use squall_ioloop::files::read_cached;
//!
//! let path = std::env::temp_dir().join(format!("squall-files-{}", std::process::id()));
//! std::fs::write(&path, "hello")?;
//! let file = File::open(&path)?;
//! let mut buffer = [0; 16];
//! // What was just written is in the cache, where the system can tell.
//! if let Some(count) = read_cached(&file, &mut buffer, 1)? {
//!     assert_eq!(&buffer[..count], b"ello");
//! }
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Elsewhere than on Linux nothing is known to be there, and nothing can be sent.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Reads from a file at `offset` if that needs no waiting: how many bytes, none at the end; `None` if it would have to
/// wait, or if the system cannot tell.
///
/// May read less than there is room for, such as up to the first page that is not in the cache.
///
/// # Errors
///
/// What the system says.
pub fn read_cached(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
    waiting(system::read(file, buffer, offset))
}

/// Says whether `count` bytes of a file at `offset` can probably be read without waiting: it looks at the first and at the
/// last of them, for files come into the cache, and go out of it, in runs. At the end of the file nothing has to be waited
/// for.
///
/// # Errors
///
/// What the system says.
pub fn is_cached(file: &File, offset: u64, count: u64) -> io::Result<bool> {
    let Some(last) = count.checked_sub(1) else {
        return Ok(true);
    };
    let mut byte = [0];
    for place in [offset.saturating_add(last), offset] {
        if read_cached(file, &mut byte, place)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sends up to `count` bytes of a file at `offset` to a socket, by the system alone: `sendfile(2)`. How many bytes, none
/// at the end of the file.
///
/// It blocks for as long as the disk takes; ask [`is_cached`] first. What one call sends is copied in one go, so a loop
/// keeps `count` to what it can spare the time for. As `sendfile` has no way to say otherwise, a connection that is gone
/// raises `SIGPIPE`, which a Rust program ignores from its beginning unless it was told not to.
///
/// # Errors
///
/// What the system says: [`WouldBlock`](io::ErrorKind::WouldBlock) when a non-blocking socket has no room,
/// [`InvalidInput`](io::ErrorKind::InvalidInput) for files that cannot be sent like this,
/// [`Unsupported`](io::ErrorKind::Unsupported) elsewhere than on Linux.
pub fn send_file(
    socket: BorrowedFd<'_>,
    file: &File,
    offset: u64,
    count: usize,
) -> io::Result<usize> {
    system::send(socket, file, offset, count)
}

/// Opens a file for reading, `path` being relative to `folder` and staying inside of it whatever links there are, if
/// that needs no waiting; `None` if it would have to wait, or if the system cannot do it.
///
/// A pipe without another end is opened as well; ask for the file's metadata.
///
/// # Errors
///
/// What the system says; [`CrossesDevices`](io::ErrorKind::CrossesDevices) for paths that lead out of the folder, for
/// absolute links too.
pub fn open_cached(folder: &File, path: &Path) -> io::Result<Option<File>> {
    waiting(system::open(folder, path, true))
}

/// As [`open_cached`], but waits for the disk; `None` only if the system cannot do it.
///
/// # Errors
///
/// As there.
pub fn open_beneath(folder: &File, path: &Path) -> io::Result<Option<File>> {
    waiting(system::open(folder, path, false))
}

/// Makes `None` of what says that it would have to wait, or that it cannot be done.
fn waiting<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(err) if err.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(err) => Err(err),
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::CString;
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    pub(super) fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let part = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        let (fd, offset) = (file.as_raw_fd(), place(offset)?);
        // SAFETY: the one part is as long as the buffer, which is borrowed through the call.
        let count = unsafe { libc::preadv2(fd, &raw const part, 1, offset, libc::RWF_NOWAIT) };
        usize::try_from(count).map_err(|_| error())
    }

    pub(super) fn send(
        socket: BorrowedFd<'_>,
        file: &File,
        offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        let mut offset = place(offset)?;
        let (socket, file) = (socket.as_raw_fd(), file.as_raw_fd());
        // SAFETY: both descriptors are open through the call, and the offset is a variable of ours.
        let sent = unsafe { libc::sendfile(socket, file, &raw mut offset, count) };
        usize::try_from(sent).map_err(|_| error())
    }

    pub(super) fn open(folder: &File, path: &Path, cached: bool) -> io::Result<File> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: it is a structure of numbers, of which zeros ask for nothing.
        let mut how: libc::open_how = unsafe { std::mem::zeroed() };
        // Opening a pipe would wait for its other end; to a file it makes no difference.
        how.flags = (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK) as u64;
        how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS;
        if cached {
            how.resolve |= libc::RESOLVE_CACHED;
        }
        // SAFETY: the path ends with a zero, and the structure's size is told; both are borrowed through the call.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_openat2,
                folder.as_raw_fd(),
                path.as_ptr(),
                &raw const how,
                size_of::<libc::open_how>(),
            )
        };
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        if fd < 0 {
            return Err(error());
        }
        // SAFETY: the call has made the descriptor, and nobody else has it.
        Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    fn place(offset: u64) -> io::Result<i64> {
        i64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// What went wrong, with one kind for all ways to say that something cannot be done: an old system does not know the
    /// call, a sandbox forbids it, the file's system has no such thing.
    fn error() -> io::Error {
        let err = io::Error::last_os_error();
        match err.raw_os_error() {
            Some(libc::ENOSYS | libc::EOPNOTSUPP | libc::EPERM) => {
                io::Error::new(io::ErrorKind::Unsupported, err)
            }
            _ => err,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::fd::BorrowedFd;
    use std::path::Path;

    pub(super) fn read(_file: &File, _buffer: &mut [u8], _offset: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn send(
        _socket: BorrowedFd<'_>,
        _file: &File,
        _offset: u64,
        _count: usize,
    ) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn open(_folder: &File, _path: &Path, _cached: bool) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
