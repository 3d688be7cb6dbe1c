//! Streams that nobody waits for: parked, read and written without a task.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;

use squall_ioloop::reactor::{Parked, ParkedOwner};
use squall_ioloop::{ThreadPoolExecutor, moment};
use squall_net::{IoStream, Listener, TcpListener, UnixOptions, bind_unix, duplex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::folder::Folder;
use crate::{Outcome, on_loop};

/// Whether sockets are tokio's in this run.
fn is_portable() -> bool {
    !cfg!(target_os = "linux") || std::env::var_os("SQUALL_IO").is_some_and(|io| io == "portable")
}

/// A stream and what std has of the other end.
async fn tcp() -> Result<(IoStream, TcpStream), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, client))
}

/// Tries again and again, as a task would that has nothing better to do.
async fn until<R>(mut attempt: impl FnMut() -> std::io::Result<R>) -> std::io::Result<R> {
    loop {
        match attempt() {
            Err(err) if err.kind() == ErrorKind::WouldBlock => moment().await,
            outcome => return outcome,
        }
    }
}

/// Sends back what comes.
struct Echo {
    streams: RefCell<Vec<Option<IoStream>>>,
    calls: Cell<usize>,
}

impl Parked for Echo {
    fn ready(self: Rc<Self>, key: u32) {
        self.calls.set(self.calls.get() + 1);
        let mut streams = self.streams.borrow_mut();
        let place = &mut streams[key as usize];
        let Some(stream) = place else { return };
        let mut bytes = Vec::new();
        match stream.try_read_with(|read| bytes.extend_from_slice(read)) {
            Ok(()) if bytes.is_empty() => *place = None,
            Ok(()) => assert_eq!(
                stream.try_write(&bytes).expect("there is room"),
                bytes.len()
            ),
            Err(err) => assert_eq!(err.kind(), ErrorKind::WouldBlock),
        }
    }
}

#[test]
fn parked_streams_are_served_without_tasks() {
    on_loop(async {
        let echo = Rc::new(Echo {
            streams: RefCell::default(),
            calls: Cell::new(0),
        });
        let owner = ParkedOwner::new(echo.clone());
        let mut clients = Vec::new();
        for key in 0..20 {
            let (stream, client) = tcp().await?;
            assert_eq!(stream.can_park(), !is_portable());
            if !stream.can_park() {
                // Does nothing, and nothing is called.
                stream.park(&owner, key);
                stream.call_again();
                stream.unpark();
                return Ok(());
            }
            stream.park(&owner, key);
            echo.streams.borrow_mut().push(Some(stream));
            clients.push(client);
        }
        let talk = ThreadPoolExecutor::new(1).submit(move || {
            for round in 0..10_u8 {
                for client in &mut clients {
                    client.write_all(&[round; 5])?;
                }
                for client in &mut clients {
                    let mut back = [0; 5];
                    client.read_exact(&mut back)?;
                    assert_eq!(back, [round; 5]);
                }
            }
            Ok::<_, std::io::Error>(())
        });
        talk.await??;
        while echo.streams.borrow().iter().any(Option::is_some) {
            moment().await;
        }
        assert!(echo.calls.get() >= 20 * 11, "{}", echo.calls.get());
        Ok(())
    });
}

#[test]
fn an_unparked_stream_is_waited_for_again() {
    on_loop(async {
        let (mut stream, mut client) = tcp().await?;
        let echo = Rc::new(Echo {
            streams: RefCell::new(vec![None]),
            calls: Cell::new(0),
        });
        let owner = ParkedOwner::new(echo.clone());
        stream.park(&owner, 0);
        client.write_all(b"one")?;
        if stream.can_park() {
            while echo.calls.get() == 0 {
                moment().await;
            }
        }
        stream.unpark();
        let mut word = [0; 3];
        stream.read_exact(&mut word).await?;
        assert_eq!(&word, b"one");
        client.write_all(b"two")?;
        stream.read_exact(&mut word).await?;
        assert_eq!(&word, b"two");
        Ok(())
    });
}

/// Checks reading and writing without waiting on a stream of whatever kind.
async fn tries(mut near: IoStream, mut far: IoStream) -> Outcome {
    let nothing = near.try_read_with(|_| panic!("there is nothing"));
    assert_eq!(
        nothing.map(|()| 0).map_err(|err| err.kind()),
        Err(ErrorKind::WouldBlock)
    );
    far.write_all(b"hello").await?;
    let text = until(|| near.try_read_with(<[u8]>::to_vec)).await?;
    assert_eq!(text, b"hello");
    assert!(near.try_read_with(|_| ()).is_err(), "it was emptied");

    // Until it is full, and on when the other side has read.
    let mut written = 0;
    loop {
        match near.try_write(&[b'x'; 10_000]) {
            Ok(count) => written += count,
            Err(err) if err.kind() == ErrorKind::WouldBlock && written > 0 => break,
            Err(err) if err.kind() == ErrorKind::WouldBlock => moment().await,
            Err(err) => return Err(err.into()),
        }
    }
    let mut taken = 0;
    let mut buffer = vec![0; 100_000];
    while taken < written {
        taken += far.read(&mut buffer).await?;
    }
    assert_eq!(taken, written);
    until(|| near.try_write(b"y")).await?;
    assert_eq!(far.read_u8().await?, b'y');

    // The end is told every time.
    far.write_all(b"bye").await?;
    far.shutdown().await?;
    let mut rest = Vec::new();
    loop {
        let ended = until(|| {
            near.try_read_with(|bytes| {
                rest.extend_from_slice(bytes);
                bytes.is_empty()
            })
        });
        if ended.await? {
            break;
        }
    }
    assert_eq!(rest, b"bye");
    assert!(near.try_read_with(<[u8]>::is_empty)?, "still the end");
    drop(far);
    Ok(())
}

#[test]
fn every_kind_of_stream_can_be_tried() {
    on_loop(async {
        let (near, far) = duplex(50_000);
        tries(near, far).await?;

        let (near, client) = tcp().await?;
        tries(near, IoStream::from_std(client)?).await?;

        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = Listener::adopt(bind_unix(&path, &UnixOptions::default())?)?;
        let far = IoStream::connect_unix(&path).await?;
        let near = listener.accept().await?.adopt()?;
        assert_eq!(near.can_park(), !is_portable());
        tries(near, far).await
    });
}

#[test]
fn a_nested_read_of_the_shared_buffer_has_one_of_its_own() {
    on_loop(async {
        let (mut near, mut far) = duplex(10);
        let (mut other, mut other_far) = duplex(10);
        far.write_all(b"outer").await?;
        other_far.write_all(b"inner").await?;
        near.try_read_with(|outer| {
            let inner = other.try_read_with(<[u8]>::to_vec);
            assert_eq!(inner.expect("it is there"), b"inner");
            assert_eq!(outer, b"outer");
        })?;
        Ok(())
    });
}

#[test]
fn a_stream_off_a_loop_is_refused() {
    if is_portable() {
        return; // There tokio panics.
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let stream = TcpStream::connect(listener.local_addr().expect("it is bound"));
    let err = IoStream::from_std(stream.expect("it listens")).expect_err("there is no loop");
    assert!(err.to_string().contains("no event loop"), "{err}");
}
