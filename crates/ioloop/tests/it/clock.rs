//! The paused clock.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use squall_ioloop::{
    IoLoop, PeriodicCallback, ThreadPoolExecutor, clock, moment, sleep, spawn, with_timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Flag, MS, Notes, Outcome, run, unless_it_hangs};

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// Runs a test on a loop whose clock is paused, on a thread of its own.
fn paused<F: Future<Output = Outcome>>(test: impl FnOnce() -> F + Send + 'static) {
    unless_it_hangs(|| {
        let _io_loop = IoLoop::with_paused_clock().expect("a loop");
        run(test()).expect("no failure");
    });
}

#[test]
fn half_an_hour_passes_in_no_time() {
    paused(|| async {
        let begun = Instant::now();
        let start = IoLoop::current().time();
        let result = with_timeout(HALF_AN_HOUR, pending::<()>()).await;
        assert!(result.is_err());
        assert_eq!(IoLoop::current().time() - start, HALF_AN_HOUR);
        assert!(begun.elapsed() < Duration::from_secs(5));
        Ok(())
    });
}

#[test]
fn time_stands_still_while_the_loop_works() {
    paused(|| async {
        let io_loop = IoLoop::current();
        let start = io_loop.time();
        io_loop.call_later(MS, || ());
        for _ in 0..1000 {
            moment().await;
        }
        assert_eq!(io_loop.time(), start);
        Ok(())
    });
}

#[test]
fn tasks_that_sleep_see_each_other_at_the_right_times() {
    paused(|| async {
        let notes = Notes::new();
        let start = IoLoop::current().time();
        let tasks: Vec<_> = [3_u64, 1, 2]
            .into_iter()
            .map(|step| {
                let notes = notes.clone();
                spawn(async move {
                    for _ in 0..2 {
                        sleep(Duration::from_secs(step)).await;
                        notes.add((IoLoop::current().time() - start).as_secs());
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        assert_eq!(notes.take(), [1, 2, 2, 3, 4, 6]);
        Ok(())
    });
}

#[test]
fn the_clock_does_not_jump_over_work_on_a_pool() {
    paused(|| async {
        let pool = ThreadPoolExecutor::new(1);
        for round in 0..20_u64 {
            let job = pool.submit(move || {
                std::thread::sleep(Duration::from_micros(round * 100));
            });
            with_timeout(MS, job).await??;
        }
        Ok(())
    });
}

#[test]
fn the_clock_goes_on_once_a_job_has_run_though_nobody_asks() {
    paused(|| async {
        let pool = ThreadPoolExecutor::new(1);
        let answer = pool.submit(|| 5);
        drop(pool.submit(|| 6));
        sleep(HALF_AN_HOUR).await;
        assert_eq!(answer.await?, 5);
        pool.shutdown();
        assert!(pool.submit(|| 7).await.is_err());
        sleep(HALF_AN_HOUR).await;
        Ok(())
    });
}

#[test]
fn sockets_work_while_the_clock_is_paused() {
    paused(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut byte = [0];
            while stream.read(&mut byte).await? > 0 {
                stream.write_all(&byte).await?;
            }
            std::io::Result::Ok(())
        });
        let start = IoLoop::current().time();
        let mut client = with_timeout(HALF_AN_HOUR, TcpStream::connect(address)).await??;
        for byte in 0..100 {
            client.write_all(&[byte]).await?;
            let echo = with_timeout(HALF_AN_HOUR, client.read_u8()).await??;
            assert_eq!(echo, byte);
        }
        assert_eq!(IoLoop::current().time(), start, "no limit was reached");
        drop(client);
        server.await??;
        Ok(())
    });
}

#[test]
fn advance_moves_the_clock_and_runs_what_falls_due() {
    paused(|| async {
        clock::hold();
        let io_loop = IoLoop::current();
        let start = io_loop.time();
        let notes = Notes::new();
        for delay in [10, 20, 21] {
            let inner = notes.clone();
            io_loop.call_later(delay * MS, move || {
                inner.add((delay, (IoLoop::current().time() - start).as_millis()));
            });
        }
        let inner = notes.clone();
        let task = spawn(async move {
            sleep(5 * MS).await;
            sleep(15 * MS).await;
            inner.add((0, (IoLoop::current().time() - start).as_millis()));
        });
        moment().await;
        clock::advance(20 * MS).await;
        assert_eq!(notes.take(), [(10, 10), (20, 20), (0, 20)]);
        assert_eq!(io_loop.time() - start, 20 * MS);
        assert!(task.is_done());
        clock::advance(Duration::ZERO).await;
        assert_eq!(io_loop.time() - start, 20 * MS);
        clock::advance(MS).await;
        assert_eq!(notes.take(), [(21, 21)]);
        Ok(())
    });
}

#[test]
fn a_held_clock_stands_until_it_is_released() {
    paused(|| async {
        clock::hold();
        let rang = Flag::default();
        IoLoop::current().call_later(MS, rang.sets());
        // Time enough for the loop to fall asleep.
        for _ in 0..3 {
            tokio::time::sleep(MS).await;
        }
        assert!(!rang.is_set());
        clock::release();
        sleep(2 * MS).await;
        assert!(rang.is_set());
        Ok(())
    });
}

#[test]
fn a_dropped_advance_leaves_the_clock_held() {
    paused(|| async {
        clock::hold();
        let mut begun = Box::pin(clock::advance(HALF_AN_HOUR));
        poll_fn(|cx| {
            assert!(begun.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(begun);
        let rang = Flag::default();
        IoLoop::current().call_later(MS, rang.sets());
        tokio::time::sleep(2 * MS).await;
        assert!(!rang.is_set());
        Ok(())
    });
}

#[test]
fn two_may_advance_the_clock_at_a_time() {
    paused(|| async {
        clock::hold();
        let start = IoLoop::current().time();
        let longer = spawn(clock::advance(20 * MS));
        let shorter = spawn(clock::advance(10 * MS));
        shorter.await?;
        assert_eq!(IoLoop::current().time() - start, 10 * MS);
        longer.await?;
        assert_eq!(IoLoop::current().time() - start, 20 * MS);
        Ok(())
    });
}

#[test]
fn advancing_a_clock_that_runs_is_a_panic() -> Outcome {
    run(async {
        let err = spawn(clock::advance(MS)).await.err().ok_or("advanced")?;
        assert!(err.is_panic());
        assert!(err.to_string().contains("with_paused_clock"), "{err}");
        Ok(())
    })
}

#[test]
fn waiting_without_a_timer_does_not_move_the_clock() {
    paused(|| async {
        let start = IoLoop::current().time();
        tokio::time::sleep(5 * MS).await;
        assert_eq!(IoLoop::current().time(), start);
        Ok(())
    });
}

#[test]
fn periodic_callbacks_follow_the_paused_clock() {
    paused(|| async {
        let ticks = Rc::new(Cell::new(0));
        let count = Rc::clone(&ticks);
        let periodic = PeriodicCallback::new(
            move || {
                count.set(count.get() + 1);
                std::future::ready(())
            },
            Duration::from_secs(1),
        );
        periodic.start();
        sleep(Duration::from_millis(3_600_500)).await;
        assert_eq!(ticks.get(), 3600);
        Ok(())
    });
}
