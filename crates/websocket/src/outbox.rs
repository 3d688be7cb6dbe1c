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
    /// Stays whatever is thrown away.
    Control(Vec<u8>),
    Shared(Bytes),
}

/// What frames are to a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Those of a queue of which nothing is thrown away: they may share a chunk with others.
    Any,
    /// A message that may be thrown away, alone.
    Message,
    /// A ping, a pong or a goodbye among such messages, which is waited for and stays.
    Control,
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) | Self::Control(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Outbox {
    /// Returns how many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Appends frames that `write` appends to the vector it is given.
    pub(crate) fn append(&mut self, kind: Kind, write: impl FnOnce(&mut Vec<u8>)) {
        let last = match (kind, self.chunks.back_mut()) {
            (Kind::Any, Some(Chunk::Own(last))) => Some(last),
            (Kind::Control, Some(Chunk::Control(last))) => Some(last),
            _ => None,
        };
        if let Some(last) = last
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
        self.chunks.push_back(match kind {
            Kind::Any | Kind::Message => Chunk::Own(chunk),
            Kind::Control => Chunk::Control(chunk),
        });
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
            if let Some(Chunk::Own(mut bytes) | Chunk::Control(mut bytes)) = self.chunks.pop_front()
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

    /// Throws the oldest messages away, but for a chunk that has begun to be sent, until at most `most` bytes wait or nothing
    /// is left to throw away; answers whether there is that much room now.
    pub(crate) fn make_room(&mut self, most: usize) -> bool {
        let begun = usize::from(self.sent > 0);
        // They become one, so that however many there are, each is passed over once.
        let mut controls: Option<Vec<u8>> = None;
        while self.bytes > most
            && let Some(chunk) = self.chunks.remove(begun)
        {
            match (chunk, &mut controls) {
                (Chunk::Control(bytes), Some(controls)) => controls.extend_from_slice(&bytes),
                (Chunk::Control(bytes), None) => controls = Some(bytes),
                (message, _) => self.bytes -= message.bytes().len(),
            }
        }
        if let Some(controls) = controls {
            self.chunks.insert(begun, Chunk::Control(controls));
        }
        self.bytes <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(outbox: &mut Outbox, kind: Kind, text: &str) {
        outbox.append(kind, |chunk| chunk.extend_from_slice(text.as_bytes()));
    }

    /// Sends all, up to so many bytes at a time.
    fn sent(outbox: &mut Outbox, step: usize) -> String {
        let mut left = Vec::new();
        while let Some(front) = outbox.front() {
            let count = front.len().min(step);
            left.extend_from_slice(&front[..count]);
            outbox.advance(count);
        }
        assert_eq!(outbox.len(), 0);
        String::from_utf8(left).expect("text")
    }

    #[test]
    fn frames_leave_in_their_order_however_they_are_cut() {
        for step in 1..12 {
            let mut outbox = Outbox::default();
            frame(&mut outbox, Kind::Any, "one");
            frame(&mut outbox, Kind::Any, "two");
            outbox.share(Bytes::from_static(b"three"));
            frame(&mut outbox, Kind::Any, "four");
            assert_eq!(sent(&mut outbox, step), "onetwothreefour");
        }
    }

    #[test]
    fn the_oldest_go_but_for_the_one_that_has_begun() {
        let mut outbox = Outbox::default();
        for text in ["first", "second", "third"] {
            frame(&mut outbox, Kind::Message, text);
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

    #[test]
    fn control_frames_stay_in_their_order_and_become_one_chunk() {
        for begun in [false, true] {
            let mut outbox = Outbox::default();
            for number in 0..50 {
                frame(&mut outbox, Kind::Message, "message");
                frame(&mut outbox, Kind::Control, &format!("<{number}"));
                frame(&mut outbox, Kind::Control, ">");
            }
            let first = if begun { "essage" } else { "" };
            outbox.advance(usize::from(begun));
            assert!(!outbox.make_room(0));
            assert_eq!(outbox.chunks.len(), 1 + usize::from(begun));
            frame(&mut outbox, Kind::Message, "newer");
            frame(&mut outbox, Kind::Control, "<last>");
            assert!(!outbox.make_room(0));
            let controls: String = (0..50).map(|number| format!("<{number}>")).collect();
            assert_eq!(outbox.len(), first.len() + controls.len() + 6);
            assert_eq!(sent(&mut outbox, 4), format!("{first}{controls}<last>"));
        }
    }

    #[test]
    fn no_more_messages_go_than_room_is_needed() {
        let mut outbox = Outbox::default();
        frame(&mut outbox, Kind::Control, "ping");
        for text in ["first", "second", "third"] {
            frame(&mut outbox, Kind::Message, text);
        }
        assert!(outbox.make_room(16));
        assert_eq!(sent(&mut outbox, 100), "pingsecondthird");
    }
}
