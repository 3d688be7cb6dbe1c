//! Fire and forget: work that nobody waits for fails, the log says so, and the loop goes on.
//!
//! `spawn_callback` takes a future and gives nothing back. One that panics and one that ends with an error are logged
//! with the place that spawned them; what comes after them runs as if nothing had happened.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example fire_and_forget
//!
//! Type next, to see the backtraces as well:
//!
//!     RUST_BACKTRACE=1 cargo run -p squall-examples --example fire_and_forget 2>&1 | less
//!
//! Prints:
//!     start
//!     ~ stops after 1 callback
//!     ~ panicked: attempt to divide by zero; the loop goes on
//!     ~ failed: 1 cannot be divided by 0; the loop goes on
//!     the loop goes on: 6 / 3 = 2
//!     end

use std::process::ExitCode;
use std::time::Duration;

use squall::sleep;
use squall_examples::{Countdown, say};

async fn divide(dividend: i32, divisor: i32) -> i32 {
    dividend / divisor
}

async fn divide_checked(dividend: i32, divisor: i32) -> Result<i32, String> {
    dividend
        .checked_div(divisor)
        .ok_or_else(|| format!("{dividend} cannot be divided by {divisor}"))
}

/// Spawns two callbacks that fail and one that does not; takes no arguments.
pub fn run(_args: &[String]) -> squall::Result<()> {
    let countdown = Countdown::of(1)?;
    let io_loop = countdown.io_loop();

    say!("start");
    io_loop.spawn_callback(divide(1, 0));
    io_loop.spawn_callback(divide_checked(1, 0));
    let counted = countdown.clone();
    io_loop.spawn_callback(async move {
        sleep(Duration::from_millis(50)).await;
        say!("the loop goes on: 6 / 3 = {}", divide(6, 3).await);
        counted.count();
    });
    countdown.start();
    say!("end");
    Ok(())
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
