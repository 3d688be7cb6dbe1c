//! What a connection is to those who send on it: it can be cloned, stored and sent on from anywhere on its loop.

mod care;
mod ending;
mod groups;
mod reading;
mod sending;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use squall_net::IoStream;

use crate::common;
use crate::group::Membership;
use crate::options::WebSocketOptions;
use crate::outbox::Outbox;
use crate::packer::{Agreement, Contexts};
use crate::proto::{CloseFrame, Role};

/// How far a connection is on its way to the end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// Messages go both ways.
    Open,
    /// A close frame was sent; the other end's is waited for.
    Closing,
    /// All is said: what is queued leaves, then the stream ends.
    Ending,
    /// Nothing comes or goes any more.
    Over,
}

/// How far the question is whether the other end is alive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ping {
    /// Nobody has asked since something came.
    None,
    /// The ping waits in the queue, be it for nothing but the end of the loop's turn.
    Queued,
    /// The ping has left.
    Sent,
}

/// What becomes of what is queued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flushed {
    /// Nothing was.
    Idle,
    /// All of it has left.
    All,
    /// Some of it waits for the other end.
    Some,
}

/// What a task has waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// Everything that was queued has left.
    Drained,
    /// Nothing more will come.
    Ended,
    /// Something was read.
    Input,
}

pub(crate) struct Link {
    /// `None` when the connection is over.
    stream: RefCell<Option<IoStream>>,
    /// What waits for a slow reader, or for the end of the turn. Taken out while it is used, and so is `rare`.
    outbox: Cell<Option<Box<Outbox>>>,
    rare: Cell<Option<Box<Rare>>>,
    options: Rc<WebSocketOptions>,
    /// Its number among all connections of the thread.
    pub(crate) key: Cell<u32>,
    /// When the other end was last heard of, or the phase has changed; in milliseconds of the coarse clock.
    heard: Cell<u32>,
    /// When the message, or the frame, that is under way began, or enough of it had come; on the same clock.
    progressed: Cell<u32>,
    phase: Cell<Phase>,
    role: Role,
    /// It is its turn: what it sends is corked.
    corked: Cell<bool>,
    /// It will be visited at the end of the turn.
    dirty: Cell<bool>,
    /// A task waits for it or works for it, and does its reading.
    pub(crate) tasked: Cell<bool>,
    /// A handler is at work, so that nobody reads and silence means nothing.
    pub(crate) busy: Cell<bool>,
    /// The other end may still be sending, and is to see the end of what it was told.
    lingers: Cell<bool>,
    /// The other end has sent a close frame.
    goodbye: Cell<bool>,
    /// It is a member of a group.
    grouped: Cell<bool>,
    /// What became of the ping that asks whether the other end is alive.
    ping: Cell<Ping>,
    /// A message, or a frame, has begun to come and is not whole.
    partial: Cell<bool>,
    /// How messages are compressed, if they are.
    agreement: Agreement,
    /// The number of the subprotocol among the options'; 255 is none.
    protocol: u8,
}

/// What most connections do not have.
#[derive(Default)]
struct Rare {
    /// Wakes the task that waits.
    waker: Option<Waker>,
    /// How it ended.
    closed: Option<CloseFrame>,
    contexts: Option<Contexts>,
    memberships: Vec<Membership>,
    /// Its number among those that other threads know.
    remote: Option<u64>,
}

impl Link {
    pub(crate) fn new(
        stream: IoStream,
        role: Role,
        options: Rc<WebSocketOptions>,
        agreement: Agreement,
        protocol: Option<usize>,
    ) -> Rc<Self> {
        let contexts = agreement.contexts();
        let rare = contexts.map(|contexts| {
            Box::new(Rare {
                contexts: Some(contexts),
                ..Rare::default()
            })
        });
        let link = Rc::new(Self {
            stream: RefCell::new(Some(stream)),
            outbox: Cell::new(None),
            rare: Cell::new(rare),
            options,
            key: Cell::new(u32::MAX),
            heard: Cell::new(0),
            progressed: Cell::new(0),
            phase: Cell::new(Phase::Open),
            role,
            corked: Cell::new(false),
            dirty: Cell::new(false),
            tasked: Cell::new(false),
            busy: Cell::new(false),
            lingers: Cell::new(false),
            goodbye: Cell::new(false),
            grouped: Cell::new(false),
            ping: Cell::new(Ping::None),
            partial: Cell::new(false),
            agreement,
            protocol: protocol
                .and_then(|index| u8::try_from(index).ok())
                .unwrap_or(u8::MAX),
        });
        common::enter(&link, &link.options);
        link
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn options(&self) -> &Rc<WebSocketOptions> {
        &self.options
    }

    pub(crate) fn agreement(&self) -> Agreement {
        self.agreement
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        let protocol = self.options.subprotocols.get(usize::from(self.protocol));
        protocol.map(String::as_str)
    }

    /// Whether the other end has sent a close frame.
    pub(crate) fn was_goodbye(&self) -> bool {
        self.goodbye.get()
    }

    pub(crate) fn note_goodbye(&self) {
        self.goodbye.set(true);
    }

    /// How many bytes wait to be sent.
    pub(crate) fn queued(&self) -> usize {
        self.with_outbox(|outbox| outbox.as_ref().map_or(0, |outbox| outbox.len()))
    }

    /// Lends the stream, as long as there is one.
    pub(crate) fn with_stream<R>(&self, f: impl FnOnce(&mut IoStream) -> R) -> Option<R> {
        self.stream.borrow_mut().as_mut().map(f)
    }

    #[inline]
    fn has_outbox(&self) -> bool {
        let outbox = self.outbox.take();
        let has = outbox.is_some();
        self.outbox.set(outbox);
        has
    }

    fn with_outbox<R>(&self, f: impl FnOnce(&mut Option<Box<Outbox>>) -> R) -> R {
        let mut outbox = self.outbox.take();
        let result = f(&mut outbox);
        self.outbox.set(outbox);
        result
    }

    fn with_rare_if_any<R>(&self, f: impl FnOnce(Option<&mut Rare>) -> R) -> R {
        let mut rare = self.rare.take();
        let result = f(rare.as_deref_mut());
        self.rare.set(rare);
        result
    }

    fn with_rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> R {
        let mut rare = self.rare.take();
        let result = f(rare.get_or_insert_default());
        self.rare.set(rare);
        result
    }

    /// Lends the contexts for compression that only this connection has.
    pub(crate) fn with_contexts<R>(&self, f: impl FnOnce(Option<&mut Contexts>) -> R) -> R {
        self.with_rare_if_any(|rare| f(rare.and_then(|rare| rare.contexts.as_mut())))
    }
}
