//! Making listening sockets.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

/// How [`bind_sockets`] makes its sockets.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    /// How many connections the kernel queues while the program is busy. Default 4096; the kernel caps it (on Linux at
    /// `net.core.somaxconn`, 4096 too). Beyond it clients wait and retry.
    pub backlog: u32,
    /// Whether [`bind_sibling`] may add sockets to the same port later (`SO_REUSEPORT`). Default off.
    pub shared: bool,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self {
            backlog: 4096,
            shared: false,
        }
    }
}

/// Binds a listening socket to every address that `address` stands for (`localhost` may be an IPv4 and an IPv6 one).
///
/// With port 0 the system picks a port, the same for all of them. The sockets are non-blocking and may be sent to the
/// thread whose loop adopts them with [`TcpListener::adopt`](crate::TcpListener::adopt). IPv6 sockets take IPv6 only, so
/// that `0.0.0.0` and `[::]` can both be bound.
///
/// Resolves names on the calling thread, which may block; use an IP address where that matters.
///
/// # Errors
///
/// The message names the address and the remedy. A port on which another program listens already is refused, also when
/// that program would share it. Of several addresses, one that this machine cannot use (a host without IPv6) is left
/// out; it is an error only when none remains.
pub fn bind_sockets<A>(address: A, options: &BindOptions) -> io::Result<Vec<TcpListener>>
where
    A: ToSocketAddrs + fmt::Debug,
{
    let mut bound: Vec<TcpListener> = Vec::new();
    let mut unusable = None;
    for mut addr in resolve(&address)? {
        if let (0, Some(first)) = (addr.port(), bound.first()) {
            addr.set_port(first.local_addr()?.port());
        }
        match bind_new(addr, options) {
            Ok(socket) => bound.push(socket),
            Err(err) if is_unusable(&err) => unusable = Some(explain(addr, err)),
            Err(err) => return Err(explain(addr, err)),
        }
    }
    match (bound.is_empty(), unusable) {
        (true, Some(err)) => Err(err),
        _ => Ok(bound),
    }
}

/// Binds one more listening socket to the address of one that was bound with [`BindOptions::shared`].
///
/// The kernel spreads new connections over all of them, so every loop can accept on its own. A socket gets its share
/// from here on, so adopt it soon. Where the system cannot spread (not Unix), this is a second handle of the same socket.
///
/// # Errors
///
/// The message names the address and the remedy.
pub fn bind_sibling(socket: &TcpListener, options: &BindOptions) -> io::Result<TcpListener> {
    if cfg!(not(unix)) {
        return socket.try_clone();
    }
    bind_at(socket.local_addr()?, options)
}

/// Binds one more socket to an address at which a shared one is bound.
pub(crate) fn bind_at(addr: SocketAddr, options: &BindOptions) -> io::Result<TcpListener> {
    bind_one(addr, true)
        .and_then(|socket| listen(socket, options))
        .map_err(|err| explain(addr, err))
}

fn resolve<A: ToSocketAddrs + fmt::Debug>(address: &A) -> io::Result<Vec<SocketAddr>> {
    let mut addrs: Vec<SocketAddr> = Vec::new();
    let found = address.to_socket_addrs().map_err(|err| {
        let text = format!(
            "cannot listen on {address:?}: expected HOST:PORT such as 127.0.0.1:8888 ({err})"
        );
        io::Error::new(err.kind(), text)
    })?;
    for addr in found {
        if !addrs.contains(&addr) {
            addrs.push(addr);
        }
    }
    if addrs.is_empty() {
        let text = format!("cannot listen on {address:?}: it stands for no address");
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
    }
    Ok(addrs)
}

fn bind_new(addr: SocketAddr, options: &BindOptions) -> io::Result<TcpListener> {
    if options.shared && addr.port() != 0 {
        // Sharing a port hides that it is taken: a second copy of the program would silently get half of the
        // connections. A socket that does not share finds out.
        drop(bind_one(addr, false)?);
    }
    listen(bind_one(addr, options.shared)?, options)
}

fn listen(socket: Socket, options: &BindOptions) -> io::Result<TcpListener> {
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

fn bind_one(addr: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))
        .map_err(|err| io::Error::new(io::ErrorKind::Unsupported, err))?;
    socket.set_nonblocking(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows this option means "steal the port"; there a restart needs no option at all.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    if shared {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(unix))]
    let _ = shared;
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// Tells whether this machine lacks the address or its family, as opposed to somebody else having it.
fn is_unusable(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    )
}

fn explain(addr: SocketAddr, err: io::Error) -> io::Error {
    let reason = match err.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use; stop the program that has it, or choose another (0 picks a free one)"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have the address; 0.0.0.0 or [::] listens on all it has"
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports under 1024 need privileges, choose a higher one or grant CAP_NET_BIND_SERVICE"
        }
        _ => return io::Error::new(err.kind(), format!("cannot listen on {addr}: {err}")),
    };
    io::Error::new(err.kind(), format!("cannot listen on {addr}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_comes_with_the_address_and_a_remedy() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 80));
        for (kind, remedy) in [
            (io::ErrorKind::AddrInUse, "choose another"),
            (io::ErrorKind::AddrNotAvailable, "0.0.0.0"),
            (io::ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
        ] {
            let err = explain(addr, kind.into());
            assert_eq!(err.kind(), kind);
            let text = err.to_string();
            assert!(
                text.starts_with("cannot listen on 127.0.0.1:80: "),
                "{text}"
            );
            assert!(text.contains(remedy), "{text}");
        }
    }
}
