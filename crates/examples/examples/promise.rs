//! A promise settled by hand: a value that somebody else will have later.
//!
//! `promise()` gives two ends. Whoever holds the resolver settles it, once; whoever holds the promise awaits it. A resolver
//! that is dropped is an error at the other end, so nobody waits for ever.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example promise
//!
//! Type next: in `func`, write `drop(resolver)` where it resolves, and see the error that comes out of the `.await`.
//!
//! Prints:
//!     start
//!     func: has returned a promise
//!     done callback: not blocking func result
//!     awaited: not blocking func result
//!     end

use std::process::ExitCode;
use std::time::Duration;

use squall::ioloop::Promise;
use squall::{IoLoop, promise};
use squall_examples::say;

/// Has its result in a moment, but blocks nobody until then.
fn func() -> Promise<&'static str> {
    let (resolver, promise) = promise();
    IoLoop::current().call_later(Duration::from_millis(50), move || {
        resolver.resolve("not blocking func result");
    });
    promise
}

/// Awaits the promise of `func`; takes no arguments.
pub fn run(_args: &[String]) -> squall::Result<()> {
    say!("start");
    IoLoop::run_sync(await_func())?;
    say!("end");
    Ok(())
}

async fn await_func() -> squall::Result<()> {
    let promise = func();
    say!("func: has returned a promise");
    promise.add_done_callback(|result| {
        if let Ok(text) = result {
            say!("done callback: {text}");
        }
    });
    say!("awaited: {}", promise.await?);
    Ok(())
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
