//! The whole opening handshake by tables: what is let in, and every refusal. Autobahn's suite has no such cases.

mod client;
mod origins;
mod server;

use http::header::HeaderValue;
use http::{HeaderMap, HeaderName, Method, Version};

use super::{HandshakeError, Offer};

/// Fields as they stand in a head, a line each.
fn fields(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').expect("a field has a colon");
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_bytes(value.trim().as_bytes()).expect("a value"),
        );
    }
    headers
}

/// The fields of `usual` with some in place of its own, which go if there is no value.
fn changed(usual: &str, changes: &str) -> HeaderMap {
    let mut headers = fields(usual);
    let changes = fields(changes);
    for name in changes.keys() {
        headers.remove(name);
    }
    for (name, value) in &changes {
        if !value.is_empty() {
            headers.append(name, value.clone());
        }
    }
    headers
}

/// A good request with some fields in place of its own.
fn request(changes: &str) -> HeaderMap {
    let usual = "
        Host: server.example.com
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        Sec-WebSocket-Version: 13";
    changed(usual, changes)
}

fn read(headers: &HeaderMap) -> Result<Offer<'_>, HandshakeError> {
    Offer::read(&Method::GET, Version::HTTP_11, headers)
}
