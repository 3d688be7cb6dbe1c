//! Wire bytes in, wire bytes out: on the in-memory duplex and on real sockets.

mod bodies;
mod broken;
mod choices;
mod corpus;
mod files;
mod hostile_time;
mod leaving;
mod limits;
mod log;
mod mutations;
mod order;
mod parked;
mod proxied;
mod run;
#[cfg(feature = "tls")]
mod slow_tls;
mod sockets;
mod spread;
mod stop;
#[cfg(feature = "tls")]
mod tls;
mod unix;
mod wire;

use std::error::Error;
use std::future::Future;

use http::{Response, StatusCode};
use squall_http::Body;
use squall_ioloop::IoLoop;
use squall_server::Request;

type Outcome = Result<(), Box<dyn Error>>;

fn on_loop(test: impl Future<Output = Outcome>) {
    IoLoop::run_sync(test).expect("the test's future succeeds");
}

/// Runs a test on a loop whose clock jumps over waiting.
fn on_paused_loop(test: impl Future<Output = Outcome>) {
    let io_loop = IoLoop::with_paused_clock().expect("a loop");
    IoLoop::run_sync(test).expect("the test's future succeeds");
    io_loop.close();
}

/// Answers with the method, the target and the body.
async fn echo(request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    match body.collect(1 << 20).await {
        Ok(body) => {
            let body = String::from_utf8_lossy(&body).into_owned();
            Response::new(format!("{} {} [{body}]", head.method(), head.uri()).into())
        }
        Err(err) => status(err.status()),
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
