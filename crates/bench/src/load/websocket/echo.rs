//! Echo: each connection sends texts of its own, so that none can be taken for another's or for an earlier one.

use super::super::answer::shown;
use super::super::ws::frame::{self, Message};
use super::link::Stage;
use super::{Driver, Failure, Phase};

/// What a text consists of beside its numbers; no server can guess where in it a frame ends.
const WORDS: &[u8] = b"the quick brown fox jumps over the lazy dog, ";

/// Writes text `turn` of connection `slot` into `out`, which is as long as it is to be, at least 16 bytes.
pub(super) fn compose(out: &mut [u8], slot: usize, turn: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let number = (slot as u64) << 32 | turn & 0xffff_ffff;
    for (place, digit) in out[..16].iter_mut().enumerate() {
        *digit = DIGITS[(number >> (60 - 4 * place) & 15) as usize];
    }
    for piece in out[16..].chunks_mut(WORDS.len()) {
        piece.copy_from_slice(&WORDS[..piece.len()]);
    }
}

impl Driver {
    /// Sends the first texts of the load.
    pub(super) fn begin_echo(&mut self, now: u64) -> Result<(), Failure> {
        for slot in 0..self.links.len() {
            self.output.clear();
            for _ in 0..self.options.pipeline {
                self.say_text(slot, now);
            }
            self.write_output(slot)?;
        }
        Ok(())
    }

    /// Puts a connection's next text into the output.
    #[inline]
    pub(super) fn say_text(&mut self, slot: usize, now: u64) {
        let link = &mut self.links[slot];
        let mut text = std::mem::take(&mut self.broadcast.text);
        text.resize(self.options.websockets.payload, 0);
        compose(&mut text, slot, link.sent);
        link.sent += 1;
        link.times.push_back(now);
        self.put(frame::TEXT, &text);
        self.broadcast.text = text;
    }

    /// A text has come back.
    #[inline]
    pub(super) fn came_back(
        &mut self,
        slot: usize,
        message: Message<'_>,
        now: u64,
    ) -> Result<(), String> {
        let link = &mut self.links[slot];
        let turn = link.echoed;
        let Some(sent) = link.times.pop_front() else {
            return Err(format!(
                "a message that nobody asked for: {}",
                shown(message.payload)
            ));
        };
        link.echoed += 1;
        let mut text = std::mem::take(&mut self.broadcast.text);
        text.resize(self.options.websockets.payload, 0);
        compose(&mut text, slot, turn);
        let right = self.is_text(message, &text);
        self.broadcast.text = text;
        right?;
        if self.links[slot].stage == Stage::Greeting {
            self.greeted(slot);
            return Ok(());
        }
        if self.window.contains(&now) {
            self.report.requests += 1;
            self.report.latency.record(now - sent, 1);
        }
        if self.phase == Phase::Loading {
            self.say_text(slot, now);
        }
        Ok(())
    }

    /// Whether a message says `text`; it may be compressed, and need not.
    fn is_text(&mut self, message: Message<'_>, text: &[u8]) -> Result<(), String> {
        let found = match message.deflated {
            true => self.inflater.inflate(message.payload)?,
            false => message.payload,
        };
        if found == text {
            return Ok(());
        }
        Err(format!(
            "a text came back as {} instead of {}",
            shown(found),
            shown(text)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_tell_connections_and_turns_apart() {
        let text = |slot, turn, length| {
            let mut out = vec![0; length];
            compose(&mut out, slot, turn);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(10, 255, 20), "0000000a000000ffthe ");
        assert_eq!(text(0, 0, 64).len(), 64);
        assert_ne!(text(1, 0, 64), text(0, 1, 64));
        assert!(text(0, 0, 200).contains("lazy dog, the quick"));
    }
}
