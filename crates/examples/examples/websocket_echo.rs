//! WebSockets in both styles: a handler that is called for each message, and a loop that asks for them.
//!
//! A connection with a handler costs a few hundred bytes while nothing comes; one with a loop has a task, which may keep
//! what it likes in its variables.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example websocket_echo -- 8080
//!
//! Type next, in the console of a browser that shows http://127.0.0.1:8080/, and without a port see it talk to itself:
//!
//!     ws = new WebSocket('/count'); ws.onmessage = (event) => console.log(event.data); ws.onopen = () => ws.send('hello')
//!
//! Prints:
//!     /echo: hello
//!     /count: 1: hello
//!     /count: 2: hello again
//!     /count ended with code 1000 (that was all)

use std::process::ExitCode;

use squall::web::testing::TestClient;
use squall::websocket::{CloseCode, Result, WebSocketStream};
use squall::{Application, HttpServer, IoLoop, Message, WebSocket, WebSocketHandler};
use squall_examples::{Failure, say};

/// Sends every message back.
struct Echo;

impl WebSocketHandler for Echo {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        ws.send(message)?;
        Ok(())
    }
}

/// Sends texts back with a number before them, and ends after two.
async fn count(mut ws: WebSocketStream) -> Result {
    let mut number = 0;
    while let Some(message) = ws.next().await? {
        number += 1;
        ws.send(format!(
            "{number}: {}",
            message.as_text().unwrap_or("bytes")
        ))?;
        if number == 2 {
            ws.close(CloseCode::NORMAL, "that was all");
        }
    }
    Ok(())
}

fn application() -> Application {
    Application::new()
        .websocket("/echo", |_| Echo)
        .websocket_stream("/count", count)
        .get(
            "/",
            async || "A WebSocket is at /echo, another one at /count.\n",
        )
}

/// Serves at the port of the arguments until Ctrl-C; without one, talks to itself in memory.
pub fn run(args: &[String]) -> squall::Result<()> {
    let Some(port) = args.first() else {
        return IoLoop::run_sync(talk());
    };
    let port: u16 = port
        .parse()
        .map_err(|_| Failure::new(format!("expected a port, found `{port}`")))?;
    let server = HttpServer::new(application).listen(("127.0.0.1", port))?;
    for address in server.addresses()? {
        say!("listening on http://{address}/");
    }
    Ok(server.run()?)
}

async fn talk() -> squall::Result<()> {
    let client = TestClient::new(application());
    let refused = |_| Failure::new("the WebSocket was refused");
    let mut echo = client.websocket("/echo").await.map_err(refused)?;
    echo.send("hello")?;
    if let Some(message) = echo.next().await? {
        say!("/echo: {}", message.as_text().unwrap_or_default());
    }
    let mut count = client.websocket("/count").await.map_err(refused)?;
    count.send("hello")?;
    count.send("hello again")?;
    while let Some(message) = count.next().await? {
        say!("/count: {}", message.as_text().unwrap_or_default());
    }
    if let Some(frame) = count.close_frame() {
        say!("/count ended with code {frame}");
    }
    Ok(())
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
