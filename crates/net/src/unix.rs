//! Making listening Unix sockets, and removing their files.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// How [`bind_unix`] makes its socket.
#[derive(Clone, Copy, Debug)]
pub struct UnixOptions {
    /// How many connections the kernel queues while the program is busy. Default 4096; the kernel caps it (on Linux at
    /// `net.core.somaxconn`, 4096 too). Beyond it clients wait, or are refused if they do not want to.
    pub backlog: u32,
    /// Who may connect, as the bits of a file mode: `0o660` is the owner and the group, `0o666` everybody. Default `None`:
    /// what the process's umask leaves, mostly `0o755`, which lets the owner alone connect.
    pub mode: Option<u32>,
}

impl Default for UnixOptions {
    fn default() -> Self {
        Self {
            backlog: 4096,
            mode: None,
        }
    }
}

/// Binds a listening Unix socket at `path`.
///
/// A socket file on which nobody listens any more, left over by a program that was killed, is replaced. The mode is set
/// before the first client can connect.
///
/// The file outlives the socket; [`ListenSocket`](crate::ListenSocket) removes it.
///
/// # Errors
///
/// The message names the path and the remedy: another program listens there ([`AddrInUse`](io::ErrorKind::AddrInUse)), the
/// file is not a socket ([`AlreadyExists`](io::ErrorKind::AlreadyExists)), the folder is missing or not writable, or the path
/// is longer than the system allows (on Linux 107 bytes).
pub fn bind_unix(path: impl AsRef<Path>, options: &UnixOptions) -> io::Result<UnixListener> {
    let path = path.as_ref();
    bind(path, options).map_err(|err| explain(path, &err))
}

fn bind(path: &Path, options: &UnixOptions) -> io::Result<UnixListener> {
    let addr = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    if let Err(err) = socket.bind(&addr) {
        if err.kind() != io::ErrorKind::AddrInUse {
            return Err(err);
        }
        remove_stale(path, &addr)?;
        socket.bind(&addr)?;
    }
    if let Some(mode) = options.mode {
        // Nobody can connect before the socket listens, so nobody slips through with the mode of the umask.
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777))?;
    }
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Removes the socket file of a program that is gone; an error if there is such a program, or it is no socket file.
fn remove_stale(path: &Path, addr: &SockAddr) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A listener whose queue is full would make a blocking connect wait.
    probe.set_nonblocking(true)?;
    match probe.connect(addr) {
        Err(err) if err.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Connected, or not for a reason that only a live socket has, such as its full queue.
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

fn explain(path: &Path, err: &io::Error) -> io::Error {
    let reason = match err.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or choose another path"
        }
        io::ErrorKind::AlreadyExists => "there is a file that is no socket; choose another path",
        io::ErrorKind::InvalidInput => {
            "the path is longer than a socket's may be (107 bytes on Linux)"
        }
        io::ErrorKind::NotFound => "its folder does not exist; create it first",
        io::ErrorKind::PermissionDenied => "permission denied; its folder must be writable",
        _ => "",
    };
    let path = path.display();
    let text = if reason.is_empty() {
        format!("cannot listen on unix:{path}: {err}")
    } else {
        format!("cannot listen on unix:{path}: {reason}")
    };
    io::Error::new(err.kind(), text)
}

/// The file of a bound socket; dropping the value removes it, unless another program has put its own there meanwhile.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    /// Takes charge of the file at `path`; the error is the system's.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            // The working directory may be another one when it is removed.
            path: std::path::absolute(path)?,
            identity: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // What cannot be removed is replaced by the next program that listens there.
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}
