//! A function that wants a callback, awaited like any other.
//!
//! `from_callback` makes the callback, hands it to the function, and is ready once the function has called it.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example callback_to_future
//!
//! Type next: have `some_function` drop `done` instead of calling it, and see the error that comes out of the `.await`.
//!
//! Prints:
//!     start
//!     some_function: called with 1 and 2
//!     some_function: calls back
//!     some_function(1, 2) = 2
//!     end

use std::process::ExitCode;
use std::time::Duration;

use squall::{IoLoop, from_callback};
use squall_examples::say;

/// A function from the time before futures: it returns at once, and calls `done` when it has the product.
fn some_function(a: i32, b: i32, done: impl FnOnce(i32) + 'static) {
    say!("some_function: called with {a} and {b}");
    IoLoop::current().call_later(Duration::from_millis(50), move || {
        say!("some_function: calls back");
        done(a * b);
    });
}

/// Awaits `some_function`; takes no arguments.
pub fn run(_args: &[String]) -> squall::Result<()> {
    say!("start");
    IoLoop::run_sync(await_some_function())?;
    say!("end");
    Ok(())
}

async fn await_some_function() -> squall::Result<()> {
    let product = from_callback(|done| some_function(1, 2, done)).await?;
    say!("some_function(1, 2) = {product}");
    Ok(())
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
