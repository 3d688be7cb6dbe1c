//! Squall as the bench measures it: an application as the guide writes one, on one loop, with every
//! default on.
//!
//! ```sh
//! squall-subject --port 0      # prints http://127.0.0.1:PORT/
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

#[expect(
    unreachable_pub,
    reason = "the peers, a workspace of their own, have it in a library"
)]
#[path = "../wire.rs"]
mod wire;

use std::io::Write as _;
use std::process::ExitCode;

use squall::{Application, HttpServer, Json, Path};
use wire::{HELLO, MESSAGE, Message, Order, item, pattern};

async fn plaintext() -> &'static str {
    HELLO
}

async fn message() -> Json<Message> {
    Json(MESSAGE)
}

async fn echo(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

async fn show(Path(id): Path<u64>) -> String {
    item(id)
}

fn application(routes: usize) -> Application {
    let application = Application::new()
        .get("/plaintext", plaintext)
        .get("/json", message)
        .post("/json", echo);
    (0..routes).fold(application, |application, n| {
        application.get(&pattern(n), show)
    })
}

fn serve(port: u16, routes: usize) -> squall::Result<()> {
    let server = HttpServer::new(move || application(routes))
        .loops(1)
        .listen(("127.0.0.1", port))?;
    println!("http://{}/", server.local_addr()?);
    std::io::stdout().flush()?;
    server.run()?;
    Ok(())
}

/// The port and the number of routes.
fn arguments() -> Option<(u16, usize)> {
    let (mut port, mut routes) = (0, 0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--port" => port = value.parse().ok()?,
            "--routes" => routes = value.parse().ok()?,
            _ => return None,
        }
    }
    Some((port, routes))
}

fn main() -> ExitCode {
    let Some((port, routes)) = arguments() else {
        eprintln!("squall-subject: expected `--port PORT` and `--routes COUNT`");
        return ExitCode::from(2);
    };
    match serve(port, routes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("squall-subject: {err}");
            ExitCode::FAILURE
        }
    }
}
