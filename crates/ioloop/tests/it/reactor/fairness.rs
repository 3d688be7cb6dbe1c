//! Nobody is kept waiting by a flood of events, and no event by a flood of something else.

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use squall_ioloop::reactor::ParkedOwner;
use squall_ioloop::{IoLoop, moment, sleep};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{End, owner, pair};
use crate::support::{MS, Outcome, run, unless_it_hangs};

/// Pairs that answer each other without an end.
struct Flood {
    ends: Rc<Vec<End>>,
    calls: Rc<Cell<u64>>,
    _owner: ParkedOwner,
}

impl Flood {
    fn new(pairs: usize) -> Self {
        let ends: Rc<Vec<End>> = Rc::new(
            (0..pairs)
                .flat_map(|_| {
                    let (near, far) = pair();
                    [End::new(near), End::new(far)]
                })
                .collect(),
        );
        let calls = Rc::new(Cell::new(0));
        let owner = owner({
            let (ends, calls) = (Rc::clone(&ends), Rc::clone(&calls));
            move |key| {
                calls.set(calls.get() + 1);
                let end = &ends[key as usize];
                end.drain();
                let _ = (&end.stream).write(b"x");
            }
        });
        for (end, key) in ends.iter().zip(0..) {
            end.registration.park(&owner, key);
        }
        Self {
            ends,
            calls,
            _owner: owner,
        }
    }

    /// Checks that it is still going on.
    async fn check(&self) {
        let before = self.calls.get();
        while self.calls.get() < before + 1000 {
            moment().await;
        }
        assert!(!self.ends.is_empty());
    }
}

/// Runs `test` beside a flood of few and of many events.
fn beside_a_flood<F>(test: impl Fn() -> F + Send + Copy + 'static)
where
    F: Future<Output = Outcome>,
{
    for pairs in [1, 300] {
        unless_it_hangs(move || {
            run(async {
                let flood = Flood::new(pairs);
                flood.check().await;
                for _ in 0..10 {
                    test().await?;
                }
                flood.check().await;
                Ok(())
            })
            .expect("the test succeeds");
        });
    }
}

#[test]
fn timers_run_beside_a_flood() {
    beside_a_flood(async || {
        sleep(MS).await;
        Ok(())
    });
}

#[test]
fn other_threads_are_heard_beside_a_flood() {
    beside_a_flood(async || {
        let called = Arc::new(AtomicBool::new(false));
        let back = IoLoop::current().handle();
        let thread = std::thread::spawn({
            let called = Arc::clone(&called);
            move || back.add_callback(move || called.store(true, Ordering::Relaxed))
        });
        while !called.load(Ordering::Relaxed) {
            moment().await;
        }
        thread.join().expect("it does not panic")?;
        Ok(())
    });
}

#[test]
fn tasks_and_sockets_of_the_runtime_go_on_beside_a_flood() {
    beside_a_flood(async || {
        let (mut near, mut far) = tokio::net::UnixStream::pair()?;
        let echo = tokio::task::spawn_local(async move {
            let mut byte = [0];
            while far.read_exact(&mut byte).await.is_ok() {
                far.write_all(&byte).await.expect("the other side reads");
            }
        });
        for byte in 0..20 {
            near.write_u8(byte).await?;
            assert_eq!(near.read_u8().await?, byte);
        }
        drop(near);
        echo.await?;
        Ok(())
    });
}

#[test]
fn events_come_beside_a_flood_of_callbacks() {
    fn again() {
        IoLoop::current().add_callback(again);
    }
    unless_it_hangs(|| {
        run(async {
            again();
            for _ in 0..1000 {
                IoLoop::current().add_callback(again);
            }
            Flood::new(2).check().await;
            Ok(())
        })
        .expect("the test succeeds");
    });
}

#[test]
fn an_idle_loop_with_parked_ends_sleeps() -> Outcome {
    run(async {
        let (near, mut far) = pair();
        let end = Rc::new(End::new(near));
        let calls = Rc::new(Cell::new(0));
        let owner = owner({
            let (end, calls) = (Rc::clone(&end), Rc::clone(&calls));
            move |_| {
                end.drain();
                calls.set(calls.get() + 1);
            }
        });
        end.registration.park(&owner, 0);
        far.write_all(b"x")?;
        sleep(MS).await;
        let before = processor_time();
        sleep(Duration::from_millis(200)).await;
        let spent = processor_time() - before;
        assert!(spent < Duration::from_millis(100), "{spent:?}");
        assert!(calls.get() <= 2, "{}", calls.get());
        Ok(())
    })
}

/// What this thread has used of a processor.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

#[test]
fn a_paused_clock_does_not_jump_past_bytes_that_are_there() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let (near, mut far) = pair();
        let end = Rc::new(End::new(near));
        let when = Rc::new(Cell::new(None));
        let owner = owner({
            let (end, when) = (Rc::clone(&end), Rc::clone(&when));
            move |_| {
                if end.drain().0 > 0 {
                    when.set(Some(IoLoop::current().time()));
                }
            }
        });
        end.registration.park(&owner, 0);
        for _ in 0..10 {
            let start = IoLoop::current().time();
            far.write_all(b"x")?;
            sleep(Duration::from_secs(3600)).await;
            assert_eq!(when.take(), Some(start));
        }
        Ok(())
    })
}
