//! What waits for a connection to take it.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::common::{self, Common};

/// Up to so many bytes, frames that follow each other are put together, so that they leave in one write.
const JOINED: usize = 16 * 1024;

/// The frames that a connection has not taken yet; each chunk is one or several whole frames.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    chunks: VecDeque<Chunk>,
    /// Bytes of the first chunk that have been sent.
    sent: usize,
    /// Bytes that have not been sent.
    bytes: usize,
    /// The memory of a chunk that has been sent, for the next one.
    spare: Vec<u8>,
    /// When something was last sent, in milliseconds of the thread's coarse clock.
    pub(crate) moved: u32,
}

#[derive(Debug)]
enum Chunk {
    Own(Vec<u8>),
    Shared(Bytes),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Outbox {
    /// Returns how many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Appends frames that `write` appends to the vector it is given; `join`: they may share a chunk with earlier ones.
    pub(crate) fn append(&mut self, join: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Chunk::Own(last)) = self.chunks.back_mut()
            && join
            && last.len() < JOINED
        {
            let before = last.len();
            write(last);
            self.bytes += last.len() - before;
            return;
        }
        let mut chunk = std::mem::take(&mut self.spare);
        write(&mut chunk);
        self.bytes += chunk.len();
        self.chunks.push_back(Chunk::Own(chunk));
    }

    /// Appends frames that others send too.
    pub(crate) fn share(&mut self, frames: Bytes) {
        self.bytes += frames.len();
        self.chunks.push_back(Chunk::Shared(frames));
    }

    /// Returns what is to be sent next; nothing when all has been.
    pub(crate) fn front(&self) -> Option<&[u8]> {
        let chunk = self.chunks.front()?;
        Some(&chunk.bytes()[self.sent..])
    }

    /// Notes that so many bytes of the front have been sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.bytes -= count;
        self.sent += count;
        if let Some(chunk) = self.chunks.front()
            && chunk.bytes().len() == self.sent
        {
            if let Some(Chunk::Own(mut bytes)) = self.chunks.pop_front()
                && bytes.capacity() <= JOINED
            {
                bytes.clear();
                self.spare = bytes;
            }
            self.sent = 0;
        }
    }

    /// Notes that so many bytes have left which a secured stream had taken before: its reader makes way.
    pub(crate) fn note_released(&mut self, count: u64) {
        if count > 0 {
            self.moved = common::with(Common::now);
        }
    }

    /// Throws the oldest chunks away, but for one that has begun to be sent, until at most `most` bytes wait or nothing is
    /// left to throw away; answers whether there is that much room now.
    pub(crate) fn make_room(&mut self, most: usize) -> bool {
        let begun = usize::from(self.sent > 0);
        while self.bytes > most && self.chunks.len() > begun {
            if let Some(chunk) = self.chunks.remove(begun) {
                self.bytes -= chunk.bytes().len();
            }
        }
        self.bytes <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(outbox: &mut Outbox, join: bool, text: &str) {
        outbox.append(join, |chunk| chunk.extend_from_slice(text.as_bytes()));
    }

    #[test]
    fn frames_leave_in_their_order_however_they_are_cut() {
        for step in 1..12 {
            let mut outbox = Outbox::default();
            frame(&mut outbox, true, "one");
            frame(&mut outbox, true, "two");
            outbox.share(Bytes::from_static(b"three"));
            frame(&mut outbox, true, "four");
            let mut left = Vec::new();
            while let Some(front) = outbox.front() {
                let count = front.len().min(step);
                left.extend_from_slice(&front[..count]);
                outbox.advance(count);
            }
            assert_eq!(left, b"onetwothreefour");
            assert_eq!(outbox.len(), 0);
        }
    }

    #[test]
    fn the_oldest_go_but_for_the_one_that_has_begun() {
        let mut outbox = Outbox::default();
        for text in ["first", "second", "third"] {
            frame(&mut outbox, false, text);
        }
        outbox.advance(2);
        assert!(outbox.make_room(8));
        assert_eq!(outbox.front(), Some(&b"rst"[..]));
        outbox.advance(3);
        assert_eq!(outbox.front(), Some(&b"third"[..]));
        outbox.advance(1);
        assert!(!outbox.make_room(0));
        assert_eq!(outbox.front(), Some(&b"hird"[..]));
    }
}
