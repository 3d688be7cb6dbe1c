//! Hunts for wake-ups that are lost: other threads write and read at random times, readers go from waiting to being parked
//! and back, and not a byte nor an end may be missed.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;

use squall_ioloop::reactor::{Parked, ParkedOwner};
use squall_ioloop::{moment, sleep, spawn};

use super::{End, pair};
use crate::support::{MS, run, unless_it_hangs};

/// Rounds of a hunt, each with a seed of its own.
const ROUNDS: u64 = if cfg!(debug_assertions) { 30 } else { 300 };
/// Connections in a round.
const PAIRS: u32 = 12;

/// A generator of numbers that look random; the same seed gives the same numbers.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// A thread that writes to each stream and ends it.
fn writer(mut streams: Vec<UnixStream>, mut dice: Dice) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let mut sum = 0;
        while !streams.is_empty() {
            let chosen = dice.roll(streams.len() as u64) as usize;
            if dice.roll(20) == 0 {
                drop(streams.swap_remove(chosen));
                continue;
            }
            let size = 1 + dice.roll(40) as usize;
            streams[chosen]
                .write_all(&[7; 40][..size])
                .expect("the reader waits for the end");
            sum += size as u64;
            for _ in 0..dice.roll(4) {
                thread::yield_now();
            }
        }
        sum
    })
}

/// A reader that is parked now and then.
struct Reader {
    end: End,
    ended: Cell<bool>,
    parked: Cell<bool>,
    /// The task, while it leaves the reading to the calls.
    task: RefCell<Option<Waker>>,
}

struct Readers {
    readers: Vec<Reader>,
    sum: Cell<u64>,
    dice: RefCell<Dice>,
}

impl Readers {
    fn roll(&self, sides: u64) -> u64 {
        self.dice.borrow_mut().roll(sides)
    }

    /// Reads a little; false when nothing more is to be had for now.
    fn read(&self, reader: &Reader) -> bool {
        let mut buffer = [0; 16];
        match (&reader.end.stream).read(&mut buffer) {
            Ok(0) => {
                reader.ended.set(true);
                false
            }
            Ok(count) => {
                self.sum.set(self.sum.get() + count as u64);
                if count < buffer.len() {
                    reader.end.registration.clear_readable();
                }
                count == buffer.len()
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock => {
                reader.end.registration.clear_readable();
                false
            }
            Err(err) => panic!("{err}"),
        }
    }

    /// Goes back to waiting.
    fn unpark(&self, reader: &Reader) {
        reader.parked.set(false);
        reader.end.registration.unpark();
        if let Some(task) = reader.task.take() {
            task.wake();
        }
    }
}

impl Parked for Readers {
    fn ready(self: Rc<Self>, key: u32) {
        let reader = &self.readers[key as usize];
        assert!(reader.parked.get(), "called only while parked");
        match self.roll(4) {
            // Not now.
            0 => reader.end.registration.call_again(),
            1 => self.unpark(reader),
            2 => {
                if self.read(reader) {
                    reader.end.registration.call_again();
                }
            }
            _ => while self.read(reader) {},
        }
        // An end that was seen is for the task; one that is hidden behind a short read comes with another call.
        if reader.ended.get() && reader.parked.get() {
            self.unpark(reader);
        }
    }
}

/// Reads until the end, in either way.
async fn read_all(readers: Rc<Readers>, owner: Rc<ParkedOwner>, key: u32) {
    let reader = &readers.readers[key as usize];
    while !reader.ended.get() {
        match readers.roll(4) {
            0 => {
                reader.parked.set(true);
                reader.end.registration.park(&owner, key);
                poll_fn(|cx| {
                    if reader.parked.get() {
                        *reader.task.borrow_mut() = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                    Poll::Ready(())
                })
                .await;
            }
            1 => moment().await,
            2 if readers.roll(20) == 0 => sleep(MS).await,
            _ => {
                poll_fn(|cx| reader.end.registration.poll_readable(cx))
                    .await
                    .expect("the loop is open");
                readers.read(reader);
            }
        }
    }
}

fn hunt(seed: u64) {
    run(async {
        let mut fars = Vec::new();
        let readers: Vec<Reader> = (0..PAIRS)
            .map(|_| {
                let (near, far) = pair();
                far.set_nonblocking(false).expect("it is a socket");
                fars.push(far);
                Reader {
                    end: End::new(near),
                    ended: Cell::new(false),
                    parked: Cell::new(false),
                    task: RefCell::default(),
                }
            })
            .collect();
        let readers = Rc::new(Readers {
            readers,
            sum: Cell::new(0),
            dice: RefCell::new(Dice::new(seed)),
        });
        let owner = Rc::new(ParkedOwner::new(readers.clone()));
        let second = fars.split_off(PAIRS as usize / 2);
        let writers = [
            writer(fars, Dice::new(seed + 1_000_000)),
            writer(second, Dice::new(seed + 2_000_000)),
        ];
        let tasks: Vec<_> = (0..PAIRS)
            .map(|key| spawn(read_all(Rc::clone(&readers), Rc::clone(&owner), key)))
            .collect();
        for task in tasks {
            task.await?;
        }
        let mut written = 0;
        for writer in writers {
            written += writer.join().expect("the writer succeeds");
        }
        assert_eq!(readers.sum.get(), written, "seed {seed}");
        Ok(())
    })
    .unwrap_or_else(|err| panic!("seed {seed}: {err}"));
}

#[test]
fn neither_bytes_nor_ends_are_missed() {
    // Two loops at a time, each with its own reactor.
    unless_it_hangs(|| {
        thread::scope(|scope| {
            for first in [0, 1] {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        hunt(round * 2 + first);
                    }
                });
            }
        });
    });
}

#[test]
fn room_to_write_is_not_missed() {
    unless_it_hangs(|| {
        for seed in 0..ROUNDS {
            let wanted = run(async {
                let (near, mut far) = pair();
                far.set_nonblocking(false)?;
                let mut dice = Dice::new(seed);
                let reader = thread::spawn(move || {
                    let mut buffer = [0; 30_000];
                    let mut sum = 0;
                    loop {
                        let size = 1 + dice.roll(30_000) as usize;
                        match far.read(&mut buffer[..size]).expect("it is readable") {
                            0 => return sum,
                            count => sum += count,
                        }
                    }
                });
                let end = End::new(near);
                let mut written = 0;
                while written < 1_500_000 {
                    poll_fn(|cx| end.registration.poll_writable(cx)).await?;
                    match (&end.stream).write(&[0; 20_000]) {
                        Ok(count) => {
                            written += count;
                            if count < 20_000 {
                                end.registration.clear_writable();
                            }
                        }
                        Err(err) if err.kind() == ErrorKind::WouldBlock => {
                            end.registration.clear_writable();
                        }
                        Err(err) => return Err(err.into()),
                    }
                }
                drop(end);
                assert_eq!(reader.join().expect("it reads to the end"), written);
                Ok(())
            });
            wanted.unwrap_or_else(|err| panic!("seed {seed}: {err}"));
        }
    });
}
