//! hyper: a service function that matches the path by hand, one current-thread runtime, HTTP/1 alone.
//!
//! Settings: `pipeline_flush`, as hyper's documentation recommends where requests are pipelined;
//! TCP_NODELAY; the response's `Date` by hyper; no timer, which is hyper's default. There is no router.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use peer_shared::{HELLO, MESSAGE, Order, address, announce};
use tokio::net::TcpListener;

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    Ok(match (request.method(), path) {
        (&Method::GET, "/plaintext") => of(
            "text/plain; charset=utf-8",
            Bytes::from_static(HELLO.as_bytes()),
        ),
        (&Method::GET, "/json") => of("application/json", json(&MESSAGE)),
        (&Method::POST, "/json") => {
            let parsed = match request.into_body().collect().await {
                Ok(body) => serde_json::from_slice::<Order>(&body.to_bytes()).ok(),
                Err(_) => None,
            };
            match parsed {
                Some(order) => of("application/json", json(&order)),
                None => status(StatusCode::BAD_REQUEST),
            }
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("the types serialize")
        .into()
}

fn of(kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

async fn serve() -> std::io::Result<()> {
    let address = address();
    let listener = TcpListener::bind(address).await?;
    announce(address);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::task::spawn_local(async move {
            let connection = http1::Builder::new()
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // A client that leaves is no event here.
            let _ = connection.await;
        });
    }
}

fn main() -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build_local(tokio::runtime::LocalOptions::default())?
        .block_on(serve())
}
