//! Callbacks for raw descriptors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::BitOr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;

use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};

use crate::ioloop::IoLoop;
use crate::report;
use crate::task::Task;
use crate::timer::moment;

/// What can happen to a descriptor; Tornado's `IOLoop.READ`, `WRITE` and `ERROR`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Events(u8);

impl Events {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// There is something to read, or the end.
    pub const READ: Self = Self(1);
    /// Something can be written.
    pub const WRITE: Self = Self(2);
    /// An error is pending or the other side has hung up. Told whether asked for or not.
    pub const ERROR: Self = Self(4);

    /// Whether any of `events` is among these.
    #[must_use]
    pub fn has(self, events: Self) -> bool {
        self.0 & events.0 != 0
    }
}

impl BitOr for Events {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            ("READ", Self::READ),
            ("WRITE", Self::WRITE),
            ("ERROR", Self::ERROR),
        ];
        let set = names.iter().filter(|(_, event)| self.has(*event));
        f.write_str("Events(")?;
        for (index, (name, _)) in set.enumerate() {
            write!(f, "{}{name}", if index == 0 { "" } else { " | " })?;
        }
        f.write_str(")")
    }
}

type Callback = Rc<RefCell<dyn FnMut(RawFd, Events)>>;

/// The descriptors that a loop watches.
#[derive(Default)]
pub(crate) struct Handlers(RefCell<HashMap<RawFd, Handler>>);

struct Handler {
    watched: Rc<AsyncFd<OwnedFd>>,
    callback: Callback,
    location: &'static Location<'static>,
    task: Task<()>,
}

impl Handlers {
    /// Takes all of them away.
    pub(crate) fn clear(&self) {
        for (_, handler) in self.0.take() {
            handler.task.cancel();
        }
    }
}

impl IoLoop {
    /// Calls `callback` with the descriptor and what has happened to it, again and again for as long
    /// as it is the case (level triggered).
    ///
    /// The loop watches a duplicate, so whatever the descriptor stands for stays open until
    /// [`remove_handler`](Self::remove_handler), also when the descriptor itself is closed. Errors and hang-ups are told whether asked for or not. A callback that panics is
    /// logged with the place of this call, and stays. Between two calls everything else on the loop
    /// has a turn; a descriptor costs one system call for each.
    ///
    /// # Errors
    ///
    /// When the descriptor is not open, is watched already, or cannot be: plain files are always ready and are
    /// refused by the system.
    #[track_caller]
    pub fn add_handler(
        &self,
        descriptor: RawFd,
        events: Events,
        callback: impl FnMut(RawFd, Events) + 'static,
    ) -> io::Result<()> {
        let location = Location::caller();
        self.check_open()?;
        let mut handlers = self.core().handlers.0.borrow_mut();
        if handlers.contains_key(&descriptor) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("descriptor {descriptor} has a handler: change it with `update_handler`"),
            ));
        }
        let watched = duplicate(descriptor)
            .and_then(|watched| self.enter(|| register(watched)))
            .map_err(|err| {
                io::Error::new(
                    err.kind(),
                    format!("cannot watch descriptor {descriptor}: {err}"),
                )
            })?;
        let watched = Rc::new(watched);
        let callback: Callback = Rc::new(RefCell::new(callback));
        let run = watch(
            descriptor,
            Rc::clone(&watched),
            events,
            Rc::clone(&callback),
            location,
        );
        let task = Task::spawn(self.core(), run, location);
        handlers.insert(
            descriptor,
            Handler {
                watched,
                callback,
                location,
                task,
            },
        );
        Ok(())
    }

    /// Changes what a descriptor is watched for.
    ///
    /// # Errors
    ///
    /// When the descriptor has no handler.
    pub fn update_handler(&self, descriptor: RawFd, events: Events) -> io::Result<()> {
        let mut handlers = self.core().handlers.0.borrow_mut();
        let handler = handlers.get_mut(&descriptor).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("descriptor {descriptor} has no handler: add one with `add_handler`"),
            )
        })?;
        let run = watch(
            descriptor,
            Rc::clone(&handler.watched),
            events,
            Rc::clone(&handler.callback),
            handler.location,
        );
        let task = Task::spawn(self.core(), run, handler.location);
        std::mem::replace(&mut handler.task, task).cancel();
        Ok(())
    }

    /// Stops watching a descriptor; true when it was watched. The descriptor may be closed
    /// afterwards.
    #[expect(clippy::must_use_candidate, reason = "removing is the purpose")]
    pub fn remove_handler(&self, descriptor: RawFd) -> bool {
        let removed = self.core().handlers.0.borrow_mut().remove(&descriptor);
        let found = removed.is_some();
        if let Some(handler) = removed {
            handler.task.cancel();
        }
        found
    }
}

impl IoLoop {
    /// A closed loop has no runtime that could watch anything.
    pub(crate) fn check_open(&self) -> io::Result<()> {
        if self.is_closed() {
            return Err(io::Error::other(
                "the event loop is closed: it watches nothing any more",
            ));
        }
        Ok(())
    }
}

/// A descriptor of our own for the same thing, which nobody else can close.
fn duplicate(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: a system call without pointers; a descriptor that is not open is an error.
    let copy = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Has the runtime watch a descriptor. Must be called inside of the runtime.
fn register(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    let both = Interest::READABLE | Interest::WRITABLE | Interest::ERROR;
    // SAFETY: the descriptor is owned, so it stays open and the same for as long as it is watched.
    unsafe { AsyncFd::register_with_interest(descriptor, both) }.map_err(Into::into)
}

/// Calls back while the descriptor is ready.
async fn watch(
    descriptor: RawFd,
    watched: Rc<AsyncFd<OwnedFd>>,
    events: Events,
    callback: Callback,
    location: &'static Location<'static>,
) {
    let interest = match (events.has(Events::READ), events.has(Events::WRITE)) {
        (true, false) => Interest::READABLE,
        (false, true) => Interest::WRITABLE,
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        // Hang-ups count as readable.
        (false, false) => Interest::READABLE,
    };
    // The end of a pipe that nobody reads is neither readable nor writable, but in error.
    let interest = interest | Interest::ERROR;
    loop {
        // An error here means that the loop is being closed.
        let Ok(mut guard) = watched.ready(interest).await else {
            return;
        };
        let now = ready_now(watched.get_ref().as_raw_fd(), events);
        if now == Events::NONE {
            guard.clear_ready_matching(Ready::ALL);
            continue;
        }
        drop(guard);
        let call = AssertUnwindSafe(|| (callback.borrow_mut())(descriptor, now));
        if let Err(payload) = catch_unwind(call) {
            report::panicked("a descriptor callback", location, &report::caught(payload));
        }
        moment().await;
    }
}

/// What is true of a descriptor at this moment, of what was asked for and of errors.
fn ready_now(descriptor: RawFd, events: Events) -> Events {
    let mut wanted = 0;
    if events.has(Events::READ) {
        wanted |= libc::POLLIN;
    }
    if events.has(Events::WRITE) {
        wanted |= libc::POLLOUT;
    }
    let mut polled = libc::pollfd {
        fd: descriptor,
        events: wanted,
        revents: 0,
    };
    // SAFETY: one structure, which lives through the call; it does not wait.
    let found = unsafe { libc::poll(&raw mut polled, 1, 0) };
    if found <= 0 {
        return Events::NONE;
    }
    let mut now = Events::NONE;
    if polled.revents & libc::POLLIN != 0 {
        now = now | Events::READ;
    }
    if polled.revents & libc::POLLOUT != 0 {
        now = now | Events::WRITE;
    }
    if polled.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0 {
        now = now | Events::ERROR;
    }
    now
}
