use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use squall_net::{Address, IoStream, ListenSocket, Listener, UnixOptions, bind_unix};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::folder::Folder;
use crate::on_loop;

fn bind(path: &Path) -> io::Result<ListenSocket> {
    ListenSocket::from(bind_unix(path, &UnixOptions::default())?).remove_file_at_end()
}

#[test]
fn bytes_go_both_ways_and_both_ends_know_their_addresses() {
    on_loop(async {
        let folder = Folder::new();
        let path = folder.path("app.sock");
        let listener = Listener::adopt(bind(&path)?)?;
        let mut client = IoStream::connect_unix(&path).await?;
        let accepted = listener.accept().await?;
        assert_eq!(accepted.peer(), &Address::Unix(None));
        let mut server = accepted.adopt()?;
        let named = format!("unix:{}", path.display());
        assert_eq!(listener.local_addr()?.to_string(), named);
        assert_eq!(client.peer_addr()?.to_string(), named);
        assert_eq!(server.local_addr()?.path(), Some(path.as_path()));
        assert_eq!(server.peer_addr()?.to_string(), "unix");

        client.write_all(b"ping").await?;
        client.shutdown().await?;
        let mut text = String::new();
        server.read_to_string(&mut text).await?;
        assert_eq!(text, "ping");
        server.write_all(b"pong").await?;
        drop(server);
        client.read_to_string(&mut text).await?;
        assert_eq!(text, "pingpong");
        Ok(())
    });
}

#[test]
fn unread_bytes_are_seen_without_taking_them() {
    on_loop(async {
        let folder = Folder::new();
        let path = folder.path("app.sock");
        let listener = Listener::adopt(bind(&path)?)?;
        let mut client = IoStream::connect_unix(&path).await?;
        let mut server = listener.accept().await?.adopt()?;
        assert!(!server.has_unread());
        client.write_all(b"x").await?;
        assert!(server.has_unread());
        assert_eq!(server.read_u8().await?, b'x');
        assert!(!server.has_unread());
        drop(client);
        assert!(server.has_unread(), "the end is something to read");
        Ok(())
    });
}

#[test]
fn a_socket_that_nobody_listens_on_is_replaced() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path("app.sock");
    // As a killed program leaves it.
    drop(bind_unix(&path, &UnixOptions::default())?);
    assert!(path.exists());
    bind(&path)?;
    assert!(!path.exists(), "the end of the socket removes the file");
    Ok(())
}

#[test]
fn a_live_socket_is_refused_even_when_its_queue_is_full() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path("app.sock");
    let options = UnixOptions {
        backlog: 0,
        ..UnixOptions::default()
    };
    let _live = bind_unix(&path, &options)?;
    let mut queued = Vec::new();
    for _ in 0..3 {
        let err = bind(&path).expect_err("somebody listens there");
        assert_eq!(err.kind(), io::ErrorKind::AddrInUse);
        let text = format!(
            "cannot listen on unix:{}: another program listens there; stop it, or choose another path",
            path.display()
        );
        assert_eq!(err.to_string(), text);
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // Some of them find the queue full, which is the point.
        queued.push(socket.connect(&socket2::SockAddr::unix(&path)?).is_ok());
    }
    assert!(queued.contains(&false), "the queue was never full");
    Ok(())
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path("notes.txt");
    fs::write(&path, "precious")?;
    let err = bind(&path).expect_err("it is a file");
    assert_eq!(err.kind(), io::ErrorKind::AlreadyExists);
    assert!(
        err.to_string().contains("a file that is no socket"),
        "{err}"
    );
    assert_eq!(fs::read_to_string(&path)?, "precious");
    Ok(())
}

#[test]
fn each_failure_names_the_path_and_a_remedy() {
    let folder = Folder::new();
    let long = folder.path(&"x".repeat(120));
    for (path, remedy) in [
        (folder.path("missing/app.sock"), "create it first"),
        (long, "107 bytes"),
    ] {
        let text = bind(&path).expect_err("it cannot be bound").to_string();
        assert!(
            text.starts_with(&format!("cannot listen on unix:{}: ", path.display())),
            "{text}"
        );
        assert!(text.contains(remedy), "{text}");
    }
}

#[test]
fn the_mode_is_the_one_asked_for() -> io::Result<()> {
    let folder = Folder::new();
    for mode in [0o600, 0o660, 0o666] {
        let path = folder.path(&format!("{mode:o}.sock"));
        let options = UnixOptions {
            mode: Some(mode),
            ..UnixOptions::default()
        };
        let _socket = bind_unix(&path, &options)?;
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o7777, mode);
    }
    Ok(())
}

#[test]
fn the_file_of_a_successor_stays() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path("app.sock");
    let first = bind(&path)?;
    fs::remove_file(&path)?;
    let second = bind(&path)?;
    drop(first);
    assert!(path.exists(), "it is not the first one's any more");
    let handle = second.try_clone()?;
    drop(second);
    assert!(path.exists(), "there is another handle");
    drop(handle);
    assert!(!path.exists());
    Ok(())
}

#[test]
fn a_refused_connection_names_the_path() {
    on_loop(async {
        let folder = Folder::new();
        let path = folder.path("nobody.sock");
        let err = IoStream::connect_unix(&path).await.expect_err("no file");
        assert_eq!(err.kind(), io::ErrorKind::NotFound);
        assert!(err.to_string().contains("nobody.sock"), "{err}");
        Ok(())
    });
}

#[test]
fn closing_a_listener_gives_the_queued_connections() {
    on_loop(async {
        let folder = Folder::new();
        let path = folder.path("app.sock");
        let listener = Listener::adopt(bind(&path)?)?;
        let mut client = IoStream::connect_unix(&path).await?;
        client.write_all(b"early").await?;
        let queued = listener.close();
        assert!(!path.exists());
        let mut server = queued.into_iter().next().expect("one is queued").adopt()?;
        drop(client);
        let mut text = String::new();
        server.read_to_string(&mut text).await?;
        assert_eq!(text, "early");
        Ok(())
    });
}
