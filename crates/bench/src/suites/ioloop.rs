//! The loop, for those who write on it: what the calls cost that every program makes all the time,
//! beside the nearest thing that bare tokio offers on a `LocalRuntime`.

mod memory;
mod rounds;
mod table;

use std::cell::Cell;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use squall_ioloop::{IoLoop, ThreadPoolExecutor, moment, multi, promise};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, spawn_blocking, spawn_local, yield_now};

use crate::bench::Bench;
use crate::report::Table;
use crate::suite::{Suite, Work};
use memory::on_tokio;
use rounds::{Row, measure};

pub(crate) const SUITE: Suite = Suite {
    name: "loop",
    measures: "what the calls on a loop cost, beside the nearest thing of bare tokio on a LocalRuntime",
    audience: "those who write on the loop: callbacks, tasks, promises, timers, pools",
    work: Work::Own { run, seconds },
};

/// Callbacks or tasks that wait in the queue at one time.
const BATCH: u64 = 1000;
/// Tasks that are awaited together.
const GROUP: u64 = 100;

/// The rows.
pub(crate) fn rows() -> [Row; 10] {
    let row = |name, peer, bar, ours: fn(u64), theirs: fn(u64)| Row {
        name,
        peer,
        bar,
        times: 200_000,
        counted: true,
        ours,
        theirs,
    };
    let threads = |name, peer, bar, times, ours: fn(u64), theirs: fn(u64)| Row {
        name,
        peer,
        bar,
        times,
        counted: false,
        ours,
        theirs,
    };
    [
        row(
            "spawn_callback",
            "detached spawn_local",
            0.15,
            spawn_callback,
            spawn_detached,
        ),
        row(
            "add_callback",
            "detached spawn_local",
            0.15,
            add_callback,
            spawn_detached,
        ),
        row(
            "promise, done callback, resolve, run",
            "oneshot through a task",
            0.5,
            settle_promise,
            oneshot_task,
        ),
        row(
            "spawn and await",
            "spawn_local and await",
            1.0,
            spawn_and_await,
            spawn_local_and_await,
        ),
        row(
            "multi of 100 tasks, each",
            "JoinSet of 100",
            0.6,
            multi_of_100,
            join_set_of_100,
        ),
        row(
            "call_later and cancel",
            "sleep polled once and dropped",
            0.2,
            set_and_cancel,
            poll_and_drop,
        ),
        threads(
            "add_callback from a thread, loop busy",
            "Handle::spawn",
            0.2,
            100_000,
            remote_callback,
            remote_spawn,
        ),
        threads(
            "pool round trip",
            "spawn_blocking",
            0.8,
            10_000,
            pool_round_trip,
            blocking_round_trip,
        ),
        threads(
            "pool, 64 in flight",
            "spawn_blocking",
            0.8,
            64_000,
            pool_in_flight,
            blocking_in_flight,
        ),
        threads(
            "wake another thread's sleeping loop and back",
            "the same through oneshots",
            1.0,
            10_000,
            ping_pong,
            their_ping_pong,
        ),
    ]
}

/// Roughly how long that takes.
fn seconds(quick: bool) -> f64 {
    rows().iter().map(|row| expected(row, quick)).sum::<f64>() + 2.0 * MEMORY_SECONDS
}

/// A row runs for a fraction of a second a round, and under a counter for a few seconds.
fn expected(row: &Row, quick: bool) -> f64 {
    let counting = if row.counted { 8.0 } else { 0.0 };
    0.1 * rounds(quick) as f64 + counting
}

const MEMORY_SECONDS: f64 = 2.0;

fn rounds(quick: bool) -> usize {
    if quick { 5 } else { 15 }
}

/// Measures all rows and prints them.
fn run(bench: &mut Bench) -> Vec<Table> {
    let quick = bench.pace.quick;
    let rounds = rounds(quick);
    bench.taken.set(rounds);
    match bench.counter {
        Some(counter) => println!("Instructions in user space by {}.", counter.name()),
        None => {
            println!(
                "Neither perf nor valgrind can count instructions here: that column is empty."
            );
        }
    }
    println!(
        "Medians of {rounds} alternating rounds (least–most).\n\n{}",
        table::HEAD
    );
    let mut outcomes = Vec::new();
    for row in rows() {
        bench.progress.step("loop", row.name, expected(&row, quick));
        let outcome = measure(row, rounds, bench.counter);
        bench.progress.done();
        bench.progress.clear();
        println!("{}", table::row(&outcome));
        outcomes.push(outcome);
    }
    println!("\n{}", table::MEMORY_HEAD);
    let mut measured = Vec::new();
    for row in memory::rows() {
        bench.progress.step("loop", row.what, MEMORY_SECONDS);
        let bytes = memory::measure(&row);
        bench.progress.done();
        bench.progress.clear();
        println!("{}", table::memory_row(&row, bytes));
        measured.push((row, bytes));
    }
    vec![table::done(&outcomes), table::there(&measured)]
}

/// Runs one contender so often, in a process of its own.
pub(crate) fn run_one(name: &str, side: &str, times: u64) -> ExitCode {
    let Some(row) = rows().into_iter().find(|row| row.name == name) else {
        return memory::run_one(name, side, times);
    };
    if side == "ours" {
        (row.ours)(times);
    } else {
        (row.theirs)(times);
    }
    ExitCode::SUCCESS
}

/// Runs a future on a fresh loop.
fn on_squall(future: impl Future<Output = ()>) {
    let run = IoLoop::run_sync(async {
        future.await;
        Ok::<_, io::Error>(())
    });
    run.expect("the system has descriptors for a loop");
}

fn spawn_callback(times: u64) {
    on_squall(async move {
        let io_loop = IoLoop::current();
        let count = Rc::new(Cell::new(0));
        while count.get() < times {
            for _ in 0..BATCH {
                let count = Rc::clone(&count);
                io_loop.spawn_callback(async move { count.set(count.get() + 1) });
            }
            moment().await;
        }
    });
}

fn add_callback(times: u64) {
    on_squall(async move {
        let io_loop = IoLoop::current();
        let count = Rc::new(Cell::new(0));
        while count.get() < times {
            for _ in 0..BATCH {
                let count = Rc::clone(&count);
                io_loop.add_callback(move || count.set(count.get() + 1));
            }
            moment().await;
        }
    });
}

fn spawn_detached(times: u64) {
    on_tokio(async move {
        let count = Rc::new(Cell::new(0));
        let mut spawned = 0;
        while count.get() < times {
            for _ in 0..BATCH {
                let count = Rc::clone(&count);
                drop(spawn_local(async move { count.set(count.get() + 1) }));
            }
            spawned += BATCH;
            while count.get() < spawned {
                yield_now().await;
            }
        }
    });
}

fn settle_promise(times: u64) {
    on_squall(async move {
        let count = Rc::new(Cell::new(0));
        while count.get() < times {
            for _ in 0..BATCH {
                let (resolver, promise) = promise();
                let count = Rc::clone(&count);
                promise.add_done_callback(move |value| {
                    count.set(count.get() + *value.unwrap_or(&0));
                });
                resolver.resolve(1);
            }
            moment().await;
        }
    });
}

fn oneshot_task(times: u64) {
    on_tokio(async move {
        let count = Rc::new(Cell::new(0));
        let mut spawned = 0;
        while count.get() < times {
            for _ in 0..BATCH {
                let (sender, receiver) = oneshot::channel();
                let count = Rc::clone(&count);
                drop(spawn_local(async move {
                    count.set(count.get() + receiver.await.unwrap_or(0));
                }));
                let _ = sender.send(1);
            }
            spawned += BATCH;
            while count.get() < spawned {
                yield_now().await;
            }
        }
    });
}

fn spawn_and_await(times: u64) {
    on_squall(async move {
        let io_loop = IoLoop::current();
        let mut sum = 0;
        for index in 0..times {
            sum += io_loop.spawn(async move { index }).await.unwrap_or(0);
        }
        assert_eq!(sum, times * (times - 1) / 2);
    });
}

fn spawn_local_and_await(times: u64) {
    on_tokio(async move {
        let mut sum = 0;
        for index in 0..times {
            sum += spawn_local(async move { index }).await.unwrap_or(0);
        }
        assert_eq!(sum, times * (times - 1) / 2);
    });
}

fn multi_of_100(times: u64) {
    on_squall(async move {
        let io_loop = IoLoop::current();
        for _ in 0..times / GROUP {
            let values = multi((0..GROUP).map(|index| io_loop.spawn(async move { index }))).await;
            assert_eq!(values.map_or(0, |values| values.len()), GROUP as usize);
        }
    });
}

fn join_set_of_100(times: u64) {
    on_tokio(async move {
        for _ in 0..times / GROUP {
            let mut set = JoinSet::new();
            for index in 0..GROUP {
                set.spawn_local(async move { index });
            }
            assert_eq!(set.join_all().await.len(), GROUP as usize);
        }
    });
}

fn set_and_cancel(times: u64) {
    on_squall(async move {
        let io_loop = IoLoop::current();
        let count = Rc::new(Cell::new(0));
        for index in 0..times {
            let count = Rc::clone(&count);
            let timeout =
                io_loop.call_later(Duration::from_millis(1000 + index % 5000), move || {
                    count.set(count.get() + 1);
                });
            assert!(timeout.cancel());
        }
    });
}

fn poll_and_drop(times: u64) {
    on_tokio(async move {
        for index in 0..times {
            let sleep = tokio::time::sleep(Duration::from_millis(1000 + index % 5000));
            let mut sleep = std::pin::pin!(sleep);
            std::future::poll_fn(|cx| {
                assert!(sleep.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
    });
}

/// Another thread posts while the loop is never idle; done when the last one has run.
fn remote_callback(times: u64) {
    on_squall(async move {
        let handle = IoLoop::current().handle();
        let count = Arc::new(AtomicU64::new(0));
        let posted = Arc::clone(&count);
        let poster = thread::spawn(move || {
            for _ in 0..times {
                let count = Arc::clone(&posted);
                let run = move || {
                    count.fetch_add(1, Ordering::Relaxed);
                };
                handle.add_callback(run).expect("the loop is open");
            }
        });
        while count.load(Ordering::Relaxed) < times {
            moment().await;
        }
        poster.join().expect("the poster does not panic");
    });
}

fn remote_spawn(times: u64) {
    on_tokio(async move {
        let handle = tokio::runtime::Handle::current();
        let count = Arc::new(AtomicU64::new(0));
        let posted = Arc::clone(&count);
        let poster = thread::spawn(move || {
            for _ in 0..times {
                let count = Arc::clone(&posted);
                drop(handle.spawn(async move {
                    count.fetch_add(1, Ordering::Relaxed);
                }));
            }
        });
        while count.load(Ordering::Relaxed) < times {
            yield_now().await;
        }
        poster.join().expect("the poster does not panic");
    });
}

fn pool_round_trip(times: u64) {
    let pool = ThreadPoolExecutor::new(4);
    on_squall(async move {
        for index in 0..times {
            assert_eq!(pool.submit(move || index).await.unwrap_or(0), index);
        }
    });
}

fn blocking_round_trip(times: u64) {
    on_tokio(async move {
        for index in 0..times {
            assert_eq!(spawn_blocking(move || index).await.unwrap_or(0), index);
        }
    });
}

fn pool_in_flight(times: u64) {
    let pool = ThreadPoolExecutor::new(4);
    on_squall(async move {
        for _ in 0..times / 64 {
            let values = multi((0..64).map(|index| pool.submit(move || index))).await;
            assert_eq!(values.map_or(0, |values| values.len()), 64);
        }
    });
}

fn blocking_in_flight(times: u64) {
    on_tokio(async move {
        for _ in 0..times / 64 {
            let mut set = JoinSet::new();
            for index in 0..64 {
                set.spawn_blocking(move || index);
            }
            assert_eq!(set.join_all().await.len(), 64);
        }
    });
}

/// Two loops on two threads, both asleep but when a letter comes.
fn ping_pong(times: u64) {
    on_squall(async move {
        let (sender, receiver) = std::sync::mpsc::channel();
        let other = thread::spawn(move || {
            let io_loop = IoLoop::new().expect("the system has descriptors for a loop");
            sender.send(io_loop.handle()).expect("the other side waits");
            io_loop.start();
        });
        let handle = receiver.recv().expect("the other side answers");
        for index in 0..times {
            let echo = handle
                .spawn(move || async move { index })
                .expect("the loop is open");
            assert_eq!(echo.await.unwrap_or(0), index);
        }
        handle.stop();
        other.join().expect("the other loop does not panic");
    });
}

fn their_ping_pong(times: u64) {
    on_tokio(async move {
        let (sender, receiver) = std::sync::mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, ended) = oneshot::channel::<()>();
        let other = thread::spawn(move || {
            on_tokio(async move {
                let handle = tokio::runtime::Handle::current();
                sender.send(handle).expect("the other side waits");
                let _ = ended.await;
            });
        });
        let handle = receiver.recv().expect("the other side answers");
        for index in 0..times {
            assert_eq!(handle.spawn(async move { index }).await.unwrap_or(0), index);
        }
        stopped.store(true, Ordering::Relaxed);
        drop(stop);
        other.join().expect("the other runtime does not panic");
    });
}
