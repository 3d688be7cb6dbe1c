//! The client's end of the suites: `--ws-client` for the Autobahn suite, `--ws-check` for other people's servers.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use squall::multi;
use squall::websocket::{
    CloseCode, Message, WebSocketError, WebSocketOptions, WebSocketStream, websocket_connect,
};

use super::sockets::line;
use crate::{Failure, say};

/// Cases of the suite at a time.
const PARALLEL: usize = 4;
/// How we call ourselves there.
const AGENT: &str = "Squall";
/// What other people's servers have to hand back unharmed.
const TEXT: &str = "Grüße, 世界, 🦑 – ";
/// What is offered to them, and the one that they choose.
const SUBPROTOCOLS: [&str; 2] = ["other", "squall.chat"];

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A server, and how it is talked to.
#[derive(Clone, Debug)]
struct Peer {
    /// Without a path.
    url: String,
    options: WebSocketOptions,
}

impl Peer {
    async fn connect(&self, path: &str) -> Outcome<WebSocketStream> {
        let connect = websocket_connect(format!("{}{path}", self.url));
        Ok(connect.options(self.options.clone()).await?)
    }
}

/// Plays every case of the Autobahn suite that runs at `url`, and has it write its report.
///
/// # Errors
///
/// When the suite cannot be asked.
pub(super) async fn autobahn(url: String, options: WebSocketOptions) -> squall::Result<()> {
    let peer = Peer { url, options };
    let count = case_count(&peer).await?;
    let players = (0..PARALLEL).map(|first| {
        let peer = peer.clone();
        async move {
            for case in (first + 1..=count).step_by(PARALLEL) {
                play(&peer, case).await?;
            }
            Outcome::Ok(())
        }
    });
    multi(players.collect::<Vec<_>>()).await?;
    let mut end = peer
        .connect(&format!("/updateReports?agent={AGENT}"))
        .await?;
    while let Ok(Some(_)) = end.next().await {}
    Ok(())
}

async fn case_count(peer: &Peer) -> Outcome<usize> {
    let mut ws = peer.connect("/getCaseCount").await?;
    let count = ws
        .next()
        .await?
        .ok_or("the suite tells no number of cases")?;
    let count = count.as_text().unwrap_or_default().parse()?;
    while ws.next().await?.is_some() {}
    Ok(count)
}

/// Echoes until the end. What the suite does wrong on purpose is an error, which the suite judges.
async fn play(peer: &Peer, case: usize) -> Outcome {
    let path = format!("/runCase?case={case}&agent={AGENT}");
    let mut ws = peer.connect(&path).await?;
    while let Ok(Some(message)) = ws.next().await {
        if ws.send(message).is_err() || ws.flush().await.is_err() {
            break;
        }
    }
    Ok(())
}

type Check = for<'a> fn(&'a Peer) -> Pin<Box<dyn Future<Output = Outcome> + 'a>>;

const CHECKS: [(&str, Check); 10] = [
    ("text", |peer| Box::pin(text(peer))),
    ("binary", |peer| Box::pin(binary(peer))),
    ("large messages", |peer| Box::pin(large(peer))),
    ("many messages", |peer| Box::pin(many(peer))),
    ("parts", |peer| Box::pin(parts(peer))),
    ("a ping", |peer| Box::pin(ping(peer))),
    ("closing", |peer| Box::pin(closing(peer))),
    ("being closed", |peer| Box::pin(being_closed(peer))),
    ("a subprotocol", |peer| Box::pin(subprotocol(peer))),
    ("compression", |peer| Box::pin(compression(peer))),
];

/// Asks a server that does what `/ws-talk` does, and prints `ok NAME` or `FAIL NAME: why` for each check.
pub(super) async fn check(url: String, mut options: WebSocketOptions) {
    options.subprotocols = SUBPROTOCOLS.map(str::to_owned).to_vec();
    let peer = Peer { url, options };
    for (name, run) in CHECKS {
        match run(&peer).await {
            Ok(()) => say!("ok {name}"),
            Err(err) => say!("FAIL {name}: {err}"),
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    let words = format!("expected {expected:.200?}, found {found:.200?}");
    Err(Failure::new(words).into())
}

async fn next(ws: &mut WebSocketStream) -> Outcome<Message<'static>> {
    Ok(ws.next().await?.ok_or("the server closed")?)
}

async fn echoes(ws: &mut WebSocketStream, message: Message<'_>) -> Outcome {
    ws.send(&message)?;
    let back = next(ws).await?;
    let good = back == message;
    same(
        (good, back.is_text(), back.len()),
        (true, message.is_text(), message.len()),
    )
}

async fn text(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    for text in [TEXT, "", "a", &TEXT.repeat(100)] {
        echoes(&mut ws, text.into()).await?;
    }
    close(ws).await
}

async fn binary(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    for length in [0, 1, 125, 126, 65_535, 65_536] {
        let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
        echoes(&mut ws, bytes.into()).await?;
    }
    close(ws).await
}

async fn large(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    echoes(&mut ws, bytes.into()).await?;
    echoes(&mut ws, TEXT.repeat(50_000).into()).await?;
    close(ws).await
}

async fn many(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    ws.send("send 2000 100")?;
    for number in 0..2000 {
        let message = next(&mut ws).await?;
        same(message.as_text(), Some(line(number, 100).as_str()))?;
    }
    close(ws).await
}

async fn parts(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    let words = "parts Gr ü ße";
    ws.send(words)?;
    let whole = next(&mut ws).await?;
    // Tornado cannot send a message in parts, and sends the words back.
    match whole.as_text() {
        Some("Grüße") => {}
        other => same(other, Some(words))?,
    }
    close(ws).await
}

async fn ping(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    ws.ping(&[7; 125])?;
    ws.send("ping are you there")?;
    same(next(&mut ws).await?.as_text(), Some("pong are you there"))?;
    close(ws).await
}

/// Closes in the usual way, and expects the answer.
async fn close(ws: WebSocketStream) -> Outcome {
    close_with(ws, CloseCode::NORMAL, "").await
}

async fn close_with(mut ws: WebSocketStream, code: CloseCode, reason: &'static str) -> Outcome {
    ws.close(code, reason);
    while ws.next().await?.is_some() {}
    same(ws.close_frame().map(|frame| frame.code), Some(code))
}

async fn closing(peer: &Peer) -> Outcome {
    for (code, reason) in [(1000, "bye"), (1001, "gone"), (3000, "ü"), (4999, "")] {
        let ws = peer.connect("").await?;
        let code = CloseCode::new(code).ok_or("no such code")?;
        close_with(ws, code, reason).await?;
    }
    Ok(())
}

async fn being_closed(peer: &Peer) -> Outcome {
    for (code, reason) in [(1000, "bye"), (1012, ""), (4001, "why ü")] {
        let mut ws = peer.connect("").await?;
        ws.send(format!("close {code} {reason}"))?;
        let end = match ws.next().await {
            Ok(None) | Err(WebSocketError::Closed(_)) => ws.close_frame(),
            Ok(Some(message)) => return Err(format!("a message came: {message:?}").into()),
            Err(err) => return Err(err.into()),
        };
        let end = end.ok_or("there was no close frame")?;
        same((end.code.get(), end.reason.as_ref()), (code, reason))?;
    }
    Ok(())
}

/// What the server says was agreed on.
async fn who(ws: &mut WebSocketStream) -> Outcome<Value> {
    ws.send("who")?;
    let agreed = next(ws).await?;
    Ok(serde_json::from_str(agreed.as_text().unwrap_or_default())?)
}

async fn subprotocol(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    same(ws.subprotocol(), Some(SUBPROTOCOLS[1]))?;
    same(
        who(&mut ws).await?["protocol"].as_str(),
        Some(SUBPROTOCOLS[1]),
    )?;
    close(ws).await
}

async fn compression(peer: &Peer) -> Outcome {
    let mut ws = peer.connect("").await?;
    let agreed = who(&mut ws).await?["compressed"].as_bool();
    same(agreed, Some(ws.is_compressed()))?;
    for turn in 0..20 {
        echoes(&mut ws, TEXT.repeat(1 << (turn % 12)).into()).await?;
    }
    close(ws).await?;
    let mut plain = peer.clone();
    plain.options.compression = None;
    let ws = plain.connect("").await?;
    same(ws.is_compressed(), false)?;
    close(ws).await
}
