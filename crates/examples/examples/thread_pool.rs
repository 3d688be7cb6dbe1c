//! Work that blocks, on a pool of threads, beside work on the loop that goes on meanwhile.
//!
//! A loop does one thing at a time, so a function that blocks would block everything. On a `ThreadPoolExecutor` it
//! blocks a thread that has nothing else to do, and the loop awaits its value.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example thread_pool
//!
//! Type next, to have it block for 4 seconds; then call `sleep_func` without the pool and watch the ticks stop:
//!
//!     cargo run -p squall-examples --example thread_pool -- 4
//!
//! Prints:
//!     start
//!     tick 1: the loop is free
//!     tick 2: the loop is free
//!     ~ sleep_func: blocked a thread for
//!     end

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use squall::{IoLoop, PeriodicCallback, ThreadPoolExecutor};
use squall_examples::{Failure, say};

/// Blocks the thread it runs on.
fn sleep_func(duration: Duration) -> String {
    thread::sleep(duration);
    format!("sleep_func: blocked a thread for {duration:?}")
}

/// Blocks for as many seconds as the first argument says, or for one.
pub fn run(args: &[String]) -> squall::Result<()> {
    let duration = seconds(args.first())?;

    say!("start");
    IoLoop::run_sync(block_beside_ticks(duration))?;
    say!("end");
    Ok(())
}

async fn block_beside_ticks(duration: Duration) -> squall::Result<()> {
    let mut ticks = 0;
    let tick = move || {
        ticks += 1;
        say!("tick {ticks}: the loop is free");
        async {}
    };
    let clock = PeriodicCallback::new(tick, Duration::from_millis(300));
    clock.start();

    let pool = ThreadPoolExecutor::new(4);
    let text = pool.submit(move || sleep_func(duration)).await?;
    say!("{text}");
    Ok(())
}

fn seconds(arg: Option<&String>) -> Result<Duration, Failure> {
    let Some(arg) = arg else {
        return Ok(Duration::from_secs(1));
    };
    let seconds: Option<u64> = arg.parse().ok().filter(|seconds| *seconds <= 60);
    seconds.map(Duration::from_secs).ok_or_else(|| {
        Failure::new(format!(
            "expected whole seconds from 0 to 60, found `{arg}`"
        ))
    })
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
