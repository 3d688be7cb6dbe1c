//! Listening sockets that the process was started with.

use std::io;
use std::os::fd::OwnedFd;

use socket2::{Domain, Socket};
use squall_ioloop::inherited_descriptors;

use crate::socket::ListenSocket;

/// A listening socket that the service manager made.
#[derive(Debug)]
pub struct InheritedListener {
    /// Its name: systemd's `FileDescriptorName=`, by default the name of the socket unit.
    pub name: String,
    /// The socket, for [`Listener::adopt`](crate::Listener::adopt) or a server.
    pub socket: ListenSocket,
}

/// Takes over the listening sockets, TCP and Unix, that systemd or another service manager passes by the variables
/// `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` (sd_listen_fds(3)), in their order.
///
/// Clients may connect while the program starts or restarts: their connections wait in these sockets. None when the process
/// was not started that way, so a program can bind its own then. They are given out once: a second call finds none. The
/// files of Unix sockets are left to whoever made them.
///
/// # Errors
///
/// The message says which descriptor is not a listening stream socket of a family that is known here, or what is wrong with
/// the variables.
pub fn inherited_listeners() -> io::Result<Vec<InheritedListener>> {
    let descriptors = inherited_descriptors()?;
    descriptors
        .into_iter()
        .map(|(name, descriptor)| {
            let socket = listening(&name, descriptor)?;
            Ok(InheritedListener { name, socket })
        })
        .collect()
}

fn listening(name: &str, descriptor: OwnedFd) -> io::Result<ListenSocket> {
    let socket = Socket::from(descriptor);
    // Whatever is no socket at all has no address.
    let domain = socket.local_addr().ok().map(|addr| addr.domain());
    if domain.is_none() || !listens(&socket) {
        return Err(unusable(name, "is not a listening stream socket"));
    }
    match domain {
        Some(Domain::IPV4 | Domain::IPV6) => Ok(std::net::TcpListener::from(socket).into()),
        Some(Domain::UNIX) => Ok(std::os::unix::net::UnixListener::from(socket).into()),
        _ => Err(unusable(name, "is neither a TCP nor a Unix socket")),
    }
}

/// A datagram socket never does, so this tells the type as well.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn listens(socket: &Socket) -> bool {
    socket.is_listener().unwrap_or(false)
}

/// Other systems do not all tell; what is connected already fails when it is to accept.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn listens(socket: &Socket) -> bool {
    socket
        .r#type()
        .is_ok_and(|kind| kind == socket2::Type::STREAM)
}

fn unusable(name: &str, reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the inherited descriptor {name:?} {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn both_families_are_told_apart() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = tcp.local_addr().unwrap();
        let socket = listening("web", tcp.into()).unwrap();
        assert_eq!(socket.local_addr().unwrap().socket_addr(), Some(addr));
        let path = std::env::temp_dir().join(format!("squall-inherited-{}", std::process::id()));
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let socket = listening("web", unix.into()).unwrap();
        assert_eq!(socket.local_addr().unwrap().path(), Some(path.as_path()));
        drop(socket);
        std::fs::remove_file(&path).expect("the file is left to whoever made it");
    }

    #[test]
    fn what_does_not_listen_is_refused_by_name() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (pair, _) = UnixStream::pair().unwrap();
        for descriptor in [file.into(), udp.into(), pair.into()] {
            let err = listening("web", descriptor).unwrap_err();
            assert!(
                err.to_string().contains("\"web\" is not a listening"),
                "{err}"
            );
        }
    }
}
