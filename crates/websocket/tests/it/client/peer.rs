//! The other end.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Version};
use squall_net::IoStream;
use squall_websocket::proto::handshake::Offer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Reads the head of a request, byte by byte so that nothing behind it is taken.
pub(crate) async fn head(stream: &mut IoStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Returns the fields of a head.
pub(crate) fn fields(head: &str) -> HeaderMap {
    let lines = head.lines().skip(1).filter(|line| !line.is_empty());
    let parts = lines.filter_map(|line| line.split_once(": "));
    let mut headers = HeaderMap::new();
    for (name, value) in parts {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_str(value).expect("a value"),
        );
    }
    headers
}

/// Returns the good answer to a request, in bytes.
pub(crate) fn answer(head: &str, subprotocol: Option<&str>) -> String {
    let request = fields(head);
    let offer = Offer::read(&Method::GET, Version::HTTP_11, &request).expect("a handshake");
    let response = offer.response(subprotocol, None).expect("offered");
    let mut text = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    for (name, value) in &response {
        let value = value.to_str().expect("ASCII");
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n"
}

/// Shakes hands.
pub(crate) async fn accept(stream: &mut IoStream) -> std::io::Result<String> {
    let head = head(stream).await?;
    stream.write_all(answer(&head, None).as_bytes()).await?;
    stream.flush().await?;
    Ok(head)
}
