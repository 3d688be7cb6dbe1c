//! What all peers answer, and how they are started.

#[path = "../../../src/wire.rs"]
mod wire;

use std::env;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

pub use wire::{
    BROADCAST, BROADCAST_JSON, Customer, HELLO, Line, MESSAGE, Message, Order, Post, Receipt,
    ZEROS, block, item, numbered, pattern, published, receipt, whereabouts,
};

/// How long an idle connection is kept, where the default of a server is shorter than a suite.
pub const KEEP_ALIVE: Duration = Duration::from_secs(300);

/// What follows `name` on the command line.
fn word(name: &str) -> Option<String> {
    let words: Vec<String> = env::args().collect();
    let place = words.iter().position(|word| word == name)?;
    words.get(place + 1).cloned()
}

/// The number that follows `name` on the command line, or 0.
fn argument(name: &str) -> usize {
    word(name).map_or(0, |value| {
        let number = value.parse().ok();
        number.unwrap_or_else(|| panic!("{name} takes a number"))
    })
}

/// How many threads are to answer: `--loops N`, at least 1.
pub fn loops() -> usize {
    argument("--loops").max(1)
}

/// The folder with `cert.pem` and `key.pem`: `--tls FOLDER`.
pub fn tls() -> Option<PathBuf> {
    word("--tls").map(PathBuf::from)
}

/// Bytes of the read buffer of a connection, where that can be chosen: `--buffer N`.
pub fn buffer() -> Option<usize> {
    match argument("--buffer") {
        0 => None,
        bytes => Some(bytes),
    }
}

/// How many routes of [`pattern`] to have: `--routes N`.
pub fn routes() -> usize {
    argument("--routes")
}

/// The address of `--port N`; port 0 becomes a free one, because not every server tells which it got.
pub fn address() -> SocketAddr {
    let port = u16::try_from(argument("--port")).expect("a port has 16 bits");
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if port != 0 {
        return wanted;
    }
    TcpListener::bind(wanted)
        .and_then(|listener| listener.local_addr())
        .expect("the system has a free port")
}

/// Tells the bench where the server listens.
pub fn announce(address: SocketAddr) {
    println!("http://{address}/");
    io::stdout().flush().expect("somebody reads the address");
}
