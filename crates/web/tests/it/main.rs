//! Applications as a peer sees them, called in memory.

mod application;
mod bodies;
mod extractors;
mod failures;
mod files;
mod logs;
mod responses;
mod socket;
mod sse;
mod state;
mod websocket;
mod websocket_choices;

use std::error::Error;

use squall_ioloop::IoLoop;

/// Runs a test on a loop of its own, whose clock jumps to the next timer when nothing else is to do.
fn run(test: impl Future<Output = ()> + 'static) {
    logs::install();
    let io_loop = IoLoop::with_paused_clock().expect("a loop");
    let done = IoLoop::run_sync(async {
        test.await;
        Ok::<_, Box<dyn Error>>(())
    });
    done.expect("the test ran to its end");
    io_loop.close();
}
