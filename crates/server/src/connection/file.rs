//! A body that the system sends by itself out of a file.
//!
//! The loop never waits for the disk here: a part goes to the socket when it is in the system's cache, and a thread has it
//! come there first if it is not. Nor does it copy for long: a part is [`CHUNK`] bytes at most, and each counts as work.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use squall_http::{BodyError, FileSlice};
use squall_ioloop::files::is_cached;
use squall_ioloop::{IoLoop, Submitted};

use super::exchange::{Halt, Stage};
use super::failure::Failure;
use super::{ATTACHED, Connection};
use crate::file::{FileBody, ended_early, fetch};

/// Bytes that are sent in one go, some 100 µs of work.
const CHUNK: u64 = 512 * 1024;

/// A file on its way.
pub(super) struct Sending {
    slice: FileSlice,
    /// Bytes that can be sent without waiting for the disk.
    cached: u64,
    /// A thread has the next ones come into the cache.
    fetching: Option<Submitted<io::Result<()>>>,
}

impl Sending {
    pub(super) fn new(slice: FileSlice) -> Self {
        Self {
            slice,
            cached: 0,
            fetching: None,
        }
    }

    /// Waits until the next bytes are in the cache.
    fn poll_cached(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        if self.cached > 0 {
            return Poll::Ready(Ok(()));
        }
        let FileSlice {
            file,
            offset,
            length,
        } = &self.slice;
        let (offset, count) = (*offset, (*length).min(CHUNK));
        let fetching = match &mut self.fetching {
            Some(fetching) => fetching,
            None if is_cached(file, offset, count).map_err(BodyError::other)? => {
                self.cached = count;
                return Poll::Ready(Ok(()));
            }
            nobody => {
                let file = Arc::clone(file);
                let job = move || fetch(&file, offset, count);
                nobody.insert(IoLoop::current().run_in_executor(None, job))
            }
        };
        let fetched = ready!(Pin::new(fetching).poll(cx));
        self.fetching = None;
        fetched
            .map_err(BodyError::other)?
            .map_err(BodyError::other)?;
        self.cached = count;
        Poll::Ready(Ok(()))
    }

    /// Notes that so many bytes have left.
    fn note(&mut self, count: u64) {
        self.slice.offset += count;
        self.slice.length -= count;
        self.cached = self.cached.saturating_sub(count);
    }
}

impl Connection {
    /// Sends one part of a file; `None` if there is more to do at once.
    pub(super) fn advance_file(&mut self, cx: &mut Context<'_>) -> Result<Option<Halt>, Failure> {
        if self.output.len() > 0 {
            return Ok(Some(Halt::Behind));
        }
        let Stage::File(sending) = &mut self.exchanging.stage else {
            return Ok(None);
        };
        if sending.slice.length == 0 {
            self.end_answer()?;
            return Ok(None);
        }
        match sending.poll_cached(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(err)) => return Err(self.broken(&err)),
            Poll::Pending => return Ok(Some(Halt::Waiting)),
        }
        let stream = self.stream.as_mut().expect(ATTACHED);
        let FileSlice { file, offset, .. } = &sending.slice;
        // A chunk fits into any address.
        let count = usize::try_from(sending.cached).unwrap_or(usize::MAX);
        match stream.poll_send_file(cx, file, *offset, count) {
            Poll::Ready(Ok(0)) => {
                let missing = sending.slice.length;
                Err(self.broken(&ended_early(missing)))
            }
            Poll::Ready(Ok(count)) => {
                sending.note(count as u64);
                self.output.note_past(count);
                // The length is known and is what frames it, so nothing goes before a part; it is only counted.
                let counted = self.encoder.data_start(&mut Vec::new(), count);
                counted.map_err(|err| self.broken(&err))?;
                self.count_bytes(count);
                Ok(None)
            }
            Poll::Ready(Err(err)) if cannot_be_sent(&err) => {
                let rest = FileBody::of(sending.slice.clone());
                self.exchanging.stage = Stage::Sending {
                    piece: Bytes::new(),
                    stream: Some(Box::pin(rest)),
                };
                Ok(None)
            }
            Poll::Ready(Err(err)) => Err(err.into()),
            Poll::Pending => {
                // Until there is room again, others may have driven it out of the cache.
                sending.cached = 0;
                Ok(Some(Halt::Blocked))
            }
        }
    }
}

/// Whether it is the file, or its system, that has no such thing, so that it must be read.
fn cannot_be_sent(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}
