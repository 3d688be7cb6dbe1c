//! hyper: a service function that matches the path by hand, one current-thread runtime, HTTP/1 alone.
//!
//! Settings: `pipeline_flush`, as hyper's documentation recommends where requests are pipelined;
//! TCP_NODELAY; the response's `Date` by hyper; no timer, which is hyper's default. There is no router. With
//! `--tls` connections are tokio-rustls', with `ring` and rustls' defaults, as Squall's are.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use peer_shared::{HELLO, MESSAGE, Order, Post, address, announce, receipt, tls};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    Ok(match (request.method(), path) {
        (&Method::GET, "/plaintext") => of(
            "text/plain; charset=utf-8",
            Bytes::from_static(HELLO.as_bytes()),
        ),
        (&Method::GET, "/json") => of("application/json", json(&MESSAGE)),
        (&Method::POST, "/json") => match parsed::<Order>(request).await {
            Some(order) => of("application/json", json(&order)),
            None => status(StatusCode::BAD_REQUEST),
        },
        (&Method::POST, "/messages") => match parsed::<Post>(request).await {
            Some(post) => of("application/json", json(&receipt(&post))),
            None => status(StatusCode::BAD_REQUEST),
        },
        _ => status(StatusCode::NOT_FOUND),
    })
}

async fn parsed<T: DeserializeOwned>(request: Request<Incoming>) -> Option<T> {
    let body = request.into_body().collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
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

async fn serve() -> io::Result<()> {
    let address = address();
    let listener = TcpListener::bind(address).await?;
    let acceptor = tls().map(|folder| acceptor(&folder)).transpose()?;
    announce(address);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let Some(acceptor) = acceptor.clone() else {
            tokio::task::spawn_local(connection(stream));
            continue;
        };
        tokio::task::spawn_local(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                connection(stream).await;
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let connection = http1::Builder::new()
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    // A client that leaves is no event here.
    let _ = connection.await;
}

fn acceptor(folder: &Path) -> io::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem"))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(io::Error::other)?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn main() -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build_local(tokio::runtime::LocalOptions::default())?
        .block_on(serve())
}
