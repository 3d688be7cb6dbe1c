//! Squall as the bench measures it: an application as the guide writes one, on one loop unless more are
//! asked for, with every default on.
//!
//! ```sh
//! squall-subject --port 0      # prints http://127.0.0.1:PORT/
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

#[path = "../subject/sockets.rs"]
mod sockets;
#[expect(
    unreachable_pub,
    reason = "the peers, a workspace of their own, have it in a library"
)]
#[path = "../wire.rs"]
mod wire;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use sockets::Style;
use squall::net::tls::ServerTls;
use squall::{Application, HttpServer, Json, Path};
use wire::{
    HELLO, MESSAGE, Message, Order, Post, Receipt, block, item, pattern, receipt, whereabouts,
};

async fn plaintext() -> &'static str {
    HELLO
}

async fn message() -> Json<Message> {
    Json(MESSAGE)
}

async fn echo(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

async fn take(Json(post): Json<Post>) -> Json<Receipt> {
    Json(receipt(&post))
}

async fn show(Path(id): Path<u64>) -> String {
    item(id)
}

async fn sleep(Path(milliseconds): Path<u64>) -> &'static str {
    block(milliseconds)
}

async fn tell() -> String {
    whereabouts()
}

fn application(options: &Options) -> Application {
    let mut application = Application::new()
        .get("/plaintext", plaintext)
        .get("/block/{ms}", sleep)
        .get("/loop", tell)
        .get("/json", message)
        .post("/json", echo)
        .post("/messages", take);
    if let Some(folder) = &options.folder {
        application = application.static_files("/", folder);
    }
    application = sockets::add(application, options.sockets);
    (0..options.routes).fold(application, |application, n| {
        application.get(&pattern(n), show)
    })
}

fn serve(options: Options) -> squall::Result<()> {
    let settings = options.clone();
    let server = HttpServer::new(move || application(&settings)).loops(options.loops);
    let address = ("127.0.0.1", options.port);
    let (server, scheme) = match &options.tls {
        None => (server.listen(address)?, "http"),
        Some(folder) => {
            let tls = ServerTls::new(folder.join("cert.pem"), folder.join("key.pem"))?;
            (server.listen_tls(address, tls)?, "https")
        }
    };
    println!("{scheme}://{}/", server.local_addr()?);
    std::io::stdout().flush()?;
    server.run()?;
    Ok(())
}

/// What `wire` says about the command line.
#[derive(Clone, Debug)]
struct Options {
    port: u16,
    routes: usize,
    loops: usize,
    tls: Option<PathBuf>,
    /// Where the file is; it has the name by which it is asked for.
    folder: Option<PathBuf>,
    sockets: Style,
}

fn arguments() -> Option<Options> {
    let mut options = Options {
        port: 0,
        routes: 0,
        loops: 1,
        tls: None,
        folder: None,
        sockets: Style::Handler,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--port" => options.port = value.parse().ok()?,
            "--routes" => options.routes = value.parse().ok()?,
            "--loops" => options.loops = value.parse().ok()?,
            "--tls" => options.tls = Some(value.into()),
            "--sockets" if value == "async" => options.sockets = Style::Async,
            "--file" => options.folder = Some(value.strip_suffix("/file")?.into()),
            _ => return None,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = arguments() else {
        eprintln!(
            "squall-subject: expected `--port PORT`, `--routes COUNT`, `--loops COUNT`, `--tls FOLDER`, `--file FOLDER/file` and `--sockets async`"
        );
        return ExitCode::from(2);
    };
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("squall-subject: {err}");
            ExitCode::FAILURE
        }
    }
}
