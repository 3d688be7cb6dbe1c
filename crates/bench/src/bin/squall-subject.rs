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
use wire::{HELLO, MESSAGE, Message, Order, ROUTES, item, pattern};

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

fn application() -> Application {
    let application = Application::new()
        .get("/plaintext", plaintext)
        .get("/json", message)
        .post("/json", echo);
    (0..ROUTES).fold(application, |application, n| {
        application.get(&pattern(n), show)
    })
}

fn serve(port: u16) -> squall::Result<()> {
    let server = HttpServer::new(application)
        .loops(1)
        .listen(("127.0.0.1", port))?;
    println!("http://{}/", server.local_addr()?);
    std::io::stdout().flush()?;
    server.run()?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let port = match words.as_slice() {
        [] => Ok(0),
        ["--port", port] => port.parse(),
        _ => {
            eprintln!("squall-subject: expected `--port PORT`");
            return ExitCode::from(2);
        }
    };
    let Ok(port) = port else {
        eprintln!("squall-subject: the port is a number from 0 to 65535");
        return ExitCode::from(2);
    };
    match serve(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("squall-subject: {err}");
            ExitCode::FAILURE
        }
    }
}
