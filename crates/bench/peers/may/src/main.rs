//! may_minihttp: a service that matches the path by hand, one worker.
//!
//! Settings: one scheduler worker; everything else as it comes. There is no router, no timeout, and no
//! chunked body.

use std::io::{self, Read as _};

use may_minihttp::{HttpServer, HttpService, Request, Response};
use peer_shared::{HELLO, MESSAGE, Order, Post, address, announce, receipt};

#[derive(Clone)]
struct Service;

impl HttpService for Service {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        match (request.method(), request.path()) {
            ("GET", "/plaintext") => {
                response
                    .header("Content-Type: text/plain; charset=utf-8")
                    .body(HELLO);
            }
            ("GET", "/json") => {
                response.header("Content-Type: application/json");
                let body = serde_json::to_vec(&MESSAGE)?;
                response.body_mut().extend_from_slice(&body);
            }
            ("POST", "/json") => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                let order: Order = serde_json::from_slice(&body)?;
                response.header("Content-Type: application/json");
                response
                    .body_mut()
                    .extend_from_slice(&serde_json::to_vec(&order)?);
            }
            ("POST", "/messages") => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                let post: Post = serde_json::from_slice(&body)?;
                response.header("Content-Type: application/json");
                response
                    .body_mut()
                    .extend_from_slice(&serde_json::to_vec(&receipt(&post))?);
            }
            _ => {
                response.status_code(404, "Not Found");
            }
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    may::config().set_workers(1);
    let address = address();
    let server = HttpServer(Service).start(address)?;
    announce(address);
    server
        .join()
        .map_err(|_| io::Error::other("the server panicked"))
}
