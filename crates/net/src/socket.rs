//! Listening sockets of whatever kind, before a loop has them.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use socket2::{SockAddr, SockRef};

use crate::address::Address;
use crate::bind::{BindOptions, bind_at};
use crate::unix::SocketFile;

/// A listening socket that belongs to no loop yet, TCP or Unix: it may be sent to the thread whose loop shall accept on it.
///
/// Comes from a socket of std, such as those of [`bind_sockets`](crate::bind_sockets) and [`bind_unix`](crate::bind_unix), or
/// from [`inherited_listeners`](crate::inherited_listeners). A loop takes it over with
/// [`Listener::adopt`](crate::Listener::adopt).
#[derive(Debug)]
pub struct ListenSocket {
    pub(crate) descriptor: OwnedFd,
    pub(crate) about: About,
}

/// What is known of a listening socket, wherever its descriptor is.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) family: Family,
    /// Removed with the last handle of the socket.
    file: Option<Arc<SocketFile>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    Tcp,
    Unix,
}

impl ListenSocket {
    fn new(descriptor: OwnedFd, family: Family) -> Self {
        let about = About { family, file: None };
        Self { descriptor, about }
    }

    /// Has the file of a Unix socket removed when the last handle of the socket is dropped, unless another program's socket
    /// has taken its place by then. Does nothing for a TCP socket.
    ///
    /// # Errors
    ///
    /// When the socket has a path, and no file is there.
    pub fn remove_file_at_end(mut self) -> io::Result<Self> {
        if let Some(path) = self.local_addr()?.path() {
            self.about.file = Some(Arc::new(SocketFile::new(path)?));
        }
        Ok(self)
    }

    /// Returns the address the socket is bound to, with the port that the system picked for port 0.
    ///
    /// # Errors
    ///
    /// When the system does not know.
    pub fn local_addr(&self) -> io::Result<Address> {
        local_addr(self.as_fd())
    }

    /// Makes another handle of the same socket: whichever accepts first gets a connection.
    ///
    /// # Errors
    ///
    /// When the process is out of descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            descriptor: self.descriptor.try_clone()?,
            about: self.about.clone(),
        })
    }

    /// Binds one more socket to the same address, among which the kernel spreads new connections; `None` where it cannot:
    /// for a Unix socket, and for a TCP socket that was not bound with [`BindOptions::shared`].
    ///
    /// # Errors
    ///
    /// Those of [`bind_sibling`](crate::bind_sibling).
    pub fn sibling(&self, options: &BindOptions) -> io::Result<Option<Self>> {
        let socket = SockRef::from(&self.descriptor);
        match self.local_addr()?.socket_addr() {
            Some(addr) if socket.reuse_port()? => Ok(Some(bind_at(addr, options)?.into())),
            _ => Ok(None),
        }
    }
}

pub(crate) fn local_addr(descriptor: BorrowedFd<'_>) -> io::Result<Address> {
    let addr = SockRef::from(&descriptor).local_addr()?;
    Ok(address_of(&addr))
}

pub(crate) fn address_of(addr: &SockAddr) -> Address {
    match addr.as_socket() {
        Some(addr) => Address::Tcp(addr),
        None => Address::Unix(addr.as_pathname().map(Arc::from)),
    }
}

impl From<TcpListener> for ListenSocket {
    fn from(socket: TcpListener) -> Self {
        Self::new(socket.into(), Family::Tcp)
    }
}

impl From<UnixListener> for ListenSocket {
    fn from(socket: UnixListener) -> Self {
        Self::new(socket.into(), Family::Unix)
    }
}

impl AsFd for ListenSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
