//! Attacks on a server with small limits. After each, it still serves others, and has not grown.

mod bomb;
mod corpus;

use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use super::wire::{Peer, frame, request};
use crate::conformance::server::Server;
use crate::conformance::tally::Tally;
use crate::conformance::{Scene, Step, Trouble};
use bomb::{Kind, bomb};

pub(super) const STEP: Step = Step {
    name: "websocket-attacks",
    what: "floods, bombs, slow and silent ends against small limits",
    // The rows, the memory, and the server.
    floor: ATTACKS.len() + corpus::LEAST + 2,
    run,
};

/// The limits of `/ws-limits`, as the attacks below know them.
const FLAGS: [&str; 24] = [
    "--ws-max-message",
    "64K",
    "--ws-max-frame",
    "16K",
    "--ws-max-fragments",
    "16",
    "--ws-message-timeout",
    "2s",
    "--ws-max-queued",
    "256K",
    "--ws-ping-interval",
    "1s",
    "--ws-ping-timeout",
    "1s",
    "--ws-write-timeout",
    "2s",
    "--ws-close-timeout",
    "1s",
    "--head-timeout",
    "2s",
    "--write-timeout",
    "2s",
    "--loops",
    "1",
];
const MESSAGE: usize = 64 << 10;
const FRAME: usize = 16 << 10;
const FRAGMENTS: usize = 16;
/// More than any of the time limits together, on a machine that is busy.
const LONG: Duration = Duration::from_secs(8);
/// Bytes that the server may grow by, all attacks together: queues and messages of some connections, and what an
/// allocator keeps of them.
const GROWTH: u64 = 48 << 20;

type Attack = fn(&str) -> Result<(), String>;

const ATTACKS: [(&str, Attack); 21] = [
    ("a frame over the limit", frame_over_the_limit),
    ("a message over the limit", message_over_the_limit),
    ("a message at the limit", message_at_the_limit),
    ("a frame too many in a message", fragment_too_many),
    ("100,000 tiny fragments", tiny_fragments),
    (
        "100,000 tiny fragments where they are allowed",
        allowed_fragments,
    ),
    ("a message without an end", endless_message),
    (
        "a message that trickles among signs of life",
        trickling_message,
    ),
    ("a compression bomb", |address| {
        compression_bomb(address, Kind::OneFrame)
    }),
    ("a compression bomb in parts", |address| {
        compression_bomb(address, Kind::Parts)
    }),
    ("a compression bomb at generous limits", generous_bomb),
    ("a flood of pings that are answered", ping_flood),
    (
        "a flood of pings nobody reads the answers to",
        deaf_ping_flood,
    ),
    ("an echo nobody reads", deaf_echo),
    ("a sender with a slow reader", slow_reader),
    ("a head that comes slowly", slow_head),
    ("an end that says nothing", silent_end),
    (
        "an end that answers pings and says nothing else",
        patient_end,
    ),
    ("a close that is not answered", unanswered_close),
    ("a stream that ends without a close", half_open),
    ("500 connections that are broken off", broken_off),
];

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let server = Server::start(scene, "websocket-attacks", &FLAGS)?;
    let address = server.address.clone();
    let mut tally = Tally::default();
    // What a first connection needs once.
    still_serves(&address)?;
    let before = server.memory();
    for (name, attack) in ATTACKS {
        let outcome = attack(&address).and_then(|()| still_serves(&address));
        tally.count(name, outcome);
    }
    if let Some((before, after)) = before.zip(server.memory()) {
        let outcome = match after.saturating_sub(before) {
            grown if grown > GROWTH => Err(format!("it has grown by {grown} bytes")),
            _ => Ok(()),
        };
        tally.count("the server's memory", outcome);
    }
    server.end(&mut tally);
    corpus::play_all(scene, &mut tally)?;
    Ok(tally)
}

/// A newcomer gets its echo soon.
fn still_serves(address: &str) -> Result<(), String> {
    let begun = Instant::now();
    let mut peer = Peer::upgrade(address, "/ws-limits", &[])?;
    peer.send(&frame(0x81, b"well?"))?;
    peer.expect("text well?")?;
    match begun.elapsed() {
        took if took > Duration::from_secs(2) => Err(format!("a newcomer waited for {took:?}")),
        _ => Ok(()),
    }
}

fn limited(address: &str) -> Result<Peer, String> {
    Peer::upgrade(address, "/ws-limits", &[])
}

/// Sends as much as is taken: who is attacked may stop listening in the middle.
fn throw(peer: &mut Peer, bytes: &[u8]) {
    let _ = peer.send(bytes);
}

/// The close frame that a limit is answered with, and the end.
fn refused(peer: &mut Peer, code: u16) -> Result<(), String> {
    peer.expect(&format!("close {code}"))?;
    peer.drain().map(|_| ())
}

fn frame_over_the_limit(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    // The head alone is enough.
    let whole = frame(0x82, &vec![7; FRAME + 1]);
    throw(&mut peer, &whole[..20]);
    refused(&mut peer, 1009)
}

fn parts(total: usize, of: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = total.div_ceil(of);
    for at in 0..count {
        let opcode = if at == 0 { 2 } else { 0 };
        let last = if at + 1 == count { 0x80 } else { 0 };
        let length = of.min(total - at * of);
        bytes.extend(frame(last | opcode, &vec![7; length]));
    }
    bytes
}

fn message_over_the_limit(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    throw(&mut peer, &parts(MESSAGE + 1, FRAME));
    refused(&mut peer, 1009)
}

fn message_at_the_limit(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    peer.send(&parts(MESSAGE, FRAME))?;
    peer.expect(&format!("binary of {MESSAGE} bytes"))?;
    peer.send(&parts(FRAGMENTS * 10, 10))?;
    peer.expect(r"binary *")?;
    peer.check_open()
}

fn fragment_too_many(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    throw(&mut peer, &parts((FRAGMENTS + 1) * 10, 10));
    refused(&mut peer, 1009)
}

fn tiny_fragments(address: &str) -> Result<(), String> {
    for length in [0, 1] {
        let mut peer = limited(address)?;
        throw(&mut peer, &frame(2, b""));
        throw(&mut peer, &frame(0, &vec![7; length]).repeat(100_000));
        refused(&mut peer, 1009)?;
    }
    Ok(())
}

fn allowed_fragments(address: &str) -> Result<(), String> {
    let mut peer = Peer::upgrade(address, "/ws", &[])?;
    let begun = Instant::now();
    peer.send(&parts(100_000, 1))?;
    peer.expect("binary of 100000 bytes")?;
    // Work that grows with the square of it would take minutes.
    match begun.elapsed() {
        took if took > Duration::from_secs(5) => Err(format!("it took {took:?}")),
        _ => Ok(()),
    }
}

fn endless_message(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    throw(&mut peer, &frame(1, &[b'a'; 1000]));
    for _ in 0..1000 {
        throw(&mut peer, &frame(0, &[b'a'; 1000]));
    }
    refused(&mut peer, 1009)
}

fn trickling_message(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    peer.send(&frame(1, b""))?;
    for number in 0..25 {
        // Fewer parts than there may be, and more life than silence.
        if number % 5 == 0 {
            throw(&mut peer, &frame(0, b"a"));
        }
        throw(&mut peer, &frame(0x8a, b""));
        thread::sleep(Duration::from_millis(100));
    }
    refused(&mut peer, 1008)
}

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate";

fn compression_bomb(address: &str, kind: Kind) -> Result<(), String> {
    let mut peer = Peer::upgrade(address, "/ws-limits", &[DEFLATE])?;
    throw(&mut peer, &bomb(kind, 2 << 20));
    refused(&mut peer, 1009)
}

fn generous_bomb(address: &str) -> Result<(), String> {
    let mut peer = Peer::upgrade(address, "/ws", &[DEFLATE])?;
    throw(&mut peer, &bomb(Kind::OneFrame, 100 << 20));
    refused(&mut peer, 1009)
}

fn ping_flood(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    let pings = frame(0x89, b"?").repeat(1000);
    for _ in 0..50 {
        peer.send(&pings)?;
        // A server may answer only the newest ping (RFC 6455 section 5.5.3), so some text says where they end.
        peer.send(&frame(0x81, b"so?"))?;
        let mut pongs = 0;
        loop {
            let found = peer.frame()?.ok_or("the stream ended")?.describe();
            match found.as_str() {
                "pong ?" => pongs += 1,
                "text so?" if (1..=1000).contains(&pongs) => break,
                "text so?" => return Err(format!("{pongs} pongs came for 1000 pings")),
                other => return Err(format!("expected a pong, found `{other}`")),
            }
        }
    }
    Ok(())
}

/// Writes until nothing is taken any more or the other end is gone, for so many bytes at most; how many were taken.
fn pour(peer: &mut Peer, bytes: &[u8], most: usize) -> usize {
    let mut sent = 0;
    let limit = Some(Duration::from_secs(4));
    if peer.stream.set_write_timeout(limit).is_err() {
        return 0;
    }
    while sent < most && peer.send(bytes).is_ok() {
        sent += bytes.len();
    }
    sent
}

/// What may be taken of somebody who does not read: some megabytes of the kernel's buffers at both ends.
const TAKEN: usize = 64 << 20;

fn deaf_ping_flood(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    let pings = frame(0x89, &[b'?'; 125]).repeat(500);
    let sent = pour(&mut peer, &pings, 2 * TAKEN);
    // Answers to the newest pings alone need no memory, however many there are.
    ends_or_answers(&mut peer, sent)
}

fn deaf_echo(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    let sent = pour(&mut peer, &frame(0x82, &[7; 16_000]), 2 * TAKEN);
    if sent >= 2 * TAKEN {
        return Err(format!(
            "{sent} bytes were taken of an end that reads nothing"
        ));
    }
    peer.drain().map(|_| ())
}

/// After a flood: the server has ended the connection, or still answers.
fn ends_or_answers(peer: &mut Peer, sent: usize) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < LONG {
        match peer.frame() {
            Ok(Some(frame)) if frame.first & 0x0f == 8 => return Ok(()),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(err) if err.contains("reset") || err.contains("into a frame") => return Ok(()),
            Err(err) if err.contains("nothing came") => return Ok(()),
            Err(err) => return Err(format!("{err} after {sent} bytes")),
        }
    }
    Ok(())
}

fn slow_reader(address: &str) -> Result<(), String> {
    let mut peer = Peer::upgrade(address, "/ws-limits-talk", &[])?;
    // 200 MiB, while it may have 256 KiB waiting.
    peer.send(&frame(0x81, b"send 12800 16384"))?;
    thread::sleep(Duration::from_secs(4));
    let got = peer.drain()?;
    match got {
        got if got >= 100 << 20 => Err(format!("{got} bytes were kept for it")),
        _ => Ok(()),
    }
}

fn slow_head(address: &str) -> Result<(), String> {
    let mut peer = Peer::connect(address)?;
    let begun = Instant::now();
    for byte in request("/ws-limits", &[]).chunks(1) {
        thread::sleep(Duration::from_millis(50));
        if peer.send(byte).is_err() {
            break;
        }
    }
    peer.drain()?;
    match begun.elapsed() {
        took if took > LONG => Err(format!("its head was waited for {took:?}")),
        _ => Ok(()),
    }
}

fn silent_end(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    let begun = Instant::now();
    peer.expect("ping or ping *")?;
    peer.drain()?;
    match begun.elapsed() {
        took if took < Duration::from_millis(1500) => Err(format!("it was cut after {took:?}")),
        took if took > LONG => Err(format!("it was kept for {took:?}")),
        _ => Ok(()),
    }
}

fn patient_end(address: &str) -> Result<(), String> {
    let mut peer = limited(address)?;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        let ping = peer.frame()?.ok_or("it was cut though it answers")?;
        if ping.first != 0x89 {
            return Err(format!("expected a ping, found `{}`", ping.describe()));
        }
        peer.send(&frame(0x8a, &ping.payload))?;
    }
    Ok(())
}

fn unanswered_close(address: &str) -> Result<(), String> {
    let mut peer = Peer::upgrade(address, "/ws-limits-talk", &[])?;
    peer.send(&frame(0x81, b"close 1000 bye"))?;
    let begun = Instant::now();
    peer.expect("close 1000 bye")?;
    peer.drain()?;
    match begun.elapsed() {
        took if took > LONG => Err(format!("the answer was waited for {took:?}")),
        _ => Ok(()),
    }
}

fn half_open(address: &str) -> Result<(), String> {
    for begun in [&b""[..], &[0x81], &frame(1, b"some")] {
        let mut peer = limited(address)?;
        peer.send(begun)?;
        let shut = peer.stream.shutdown(Shutdown::Write);
        shut.map_err(|err| format!("cannot end the stream: {err}"))?;
        peer.drain()?;
    }
    Ok(())
}

fn broken_off(address: &str) -> Result<(), String> {
    let whole = [request("/ws-limits", &[]), frame(0x81, &[b'x'; 500])].concat();
    for at in 0..500 {
        let mut peer = Peer::connect(address)?;
        let end = (at * 7) % whole.len();
        throw(&mut peer, &whole[..end]);
        // What was not read when a socket is closed resets the connection.
        throw(&mut peer, b"");
    }
    Ok(())
}
