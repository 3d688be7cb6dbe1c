//! WebSockets: the protocol alone, then connections.

mod client;
mod driver;
mod log;
mod proto;
mod reconnect;

use std::error::Error;
use std::future::Future;

use squall_ioloop::IoLoop;

type Outcome = Result<(), Box<dyn Error>>;

fn on_loop(test: impl Future<Output = Outcome>) {
    IoLoop::run_sync(test).expect("the test's future succeeds");
}

/// Runs a test whose time limits cost no time: the clock jumps. Only for streams in memory, for the system's sockets do not
/// wait.
fn on_paused_loop(test: impl Future<Output = Outcome>) {
    let _io_loop = IoLoop::with_paused_clock().expect("a loop");
    on_loop(test);
}
