//! Private memory of things that are only there, read in a process of their own.

use std::env::current_exe;
use std::process::{Command, ExitCode};
use std::time::Duration;

use squall_ioloop::IoLoop;
use tokio::runtime::LocalOptions;

use crate::arguments::ONE;
use crate::process::Process;
use crate::sample;

/// A thing of which there are many.
pub(crate) struct MemoryRow {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) peer: &'static str,
    /// How many there are.
    pub(crate) count: u64,
    pub(crate) bar: Bar,
}

/// What must not be passed.
pub(crate) enum Bar {
    /// Bytes each.
    Bytes(f64),
    /// The ratio to the peer.
    Ratio(f64),
}

/// The things whose memory is measured.
pub(crate) fn rows() -> [MemoryRow; 2] {
    [
        MemoryRow {
            name: "memory-task",
            what: "an idle spawned task",
            peer: "an idle local task",
            count: 200_000,
            bar: Bar::Ratio(1.1),
        },
        MemoryRow {
            name: "memory-timer",
            what: "a timer, a million live",
            peer: "a boxed, polled sleep",
            count: 1_000_000,
            bar: Bar::Bytes(32.0),
        },
    ]
}

/// Bytes of private memory each: ours and theirs. `None` where the system does not tell.
pub(crate) fn measure(row: &MemoryRow) -> Option<(f64, f64)> {
    let bytes = |side: &str| {
        let mut command = Command::new(current_exe().ok()?);
        command.args([ONE, row.name, side, &row.count.to_string()]);
        let (text, _) = Process::output(&mut command).ok()?;
        let grown: f64 = text.trim().parse().ok()?;
        Some(grown / row.count as f64)
    };
    Some((bytes("ours")?, bytes("theirs")?))
}

/// In the child: makes them and prints by how many bytes the process has grown.
pub(crate) fn run_one(name: &str, side: &str, times: u64) -> ExitCode {
    let grown = match (name, side) {
        ("memory-task", "ours") => our_tasks(times),
        ("memory-task", _) => their_tasks(times),
        ("memory-timer", "ours") => our_timers(times),
        ("memory-timer", _) => their_timers(times),
        _ => return ExitCode::from(2),
    };
    println!("{grown}");
    ExitCode::SUCCESS
}

/// Private bytes of this process; 0 where the system does not tell.
fn private() -> u64 {
    sample::private(&[std::process::id()]).unwrap_or(0)
}

/// A task that waits for ever with a few words of state.
async fn idle(state: [u64; 4]) -> u64 {
    std::future::pending::<()>().await;
    state.iter().sum()
}

fn our_tasks(times: u64) -> u64 {
    let run = IoLoop::run_sync(async {
        squall_ioloop::moment().await;
        let before = private();
        for index in 0..times {
            drop(squall_ioloop::spawn(idle([index; 4])));
        }
        squall_ioloop::moment().await;
        Ok::<_, std::io::Error>(private() - before)
    });
    run.unwrap_or(0)
}

fn their_tasks(times: u64) -> u64 {
    on_tokio(async move {
        tokio::task::yield_now().await;
        let before = private();
        for index in 0..times {
            drop(tokio::task::spawn_local(idle([index; 4])));
        }
        while tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks() as u64
            <= times
        {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        private() - before
    })
}

fn our_timers(times: u64) -> u64 {
    let run = IoLoop::run_sync(async {
        let io_loop = IoLoop::current();
        let count = std::rc::Rc::new(std::cell::Cell::new(0));
        let before = private();
        for index in 0..times {
            let count = std::rc::Rc::clone(&count);
            io_loop.call_later(spread_out(index), move || count.set(count.get() + 1));
        }
        Ok::<_, std::io::Error>(private() - before)
    });
    run.unwrap_or(0)
}

fn their_timers(times: u64) -> u64 {
    on_tokio(async move {
        let mut sleeps = Vec::with_capacity(times as usize);
        // The list itself is not what is measured.
        sleeps.resize_with(times as usize, || None);
        let before = private();
        for (index, place) in sleeps.iter_mut().enumerate() {
            let mut sleep = Box::pin(tokio::time::sleep(spread_out(index as u64)));
            std::future::poll_fn(|cx| {
                let _ = sleep.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
            *place = Some(sleep);
        }
        private() - before
    })
}

/// Deadlines from one minute to an hour from now.
fn spread_out(index: u64) -> Duration {
    Duration::from_millis(60_000 + index.wrapping_mul(2_654_435_761) % 3_540_000)
}

/// Runs a future as a task of a fresh runtime, not as its root.
pub(crate) fn on_tokio<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .expect("the system has descriptors for a runtime");
    let task = runtime.spawn_local(future);
    runtime
        .block_on(task)
        .expect("the benchmark does not panic")
}
