//! WebSockets: places that echo, and places that do what they are told.
//!
//! | text that comes | what is done |
//! |---|---|
//! | `close CODE REASON` | the connection is closed |
//! | `ping PAYLOAD` | a ping is sent, and `pong PAYLOAD` once its pong has come |
//! | `send N SIZE` | so many texts are sent: a number, and `x` up to so many bytes |
//! | `who` | what was agreed on is sent, as JSON |
//! | anything else | it is sent back |

use serde_json::json;
use squall::web::Application;
use squall::websocket::proto::deflate::DeflateOptions;
use squall::websocket::{
    CloseCode, Message, Result, WebSocket, WebSocketHandler, WebSocketOptions,
};

/// Bytes of a message where limits are generous, and those of the suites' largest.
const GENEROUS: usize = 16 << 20;
/// Frames of a message there.
const MANY: usize = 1 << 18;
/// The most texts, and bytes in one, that can be asked for.
const MOST: usize = 1_000_000;

/// Makes the application for all paths that begin with `/ws`; `limited` is what the places with limits have.
pub(super) fn application(limited: &WebSocketOptions) -> Application {
    let generous = generous(limited);
    Application::new()
        .websocket_with("/ws", generous.clone(), |_| Echo)
        .websocket_with("/ws-talk", generous, |_| Talk::default())
        .websocket_with("/ws-limits", limited.clone(), |_| Echo)
        .websocket_with("/ws-limits-talk", limited.clone(), |_| Talk::default())
}

/// The same agreements with limits that no suite reaches.
pub(super) fn generous(limited: &WebSocketOptions) -> WebSocketOptions {
    WebSocketOptions {
        max_frame: GENEROUS,
        max_message: GENEROUS,
        max_fragments: MANY,
        max_queued: 4 * GENEROUS,
        compression: limited.compression.map(|compression| DeflateOptions {
            // Suites that are about compression want to see it in short messages too.
            threshold: 0,
            ..compression
        }),
        origins: limited.origins.clone(),
        subprotocols: limited.subprotocols.clone(),
        ..WebSocketOptions::default()
    }
}

/// What the places with limits have when nothing else is said.
pub(super) fn limits() -> WebSocketOptions {
    WebSocketOptions {
        max_frame: 16 << 10,
        max_message: 64 << 10,
        max_fragments: 16,
        max_queued: 256 << 10,
        ..WebSocketOptions::default()
    }
}

#[derive(Debug)]
struct Echo;

impl WebSocketHandler for Echo {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        ws.send(message)?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Talk {
    /// The payload of the ping that was asked for.
    pinged: Option<Vec<u8>>,
}

impl WebSocketHandler for Talk {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        let (word, rest) = message.as_text().map_or(("", ""), split);
        match word {
            "close" => {
                let (code, reason) = split(rest);
                let code = code.parse().ok().and_then(CloseCode::new);
                ws.close(code.unwrap_or(CloseCode::NORMAL), reason.to_owned());
            }
            "ping" if rest.len() <= 125 => {
                self.pinged = Some(rest.into());
                ws.ping(rest.as_bytes())?;
            }
            "send" => {
                let (count, size) = split(rest);
                let number = |text: &str| text.parse().unwrap_or(0).min(MOST);
                for at in 0..number(count) {
                    ws.send(line(at, number(size)))?;
                }
            }
            "who" => {
                let (protocol, compressed) = (ws.subprotocol(), ws.is_compressed());
                let agreed = json!({ "protocol": protocol, "compressed": compressed });
                ws.send(agreed.to_string())?;
            }
            _ => {
                ws.send(message)?;
            }
        }
        Ok(())
    }

    fn pong(&mut self, ws: &WebSocket, payload: &[u8]) {
        if self.pinged.as_deref() == Some(payload) {
            self.pinged = None;
            // If the connection is closed by now, nobody waits for the word.
            let _ = ws.send(format!("pong {}", String::from_utf8_lossy(payload)));
        }
    }
}

/// The first word, and what stands behind the space after it.
fn split(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// The text with a number among many.
pub(super) fn line(number: usize, size: usize) -> String {
    format!("{:x<size$}", format!("{number} "))
}
