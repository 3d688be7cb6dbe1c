//! What stands in for epoll on systems that have none: every registration is refused.

use std::cell::Cell;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use super::slot::Token;

/// There are none.
#[derive(Clone, Copy)]
pub(super) struct Event;

pub(super) const NO_EVENT: Event = Event;

pub(super) fn make() -> io::Result<OwnedFd> {
    Err(unsupported())
}

pub(super) fn add(_epoll: RawFd, _fd: RawFd, _token: Token) -> io::Result<()> {
    Err(unsupported())
}

pub(super) fn remove(_epoll: RawFd, _fd: RawFd) {}

pub(super) fn read(_epoll: RawFd, _events: &[Cell<Event>]) -> usize {
    0
}

pub(super) fn read_event(_event: Event) -> (Token, u32) {
    let nobody = Token {
        index: 0,
        generation: 0,
    };
    (nobody, 0)
}

fn unsupported() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "only Linux has what this needs; use the sockets of tokio",
    )
}
