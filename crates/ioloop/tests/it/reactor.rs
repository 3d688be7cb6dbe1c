//! Descriptors that are parked, and waited for, without the runtime.

mod fairness;
mod hunts;
mod inside;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Instant;

use squall_ioloop::reactor::{Parked, ParkedOwner, Registration};
use squall_ioloop::{IoLoop, moment, sleep, spawn};

use crate::support::{LONG, MS, Notes, Outcome, logged, run};

/// A connected pair, non-blocking.
pub(crate) fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().expect("descriptors are left");
    near.set_nonblocking(true).expect("it is a socket");
    far.set_nonblocking(true).expect("it is a socket");
    (near, far)
}

/// A watched end, read and written as a stream of this project is.
pub(crate) struct End {
    pub(crate) registration: Registration,
    pub(crate) stream: UnixStream,
}

impl End {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let registration = Registration::new(stream.as_fd()).expect("there is a loop");
        Self {
            registration,
            stream,
        }
    }

    /// Reads until nothing is left; the number of bytes, and whether the end was reached.
    pub(crate) fn drain(&self) -> (usize, bool) {
        let mut buffer = [0; 256];
        let mut sum = 0;
        loop {
            match (&self.stream).read(&mut buffer) {
                Ok(0) => return (sum, true),
                Ok(count) => sum += count,
                Err(err) if err.kind() == ErrorKind::WouldBlock => {
                    self.registration.clear_readable();
                    return (sum, false);
                }
                Err(err) => panic!("{err}"),
            }
        }
    }

    /// Waits for some bytes.
    pub(crate) async fn read(&self) -> usize {
        let mut buffer = [0; 256];
        loop {
            poll_fn(|cx| self.registration.poll_readable(cx))
                .await
                .expect("the loop is open");
            match (&self.stream).read(&mut buffer) {
                Ok(count) => {
                    if count < buffer.len() {
                        self.registration.clear_readable();
                    }
                    return count;
                }
                Err(err) if err.kind() == ErrorKind::WouldBlock => {
                    self.registration.clear_readable();
                }
                Err(err) => panic!("{err}"),
            }
        }
    }
}

/// Calls a closure with the key.
struct Calls<F>(F);

impl<F: Fn(u32)> Parked for Calls<F> {
    fn ready(self: Rc<Self>, key: u32) {
        (self.0)(key);
    }
}

pub(crate) fn owner(ready: impl Fn(u32) + 'static) -> ParkedOwner {
    ParkedOwner::new(Rc::new(Calls(ready)))
}

/// Lets everything that is on its way arrive.
pub(crate) async fn settle() {
    for _ in 0..50 {
        moment().await;
    }
}

#[test]
fn a_task_waits_for_bytes_and_for_room() -> Outcome {
    run(async {
        let (near, far) = pair();
        let near = End::new(near);
        let writer = spawn(async move {
            sleep(MS).await;
            (&far).write_all(b"abc").map(|()| far)
        });
        assert_eq!(near.read().await, 3);
        let far = writer.await??;

        // Fill it.
        while (&near.stream).write(&[0; 4096]).is_ok() {}
        near.registration.clear_writable();
        assert!(!near.registration.is_writable());
        let reader = spawn(async move {
            sleep(MS).await;
            let mut buffer = [0; 65536];
            while (&far).read(&mut buffer).is_ok() {}
            far
        });
        poll_fn(|cx| near.registration.poll_writable(cx)).await?;
        assert!((&near.stream).write(&[0; 4096]).is_ok());
        drop(reader.await?);
        Ok(())
    })
}

#[test]
fn a_parked_end_is_told_of_bytes_and_of_the_end() -> Outcome {
    run(async {
        let (near, far) = pair();
        let end = Rc::new(End::new(near));
        let notes = Notes::new();
        let owner = owner({
            let (end, notes) = (Rc::clone(&end), notes.clone());
            move |key| notes.add((key, end.drain()))
        });
        end.registration.park(&owner, 7);
        settle().await;
        assert_eq!(notes.take(), [(7, (0, false))], "a first attempt");
        (&far).write_all(b"hello")?;
        sleep(MS).await;
        assert_eq!(notes.take(), [(7, (5, false))]);
        (&far).write_all(b"bye")?;
        drop(far);
        sleep(MS).await;
        let sums: Vec<_> = notes.take();
        assert_eq!(sums.iter().map(|(_, (count, _))| count).sum::<usize>(), 3);
        assert!(sums.iter().any(|(_, (_, ended))| *ended), "{sums:?}");
        Ok(())
    })
}

#[test]
fn an_end_that_comes_together_with_bytes_is_told_after_a_short_read() -> Outcome {
    run(async {
        let (near, mut far) = pair();
        let end = Rc::new(End::new(near));
        end.drain();
        let notes = Notes::new();
        let owner = owner({
            let (end, notes) = (Rc::clone(&end), notes.clone());
            move |_| {
                // One read a call, as a server does that answers first.
                let count = (&end.stream).read(&mut [0; 64]).expect("something is told");
                notes.add(count);
                match count {
                    0 => end.registration.unpark(),
                    _ => end.registration.clear_readable(),
                }
            }
        });
        end.registration.park(&owner, 0);
        far.write_all(b"last")?;
        drop(far);
        sleep(MS).await;
        assert_eq!(notes.take(), [4, 0]);
        Ok(())
    })
}

#[test]
fn what_was_there_before_it_was_parked_is_told() -> Outcome {
    run(async {
        let (near, far) = pair();
        let end = Rc::new(End::new(near));
        // The first attempt finds nothing, and the edge comes while nobody is parked.
        assert_eq!(end.drain(), (0, false));
        (&far).write_all(b"early")?;
        sleep(MS).await;
        assert!(end.registration.is_readable(), "the edge was taken in");

        let notes = Notes::new();
        let owner = owner({
            let (end, notes) = (Rc::clone(&end), notes.clone());
            move |key| notes.add((key, end.drain()))
        });
        end.registration.park(&owner, 1);
        assert_eq!(notes.len(), 0, "never called from inside of `park`");
        settle().await;
        assert_eq!(notes.take(), [(1, (5, false))]);
        Ok(())
    })
}

#[test]
fn an_unparked_end_wakes_its_task_again() -> Outcome {
    run(async {
        let (near, far) = pair();
        let end = Rc::new(End::new(near));
        end.drain();
        let calls = Rc::new(Cell::new(0));
        let owner = owner({
            let calls = Rc::clone(&calls);
            move |_| calls.set(calls.get() + 1)
        });
        end.registration.park(&owner, 1);
        // It waits already while the end is parked, and is told when it no longer is.
        let reader = spawn({
            let end = Rc::clone(&end);
            async move { end.read().await }
        });
        moment().await;
        (&far).write_all(b"one")?;
        sleep(MS).await;
        assert_eq!(calls.get(), 1);
        assert!(!reader.is_done());
        end.registration.unpark();
        assert_eq!(reader.await?, 3);
        (&far).write_all(b"four")?;
        assert_eq!(end.read().await, 4);
        assert_eq!(calls.get(), 1);
        Ok(())
    })
}

#[test]
fn the_owner_may_ask_for_another_call() -> Outcome {
    run(async {
        let (near, _far) = pair();
        let end = Rc::new(End::new(near));
        end.drain();
        let calls = Rc::new(Cell::new(0));
        let owner = owner({
            let (end, calls) = (Rc::clone(&end), Rc::clone(&calls));
            move |_| {
                calls.set(calls.get() + 1);
                if calls.get() < 10 {
                    // Once, however often it is asked for.
                    end.registration.call_again();
                    end.registration.call_again();
                }
            }
        });
        end.registration.park(&owner, 1);
        settle().await;
        assert_eq!(calls.get(), 0, "nothing to read, no call");
        end.registration.call_again();
        settle().await;
        assert_eq!(calls.get(), 10);
        Ok(())
    })
}

#[test]
fn a_panic_in_ready_is_logged_and_the_loop_goes_on() -> Outcome {
    let line = line!() + 6;
    let (outcome, entries) = logged(|| {
        run(async {
            let (near, far) = pair();
            let end = Rc::new(End::new(near));
            end.drain();
            let owner = ParkedOwner::new(Rc::new(Calls(|_| panic!("on purpose"))));
            end.registration.park(&owner, 1);
            (&far).write_all(b"x")?;
            sleep(MS).await;
            Ok(())
        })
    });
    outcome?;
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries[0].assert_error(line, &["on purpose", "the loop goes on"]);
    entries[0].assert_backtrace();
    Ok(())
}

/// Descriptors that a test may open: half of what the process may, as other tests run at the same time.
fn most_descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(1024) / 2
}

#[test]
fn ten_thousand_parked_sockets_are_each_woken_once() -> Outcome {
    // Datagram sockets, so that one descriptor each is enough.
    let count = most_descriptors().min(10_000);
    run(async {
        let sockets: Vec<UdpSocket> = (0..count)
            .map(|_| {
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            })
            .collect::<std::io::Result<_>>()?;
        let sockets = Rc::new(sockets);
        let counts = Rc::new(RefCell::new(vec![0; count]));
        let woken = Rc::new(Cell::new(0));
        let owner = owner({
            let (sockets, counts) = (Rc::clone(&sockets), Rc::clone(&counts));
            let woken = Rc::clone(&woken);
            move |key| {
                let key = key as usize;
                while sockets[key].recv(&mut [0; 8]).is_ok() {
                    counts.borrow_mut()[key] += 1;
                    woken.set(woken.get() + 1);
                }
            }
        });
        let mut registrations = Vec::new();
        for (socket, key) in sockets.iter().zip(0..) {
            let registration = Registration::new(socket.as_fd())?;
            registration.clear_readable();
            registration.park(&owner, key);
            registrations.push(registration);
        }
        let sender = UdpSocket::bind("127.0.0.1:0")?;
        for socket in sockets.iter() {
            sender.send_to(b"x", socket.local_addr()?)?;
        }
        let deadline = Instant::now() + LONG;
        while woken.get() < count && Instant::now() < deadline {
            sleep(MS).await;
        }
        assert!(counts.borrow().iter().all(|count| *count == 1));
        Ok(())
    })
}

#[test]
fn registrations_outlive_their_loop() -> Outcome {
    let (near, far) = pair();
    let (other, _other_far) = pair();
    let io_loop = IoLoop::new()?;
    let end = End::new(near);
    end.drain();
    let parked = End::new(other);
    let owner = owner(|_| {});
    parked.registration.park(&owner, 1);
    io_loop.close();
    (&far).write_all(b"x")?;
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = end.registration.poll_readable(&mut cx);
    assert!(
        matches!(&polled, std::task::Poll::Ready(Err(err)) if err.to_string().contains("closed")),
        "{polled:?}"
    );
    parked.registration.call_again();
    parked.registration.park(&owner, 2);
    parked.registration.unpark();
    assert!(
        Registration::new(far.as_fd()).is_err(),
        "the loop is closed"
    );
    drop(io_loop);
    drop(owner);
    drop(end);
    drop(parked);
    let err = Registration::new(far.as_fd()).expect_err("no loop is left");
    assert!(err.to_string().contains("no event loop"), "{err}");
    Ok(())
}
