//! Messages made smaller.

use std::fmt;

use flate2::{Compress, Compression, FlushCompress};

use super::history::Stamp;
use super::{History, LARGEST_WINDOW, SMALLEST_WINDOW, TAIL};

/// Bytes of output that there is room for at first. It is more than the end of a flush takes: zlib writes another one
/// where it finds no room behind the first.
const LEAST_ROOM: usize = 64;
/// Bytes that a message may become longer by in order to be remembered.
const INVESTED: usize = 2;

/// Compresses messages, those of any number of connections, one after the other.
pub struct Deflater {
    stream: Compress,
    /// What is in the window of `stream`.
    stamp: Stamp,
}

impl Deflater {
    /// Makes one that refers back 2^`window_bits` bytes at most, and takes the trouble of `level`, from 1, fastest, to
    /// 9, smallest. What is outside of that means the nearest.
    ///
    /// A window of 9 bits serves for one of 8, which zlib does not make: deflate looks ahead for 262 bytes and refers
    /// back by so many less than its window has, thus by 250 at 9 bits, which a peer with 256 can follow.
    pub fn new(window_bits: u8, level: u32) -> Self {
        let bits = window_bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        let level = Compression::new(level.clamp(1, 9));
        Self {
            stream: Compress::new_with_window_bits(level, false, bits),
            stamp: Stamp::first(),
        }
    }

    /// Appends to `out` the payload of a frame that carries `message` compressed, and returns whether it did. Where that
    /// does not pay, `out` and `history` are left as they were, and the message is to be sent as it is, without the bit
    /// that says compressed: each message has the choice (RFC 7692 section 6). So it is with an empty one.
    ///
    /// Without a history the message stands alone, and it pays if the payload is shorter. With one it may refer to those
    /// before and is remembered itself, so that two bytes more are accepted: text without anything to refer to takes as
    /// many, and the next one that is like it will be short. Noise takes more and is not remembered.
    #[must_use = "a message for which it does not pay is to be sent as it is"]
    pub fn deflate(
        &mut self,
        message: &[u8],
        out: &mut Vec<u8>,
        history: Option<&mut History>,
    ) -> bool {
        if message.is_empty() {
            return false;
        }
        let start = out.len();
        self.load(history.as_deref());
        self.run(message, out);
        let stamp = self.stamp.next();
        let most = match history {
            Some(_) => message.len() + INVESTED,
            None => message.len() - 1,
        };
        if out.len() - start > most {
            out.truncate(start);
            return false;
        }
        if let Some(history) = history {
            history.push(message);
            history.set_stamp(stamp);
        }
        true
    }

    /// Prepares the window: nothing is in it, or what the history remembers.
    fn load(&mut self, history: Option<&History>) {
        if history.is_some_and(|history| history.stamp() == self.stamp) {
            return;
        }
        self.stream.reset();
        let pieces = history.map(History::pieces).unwrap_or_default();
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            self.stream
                .set_dictionary(piece)
                .expect("a raw stream that has read nothing takes a dictionary");
        }
    }

    /// Compresses to the end, even where it is clear before that it does not pay: zlib-rs 0.6 cannot be reset while it
    /// has output that was not fetched. The tail is taken off.
    fn run(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let mut rest = message;
        let mut room = LEAST_ROOM + message.len() / 4;
        loop {
            out.reserve_exact(room);
            let before = self.stream.total_in();
            self.stream
                .compress_vec(rest, out, FlushCompress::Sync)
                .expect("a raw stream that was not finished goes on");
            rest = &rest[(self.stream.total_in() - before) as usize..];
            // With room left there is nothing more to come.
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            room *= 2;
        }
        debug_assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}
