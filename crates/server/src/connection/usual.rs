//! The usual course of a connection, in one piece: requests that are here, and whose answers are there at once.
//!
//! Nothing is done here that the steps of the [`driver`](super::driver) would not do; what is out of the ordinary is left
//! to them, at whatever point it shows.

use std::task::{Context, Poll};

use super::exchange::{Stage, guarded};
use super::failure::Failure;
use super::{Connection, TURN};

/// Where the usual course ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Usual {
    /// In the middle of a request.
    Exchanging,
    /// Before a request, or in its head.
    Waiting,
}

impl Connection {
    /// Answers requests that have come for as long as it takes no waiting.
    pub(super) fn serve_usual(&mut self, cx: &mut Context<'_>) -> Result<Usual, Failure> {
        while self.steps < TURN && self.output.has_room() {
            let (stream, input) = self.source();
            let Some(head) = input.next_head(stream)? else {
                return Ok(Usual::Waiting);
            };
            // About as many as it takes in single steps.
            self.steps += 5;
            self.reading.restart();
            self.begin(head)?;
            if let Stage::Answering(answer) = &mut self.exchanging.stage {
                match guarded(|| answer.as_mut().poll(cx)) {
                    Ok(Poll::Ready(response)) => self.begin_answer(response)?,
                    Ok(Poll::Pending) => return Ok(Usual::Exchanging),
                    Err(panic) => self.answer_panic(&panic)?,
                }
            }
            let exchanging = &mut self.exchanging;
            let done = matches!(exchanging.stage, Stage::Done) && exchanging.upload.complete;
            if !done || !self.encoder.keep_alive() || self.encoder.is_tunnel() {
                return Ok(Usual::Exchanging);
            }
            exchanging.upgrade = None;
        }
        Ok(Usual::Waiting)
    }
}
