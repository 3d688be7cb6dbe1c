//! Many connections that are told the same.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use bytes::Bytes;

use crate::common::{self, Common};
use crate::link::{Link, Phase};
use crate::message::Message;
use crate::proto::deflate::DeflateOptions;
use crate::proto::{OpCode, Role, write_frame};
use crate::websocket::WebSocket;

/// A set of connections of one loop to which messages are sent together. Clones are the same set.
///
/// A message is framed once, and compressed once for all who have agreed on compression without contexts, however many
/// they are. What is sent to a group in one turn of the loop leaves in one write for each member at its end; everybody
/// gets it in the order in which it was sent, also in between messages sent to one of them alone.
///
/// A connection that ends leaves its groups. Whether somebody is too slow is decided for each by
/// [`WebSocketOptions::slow`](crate::WebSocketOptions::slow).
///
/// # Examples
///
/// ```
/// use squall_websocket::{Group, Message, Result, WebSocket, WebSocketHandler};
///
/// struct Guest {
///     room: Group,
/// }
///
/// impl WebSocketHandler for Guest {
///     fn open(&mut self, ws: &WebSocket) -> Result {
///         self.room.join(ws);
///         Ok(())
///     }
///
///     async fn message(&mut self, _ws: &WebSocket, message: Message<'_>) -> Result {
///         self.room.send(&message);
///         Ok(())
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct Group {
    gathering: Rc<Gathering>,
}

impl Group {
    /// Makes an empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection, which gets what is sent from now on. Does nothing if it is a member already, or has ended.
    ///
    /// # Panics
    ///
    /// It is a client's end: what a client sends is masked for one connection alone (RFC 6455 section 5.3).
    pub fn join(&self, ws: &WebSocket) {
        assert!(
            ws.link.role() == Role::Server,
            "only a server's connections can be in a group"
        );
        if ws.link.phase() == Phase::Open && !ws.link.is_member(&self.gathering) {
            Gathering::add(&self.gathering, &ws.link);
        }
    }

    /// Removes a connection, which still gets what was sent before. Does nothing if it is no member.
    pub fn leave(&self, ws: &WebSocket) {
        if let Some(membership) = ws.link.take_membership(&self.gathering) {
            if let Some(frames) = membership.pending() {
                ws.link.send_behind(&frames);
            }
            drop(membership);
        }
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.gathering.count.get()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends a message to everybody, at the end of the loop's turn.
    pub fn send<'m>(&self, message: impl Into<Message<'m>>) {
        Gathering::publish(&self.gathering, &message.into());
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The members of a group, and what they are about to be sent.
///
/// Messages are numbered. Those that have not been sent to everybody stand in two blocks, of which the first is being sent
/// to one member after the other, and the second gathers what comes meanwhile. Each member knows which message is its next.
#[derive(Default)]
pub(crate) struct Gathering {
    members: RefCell<Vec<Option<Member>>>,
    /// Places in `members` that nobody has.
    free: RefCell<Vec<u32>>,
    count: Cell<usize>,
    /// Members for whom messages are compressed, by window.
    packed: RefCell<Vec<Packed>>,
    sending: RefCell<Option<Sending>>,
    gathered: RefCell<Block>,
}

struct Member {
    link: Rc<Link>,
    /// The number of the message that it gets next.
    next: Cell<u64>,
}

/// How many members have agreed on a window, and what they want of compression.
struct Packed {
    window: u8,
    options: DeflateOptions,
    members: usize,
}

/// A block on its way.
struct Sending {
    block: Block,
    /// Its frames as they are shared, one for each variant.
    plain: Bytes,
    packed: Vec<(u8, Bytes)>,
    /// The place of the member who is next.
    at: usize,
}

/// Messages in their order, framed.
#[derive(Default)]
struct Block {
    /// The number of the first message.
    first: u64,
    plain: Frames,
    packed: Vec<(u8, Frames)>,
}

/// Frames, and where each of them ends.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    /// Returns where the frame with this index begins.
    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

impl Block {
    /// The number of the message that follows the last.
    fn end(&self) -> u64 {
        self.first + self.plain.ends.len() as u64
    }

    /// Where the messages for a member begin whose next one is `next`; `None` if there are none for it.
    fn index(&self, next: u64) -> Option<usize> {
        (next < self.end()).then(|| next.saturating_sub(self.first) as usize)
    }

    fn push(&mut self, message: &Message<'_>, packed: &[Packed]) {
        let opcode = OpCode::from(message.kind());
        let payload = message.as_bytes();
        write_frame(&mut self.plain.bytes, opcode, true, false, payload, None);
        self.plain.ends.push(self.plain.bytes.len());
        for variant in packed {
            let Packed {
                window, options, ..
            } = *variant;
            if variant.members == 0 && !self.packed.iter().any(|(bits, _)| *bits == window) {
                continue;
            }
            let frames = self.variant(window);
            common::with(|common| {
                let mut packer = common.packer.borrow_mut();
                let mut buffer = packer.take_buffer();
                let shorter = options.is_worth(payload.len())
                    && packer.pack_alone(window, options.level, payload, &mut buffer);
                let payload = if shorter { &buffer } else { payload };
                write_frame(&mut frames.bytes, opcode, true, shorter, payload, None);
                packer.give_buffer(buffer);
            });
            frames.ends.push(frames.bytes.len());
        }
    }

    /// Returns the frames for a window; what was sent before anybody wanted that variant is in it uncompressed.
    fn variant(&mut self, window: u8) -> &mut Frames {
        let known = self.packed.iter().position(|(bits, _)| *bits == window);
        let at = known.unwrap_or_else(|| {
            // The plain frame of the message at hand is there already.
            let before = self.plain.ends.len() - 1;
            let frames = Frames {
                bytes: self.plain.bytes[..self.plain.start(before)].to_vec(),
                ends: self.plain.ends[..before].to_vec(),
            };
            self.packed.push((window, frames));
            self.packed.len() - 1
        });
        &mut self.packed[at].1
    }

    /// Returns the frames that a connection gets.
    fn frames(&self, link: &Link) -> &Frames {
        let window = link.agreement().alone();
        let variant = self.packed.iter().find(|(bits, _)| Some(*bits) == window);
        variant.map_or(&self.plain, |(_, frames)| frames)
    }
}

impl Gathering {
    fn add(this: &Rc<Self>, link: &Rc<Link>) {
        let member = Member {
            link: Rc::clone(link),
            next: Cell::new(this.gathered.borrow().end()),
        };
        let mut members = this.members.borrow_mut();
        let place = this.free.borrow_mut().pop();
        let place = match place {
            Some(place) => {
                members[place as usize] = Some(member);
                place
            }
            None => {
                members.push(Some(member));
                u32::try_from(members.len() - 1).expect("fewer than four billion")
            }
        };
        this.count.set(this.count.get() + 1);
        this.count_variant(link, true);
        link.add_membership(Membership {
            gathering: Rc::downgrade(this),
            place,
        });
    }

    fn remove(&self, place: u32) {
        let member = self.members.borrow_mut()[place as usize].take();
        if let Some(member) = member {
            self.free.borrow_mut().push(place);
            self.count.set(self.count.get() - 1);
            self.count_variant(&member.link, false);
        }
    }

    fn count_variant(&self, link: &Link, joins: bool) {
        let (Some(window), Some(options)) = (link.agreement().alone(), &link.options().compression)
        else {
            return;
        };
        let mut packed = self.packed.borrow_mut();
        let known = packed.iter().position(|variant| variant.window == window);
        let at = known.unwrap_or_else(|| {
            packed.push(Packed {
                window,
                options: *options,
                members: 0,
            });
            packed.len() - 1
        });
        let members = &mut packed[at].members;
        *members = if joins { *members + 1 } else { *members - 1 };
    }

    fn publish(this: &Rc<Self>, message: &Message<'_>) {
        let mut gathered = this.gathered.borrow_mut();
        if this.count.get() == 0 {
            return;
        }
        let first = gathered.plain.ends.is_empty();
        gathered.push(message, &this.packed.borrow());
        drop(gathered);
        if first && this.sending.borrow().is_none() {
            common::with(|common| common.gather_later(Rc::clone(this)));
        }
    }

    /// Sends to at most `left` members, and counts them off; `true` when nothing is left to be sent to anybody. It goes no
    /// further than to the end of what was gathered before, so that other groups have their turn.
    pub(crate) fn send(&self, common: &Common, left: &mut usize) -> bool {
        if self.sending.borrow().is_none() {
            self.begin();
        }
        loop {
            if *left == 0 {
                return false;
            }
            let Some((link, frames)) = self.next() else {
                break;
            };
            *left -= 1;
            link.send_shared(common, &frames);
        }
        self.sending.take();
        if self.gathered.borrow().plain.ends.is_empty() {
            return true;
        }
        self.begin();
        false
    }

    /// Begins to send what was gathered.
    fn begin(&self) {
        let mut gathered = self.gathered.borrow_mut();
        let next = Block {
            first: gathered.end(),
            ..Block::default()
        };
        let mut block = std::mem::replace(&mut *gathered, next);
        let share = |frames: &mut Frames| Bytes::from(std::mem::take(&mut frames.bytes));
        let plain = share(&mut block.plain);
        let packed = block.packed.iter_mut();
        let packed = packed
            .map(|(window, frames)| (*window, share(frames)))
            .collect();
        self.sending.replace(Some(Sending {
            block,
            plain,
            packed,
            at: 0,
        }));
    }

    /// Returns the next member for whom there is something in the block on its way, and that.
    fn next(&self) -> Option<(Rc<Link>, Bytes)> {
        let mut sending = self.sending.borrow_mut();
        let sending = sending.as_mut()?;
        let members = self.members.borrow();
        loop {
            let member = members.get(sending.at)?;
            sending.at += 1;
            let Some(member) = member else {
                continue;
            };
            if let Some(frames) = sending.for_member(member) {
                member.next.set(sending.block.end());
                return Some((Rc::clone(&member.link), frames));
            }
        }
    }
}

impl Sending {
    fn for_member(&self, member: &Member) -> Option<Bytes> {
        let index = self.block.index(member.next.get())?;
        let window = member.link.agreement().alone();
        let variant = self.packed.iter().find(|(bits, _)| Some(*bits) == window);
        let shared = variant.map_or(&self.plain, |(_, bytes)| bytes);
        let frames = self.block.frames(&member.link);
        if index == 0 {
            return Some(shared.clone());
        }
        Some(shared.slice(frames.start(index)..))
    }
}

/// A connection's place in a group; dropping it leaves the group.
pub(crate) struct Membership {
    gathering: Weak<Gathering>,
    place: u32,
}

impl Membership {
    pub(crate) fn is_of(&self, gathering: &Rc<Gathering>) -> bool {
        self.gathering.as_ptr() == Rc::as_ptr(gathering)
    }

    /// Takes what the group is about to send to this member.
    pub(crate) fn pending(&self) -> Option<Bytes> {
        let gathering = self.gathering.upgrade()?;
        let members = gathering.members.borrow();
        let member = members.get(self.place as usize)?.as_ref()?;
        let sending = gathering.sending.borrow();
        let first = sending.as_ref().and_then(|sending| {
            let frames = sending.for_member(member)?;
            member.next.set(sending.block.end());
            Some(frames)
        });
        let gathered = gathering.gathered.borrow();
        let Some(index) = gathered.index(member.next.get()) else {
            return first;
        };
        member.next.set(gathered.end());
        let frames = gathered.frames(&member.link);
        let second = &frames.bytes[frames.start(index)..];
        Some(match first {
            Some(first) => [&first[..], second].concat().into(),
            None => Bytes::copy_from_slice(second),
        })
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if let Some(gathering) = self.gathering.upgrade() {
            gathering.remove(self.place);
        }
    }
}
