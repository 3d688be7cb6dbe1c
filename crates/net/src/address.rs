//! What is at the other end of a stream.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// The address of one end of an [`IoStream`](crate::IoStream).
///
/// Displays as `127.0.0.1:8888`, `[::1]:8888`, `unix:/run/app.sock`, `unix` (an end without a name) or `memory`. Cloning it
/// copies no path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// An end of the in-memory [`duplex`](crate::duplex).
    Memory,
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket, with its path if it has one: the end that connects mostly has none. A name outside of the file
    /// system (Linux' abstract ones) is none.
    Unix(Option<Arc<Path>>),
}

impl Address {
    /// Returns the IP address, if this end has one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.socket_addr().map(|addr| addr.ip())
    }

    /// Returns the IP address and port, if this end has them.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(addr) => Some(*addr),
            Self::Memory | Self::Unix(_) => None,
        }
    }

    /// Returns the path of a Unix socket that has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => path.as_deref(),
            Self::Memory | Self::Tcp(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(None) => f.write_str("unix"),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self::Tcp(addr)
    }
}

impl From<std::os::unix::net::SocketAddr> for Address {
    fn from(addr: std::os::unix::net::SocketAddr) -> Self {
        Self::Unix(addr.as_pathname().map(Arc::from))
    }
}
