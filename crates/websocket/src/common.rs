//! What the connections of one thread share: buffers, a coarse clock, and the list of those that have something to send.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use squall_ioloop::reactor::Places;
use squall_ioloop::{IoLoop, sleep};

use crate::group::Gathering;
use crate::link::Link;
use crate::masks::Masks;
use crate::options::WebSocketOptions;
use crate::outbox::Outbox;
use crate::packer::Packer;
use crate::reader::Decoding;

/// Bytes of the buffer that connections are read into.
const BUFFER: usize = 64 * 1024;
/// Connections that are written to before the loop looks at its sockets and its queue again.
const BATCH: usize = 128;
/// Buffers for messages are kept for the next one up to this size.
const KEPT: usize = 64 * 1024;
/// How often the connections are looked at, at the most and at the least.
const SHORTEST_TICK: Duration = Duration::from_millis(10);
const LONGEST_TICK: Duration = Duration::from_secs(1);

thread_local! {
    static COMMON: Common = Common::new();
}

/// Lends what this thread's connections share.
pub(crate) fn with<R>(f: impl FnOnce(&Common) -> R) -> R {
    COMMON.with(f)
}

pub(crate) struct Common {
    /// Taken out while it is used, so that nested use makes its own.
    buffer: Cell<Option<Box<[u8]>>>,
    decoding: Cell<Option<Box<Decoding>>>,
    /// The queue of a connection that has sent all of it, for the next one.
    outbox: Cell<Option<Box<Outbox>>>,
    /// Memory for what a task reads.
    input: Cell<Vec<u8>>,
    /// What the connection whose turn it is has to send. Empty between turns.
    pub(crate) cork: RefCell<Vec<u8>>,
    /// Among what is in the cork is a control frame, so that none of it may be thrown away.
    pub(crate) cork_stays: Cell<bool>,
    /// Compresses and inflates for all connections without a context of their own.
    pub(crate) packer: RefCell<Packer>,
    pub(crate) masks: RefCell<Masks>,
    /// Have something to send at the end of the turn.
    dirty: RefCell<VecDeque<Rc<Link>>>,
    /// Have something to send to all of their members at the end of the turn.
    gatherings: RefCell<VecDeque<Rc<Gathering>>>,
    /// Somebody will come and send it.
    scheduled: Cell<bool>,
    /// Every connection that is open.
    links: RefCell<Places<Rc<Link>>>,
    /// Those that other threads know, by number.
    remotes: RefCell<HashMap<u64, Weak<Link>>>,
    /// The number for the next one of them.
    next_remote: Cell<u64>,
    /// What the coarse clock counts from.
    epoch: Cell<Option<Instant>>,
    /// The coarse clock, in milliseconds.
    now: Cell<u32>,
    tick: Cell<Duration>,
    /// Somebody looks at the clock.
    ticking: Cell<bool>,
}

impl Common {
    fn new() -> Self {
        Self {
            buffer: Cell::new(None),
            decoding: Cell::new(None),
            outbox: Cell::new(None),
            input: Cell::default(),
            cork: RefCell::default(),
            cork_stays: Cell::new(false),
            packer: RefCell::default(),
            masks: RefCell::default(),
            dirty: RefCell::default(),
            gatherings: RefCell::default(),
            scheduled: Cell::new(false),
            links: RefCell::default(),
            remotes: RefCell::default(),
            next_remote: Cell::new(0),
            epoch: Cell::new(None),
            now: Cell::new(0),
            tick: Cell::new(LONGEST_TICK),
            ticking: Cell::new(false),
        }
    }

    /// Takes the buffer to read into; give it back.
    pub(crate) fn take_buffer(&self) -> Box<[u8]> {
        let buffer = self.buffer.take();
        buffer.unwrap_or_else(|| vec![0; BUFFER].into_boxed_slice())
    }

    pub(crate) fn give_buffer(&self, buffer: Box<[u8]>) {
        self.buffer.set(Some(buffer));
    }

    /// Takes what it takes to read a message; give it back when one is read.
    #[inline]
    pub(crate) fn take_decoding(&self) -> Box<Decoding> {
        self.decoding.take().unwrap_or_else(Decoding::new)
    }

    #[inline]
    pub(crate) fn give_decoding(&self, mut decoding: Box<Decoding>) {
        if decoding.scratch.message.capacity() > KEPT {
            decoding.scratch.message = Vec::new();
        }
        self.decoding.set(Some(decoding));
    }

    /// Takes an empty queue; give it back when it is empty again.
    pub(crate) fn take_outbox(&self) -> Box<Outbox> {
        let mut outbox = self.outbox.take().unwrap_or_default();
        outbox.moved = self.now();
        outbox
    }

    pub(crate) fn give_outbox(&self, outbox: Option<Box<Outbox>>) {
        self.outbox.set(outbox);
    }

    /// Takes an empty vector to read into; give it back when what was read is used up.
    pub(crate) fn take_input(&self) -> Vec<u8> {
        self.input.take()
    }

    pub(crate) fn give_input(&self, mut input: Vec<u8>) {
        if input.capacity() <= KEPT {
            input.clear();
            self.input.set(input);
        }
    }

    /// Returns the coarse time, in milliseconds since some moment; it wraps around.
    pub(crate) fn now(&self) -> u32 {
        self.now.get()
    }

    /// Has a connection send what it has at the end of the turn.
    pub(crate) fn flush_later(&self, link: Rc<Link>) {
        self.dirty.borrow_mut().push_back(link);
        self.schedule();
    }

    /// Has a group send what it has at the end of the turn.
    pub(crate) fn gather_later(&self, gathering: Rc<Gathering>) {
        self.gatherings.borrow_mut().push_back(gathering);
        self.schedule();
    }

    fn schedule(&self) {
        if self.scheduled.replace(true) {
            return;
        }
        let visit = Visit;
        match IoLoop::try_current() {
            Ok(io_loop) => io_loop.add_callback(move || visit.make()),
            // Off the loop nobody can be told; what a later turn sends takes this along.
            Err(_) => drop(visit),
        }
    }

    /// Sends what there is to send, to so many that the loop is not kept from other work for long.
    fn send_batch(&self) {
        let mut left = BATCH;
        // Neither keeps the other waiting.
        let kept = if self.gatherings.borrow().is_empty() {
            0
        } else {
            BATCH / 2
        };
        while left > kept {
            let next = self.dirty.borrow_mut().pop_front();
            let Some(link) = next else {
                break;
            };
            link.flush_dirty();
            left -= 1;
        }
        while left > 0 {
            let next = self.gatherings.borrow().front().cloned();
            let Some(gathering) = next else {
                break;
            };
            let done = gathering.send(self, &mut left);
            let mut gatherings = self.gatherings.borrow_mut();
            if done {
                gatherings.pop_front();
            } else if left > 0 {
                // It has more to send by now; others have been waiting for longer.
                gatherings.rotate_left(1);
            }
        }
        if !self.dirty.borrow().is_empty() || !self.gatherings.borrow().is_empty() {
            self.schedule();
        }
    }

    /// Returns the connections that have these options.
    pub(crate) fn links_of(&self, options: &Rc<WebSocketOptions>) -> Vec<Rc<Link>> {
        let links = self.links.borrow();
        let having = links
            .values()
            .filter(|link| Rc::ptr_eq(link.options(), options));
        having.cloned().collect()
    }

    /// Makes a connection known to other threads, by a number.
    pub(crate) fn add_remote(&self, link: &Rc<Link>) -> u64 {
        let number = self.next_remote.get();
        self.next_remote.set(number + 1);
        self.remotes
            .borrow_mut()
            .insert(number, Rc::downgrade(link));
        number
    }

    /// Finds a connection that other threads know, while it is open.
    pub(crate) fn remote(&self, number: u64) -> Option<Rc<Link>> {
        self.remotes.borrow().get(&number)?.upgrade()
    }

    /// Looks at the loop's clock.
    fn update(&self) {
        let Ok(io_loop) = IoLoop::try_current() else {
            return;
        };
        let now = io_loop.time();
        let epoch = self.epoch.get().unwrap_or(now);
        self.epoch.set(Some(epoch));
        let elapsed = now.saturating_duration_since(epoch).as_millis();
        // It wraps around after 49 days; all it is used for are differences.
        self.now.set(elapsed as u32);
    }
}

/// A visit of everybody who has something to send. When its loop is closed before, the next one must make its own.
struct Visit;

impl Visit {
    fn make(self) {
        drop(self);
        with(Common::send_batch);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        with(|common| common.scheduled.set(false));
    }
}

/// Counts a new connection, and looks after its time limits.
pub(crate) fn enter(link: &Rc<Link>, options: &WebSocketOptions) {
    with(|common| {
        let tick = (options.shortest() / 8).clamp(SHORTEST_TICK, LONGEST_TICK);
        let mut links = common.links.borrow_mut();
        if links.is_empty() {
            // The last ones may have been of another loop, with another clock.
            common.epoch.set(None);
        }
        if links.is_empty() || tick < common.tick.get() {
            common.tick.set(tick);
        }
        let key = links.reserve();
        link.key.set(key);
        links.put(key, Rc::clone(link));
        drop(links);
        common.update();
        link.hear(common.now());
        if !common.ticking.replace(true) {
            squall_ioloop::spawn_callback(tick_while_open(Ticking));
        }
    });
}

/// Returns the coarse time; zero while the thread ends.
pub(crate) fn now() -> u32 {
    COMMON.try_with(Common::now).unwrap_or_default()
}

/// Forgets a connection that has ended.
pub(crate) fn leave(link: &Link, remote: Option<u64>) {
    // The thread may be ending.
    let _ = COMMON.try_with(|common| {
        if let Some(number) = remote {
            common.remotes.borrow_mut().remove(&number);
        }
        let key = link.key.get();
        let mut links = common.links.borrow_mut();
        let gone = links.take(key);
        if gone.is_some() {
            links.free(key);
        }
        drop(links);
        drop(gone);
    });
}

/// Somebody looks at the clock for as long as it lives.
struct Ticking;

impl Drop for Ticking {
    fn drop(&mut self) {
        let _ = COMMON.try_with(|common| common.ticking.set(false));
    }
}

/// Looks after those whose time is up, while there is anybody.
async fn tick_while_open(_ticking: Ticking) {
    loop {
        let tick = with(|common| common.tick.get());
        sleep(tick).await;
        let late = with(|common| {
            common.update();
            let now = common.now();
            let links = common.links.borrow();
            let late = links.values().filter(|link| link.is_due(now));
            (!links.is_empty()).then(|| late.cloned().collect::<Vec<_>>())
        });
        let Some(late) = late else {
            return;
        };
        for link in late {
            link.remind();
        }
    }
}
