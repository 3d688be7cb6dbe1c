//! Watches thousands of descriptors for next to nothing, and calls back without a task for each.
//!
//! The runtime's own way to wait for a socket costs a task and a few hundred bytes for each one. Here a socket is
//! registered once with an epoll instance of the loop, which the runtime watches as a single descriptor. A registration
//! takes 16 bytes and a slot of 48. It can be used in two ways, and go from one to the other at any time:
//!
//! * **waited for** by a future: [`Registration::poll_readable`] and [`Registration::poll_writable`];
//! * **parked** with an owner: each event calls [`Parked::ready`] with a number that the owner chose. Nothing else exists
//!   for a parked descriptor, neither task nor waker nor buffer.
//!
//! # Examples
//!
//! ```
//! use std::cell::Cell;
//! use std::io::{Read, Write};
//! use std::os::fd::AsFd;
//! use std::os::unix::net::UnixStream;
//! use std::rc::Rc;
//! use squall_ioloop::IoLoop;
//! use squall_ioloop::reactor::{Parked, ParkedOwner, Registration};
//!
//! struct Greeter {
//!     streams: Vec<UnixStream>,
//!     heard: Cell<usize>,
//! }
//!
//! impl Parked for Greeter {
//!     fn ready(self: Rc<Self>, key: u32) {
//!         let mut buffer = [0; 64];
//!         // Nothing to read is an error as well: descriptors are tried once before they are waited for.
//!         if let Ok(count) = (&self.streams[key as usize]).read(&mut buffer) {
//!             self.heard.set(self.heard.get() + count);
//!             IoLoop::current().stop();
//!         }
//!     }
//! }
//!
//! let io_loop = IoLoop::new()?;
//! let (near, mut far) = UnixStream::pair()?;
//! near.set_nonblocking(true)?;
//! let greeter = Rc::new(Greeter { streams: vec![near], heard: Cell::new(0) });
//! let owner = ParkedOwner::new(greeter.clone());
//! let registration = Registration::new(greeter.streams[0].as_fd())?;
//! registration.park(&owner, 0);
//!
//! far.write_all(b"hello")?;
//! io_loop.start();
//! assert_eq!(greeter.heard.get(), 5);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Rules
//!
//! * Descriptors are watched edge triggered: the system tells each change once. So a registration remembers: it is
//!   *readable* until [`Registration::clear_readable`] says that a read found nothing (or less than it had room for), and
//!   *writable* until [`Registration::clear_writable`] says so of a write. A fresh one is both, so that the first attempt
//!   is made at once.
//! * Clear only after a system call has shown it, with nothing awaited in between. On one thread no event can have been
//!   taken in meanwhile: one that comes later is a new edge, and sets the flag again.
//! * When the other side has ended, a descriptor stays readable whatever is cleared: data and the end may be told at once.
//! * A short read of a TCP socket has emptied it, but for a peer that sends urgent data, and that harms only its own
//!   connection. Pipes, and Unix sockets over which descriptors are passed, must be read until nothing is left.
//! * The registration goes before its descriptor is closed, and the descriptor is connected before it is registered: the
//!   system says of a socket that is neither connected nor connecting that it has ended.
//!
//! # Limits
//!
//! Elsewhere than on Linux every registration is refused as unsupported. Events are units of the loop's turn like any callback: after 16 of them the queue has its turn, after 32
//! units the runtime has. A freed slot is used again at once; each use has a generation, by which events for an earlier
//! use are told apart and dropped. The memory of slots is kept until the loop and the last registration are gone.

mod batch;
#[cfg(target_os = "linux")]
mod epoll;
#[cfg(not(target_os = "linux"))]
mod none;
mod places;
mod slot;
mod state;
mod transfer;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop;

use crate::core::Core;
use crate::error::NoCurrentLoop;
#[cfg(not(target_os = "linux"))]
use none as epoll;
pub use places::Places;
use slot::{PARKED, READ_CLOSED, READABLE, Slot, Token, WRITABLE, WRITE_CLOSED};
pub(crate) use state::Reactor;
pub use transfer::{receive, send};

/// Who is called for parked descriptors.
pub trait Parked {
    /// Something has happened to the descriptor that was parked under `key`: it may be read from, or written to again
    /// after a write had found no room, or has ended.
    ///
    /// Called from the loop, as a callback is: a panic is logged with the place where the [`ParkedOwner`] was made, and the
    /// loop goes on. It may be called without anything to find. Everything may be done here, such as to register
    /// descriptors, to park and unpark them, this one included, and to drop their registrations.
    ///
    /// Read until [`Registration::clear_readable`] is due, or ask with [`Registration::call_again`] for another call:
    /// what is left unread is not told again until more of it comes. Once the end was read, unpark the descriptor or drop
    /// its registration.
    fn ready(self: Rc<Self>, key: u32);
}

/// The right to park descriptors with a [`Parked`]; belongs to the loop on which it was made.
///
/// Dropping it ends the calls: what is parked with it is so no longer. The loop holds the `Parked` until then, or until
/// the loop is closed; so one that owns its own `ParkedOwner` lives until that.
pub struct ParkedOwner {
    reactor: Rc<Reactor>,
    number: u32,
}

impl ParkedOwner {
    /// Makes an owner on the current loop. On a closed loop it is never called.
    ///
    /// # Panics
    ///
    /// Off a loop, or when a loop has 16 million owners.
    #[track_caller]
    pub fn new(parked: Rc<dyn Parked>) -> Self {
        let location = Location::caller();
        let Some(reactor) = Core::with_current(|core| Rc::clone(&core.reactor)) else {
            panic!("{NoCurrentLoop}")
        };
        let number = reactor.add_owner(parked, location);
        Self { reactor, number }
    }
}

impl Drop for ParkedOwner {
    fn drop(&mut self) {
        if !self.reactor.is_closed() {
            self.reactor.remove_owner(self.number);
        }
    }
}

impl fmt::Debug for ParkedOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParkedOwner")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Has the current loop take now the descriptor that it needs to watch others, which it takes with the first registration
/// otherwise: when there may be none left.
///
/// # Errors
///
/// When there is no loop on this thread or it is closed; when the system's limits are reached; elsewhere than on Linux.
pub fn prepare() -> io::Result<()> {
    let prepared = Core::with_current(|core| core.open_reactor().map(|_| ()));
    prepared.unwrap_or_else(|| Err(io::Error::other(NoCurrentLoop)))
}

/// A descriptor that the loop watches; see the [module](self) for the rules.
///
/// Dropping it ends the watching, also after the loop is closed or gone; the descriptor stays open.
pub struct Registration {
    reactor: Rc<Reactor>,
    token: Token,
}

impl Registration {
    /// Has the current loop watch a descriptor, in both directions. It must be a non-blocking one, and stay open for as
    /// long as the registration exists.
    ///
    /// # Errors
    ///
    /// When there is no loop on this thread or it is closed; when the descriptor is registered already, or cannot be
    /// (plain files are always ready and are refused by the system); when the system's limits are reached.
    pub fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let fd = fd.as_raw_fd();
        let explain = |err: io::Error| {
            io::Error::new(err.kind(), format!("cannot watch descriptor {fd}: {err}"))
        };
        let registered = Core::with_current(|core| {
            let reactor = Rc::clone(core.open_reactor()?);
            let token = reactor.register(fd)?;
            Ok(Self { reactor, token })
        });
        let registered = registered.unwrap_or_else(|| Err(io::Error::other(NoCurrentLoop)));
        registered.map_err(explain)
    }

    /// Waits until a read is worth trying.
    ///
    /// Of several wakers that wait to read, the last one is woken. Uses up a unit of the runtime's cooperative budget
    /// when it is ready, so that a task that finds its socket readable all the time lets others have a turn.
    ///
    /// # Errors
    ///
    /// When the loop is closed, since nobody would wake the task.
    #[inline]
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let slot = self.slot();
        self.poll(slot, READABLE | READ_CLOSED, &slot.reader, cx)
    }

    /// Waits until a write is worth trying; otherwise as [`poll_readable`](Self::poll_readable).
    ///
    /// # Errors
    ///
    /// When the loop is closed.
    #[inline]
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let slot = self.slot();
        self.poll(slot, WRITABLE | WRITE_CLOSED, &slot.writer, cx)
    }

    /// Whether a read is worth trying.
    #[inline]
    pub fn is_readable(&self) -> bool {
        self.slot().has(READABLE | READ_CLOSED)
    }

    /// Whether a write is worth trying.
    #[inline]
    pub fn is_writable(&self) -> bool {
        self.slot().has(WRITABLE | WRITE_CLOSED)
    }

    /// Notes that a read has just found nothing, or less than it had room for.
    ///
    /// When the other side has ended, and the descriptor is parked, the end is still to be read and may have been told
    /// together with what was read just now; so another call is queued.
    #[inline]
    pub fn clear_readable(&self) {
        let slot = self.slot();
        slot.clear(READABLE);
        if slot.has_all(READ_CLOSED | PARKED) {
            self.call_again();
        }
    }

    /// Notes that a write has just found no room, or less than it needed.
    #[inline]
    pub fn clear_writable(&self) {
        self.slot().clear(WRITABLE);
    }

    /// Has `owner` called with `key` for each event from now on, in place of waking who waits.
    ///
    /// When the descriptor is readable at this moment, a first call comes in the next turn. Room to write is not told in
    /// this way, since nearly every descriptor has some: try to write first, and park when that finds no room. Parking a
    /// parked descriptor changes its owner and key.
    ///
    /// # Panics
    ///
    /// When `owner` belongs to another loop.
    pub fn park(&self, owner: &ParkedOwner, key: u32) {
        assert!(
            Rc::ptr_eq(&self.reactor, &owner.reactor),
            "a descriptor is parked with an owner of its own loop"
        );
        let slot = self.slot();
        let wakers = (slot.reader.take(), slot.writer.take());
        slot.park(owner.number, key);
        if slot.has(READABLE | READ_CLOSED) {
            self.reactor.queue(self.token, slot);
        }
        drop(wakers);
    }

    /// Has events wake who waits, as before it was parked. What has been told in the meantime is remembered; a call that
    /// was due is not made.
    pub fn unpark(&self) {
        let slot = self.slot();
        slot.clear(PARKED);
        // Somebody may have begun to wait while it was parked.
        state::wake_told(slot);
    }

    /// Has the owner called again in a later turn, once, if it is parked then.
    #[inline]
    pub fn call_again(&self) {
        self.reactor.queue(self.token, self.slot());
    }

    #[inline]
    fn slot(&self) -> &Slot {
        self.reactor
            .slab
            .slot(self.token.index)
            .expect("a slot lives as long as its registration")
    }

    #[inline]
    fn poll(
        &self,
        slot: &Slot,
        flags: u32,
        waiting: &Cell<Option<Waker>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if slot.has(flags) {
            ready!(coop::poll_proceed(cx)).made_progress();
            return Poll::Ready(Ok(()));
        }
        if self.reactor.is_closed() {
            return Poll::Ready(Err(io::Error::other(
                "the event loop is closed: it watches nothing any more",
            )));
        }
        let known = waiting.take();
        if known
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            waiting.set(known);
        } else {
            waiting.set(Some(cx.waker().clone()));
            drop(known);
        }
        Poll::Pending
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.reactor.deregister(self.token.index);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("fd", &self.slot().fd.get())
            .field("readable", &self.is_readable())
            .field("writable", &self.is_writable())
            .field("parked", &self.slot().has(PARKED))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_takes_16_bytes_and_leaves_room_for_a_variant() {
        assert_eq!(size_of::<Registration>(), 16);
        assert_eq!(size_of::<Option<Registration>>(), 16);
    }
}
