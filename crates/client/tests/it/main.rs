//! Fetching, from this project's own server and from peers that misbehave byte by byte.

mod corpus;
mod errors;
mod fetch;
mod limits;
mod peer;
mod reuse;
#[cfg(feature = "tls")]
mod tls;

use std::error::Error;
use std::future::Future;

use squall_ioloop::IoLoop;

type Outcome = Result<(), Box<dyn Error>>;

fn on_loop(test: impl Future<Output = Outcome>) {
    IoLoop::run_sync(test).expect("the test's future succeeds");
}
