//! Connecting.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use super::IoStream;
use crate::resolve::resolve;

impl IoStream {
    /// Connects to a host name or IP address (`::1` and `[::1]` alike), with `TCP_NODELAY` on.
    ///
    /// The addresses of a name are tried in the order in which the system lists them. There is no time limit here but the
    /// system's; wrap the call where one is needed.
    ///
    /// # Errors
    ///
    /// When the name does not resolve, or else the error of the last address tried, with that address in its message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for addr in resolve(host, port).await? {
            match Self::connect_addr(addr).await {
                Ok(stream) => return Ok(stream),
                Err(err) => failure = err,
            }
        }
        Err(failure)
    }

    /// Connects to one address, with `TCP_NODELAY` on.
    ///
    /// # Errors
    ///
    /// What the system says, with the address in the message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_addr(addr: SocketAddr) -> io::Result<Self> {
        let connected = tokio::net::TcpStream::connect(addr).await;
        connected
            .and_then(Self::from_tcp)
            .map_err(|err| io::Error::new(err.kind(), format!("{addr}: {err}")))
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    ///
    /// What the system says, with the path in the message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let connected = tokio::net::UnixStream::connect(path).await;
        connected
            .and_then(Self::from_unix)
            .map_err(|err| io::Error::new(err.kind(), format!("unix:{}: {err}", path.display())))
    }
}
