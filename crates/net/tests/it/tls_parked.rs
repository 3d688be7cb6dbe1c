//! Secured streams without a task, and what they hold back.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io::ErrorKind;
use std::rc::Rc;

use squall_ioloop::reactor::{Parked, ParkedOwner};
use squall_ioloop::{moment, spawn};
use squall_net::tls::{ClientTls, ServerTls};
use squall_net::{IoStream, TcpListener, duplex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::on_loop;
use crate::tls::{Authority, chain, key};

/// Secures both ends of a connection; the first is the client's.
async fn secure(near: IoStream, far: IoStream) -> Result<(IoStream, IoStream), Box<dyn Error>> {
    let authority = Authority::new();
    let made = authority.sign("squall.test");
    let server = ServerTls::new(chain(&made), key(&made))?;
    let client = ClientTls::trusting(authority.pem())?;
    let accepting = spawn(async move { server.accept(far).await });
    let near = client.connect("squall.test", near).await?;
    Ok((near, accepting.await??))
}

async fn over_tcp() -> Result<(IoStream, IoStream), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = IoStream::connect_addr(listener.local_addr()?).await?;
    let (far, _) = listener.accept().await?;
    secure(near, far).await
}

/// Sends back what comes, a record a call.
struct Echo {
    stream: RefCell<Option<IoStream>>,
    /// What there was no room for yet.
    left: RefCell<Vec<u8>>,
    read: Cell<usize>,
}

impl Echo {
    fn park(stream: IoStream) -> (Rc<Self>, ParkedOwner) {
        let echo = Rc::new(Self {
            stream: RefCell::new(None),
            left: RefCell::default(),
            read: Cell::new(0),
        });
        let owner = ParkedOwner::new(echo.clone());
        stream.park(&owner, 0);
        echo.stream.replace(Some(stream));
        (echo, owner)
    }

    /// Whether everything that came has left again.
    fn answer(stream: &mut IoStream, left: &mut Vec<u8>) -> bool {
        while !left.is_empty() {
            match stream.try_write(left) {
                Ok(count) => drop(left.drain(..count)),
                Err(err) => {
                    assert_eq!(err.kind(), ErrorKind::WouldBlock);
                    return false;
                }
            }
        }
        match stream.try_flush() {
            Ok(()) => assert!(!stream.holds_back()),
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::WouldBlock);
                assert!(stream.holds_back());
            }
        }
        !stream.holds_back()
    }
}

impl Parked for Echo {
    fn ready(self: Rc<Self>, _key: u32) {
        let mut place = self.stream.borrow_mut();
        let Some(stream) = &mut *place else { return };
        let mut left = self.left.borrow_mut();
        if !Self::answer(stream, &mut left) {
            return;
        }
        let before = left.len();
        match stream.try_read_with(|bytes| left.extend_from_slice(bytes)) {
            Ok(()) if left.len() == before => {
                *place = None;
                return;
            }
            Ok(()) => self.read.set(self.read.get() + left.len() - before),
            Err(err) => assert_eq!(err.kind(), ErrorKind::WouldBlock),
        }
        // With something held back it is called when there is room.
        if Self::answer(stream, &mut left) && stream.is_readable() {
            stream.call_again();
        }
    }
}

#[test]
fn a_parked_secured_stream_is_served_without_a_task() {
    on_loop(async {
        let (mut near, far) = over_tcp().await?;
        if !far.can_park() {
            return Ok(());
        }
        let (echo, _owner) = Echo::park(far);
        // One record, several that come together, and more than fits into a read.
        for (size, records) in [(1, 1), (5, 20), (5000, 3), (16_384, 4)] {
            for number in 0..records {
                near.write_all(&vec![number; size]).await?;
                near.flush().await?;
            }
            for number in 0..records {
                let mut back = vec![0; size];
                near.read_exact(&mut back).await?;
                assert!(back.iter().all(|byte| *byte == number), "{size}");
            }
        }
        near.shutdown().await?;
        while echo.stream.borrow().is_some() {
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn what_was_decrypted_before_it_was_parked_is_told() {
    on_loop(async {
        let (mut near, mut far) = over_tcp().await?;
        if !far.can_park() {
            return Ok(());
        }
        near.write_all(b"two").await?;
        near.flush().await?;
        assert_eq!(far.read_u8().await?, b't');
        assert!(far.is_readable(), "the rest is in no socket any more");
        let (_echo, _owner) = Echo::park(far);
        let mut back = [0; 2];
        near.read_exact(&mut back).await?;
        assert_eq!(&back, b"wo");
        Ok(())
    });
}

#[test]
fn a_parked_stream_that_finds_no_room_goes_on_when_there_is_some() {
    on_loop(async {
        const BYTES: usize = 12_000_000;
        let (near, far) = over_tcp().await?;
        if !far.can_park() {
            return Ok(());
        }
        let (echo, _owner) = Echo::park(far);
        let sent: Vec<u8> = (0..BYTES).map(|place| (place / 1000) as u8).collect();
        let expected = sent.clone();
        let (mut reading, mut writing) = tokio::io::split(near);
        let writer = spawn(async move {
            writing.write_all(&sent).await?;
            writing.flush().await
        });
        // Nobody takes the answers, so that both directions fill up.
        let mut before = 0;
        loop {
            for _ in 0..2000 {
                moment().await;
            }
            let now = echo.read.get();
            if now == before && now > 0 {
                break;
            }
            before = now;
        }
        assert!(before < BYTES, "it took {before} bytes for nobody");
        let held = echo.stream.borrow().as_ref().map(IoStream::holds_back);
        assert_eq!(held, Some(true));
        let mut received = vec![0; BYTES];
        reading.read_exact(&mut received).await?;
        assert!(received == expected);
        writer.await??;
        Ok(())
    });
}

#[test]
fn a_stream_holds_back_what_its_transport_has_no_room_for() {
    on_loop(async {
        let (near, far) = duplex(3000);
        let (mut near, mut far) = secure(near, far).await?;
        assert!(!far.can_park(), "nobody would call its owner");
        assert!(!far.holds_back());
        let nothing = far.try_read_with(|_| panic!("there is nothing"));
        assert!(nothing.is_err_and(|err| err.kind() == ErrorKind::WouldBlock));
        let count = far.try_write(&[b'x'; 100_000])?;
        assert!((3000..100_000).contains(&count), "{count}");
        assert!(far.holds_back());
        let mut count = count;
        let full = loop {
            match far.try_write(&[b'x'; 10_000]) {
                Ok(more) => count += more,
                Err(err) => break err,
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        assert!(count < 70_000, "it holds back {count} bytes");
        let reading = spawn(async move {
            let mut all = Vec::new();
            near.read_to_end(&mut all).await?;
            Ok::<_, std::io::Error>(all)
        });
        let mut tries = 0;
        while let Err(err) = far.try_flush() {
            assert_eq!(err.kind(), ErrorKind::WouldBlock);
            tries += 1;
            moment().await;
        }
        assert!(tries > 0 && !far.holds_back());
        assert_eq!(far.try_write(b"!")?, 1);
        far.shutdown().await?;
        let all = reading.await??;
        assert_eq!(all.len(), count + 1);
        assert!(all.ends_with(b"x!"));
        Ok(())
    });
}
