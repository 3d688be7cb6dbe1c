//! xitca-web: an application served by its `HttpServer` with one worker.
//!
//! Settings: `disable_vectored_write`, which its documentation recommends for small bodies; keep-alive 300 s
//! instead of 5 s, so that idle connections outlive a suite; everything else as it comes.

use peer_shared::{
    HELLO, KEEP_ALIVE, MESSAGE, Message, Order, Post, Receipt, address, announce, item, pattern,
    receipt, routes,
};
use xitca_web::App;
use xitca_web::handler::handler_service;
use xitca_web::handler::json::Json;
use xitca_web::handler::params::Params;
use xitca_web::route::{get, post};

async fn plaintext() -> &'static str {
    HELLO
}

async fn message() -> Json<Message> {
    Json(MESSAGE)
}

async fn echo(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

async fn take(Json(message): Json<Post>) -> Json<Receipt> {
    Json(receipt(&message))
}

async fn show(Params(id): Params<u64>) -> String {
    item(id)
}

fn main() -> std::io::Result<()> {
    let address = address();
    let mut app = App::new()
        .at("/plaintext", get(handler_service(plaintext)))
        .at(
            "/json",
            get(handler_service(message)).post(handler_service(echo)),
        )
        .at("/messages", post(handler_service(take)));
    for n in 0..routes() {
        let pattern: &'static str = pattern(n).leak();
        app = app.at(pattern, get(handler_service(show)));
    }
    let server = app
        .serve()
        .server_threads(1)
        .worker_threads(1)
        .disable_vectored_write()
        .keep_alive_timeout(KEEP_ALIVE)
        .bind(address)?;
    announce(address);
    server.run().wait()
}
