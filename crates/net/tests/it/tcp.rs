use std::io::{self, Write};
use std::net::SocketAddr;

use squall_net::{Address, BindOptions, IoStream, TcpListener, bind_sibling, bind_sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::on_loop;

const SHARED: BindOptions = BindOptions {
    backlog: 4096,
    shared: true,
};

#[test]
fn both_ends_know_their_addresses() {
    on_loop(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        let client = IoStream::connect_addr(addr).await?;
        let (server, peer) = listener.accept().await?;
        assert_eq!(client.peer_addr()?, Address::from(addr));
        assert_eq!(client.local_addr()?.socket_addr(), Some(peer));
        assert_eq!(server.peer_addr()?.to_string(), peer.to_string());
        assert_eq!(server.local_addr()?.ip(), Some(addr.ip()));
        Ok(())
    });
}

#[test]
fn a_name_is_resolved_off_the_loop() {
    on_loop(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let mut client = IoStream::connect("localhost", port).await?;
        let (mut server, _) = listener.accept().await?;
        server.write_all(b"hi").await?;
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).await?;
        assert_eq!(text, "hi");
        Ok(())
    });
}

#[test]
fn a_name_that_does_not_resolve_is_named() {
    on_loop(async {
        let err = IoStream::connect("no-such-host.invalid", 80)
            .await
            .expect_err("the name is reserved");
        assert!(err.to_string().contains("no-such-host.invalid"), "{err}");
        Ok(())
    });
}

#[test]
fn a_refused_connection_names_the_address() {
    on_loop(async {
        let addr = free_addr()?;
        let err = IoStream::connect_addr(addr)
            .await
            .expect_err("nobody listens");
        assert_eq!(err.kind(), io::ErrorKind::ConnectionRefused);
        assert!(err.to_string().starts_with(&addr.to_string()), "{err}");
        Ok(())
    });
}

#[test]
fn ipv6_works_with_and_without_brackets() {
    on_loop(async {
        let Ok(listener) = TcpListener::bind("[::1]:0") else {
            return Ok(()); // This machine has no IPv6.
        };
        let port = listener.local_addr()?.port();
        for host in ["::1", "[::1]"] {
            IoStream::connect(host, port).await?;
            listener.accept().await?;
        }
        Ok(())
    });
}

#[test]
fn siblings_share_the_port_that_the_system_picked() -> io::Result<()> {
    let first = bind_sockets("127.0.0.1:0", &SHARED)?.remove(0);
    assert_ne!(first.local_addr()?.port(), 0);
    let second = bind_sibling(&first, &SHARED)?;
    assert_eq!(second.local_addr()?, first.local_addr()?);
    Ok(())
}

#[test]
fn a_name_with_two_addresses_gets_one_port() -> io::Result<()> {
    let addrs: [SocketAddr; 2] = [([127, 0, 0, 1], 0).into(), ([127, 0, 0, 2], 0).into()];
    let bound = bind_sockets(&addrs[..], &BindOptions::default())?;
    assert_eq!(bound.len(), 2);
    assert_eq!(bound[0].local_addr()?.port(), bound[1].local_addr()?.port());
    Ok(())
}

#[test]
fn a_taken_port_is_refused_with_the_remedy_even_when_it_could_be_shared() -> io::Result<()> {
    let taken = bind_sockets("127.0.0.1:0", &SHARED)?;
    let addr = taken[0].local_addr()?;
    for options in [BindOptions::default(), SHARED] {
        let err = bind_sockets(addr, &options).expect_err("the port is taken");
        assert_eq!(err.kind(), io::ErrorKind::AddrInUse);
        assert!(
            err.to_string()
                .contains(&format!("cannot listen on {addr}: the port is in use")),
            "{err}"
        );
    }
    Ok(())
}

#[test]
fn an_address_that_this_machine_lacks_is_explained() {
    let err =
        bind_sockets("192.0.2.1:0", &BindOptions::default()).expect_err("a documentation address");
    assert!(
        err.to_string()
            .contains("this machine does not have the address"),
        "{err}"
    );
}

#[test]
fn something_that_is_no_address_says_what_was_expected() {
    let err = bind_sockets("8888", &BindOptions::default()).expect_err("no host");
    assert!(err.to_string().contains("expected HOST:PORT"), "{err}");
}

#[test]
fn closing_a_listener_hands_over_whom_the_system_had_queued() {
    on_loop(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        // Connected behind the loop's back.
        let mut client = std::net::TcpStream::connect(addr)?;
        client.write_all(b"x")?;
        let mut queued = listener.close();
        let (mut server, peer) = queued.pop().ok_or("nobody was queued")?;
        assert_eq!(peer, client.local_addr()?);
        assert!(queued.is_empty());
        assert!(server.has_unread());
        assert_eq!(server.read_u8().await?, b'x');
        assert!(!server.has_unread());
        let refused = IoStream::connect_addr(addr)
            .await
            .expect_err("nobody listens any more");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        Ok(())
    });
}

#[test]
fn a_reset_is_an_error_at_the_other_end() {
    on_loop(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut client = IoStream::connect_addr(listener.local_addr()?).await?;
        let (server, _) = listener.accept().await?;
        server.reset();
        let err = client.read_u8().await.expect_err("it was reset");
        assert_eq!(err.kind(), io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

/// An address on which nobody listens: the system's pick, given back.
fn free_addr() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}
