//! What is at the other end of a stream.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The address of one end of an [`IoStream`](crate::IoStream).
///
/// Displays as `127.0.0.1:8888`, `[::1]:8888` or `memory`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// An end of the in-memory [`duplex`](crate::duplex).
    Memory,
    /// A TCP address.
    Tcp(SocketAddr),
}

impl Address {
    /// Returns the IP address, if this end has one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.socket_addr().map(|addr| addr.ip())
    }

    /// Returns the IP address and port, if this end has them.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Memory => None,
            Self::Tcp(addr) => Some(*addr),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Tcp(addr) => addr.fmt(f),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self::Tcp(addr)
    }
}
