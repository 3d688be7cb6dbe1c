//! The half of a connection that reads.

use std::rc::Rc;

use crate::common;
use crate::link::{Link, Phase};
use crate::proto::{
    CloseCode, CloseFrame, Decoder, Event, MessageKind, OpCode, ProtocolError, Scratch,
};

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

#[derive(Debug)]
pub(crate) struct Reader {
    decoder: Decoder,
    /// The part of a message that has come.
    partial: Option<Box<Scratch>>,
}

impl Reader {
    pub(crate) fn new(link: &Link) -> Self {
        Self {
            decoder: Decoder::new(link.role(), link.agreement().is_on()),
            partial: None,
        }
    }

    /// Lends `scratch` the part of a message that has come, if there is one; before the first step for new input.
    #[inline]
    pub(crate) fn resume(&mut self, scratch: &mut Scratch) {
        if let Some(partial) = self.partial.take() {
            *scratch = *partial;
        }
    }

    /// Keeps the part of a message that stands in `scratch`; after the last step for some input.
    #[inline]
    pub(crate) fn pause(&mut self, scratch: &mut Scratch) {
        if self.decoder.uses_scratch() {
            self.partial = Some(Box::new(std::mem::take(scratch)));
        }
    }

    /// Takes from the front of `input` what comes next. What only the protocol cares about is done here.
    pub(crate) fn step(
        &mut self,
        link: &Rc<Link>,
        input: &mut &[u8],
        scratch: &mut Scratch,
    ) -> Step {
        loop {
            if link.phase() >= Phase::Ending {
                *input = &[];
                return Step::Closed;
            }
            let limits = link.options().limits();
            let event = match self.decoder.decode(input, &limits, scratch) {
                Ok(Some(event)) => event,
                Ok(None) => return Step::More,
                Err(error) => {
                    fail(link, error);
                    continue;
                }
            };
            // What comes after this end has said goodbye is for nobody, but for the other end's goodbye.
            let open = link.phase() == Phase::Open;
            match event {
                Event::Message { kind, compressed } if open => {
                    if !compressed {
                        return Step::Message(kind);
                    }
                    match inflate(link, &mut scratch.message, limits.max_message) {
                        Ok(()) => return Step::Message(kind),
                        Err(error) => fail(link, error),
                    }
                }
                Event::Ping if open => {
                    // Only the last of many pings has to be answered (RFC 6455 section 5.5.3).
                    if link.queued() <= link.options().max_queued {
                        link.send_control(OpCode::Pong, &scratch.control);
                    }
                    return Step::Ping;
                }
                Event::Pong if open => return Step::Pong,
                Event::Message { .. } | Event::Ping | Event::Pong => {}
                Event::Close => match scratch.close_frame() {
                    Ok(frame) => say_goodbye(link, frame),
                    Err(error) => fail(link, error),
                },
            }
        }
    }
}

fn inflate(link: &Link, message: &mut Vec<u8>, limit: usize) -> Result<(), ProtocolError> {
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
