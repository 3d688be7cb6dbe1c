//! A result through a done callback: a page is fetched, and a function is called when it is there.
//!
//! The callback gets a reference; the value stays in the task, for another callback or an `.await`.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example done_callback
//!
//! Type next, to fetch another page, and to see an error come out:
//!
//!     cargo run -p squall-examples --example done_callback -- http://example.org/
//!     cargo run -p squall-examples --example done_callback -- http://127.0.0.1:9/
//!
//! Prints:
//!     start
//!     ~ stops after 1 callback
//!     callback
//!     ~ url: http://127.0.0.1:
//!     code: 200
//!     reason: OK
//!     ~ request time:
//!     end

use std::process::ExitCode;

use squall::client::Response;
use squall::{HttpClient, IoLoop};
use squall_examples::{Countdown, Pages, say};

/// Fetches the page at the first argument, or one of a local site.
pub fn run(args: &[String]) -> squall::Result<()> {
    let pages = Pages::of(args, &["/"])?;
    let countdown = Countdown::of(1)?;
    let io_loop = countdown.io_loop().clone();

    say!("start");
    let response = io_loop.spawn(HttpClient::new().fetch(&pages.urls()[0]));
    let counted = countdown.clone();
    response.add_done_callback(move |result| {
        say!("callback");
        match result {
            Ok(Ok(response)) => report(response),
            // The fetch has failed, or its task; why, is told below.
            Ok(Err(_)) | Err(_) => say!("no page"),
        }
        counted.count();
    });
    countdown.start();
    say!("end");

    // The task still has its result; when that is an error, it is this program's.
    IoLoop::run_sync(async {
        response.await??;
        Ok(())
    })
}

fn report(response: &Response) {
    say!("url: {}", response.request.url());
    say!("code: {}", response.code);
    say!("reason: {}", response.reason);
    say!("request time: {:.1?}", response.request_time);
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
