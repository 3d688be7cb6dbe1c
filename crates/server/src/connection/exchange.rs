//! One request and its answer.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use squall_http::h1::{CONTINUE, Exchange, RequestHead};
use squall_http::{Body, BodyError, BodyStream, Response};
use squall_ioloop::Resolver;

use super::Connection;
use super::failure::{Failure, Limit, OneLine};
use super::file;
use super::label::Label;
use super::respond::plain;
use super::upload::{Demand, Upload};
use crate::request::Request;
use crate::service::Answer;
use crate::upgrade::{OnUpgrade, Upgraded};

/// Most bytes that are encoded in one go, so that a large piece does not become a large buffer.
pub(super) const SLICE: usize = 64 * 1024;

/// A request that is being answered. One after another uses the same memory, since what is at hand is never moved.
pub(super) struct Exchanging {
    pub(super) exchange: Exchange,
    pub(super) upload: Upload,
    pub(super) stage: Stage,
    /// The body of the answer knows that the server stops.
    told_of_stop: bool,
    /// The body of this answer ends with the connection.
    pub(super) until_close: bool,
    pub(super) label: Label,
    /// Gives the connection away, if that is what the answer says.
    pub(super) upgrade: Option<Resolver<Upgraded>>,
}

/// How far the answer is.
pub(super) enum Stage {
    /// The service is at work.
    Answering(Pin<Box<dyn Future<Output = Response>>>),
    /// The system sends the body out of a file.
    File(Box<file::Sending>),
    /// The body's pieces are being encoded: first `piece`, then what `stream` brings.
    Sending {
        piece: Bytes,
        stream: Option<Pin<Box<dyn BodyStream>>>,
    },
    /// Everything is encoded.
    Done,
}

/// Why the answer does not advance by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Halt {
    /// What is encoded has to be written first.
    Behind,
    /// The socket, to which it goes directly, has no room.
    Blocked,
    /// It is complete.
    Done,
    /// Too much of it waits to be written.
    Full,
    /// It is the others' turn.
    Tired,
    /// The service, or its body, waits for something.
    Waiting,
}

impl Connection {
    /// Hands the request to the service, and begins with the answer if it is there at once.
    #[inline(always)]
    pub(super) fn begin(&mut self, head: RequestHead) -> Result<(), Failure> {
        match guarded(|| self.call(head)) {
            Ok(begun) => begun,
            Err(panic) => self.answer_panic(&panic),
        }
    }

    /// All in one piece, since what goes in and out of a guard is moved there and back.
    fn call(&mut self, head: RequestHead) -> Result<(), Failure> {
        self.member.begin_request();
        if self.exchanging.upload.begin(&mut self.input) {
            return self.call_with(head, Body::empty());
        }
        let body = self.exchanging.upload.body(&head, &mut self.input)?;
        self.call_with(head, body)
    }

    #[inline(always)]
    fn call_with(&mut self, head: RequestHead, body: Body) -> Result<(), Failure> {
        let exchanging = &mut self.exchanging;
        exchanging.exchange = head.exchange();
        exchanging.told_of_stop = false;
        exchanging.until_close = false;
        exchanging.label.note(&head);
        let mut on_upgrade = None;
        if head.offers_upgrade() {
            let (resolver, taker) = OnUpgrade::pair();
            exchanging.upgrade = Some(resolver);
            on_upgrade = Some(taker);
        }
        let request = Request::received(head, body, Rc::clone(&self.info), on_upgrade);
        let answer = self.service.call(request);
        match &answer {
            Answer::Ready(response) if self.answer_usual(response) => Ok(()),
            _ => self.begin_other(answer),
        }
    }

    #[inline(never)]
    fn begin_other(&mut self, answer: Answer) -> Result<(), Failure> {
        match answer {
            Answer::Ready(response) => self.begin_answer(response),
            Answer::Later(answer) => {
                self.exchanging.stage = Stage::Answering(answer);
                Ok(())
            }
        }
    }

    /// Has one request answered.
    pub(super) fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        loop {
            let halt = self.advance(cx)?;
            if halt == Halt::Done && !self.encoder.is_tunnel() {
                // Written together with the answers to come, or when there is nothing else to do.
                return Poll::Ready(Ok(()));
            }
            let flushed = match halt {
                Halt::Blocked => Poll::Pending,
                _ => self.poll_flush(cx)?,
            };
            if halt == Halt::Done && flushed.is_ready() {
                return Poll::Ready(Ok(()));
            }
            if halt == Halt::Behind && flushed.is_ready() {
                continue;
            }
            if halt == Halt::Tired {
                return Poll::Pending;
            }
            if halt == Halt::Full && self.output.has_room() {
                continue;
            }
            if self.feed(cx)? {
                continue;
            }
            if flushed.is_pending() {
                return self.poll_write_timeout(cx);
            }
            return Poll::Pending;
        }
    }

    /// Lets the service work and encodes what it has, as far as there is room.
    fn advance(&mut self, cx: &mut Context<'_>) -> Result<Halt, Failure> {
        loop {
            if self.poll_step_allowed(cx).is_pending() {
                return Ok(Halt::Tired);
            }
            match &mut self.exchanging.stage {
                Stage::Done if self.output.has_room() => return Ok(Halt::Done),
                Stage::Done => return Ok(Halt::Full),
                Stage::Answering(answer) => match guarded(|| answer.as_mut().poll(cx)) {
                    Ok(Poll::Ready(response)) => self.begin_answer(response)?,
                    Ok(Poll::Pending) => return Ok(Halt::Waiting),
                    Err(panic) => self.answer_panic(&panic)?,
                },
                Stage::File(_) => {
                    if let Some(halt) = self.advance_file(cx)? {
                        return Ok(halt);
                    }
                }
                Stage::Sending { .. } if !self.output.has_room() => return Ok(Halt::Full),
                Stage::Sending { piece, .. } if !piece.is_empty() => {
                    let slice = piece.split_to(piece.len().min(SLICE));
                    self.count_bytes(slice.len());
                    let encoded = self.encoder.data(self.output.buffer(), &slice);
                    encoded.map_err(|err| self.broken(&err))?;
                }
                Stage::Sending { piece, stream } => {
                    let Some(source) = stream else {
                        self.end_answer()?;
                        continue;
                    };
                    let told = &mut self.exchanging.told_of_stop;
                    let tell = self.member.is_stopping() && !*told;
                    *told |= tell;
                    let next = guarded(|| {
                        if tell {
                            source.as_mut().stop();
                        }
                        source.as_mut().poll_chunk(cx)
                    });
                    match next {
                        Ok(Poll::Ready(Some(Ok(next)))) => *piece = next,
                        Ok(Poll::Ready(Some(Err(err)))) => {
                            return Err(self.broken(&err));
                        }
                        Ok(Poll::Ready(None)) => self.end_answer()?,
                        Ok(Poll::Pending) => return Ok(Halt::Waiting),
                        Err(panic) => return Err(self.broken_by_panic(&panic)),
                    }
                }
            }
        }
    }

    /// Reads what the service wants of its request's body, and notices when the client leaves; says whether the
    /// service, or the encoder, can go on because of it.
    fn feed(&mut self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let Exchanging { upload, stage, .. } = &mut self.exchanging;
        if upload.poll_demand(cx) != Demand::Piece {
            self.notice_leaving(cx)?;
            return Ok(false);
        }
        if upload.expects_continue {
            upload.expects_continue = false;
            // The body may have come unasked (RFC 9110 §10.1.1); in the middle of an answer it is too late to ask.
            if !self.input.has_bytes() && matches!(stage, Stage::Answering(_)) {
                self.output.buffer().extend_from_slice(CONTINUE);
                return Ok(true);
            }
        }
        let polled = self.poll_step(cx);
        let upload = &mut self.exchanging.upload;
        match polled {
            Poll::Ready(Ok(step)) => {
                let bytes = step.bytes();
                upload.pass(step);
                self.count_bytes(bytes);
            }
            Poll::Ready(Err(Failure::Refused(err))) => {
                let limit = Limit(self.config.limits.value(err));
                tracing::info!(peer = %self.info.peer, "request body refused: {err}{limit}");
                upload.fail(err.into());
            }
            Poll::Ready(Err(failure)) => {
                upload.fail(BodyError::Disconnected);
                return Err(failure);
            }
            Poll::Pending => {
                let limit = self.config.body_timeout;
                if upload.stalled.poll(limit, cx).is_pending() {
                    return Ok(false);
                }
                let bytes = upload.stalled.bytes();
                tracing::info!(peer = %self.info.peer, "request body brought {bytes} bytes in {limit:?} (body_timeout)");
                upload.fail(BodyError::TimedOut);
            }
        }
        Ok(true)
    }

    /// Fails if the client has left and the answer is not complete yet.
    fn notice_leaving(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let unfinished = match &self.exchanging.stage {
            Stage::Answering(_)
            | Stage::File(_)
            | Stage::Sending {
                stream: Some(_), ..
            } => true,
            Stage::Done | Stage::Sending { stream: None, .. } => false,
        };
        let (stream, input) = self.source();
        let left = input.poll_left(stream, cx)?.is_ready();
        if left && unfinished && !self.config.half_close {
            return Err(Failure::Left);
        }
        Ok(())
    }

    /// Reads the rest of a body that the service did not want, if that is cheaper than a new connection; says whether the
    /// connection can be kept.
    pub(super) fn poll_skip(
        &mut self,
        skipped: &mut u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<bool, Failure>> {
        let flushed = self.poll_flush(cx)?;
        while !self.exchanging.upload.complete {
            ready!(self.poll_step_allowed(cx));
            match self.poll_step(cx) {
                Poll::Ready(Ok(super::Step::Data(piece))) => {
                    self.count_bytes(piece.len());
                    *skipped += piece.len() as u64;
                    if *skipped > self.config.unread_bytes {
                        self.note_unread(format_args!("{skipped} bytes and more"));
                        return Poll::Ready(Ok(false));
                    }
                }
                Poll::Ready(Ok(step)) => self.exchanging.upload.pass(step),
                // It is answered already; there is nothing to say about the rest.
                Poll::Ready(Err(Failure::Left | Failure::Refused(_))) => {
                    return Poll::Ready(Ok(false));
                }
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Pending if flushed.is_pending() => return self.poll_write_timeout(cx),
                Poll::Pending => {
                    let stalled = &mut self.exchanging.upload.stalled;
                    ready!(stalled.poll(self.config.body_timeout, cx));
                    return Poll::Ready(Ok(false));
                }
            }
        }
        Poll::Ready(Ok(true))
    }

    pub(super) fn answer_panic(&mut self, panic: &str) -> Result<(), Failure> {
        let label = &self.exchanging.label;
        tracing::error!(peer = %self.info.peer, "the service panicked on {label}: {}", OneLine(panic));
        self.begin_answer(plain(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn broken_by_panic(&self, panic: &str) -> Failure {
        let label = &self.exchanging.label;
        tracing::error!(peer = %self.info.peer, "the answer's body panicked on {label}: {}", OneLine(panic));
        self.exchanging.failure()
    }
}

impl Exchanging {
    /// Returns one that is over; `enough` bytes of a body start its time limit over.
    pub(super) fn new(enough: u64) -> Self {
        Self {
            exchange: Exchange::UNREADABLE,
            upload: Upload::new(enough),
            stage: Stage::Done,
            told_of_stop: false,
            until_close: false,
            label: Label::new(),
            upgrade: None,
        }
    }

    /// Drops what the service still has at work.
    pub(super) fn abandon(&mut self) {
        self.stage = Stage::Done;
        self.upgrade = None;
        self.upload.abandon();
    }

    /// What becomes of the connection when the answer cannot go on.
    pub(super) fn failure(&self) -> Failure {
        if self.until_close {
            Failure::Truncated
        } else {
            Failure::Broken
        }
    }
}

/// Runs a piece of the service; the error is the panic's message.
#[inline(always)]
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // Whatever a panic leaves half-done belongs to the one request, and is dropped with it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "with a value that is no text".to_owned())
}
