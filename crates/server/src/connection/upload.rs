//! The body of the request at hand, on its way from the connection to the service.

use std::task::{Context, Poll};

use squall_http::h1::{BodyKind, ParseError, RequestHead};
use squall_http::{Body, BodyError, BodySender};

use super::input::{Input, Step};
use crate::deadline::Deadline;

/// One piece waits for the service at a time; a piece of any size passes alone.
const QUEUE: usize = 1;

#[derive(Debug)]
pub(super) struct Upload {
    /// Feeds the service; `None` once the body is complete, has failed, or the service does not want it.
    sender: Option<BodySender>,
    /// The client waits for `100 Continue`.
    pub(super) expects_continue: bool,
    /// The last byte has been decoded.
    pub(super) complete: bool,
    /// The framing is lost: nothing after this body can be understood.
    broken: bool,
    /// Bytes still to come, if that is known.
    left: Option<u64>,
    /// Runs while the service waits for the client and too little comes.
    pub(super) stalled: Deadline,
    /// How many bytes are not too little.
    enough: u64,
}

/// What the service needs of the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Demand {
    /// More of the body.
    Piece,
    /// Nothing for now.
    Satisfied,
    /// Never more: there is no more, or it dropped the body.
    Over,
}

impl Upload {
    /// Makes one that is over, whose time limit starts over after `enough` bytes.
    pub(super) fn new(enough: u64) -> Self {
        Self {
            sender: None,
            expects_continue: false,
            complete: true,
            broken: false,
            left: None,
            stalled: Deadline::default(),
            enough,
        }
    }

    /// Begins with a request; says whether it has no body.
    #[inline]
    pub(super) fn begin(&mut self, input: &mut Input) -> bool {
        self.expects_continue = false;
        self.complete = true;
        self.broken = false;
        input.skip_end()
    }

    /// Makes the body that the service gets of a request that has one.
    pub(super) fn body(
        &mut self,
        head: &RequestHead,
        input: &mut Input,
    ) -> Result<Body, ParseError> {
        let length = head.body().length();
        self.left = length;
        self.stalled.restart();
        if let Some(length) = length
            && let Some(whole) = input.whole_body(length)?
        {
            return Ok(whole.into());
        }
        debug_assert!(matches!(
            head.body(),
            BodyKind::Chunked | BodyKind::Length(_)
        ));
        let (sender, body) = Body::channel(QUEUE, length);
        self.expects_continue = head.expects_continue();
        self.complete = false;
        self.sender = Some(sender);
        Ok(body)
    }

    pub(super) fn poll_demand(&mut self, cx: &mut Context<'_>) -> Demand {
        let Some(sender) = &mut self.sender else {
            return Demand::Over;
        };
        match (sender.poll_wanted(cx), sender.poll_ready(cx)) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => {
                self.sender = None;
                Demand::Over
            }
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Demand::Piece,
            _ => Demand::Satisfied,
        }
    }

    /// Passes one decoded step on.
    pub(super) fn pass(&mut self, step: Step) {
        self.stalled.progress(step.bytes() as u64, self.enough);
        match step {
            Step::Data(piece) => {
                self.left = self
                    .left
                    .map(|left| left.saturating_sub(piece.len() as u64));
                if let Some(sender) = &mut self.sender {
                    // Fails only when the service has dropped the body, which the next demand tells.
                    let _ = sender.try_send(piece);
                }
            }
            Step::End(trailers) => {
                self.complete = true;
                if let Some(sender) = self.sender.take() {
                    sender.finish_with(trailers.map(|trailers| *trailers).unwrap_or_default());
                }
            }
            Step::Closed | Step::Head(_) => self.fail(BodyError::Disconnected),
        }
    }

    /// Ends the body with an error.
    pub(super) fn fail(&mut self, err: BodyError) {
        self.broken = true;
        if let Some(sender) = self.sender.take() {
            sender.fail(err);
        }
    }

    /// Returns how many bytes are still to come, if they are more than `limit`.
    pub(super) fn left_beyond(&self, limit: u64) -> Option<u64> {
        let kept = !self.complete && !self.broken && !self.expects_continue;
        self.left.filter(|left| kept && *left > limit)
    }

    /// Says whether the connection can be kept after this request at a price of at most `limit` bytes read in vain.
    pub(super) fn can_be_skipped(&self, limit: u64) -> bool {
        let affordable = || self.left.is_none_or(|left| left <= limit);
        self.complete || (!self.broken && !self.expects_continue && affordable())
    }

    /// Lets go of the service's end.
    pub(super) fn abandon(&mut self) {
        self.sender = None;
    }
}
