//! Answers to connections on which no request is read.

use std::io;
use std::time::Duration;

use squall_ioloop::with_timeout;
use squall_net::IoStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Time that a client has to take such an answer.
const LIMIT: Duration = Duration::from_secs(1);

/// Tells a client that it has to speak TLS here, in words that it understands.
pub(crate) async fn bad_scheme(stream: IoStream) {
    say(
        stream,
        "400 Bad Request",
        "This port speaks https; the request was made by http.\n",
    )
    .await;
}

/// Tells a client that there is no room for it.
pub(crate) async fn no_room(stream: IoStream) {
    say(
        stream,
        "503 Service Unavailable",
        "The server has as many connections as it can serve.\n",
    )
    .await;
}

async fn say(mut stream: IoStream, status: &str, text: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let saying = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What is unread at the close would reset the connection and take the answer with it (RFC 9112 §9.6).
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // A client that does not take it gets nothing.
    let _ = with_timeout(LIMIT, saying).await;
}
