//! From a host name to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use squall_ioloop::IoLoop;

/// Resolves a host on the loop's thread pool, so that a slow name server does not block the loop; an IP address needs
/// neither.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let name = bare.to_owned();
    let lookup = move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
    let found = IoLoop::current()
        .run_in_executor(None, lookup)
        .await
        .map_err(io::Error::other)?;
    match found {
        Ok(addrs) if addrs.is_empty() => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("the name {bare} has no address"),
        )),
        Ok(addrs) => Ok(addrs),
        Err(err) => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("the name {bare} does not resolve: {err}"),
        )),
    }
}
