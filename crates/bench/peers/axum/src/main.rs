//! axum: a router served by `axum::serve` on one current-thread runtime, or on a runtime with `--loops` threads
//! that take work from each other.
//!
//! Settings: TCP_NODELAY through `ListenerExt`, HTTP/1 alone; everything else as it comes.

use axum::Router;
use axum::extract::{Json, Path};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use peer_shared::{
    HELLO, MESSAGE, Message, Order, Post, Receipt, address, announce, block, item, loops, pattern,
    receipt, routes,
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

async fn take(Json(message): Json<Post>) -> Json<Receipt> {
    Json(receipt(&message))
}

async fn show(Path(id): Path<u64>) -> String {
    item(id)
}

async fn sleep(Path(milliseconds): Path<u64>) -> &'static str {
    block(milliseconds)
}

fn router() -> Router {
    let router = Router::new()
        .route("/plaintext", get(plaintext))
        .route("/block/{ms}", get(sleep))
        .route("/json", get(message).post(echo))
        .route("/messages", post(take));
    (0..routes()).fold(router, |router, n| router.route(&pattern(n), get(show)))
}

async fn serve() -> std::io::Result<()> {
    let address = address();
    let listener = tokio::net::TcpListener::bind(address).await?;
    announce(address);
    let listener = listener.tap_io(|stream| {
        // A connection that is already gone is found out by reading.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router()).await
}

fn main() -> std::io::Result<()> {
    use tokio::runtime::Builder;

    let mut runtime = match loops() {
        1 => Builder::new_current_thread(),
        more => {
            let mut runtime = Builder::new_multi_thread();
            runtime.worker_threads(more);
            runtime
        }
    };
    runtime.enable_all().build()?.block_on(async {
        // The thread of `block_on` is none of the workers.
        tokio::spawn(serve()).await.expect("it does not panic")
    })
}
