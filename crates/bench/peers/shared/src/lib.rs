//! What all peers answer, and how they are started.

#[path = "../../../src/wire.rs"]
mod wire;

use std::env;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

pub use wire::{Customer, HELLO, Line, MESSAGE, Message, Order, ROUTES, item, pattern};

/// How long an idle connection is kept, where the default of a server is shorter than a suite.
pub const KEEP_ALIVE: Duration = Duration::from_secs(300);

/// The address of `--port N`; port 0 becomes a free one, because not every server tells which it got.
pub fn address() -> SocketAddr {
    let mut arguments = env::args().skip(1);
    let port = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--port"), Some(port)) => port.parse().expect("--port takes a number"),
        _ => 0,
    };
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
