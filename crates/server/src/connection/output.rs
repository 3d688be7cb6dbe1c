//! The writing side of a connection.
//!
//! Answers are encoded into one buffer and leave when the connection would wait, so those to pipelined requests share a
//! write. A connection that has nothing to write has no buffer either: the thread keeps the last one for the next user.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use squall_net::IoStream;
use tokio::io::AsyncWrite;

use super::failure::Failure;
use crate::deadline::Deadline;

/// Bytes that may wait to be written before producing more has to wait; what one step produces may come on top.
pub(super) const HIGH_WATER: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[derive(Debug, Default)]
pub(super) struct Output {
    buffer: Vec<u8>,
    /// How many bytes of `buffer` are written already.
    written: usize,
    /// Runs while the client takes too little.
    pub(super) stalled: Deadline,
    /// How many bytes are not too little.
    enough: u64,
}

impl Output {
    /// Makes one whose time limit starts over after so many bytes.
    pub(super) fn new(enough: u64) -> Self {
        Self {
            enough,
            ..Self::default()
        }
    }

    /// The buffer to append to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.buffer.capacity() == 0 {
            self.buffer = SPARE.take();
        }
        &mut self.buffer
    }

    /// Returns how many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.written
    }

    pub(super) fn has_room(&self) -> bool {
        self.len() < HIGH_WATER
    }

    /// Writes until nothing waits.
    pub(super) fn poll_flush(
        &mut self,
        stream: &mut IoStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        if !self.buffer.is_empty() && self.written == 0 && stream.can_park() {
            // Most answers find room at once, and nobody need wait to learn that.
            match stream.try_write(&self.buffer) {
                Ok(count) if count == self.buffer.len() && !stream.holds_back() => {
                    self.release();
                    return Poll::Ready(Ok(()));
                }
                Ok(count) => self.note(count),
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                Err(err) => return Poll::Ready(Err(err.into())),
            }
        }
        while self.written < self.buffer.len() {
            let rest = &self.buffer[self.written..];
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
            }
            self.note(count);
        }
        if self.buffer.capacity() > 0 {
            // A secured stream may hold back some of what it took.
            let released = stream.released();
            if Pin::new(&mut *stream).poll_flush(cx)?.is_pending() {
                // What the client took of it is progress like any other. It was progress already when the stream took it, so
                // that as much as it holds back, up to 64 KiB, counts twice against the least rate. This is laxer on purpose:
                // the stream takes so much ahead at once, when the time limit has hardly begun, so it wins no more than one
                // start of it.
                match stream.released() - released {
                    0 => {}
                    count => self.stalled.progress(count, self.enough),
                }
                return Poll::Pending;
            }
            self.release();
        }
        Poll::Ready(Ok(()))
    }

    /// Notes that so many bytes have left.
    fn note(&mut self, count: usize) {
        self.written += count;
        self.stalled.progress(count as u64, self.enough);
        if self.written >= HIGH_WATER {
            self.buffer.drain(..self.written);
            self.written = 0;
        }
    }

    /// Notes that so many bytes have left that were never in the buffer, which is empty.
    pub(super) fn note_past(&mut self, count: usize) {
        self.stalled.progress(count as u64, self.enough);
    }

    fn release(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.stalled.restart();
        self.written = 0;
        if buffer.capacity() <= 2 * HIGH_WATER {
            buffer.clear();
            SPARE.set(buffer);
        }
    }
}
