//! The reading side of a connection.
//!
//! Bytes are decoded where they were read, in the loop's shared buffer; a connection keeps only what is left of them, so
//! one that waits for a request keeps nothing.

use std::cell::Cell;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use squall_http::h1::{Event, Limits, ParseError, RequestDecoder, RequestHead, Trailers};
use squall_net::IoStream;

use super::failure::Failure;

/// Bytes that are read ahead of what the service has asked for, so that a client that leaves is noticed.
const READ_AHEAD: usize = 64 * 1024;

/// Bytes beyond which the memory for undecoded bytes is not kept.
const SPARE_BYTES: usize = 2 * READ_AHEAD;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[derive(Debug)]
pub(super) struct Input {
    decoder: RequestDecoder,
    /// Read; what is before `at` has been decoded.
    tail: Vec<u8>,
    at: usize,
    /// The client has shut down its writing side.
    ended: bool,
    /// The client is, or may be, in the middle of a message.
    midway: bool,
}

/// One step of a request, owned.
#[derive(Debug)]
pub(super) enum Step {
    /// The client ended the connection between two requests.
    Closed,
    Data(Bytes),
    End(Trailers),
    Head(RequestHead),
}

impl Step {
    /// Returns how many bytes of a body it brings.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Data(piece) => piece.len(),
            Self::Closed | Self::End(_) | Self::Head(_) => 0,
        }
    }
}

impl Input {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            decoder: RequestDecoder::new(limits),
            tail: Vec::new(),
            at: 0,
            ended: false,
            midway: false,
        }
    }

    /// Returns the next step, reading as needed.
    pub(super) fn poll_step(
        &mut self,
        stream: &mut IoStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Step, Failure>> {
        loop {
            if let Some(step) = self.decode_tail()? {
                return Poll::Ready(Ok(step));
            }
            if self.ended {
                self.decoder.finish()?;
                return Poll::Ready(Ok(Step::Closed));
            }
            let read = stream.poll_read_with(cx, |bytes| self.take(bytes));
            if let Some(step) = ready!(read)?? {
                return Poll::Ready(Ok(step));
            }
        }
    }

    /// Returns the head of the next request if it has come; never waits. `None` also when the stream has failed or ended,
    /// which [`poll_step`](Self::poll_step) will tell.
    pub(super) fn next_head(
        &mut self,
        stream: &mut IoStream,
    ) -> Result<Option<RequestHead>, Failure> {
        if !self.rest().is_empty() {
            let decoded = self.decoder.next_head(&self.tail[self.at..]);
            let (used, head) = self.noting(decoded)?;
            self.at += used;
            if self.at == self.tail.len() {
                self.forget();
            }
            return Ok(head);
        }
        if self.ended || !self.decoder.is_idle() || !stream.is_readable() {
            return Ok(None);
        }
        match stream.try_read_with(|bytes| self.take_head(bytes)) {
            Ok(head) => Ok(head?),
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(err) => Err(err.into()),
        }
    }

    /// Decodes the head in freshly read bytes in place, and keeps the rest.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<RequestHead>, ParseError> {
        self.ended = bytes.is_empty();
        let decoded = self.decoder.next_head(bytes);
        let (used, head) = self.noting(decoded)?;
        self.keep(&bytes[used..]);
        Ok(head)
    }

    /// Notes whether a step leaves the client in the middle of a message.
    fn noting(&mut self, decoded: NextHead) -> NextHead {
        self.midway |= !matches!(decoded, Ok((_, None)));
        decoded
    }

    /// Takes a whole body of `length` bytes, if it has come already together with its head.
    pub(super) fn whole_body(&mut self, length: u64) -> Result<Option<Bytes>, ParseError> {
        if (self.rest().len() as u64) < length {
            return Ok(None);
        }
        let mut whole = Bytes::new();
        while let Some(step) = self.decode_tail()? {
            match step {
                Step::Data(piece) if whole.is_empty() => whole = piece,
                Step::Data(piece) => whole = [whole, piece].concat().into(),
                _ => break,
            }
        }
        Ok(Some(whole))
    }

    /// Reads ahead until there is nothing to read, too much is waiting, or the client has left; ready only for the last.
    pub(super) fn poll_left(
        &mut self,
        stream: &mut IoStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        while !self.ended && self.rest().len() < READ_AHEAD {
            ready!(stream.poll_read_with(cx, |bytes| {
                self.ended = bytes.is_empty();
                self.keep(bytes);
            }))?;
        }
        if self.ended {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Reads once and throws away what has come; says how many bytes, none at the end of the stream.
    pub(super) fn poll_discard(
        &mut self,
        stream: &mut IoStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Failure>> {
        self.forget();
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        let count = ready!(stream.poll_read_with(cx, <[u8]>::len))?;
        self.ended = count == 0;
        Poll::Ready(Ok(count))
    }

    /// Takes what was read and belongs to no message: the first bytes of another protocol.
    pub(super) fn take_unread(&mut self) -> Bytes {
        let unread = Bytes::copy_from_slice(self.rest());
        self.forget();
        unread
    }

    /// Becomes as new; nothing of a request may have come.
    pub(super) fn renew_idle(&mut self) {
        debug_assert!(self.is_idle(), "a request is under way");
        self.decoder.forget_empty_lines();
    }

    /// Says whether nothing of the next request has come.
    pub(super) fn is_idle(&self) -> bool {
        self.rest().is_empty() && self.decoder.is_idle()
    }

    /// Says whether the client may have more to send than it was read.
    pub(super) fn is_unread(&self) -> bool {
        !self.ended && (self.midway || !self.rest().is_empty())
    }

    /// Says whether bytes of the body at hand wait to be decoded.
    pub(super) fn has_bytes(&self) -> bool {
        !self.rest().is_empty()
    }

    /// Says whether the client has shut down its writing side, and everything it sent was decoded.
    pub(super) fn is_exhausted(&self) -> bool {
        self.ended && self.rest().is_empty()
    }

    /// Goes on to the next request if the current one has no body; says whether it did.
    pub(super) fn skip_end(&mut self) -> bool {
        let skipped = self.decoder.skip_end();
        self.midway &= !skipped;
        skipped
    }

    fn rest(&self) -> &[u8] {
        &self.tail[self.at..]
    }

    fn decode_tail(&mut self) -> Result<Option<Step>, ParseError> {
        if self.is_idle() {
            return Ok(None);
        }
        let decoded = self.decoder.decode(&self.tail[self.at..]);
        let (used, step) = own(decoded, &mut self.midway)?;
        self.at += used;
        if self.at == self.tail.len() {
            self.forget();
        }
        Ok(step)
    }

    /// Decodes freshly read bytes in place, and keeps the rest.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Step>, ParseError> {
        self.ended = bytes.is_empty();
        if !self.rest().is_empty() || self.ended {
            self.keep(bytes);
            return Ok(None);
        }
        let decoded = self.decoder.decode(bytes);
        let (used, step) = own(decoded, &mut self.midway)?;
        self.keep(&bytes[used..]);
        Ok(step)
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.tail.capacity() == 0 {
            self.tail = SPARE.take();
        }
        if self.at > 0 {
            self.tail.drain(..self.at);
            self.at = 0;
        }
        self.tail.extend_from_slice(bytes);
    }

    /// Throws away what was read, and leaves the memory to the next connection that needs some.
    fn forget(&mut self) {
        let mut tail = std::mem::take(&mut self.tail);
        self.at = 0;
        if tail.capacity() > 0 && tail.capacity() <= SPARE_BYTES {
            tail.clear();
            SPARE.set(tail);
        }
    }
}

type NextHead = Result<(usize, Option<RequestHead>), ParseError>;

type Decoded<'a> = Result<(usize, Option<Event<'a, RequestHead>>), ParseError>;

/// Makes a decoded step independent of its input, and notes whether it leaves the client in the middle of a message.
fn own(decoded: Decoded<'_>, midway: &mut bool) -> Result<(usize, Option<Step>), ParseError> {
    let (used, event) = decoded.inspect_err(|_| *midway = true)?;
    let step = event.map(|event| match event {
        Event::Data(bytes) => Step::Data(Bytes::copy_from_slice(bytes)),
        Event::End(trailers) => Step::End(trailers),
        Event::Head(head) => Step::Head(head),
    });
    if let Some(step) = &step {
        *midway = !matches!(step, Step::End(_));
    }
    Ok((used, step))
}
