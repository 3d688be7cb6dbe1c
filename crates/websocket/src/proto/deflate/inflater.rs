//! Messages made whole again.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::{History, LARGEST_WINDOW, TAIL};
use crate::proto::ProtocolError;

/// How many blocks of a message may call themselves the last one, and one more for each [`BYTES_A_FINAL`]: an honest
/// message has one at most, and to go on behind it costs a copy of the window.
const FINALS: usize = 8;
/// Bytes of compressed payload for which one more final block is allowed.
const BYTES_A_FINAL: usize = 256;

/// Bytes of output that there is room for at first.
const LEAST_ROOM: usize = 64;
/// Bytes that a message is guessed to grow by at most, before it is seen to.
const MOST_GUESSED: usize = 16 * 1024;

/// Decompresses messages, those of any number of connections, one after the other.
///
/// It follows references over 32 KiB, the largest window there is, thus whatever was agreed on.
pub struct Inflater {
    stream: Decompress,
}

impl Inflater {
    /// Makes one.
    pub fn new() -> Self {
        Self {
            stream: Decompress::new(false),
        }
    }

    /// Appends to `out` the message that came as `payload`, the payload of all its frames.
    ///
    /// With a history the message may refer to those before, and is remembered itself. Without one it has to stand
    /// alone.
    ///
    /// Work and memory are linear in the payload and in what it becomes, and `out` never grows by more than `limit` and
    /// one byte. An empty payload is an empty message: a peer whose deflater had nothing to flush sends that in place
    /// of the byte 0x00 of RFC 7692 section 7.2.3.6.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::MessageTooLong`] if the message has more bytes than `limit`, and [`ProtocolError::BadDeflate`]
    /// if it is no DEFLATE (RFC 1951), refers to what was not sent, or ends inside of a block. Then `out` and `history`
    /// are as they were, and the inflater is ready for another connection; this one has to end.
    pub fn inflate(
        &mut self,
        payload: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
        history: Option<&mut History>,
    ) -> Result<(), ProtocolError> {
        if payload.is_empty() {
            return Ok(());
        }
        let mut message = Message {
            start: out.len(),
            out,
            limit,
            history: history.as_deref(),
            finals: FINALS + payload.len() / BYTES_A_FINAL,
        };
        self.load(&[], message.history)?;
        let whole = self.run(payload, &mut message);
        let start = message.start;
        if let Err(err) = whole {
            out.truncate(start);
            return Err(err);
        }
        if let Some(history) = history {
            history.push(&out[start..]);
        }
        Ok(())
    }

    /// Decompresses the payload and the tail that was not sent.
    fn run(&mut self, payload: &[u8], message: &mut Message<'_>) -> Result<(), ProtocolError> {
        // A peer that finishes its stream for each message may forget the byte behind (RFC 7692 section 7.2.3.4).
        // Nothing is missing then.
        if self.feed(payload, message)? {
            return Ok(());
        }
        let length = message.out.len();
        // A final block shows whether the message ends where a block does. The stream does not go on behind it, so the
        // next message begins one of its own, also where it is the same connection's: what is right must not depend on
        // who else was served in between.
        let ended = self.feed(&TAIL, message)? || self.feed(&FINAL, message)?;
        // The tail has no bytes, unless a block that is not complete takes it for its own.
        if !ended || message.out.len() != length {
            return Err(ProtocolError::BadDeflate);
        }
        Ok(())
    }

    /// Decompresses all of `input`; whether it has ended with a final block.
    fn feed(&mut self, mut input: &[u8], message: &mut Message<'_>) -> Result<bool, ProtocolError> {
        loop {
            message.make_room(input.len());
            let before = self.stream.total_in();
            let status = self
                .stream
                .decompress_vec(input, message.out, FlushDecompress::None)
                .map_err(|_| ProtocolError::BadDeflate)?;
            input = &input[(self.stream.total_in() - before) as usize..];
            if message.out.len() - message.start > message.limit {
                return Err(ProtocolError::MessageTooLong {
                    limit: message.limit,
                });
            }
            match status {
                Status::StreamEnd if input.is_empty() => return Ok(true),
                Status::StreamEnd => {
                    message.finals = message
                        .finals
                        .checked_sub(1)
                        .ok_or(ProtocolError::BadDeflate)?;
                    self.load(&message.out[message.start..], message.history)?;
                }
                // There was room for more, so there is nothing more to come out.
                _ if input.is_empty() && message.out.len() < message.out.capacity() => {
                    return Ok(false);
                }
                _ => {}
            }
        }
    }

    /// Begins a stream behind what the history remembers and the part of this message that has already come out.
    fn load(&mut self, message: &[u8], history: Option<&History>) -> Result<(), ProtocolError> {
        self.stream.reset(false);
        let window = 1 << LARGEST_WINDOW;
        let [older, newer] = history.map(History::pieces).unwrap_or_default();
        for piece in [older, newer, message] {
            let piece = &piece[piece.len().saturating_sub(window)..];
            if !piece.is_empty() {
                self.stream
                    .set_dictionary(piece)
                    .map_err(|_| ProtocolError::BadDeflate)?;
            }
        }
        Ok(())
    }
}

/// A final block without bytes: a stored one, as the [`TAIL`] is the rest of.
const FINAL: [u8; 5] = [0x01, 0x00, 0x00, 0xff, 0xff];

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}

/// What is told of a message while it is decompressed.
struct Message<'a> {
    out: &'a mut Vec<u8>,
    /// Where it begins in `out`.
    start: usize,
    limit: usize,
    history: Option<&'a History>,
    /// How many more final blocks are allowed.
    finals: usize,
}

impl Message<'_> {
    /// Makes room for one byte at least: for a guess at first, then for as much again as there is, and for one byte
    /// above the limit at most, which shows that there is more.
    fn make_room(&mut self, input: usize) {
        if self.out.len() < self.out.capacity() {
            return;
        }
        let length = self.out.len() - self.start;
        let guess = input
            .saturating_mul(4)
            .min(input.saturating_add(MOST_GUESSED));
        let room = length.max(guess).max(LEAST_ROOM);
        let most = self.limit.saturating_add(1) - length;
        self.out.reserve_exact(room.min(most));
    }
}
