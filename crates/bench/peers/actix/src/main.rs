//! actix-web: an application served by its `HttpServer` with one worker.
//!
//! Settings: no default features but the macros (no compression, no HTTP/2); keep-alive 300 s instead of 5 s,
//! so that idle connections outlive a suite; everything else as it comes.

use actix_web::web::{self, Json, Path};
use actix_web::{App, HttpServer, Responder};
use peer_shared::{HELLO, KEEP_ALIVE, MESSAGE, Order, address, announce, item, pattern, routes};

async fn plaintext() -> &'static str {
    HELLO
}

async fn message() -> impl Responder {
    Json(MESSAGE)
}

async fn echo(order: Json<Order>) -> impl Responder {
    order
}

async fn show(id: Path<u64>) -> String {
    item(*id)
}

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/plaintext", web::get().to(plaintext))
        .service(web::resource("/json").get(message).post(echo));
    for n in 0..routes() {
        config.route(&pattern(n), web::get().to(show));
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = address();
    let server = HttpServer::new(|| App::new().configure(configure))
        .workers(1)
        .keep_alive(KEEP_ALIVE)
        .bind(address)?;
    announce(address);
    server.run().await
}
