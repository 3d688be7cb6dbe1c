//! The half of a connection that reads.

use std::mem;
use std::rc::Rc;

use crate::common;
use crate::link::{Link, Phase};
use crate::proto::{
    CloseCode, CloseFrame, Decoder, Event, MessageKind, OpCode, ProtocolError, Role, Scratch,
};

/// Up to so many bytes a message that is to be kept is copied.
const COPIED: usize = 4096;

/// What has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// A message, in the scratch.
    Message(MessageKind),
    /// Nothing yet; all input is used up.
    More,
    /// A ping, in the scratch; it is answered already.
    Ping,
    /// A pong, in the scratch.
    Pong,
    /// Nothing that comes from now on means anything.
    Closed,
}

/// What it takes to read. A thread has one for all connections that are between two messages, and a connection in the
/// middle of one has its own.
#[derive(Debug)]
pub(crate) struct Decoding {
    decoder: Decoder,
    pub(crate) scratch: Scratch,
    /// Bytes of the partial message that had come when its time limit began.
    counted: usize,
}

impl Decoding {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self {
            decoder: Decoder::new(Role::Server, false),
            scratch: Scratch::new(),
            counted: 0,
        })
    }
}

/// Where a connection is in what it reads.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// The part of a message, or of a frame's head, that has come.
    partial: Option<Box<Decoding>>,
}

impl Reader {
    /// Begins with new input.
    #[inline]
    pub(crate) fn resume(&mut self, link: &Link) -> Box<Decoding> {
        if let Some(partial) = self.partial.take() {
            return partial;
        }
        let mut decoding = common::with(|common| common.take_decoding());
        decoding.decoder = Decoder::new(link.role(), link.agreement().is_on());
        decoding
    }

    /// Keeps what is needed for the next input.
    #[inline]
    pub(crate) fn pause(&mut self, link: &Link, mut decoding: Box<Decoding>) {
        if decoding.decoder.is_idle() {
            link.note_whole();
            common::with(|common| common.give_decoding(decoding));
        } else {
            if !decoding.decoder.in_message() {
                // What stands there is an older message, of somebody else perhaps, and no part of what is coming.
                decoding.scratch.message.clear();
            }
            let bytes = decoding.scratch.message.len();
            link.note_partial(bytes, &mut decoding.counted);
            // The memory may be that of a longer message.
            decoding.scratch.fit();
            self.partial = Some(decoding);
        }
    }
}

impl Decoding {
    /// Takes from the front of `input` what comes next. What only the protocol cares about is done here.
    #[inline]
    pub(crate) fn step(&mut self, link: &Rc<Link>, input: &mut &[u8]) -> Step {
        loop {
            let phase = link.phase();
            if phase >= Phase::Ending {
                *input = &[];
                return Step::Closed;
            }
            let limits = link.options().limits();
            match self.decoder.decode(input, &limits, &mut self.scratch) {
                Ok(Some(Event::Message {
                    kind,
                    compressed: false,
                })) if phase == Phase::Open => {
                    link.note_whole();
                    return Step::Message(kind);
                }
                Ok(Some(event)) => {
                    if let Some(step) = self.take(link, event) {
                        return step;
                    }
                }
                Ok(None) => return Step::More,
                Err(error) => fail(link, error),
            }
        }
    }

    /// Looks after what is not a message as it is; `None` when it is nothing for the handler.
    fn take(&mut self, link: &Rc<Link>, event: Event) -> Option<Step> {
        // What comes after this end has said goodbye is for nobody, but for the other end's goodbye.
        let open = link.phase() == Phase::Open;
        if !self.decoder.uses_scratch() {
            link.note_whole();
        }
        match event {
            Event::Message { kind, .. } if open => match inflate(link, &mut self.scratch.message) {
                Ok(()) => return Some(Step::Message(kind)),
                Err(error) => fail(link, error),
            },
            Event::Ping if open => {
                // Only the last of many pings has to be answered (RFC 6455 section 5.5.3).
                if link.queued() <= link.options().max_queued {
                    link.send_control(OpCode::Pong, &self.scratch.control);
                }
                return Some(Step::Ping);
            }
            Event::Pong if open => return Some(Step::Pong),
            Event::Message { .. } | Event::Ping | Event::Pong => {}
            Event::Close => match self.scratch.close_frame() {
                Ok(frame) => say_goodbye(link, frame),
                Err(error) => fail(link, error),
            },
        }
        None
    }

    /// Takes the message out, to be kept: as much memory as it needs where it is short, and without a copy where not.
    pub(crate) fn take_message(&mut self) -> Vec<u8> {
        let message = &mut self.scratch.message;
        if message.len() <= COPIED {
            message.clone()
        } else {
            mem::take(message)
        }
    }
}

fn inflate(link: &Link, message: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let limit = link.options().max_message;
    common::with(|common| {
        let mut packer = common.packer.borrow_mut();
        link.with_contexts(|contexts| packer.unpack(contexts, message, limit))
    })
}

/// Answers the other end's goodbye with the same code (RFC 6455 section 5.5.1).
fn say_goodbye(link: &Rc<Link>, frame: Option<CloseFrame>) {
    let answer = frame.as_ref().map(|frame| CloseFrame::new(frame.code, ""));
    let closed = frame.unwrap_or(CloseFrame::new(CloseCode::NO_STATUS, ""));
    link.note_goodbye();
    link.end(answer.as_ref(), closed, false);
}

/// Tells the other end what it did wrong.
pub(crate) fn fail(link: &Rc<Link>, error: ProtocolError) {
    let peer = link.peer();
    tracing::debug!(%peer, code = error.close_code().get(), "WebSocket closed: {error}");
    let frame = CloseFrame::new(error.close_code(), error.to_string());
    link.end(Some(&frame), frame.clone(), true);
}
