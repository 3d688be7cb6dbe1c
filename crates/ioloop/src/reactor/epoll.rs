//! The system's side of the reactor: one epoll instance.

use std::cell::Cell;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::slot::{READ_CLOSED, READABLE, Token, WRITABLE, WRITE_CLOSED};

pub(super) use libc::epoll_event as Event;

/// No event.
pub(super) const NO_EVENT: Event = Event { events: 0, u64: 0 };

/// What a descriptor is watched for: everything, each change once.
const ALL: i32 = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;

/// Makes an epoll instance.
pub(super) fn make() -> io::Result<OwnedFd> {
    // SAFETY: a system call without pointers.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if epoll < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(epoll) })
}

/// Has the system watch `fd` from now on.
pub(super) fn add(epoll: RawFd, fd: RawFd, token: Token) -> io::Result<()> {
    let mut event = libc::epoll_event {
        events: ALL as u32,
        u64: token.pack(),
    };
    // SAFETY: the structure lives through the call.
    let done = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has the system watch `fd` no longer.
pub(super) fn remove(epoll: RawFd, fd: RawFd) {
    // SAFETY: a system call without pointers. It fails when the descriptor was closed before its registration went, and
    // then the system has forgotten it already.
    unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) };
}

/// Reads the events that are there into `events`, without waiting; answers with their number.
pub(super) fn read(epoll: RawFd, events: &[Cell<Event>]) -> usize {
    let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
    let first = events.as_ptr().cast_mut().cast::<Event>();
    // SAFETY: there is room for so many, in cells, which may be written to through a shared reference.
    let count = unsafe { libc::epoll_wait(epoll, first, room, 0) };
    // It does not wait, so it cannot be interrupted, and the descriptor is a good one: it does not fail.
    usize::try_from(count).unwrap_or(0)
}

/// For whom an event is, and the flags that it sets.
#[inline]
pub(super) fn read_event(event: Event) -> (Token, u32) {
    (Token::unpack(event.u64), flags(event.events))
}

/// The flags that an event sets.
#[inline]
fn flags(events: u32) -> u32 {
    let has = |event: i32| events & event as u32 != 0;
    let mut flags = 0;
    if has(libc::EPOLLIN | libc::EPOLLERR) {
        flags |= READABLE;
    }
    if has(libc::EPOLLOUT | libc::EPOLLERR) {
        flags |= WRITABLE;
    }
    if has(libc::EPOLLRDHUP | libc::EPOLLHUP) {
        flags |= READABLE | READ_CLOSED;
    }
    if has(libc::EPOLLHUP) {
        flags |= WRITABLE | WRITE_CLOSED;
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_sets_its_flags() {
        for (events, expected) in [
            (libc::EPOLLIN, READABLE),
            (libc::EPOLLOUT, WRITABLE),
            (libc::EPOLLIN | libc::EPOLLOUT, READABLE | WRITABLE),
            (libc::EPOLLIN | libc::EPOLLRDHUP, READABLE | READ_CLOSED),
            (libc::EPOLLERR, READABLE | WRITABLE),
            (
                libc::EPOLLHUP,
                READABLE | WRITABLE | READ_CLOSED | WRITE_CLOSED,
            ),
        ] {
            assert_eq!(flags(events as u32), expected, "{events:#x}");
        }
    }
}
