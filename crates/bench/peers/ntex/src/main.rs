//! ntex: an application served by its `HttpServer` with one worker, on its tokio runtime.
//!
//! Settings: keep-alive 300 s instead of 5 s, so that idle connections outlive a suite; 20,000 connections
//! and as many of them a second; everything else as it comes.

use ntex::SharedCfg;
use ntex::http::HttpServiceConfig;
use ntex::time::Seconds;
use ntex::web::types::{Json, Path};
use ntex::web::{self, App, HttpResponse, HttpServer};
use peer_shared::{
    HELLO, MESSAGE, Order, Post, address, announce, block, item, loops, pattern, receipt, routes,
    whereabouts,
};

async fn plaintext() -> &'static str {
    HELLO
}

async fn message() -> HttpResponse {
    HttpResponse::Ok().json(&MESSAGE)
}

async fn echo(order: Json<Order>) -> HttpResponse {
    HttpResponse::Ok().json(&*order)
}

async fn take(post: Json<Post>) -> HttpResponse {
    HttpResponse::Ok().json(&receipt(&post))
}

async fn sleep(milliseconds: Path<u64>) -> &'static str {
    block(*milliseconds)
}

async fn tell() -> String {
    whereabouts()
}

async fn show(id: Path<u64>) -> String {
    item(*id)
}

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/plaintext", web::get().to(plaintext))
        .route("/block/{ms}", web::get().to(sleep))
        .route("/loop", web::get().to(tell))
        .service(
            web::resource("/json")
                .route(web::get().to(message))
                .route(web::post().to(echo)),
        )
        .route("/messages", web::post().to(take));
    for n in 0..routes() {
        config.route(&pattern(n), web::get().to(show));
    }
}

#[ntex::main]
async fn main() -> std::io::Result<()> {
    let address = address();
    let server = HttpServer::new(async || App::new().configure(configure))
        .workers(loops())
        .maxconn(20_000)
        .maxconnrate(20_000)
        .bind(address)?
        .config(SharedCfg::new("peer").add(HttpServiceConfig::new().set_keepalive(Seconds(300))));
    announce(address);
    server.run().await
}
