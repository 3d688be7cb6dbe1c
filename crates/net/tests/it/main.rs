//! Streams and listeners, in memory and on the loopback interface.

mod accept;
mod duplex;
mod folder;
mod park;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_parked;
mod unix;

use std::error::Error;
use std::future::Future;
use std::task::{Context, Poll, Waker};

use squall_ioloop::IoLoop;

type Outcome = Result<(), Box<dyn Error>>;

fn on_loop(test: impl Future<Output = Outcome>) {
    IoLoop::run_sync(test).expect("the test's future succeeds");
}

/// Polls once with a waker that does nothing.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
