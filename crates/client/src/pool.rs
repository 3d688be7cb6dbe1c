//! Connections that nobody uses at the moment.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use squall_ioloop::IoLoop;

use crate::connection::Connection;
use crate::url::Origin;

/// The idle connections of a client, by server.
///
/// Invariant: while there is an idle connection, a timer is set that will look for those that are too old.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Per server, the least recently used first.
    idle: RefCell<HashMap<Origin, Vec<Idle>>>,
    /// Most idle connections per server.
    most: usize,
    /// How long one is kept.
    timeout: Duration,
    /// The timer is set.
    sweeping: Cell<bool>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    /// When it was last used.
    since: Instant,
}

impl Pool {
    pub(crate) fn new(most: usize, timeout: Duration) -> Self {
        Self {
            idle: RefCell::default(),
            most,
            timeout,
            sweeping: Cell::new(false),
        }
    }

    /// Takes a connection that seems to be alive, the most recently used one first.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Connection> {
        let now = IoLoop::current().time();
        let mut idle = self.idle.borrow_mut();
        let connections = idle.get_mut(origin)?;
        let found = loop {
            let Some(last) = connections.pop() else {
                break None;
            };
            let fresh = now.saturating_duration_since(last.since) < self.timeout;
            if fresh && last.connection.is_quiet() {
                break Some(last.connection);
            }
        };
        if connections.is_empty() {
            idle.remove(origin);
        }
        found
    }

    /// Keeps a connection for the next request, if there is room.
    pub(crate) fn put(self: &Rc<Self>, origin: Origin, connection: Connection) {
        if self.most == 0 || self.timeout.is_zero() {
            return;
        }
        let since = IoLoop::current().time();
        let mut idle = self.idle.borrow_mut();
        let connections = idle.entry(origin).or_default();
        if connections.len() >= self.most {
            connections.remove(0);
        }
        connections.push(Idle { connection, since });
        drop(idle);
        self.sweep_later(self.timeout);
    }

    fn sweep_later(self: &Rc<Self>, delay: Duration) {
        if self.sweeping.replace(true) {
            return;
        }
        let pool = Rc::downgrade(self);
        IoLoop::current().call_later(delay, move || {
            if let Some(pool) = pool.upgrade() {
                pool.sweep();
            }
        });
    }

    /// Closes what is too old or already dead.
    fn sweep(self: &Rc<Self>) {
        self.sweeping.set(false);
        let now = IoLoop::current().time();
        let age = |idle: &Idle| now.saturating_duration_since(idle.since);
        let mut idle = self.idle.borrow_mut();
        for connections in idle.values_mut() {
            connections.retain(|idle| age(idle) < self.timeout && idle.connection.is_quiet());
        }
        idle.retain(|_, connections| !connections.is_empty());
        let oldest = idle.values().flatten().map(age).max();
        drop(idle);
        if let Some(age) = oldest {
            self.sweep_later(self.timeout - age);
        }
    }
}
