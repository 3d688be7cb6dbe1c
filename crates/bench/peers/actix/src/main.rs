//! actix-web: an application served by its `HttpServer` with one worker, or `--loops` of them.
//!
//! Settings: no default features but the macros (no compression, no HTTP/2); keep-alive 300 s instead of 5 s,
//! so that idle connections outlive a suite; everything else as it comes.

use actix_web::web::{self, Json, Path};
use actix_web::{App, HttpServer, Responder};
use peer_shared::{
    HELLO, KEEP_ALIVE, MESSAGE, Order, Post, address, announce, block, item, loops, pattern,
    receipt, routes, whereabouts,
};

async fn plaintext() -> &'static str {
    HELLO
}

async fn message() -> impl Responder {
    Json(MESSAGE)
}

async fn echo(order: Json<Order>) -> impl Responder {
    order
}

async fn take(post: Json<Post>) -> impl Responder {
    Json(receipt(&post))
}

async fn show(id: Path<u64>) -> String {
    item(*id)
}

async fn sleep(milliseconds: Path<u64>) -> &'static str {
    block(*milliseconds)
}

async fn tell() -> String {
    whereabouts()
}

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/plaintext", web::get().to(plaintext))
        .route("/block/{ms}", web::get().to(sleep))
        .route("/loop", web::get().to(tell))
        .service(web::resource("/json").get(message).post(echo))
        .route("/messages", web::post().to(take));
    for n in 0..routes() {
        config.route(&pattern(n), web::get().to(show));
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = address();
    let server = HttpServer::new(|| App::new().configure(configure))
        .workers(loops())
        .keep_alive(KEEP_ALIVE)
        .bind(address)?;
    announce(address);
    server.run().await
}
