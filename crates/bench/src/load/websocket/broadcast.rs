//! Broadcast: one connection asks, and the server sends to all. Messages are numbered by the server, so that one that
//! is lost, doubled or late shows at the next one of the same connection.

use super::super::answer::shown;
use super::super::histogram::Histogram;
use super::super::options::Options;
use super::super::ws::frame::{self, Message};
use super::inflate::Inflater;
use super::{Driver, Failure, Phase};

/// Digits of a message's number.
const DIGITS: usize = 16;

/// What was asked for, and what has come of it.
#[derive(Debug)]
pub(super) struct Broadcast {
    /// The message, with zeros for its number at `number_at`.
    template: Vec<u8>,
    number_at: usize,
    /// The number of the first message of the run; the server's count may have begun before.
    first: Option<u64>,
    /// Messages that each connection should have had.
    published: u64,
    /// Of those, how many have not come, over all connections that read.
    missing: u64,
    asked_at: u64,
    /// Of what has come since then.
    latency: Histogram,
    /// Messages of the last time the server was asked as they were compressed, and found right: most servers
    /// compress once for all.
    known: Vec<Vec<u8>>,
    /// A text that is being composed.
    pub(super) text: Vec<u8>,
}

impl Broadcast {
    pub(super) fn new(options: &Options) -> Self {
        let template = options.expect_body.clone().unwrap_or_default();
        let zeros = |digits: &[u8]| digits == [b'0'; DIGITS];
        Self {
            number_at: template.windows(DIGITS).position(zeros).unwrap_or_default(),
            template,
            first: None,
            published: 0,
            missing: 0,
            asked_at: 0,
            latency: Histogram::new(),
            known: vec![Vec::new(); options.websockets.publish as usize],
            text: Vec::new(),
        }
    }

    pub(super) fn missing(&self) -> u64 {
        self.missing
    }

    pub(super) fn asked_at(&self) -> u64 {
        self.asked_at
    }

    /// Whether `found` is the message that is `turn` places behind the first one of the run.
    #[inline]
    fn is_right(&mut self, turn: u64, found: &[u8]) -> Result<(), String> {
        let digits = found.get(self.number_at..self.number_at + DIGITS);
        let digits = digits.unwrap_or_default();
        let first = match self.first {
            Some(first) => first,
            None => {
                let first = number(digits).ok_or_else(|| self.unlike(found))?;
                *self.first.insert(first)
            }
        };
        let wanted = first.wrapping_add(turn);
        let text = format_number(wanted);
        let after = self.number_at + DIGITS;
        if digits == text
            && found.len() == self.template.len()
            && found[..self.number_at] == self.template[..self.number_at]
            && found[after..] == self.template[after..]
        {
            return Ok(());
        }
        match number(digits) {
            Some(other) if other != wanted => {
                Err(format!("message {other} came where {wanted} was due"))
            }
            _ => Err(self.unlike(found)),
        }
    }

    /// Says how `found` differs from the message, whose number is not looked at.
    fn unlike(&self, found: &[u8]) -> String {
        let numbers = self.number_at..self.number_at + DIGITS;
        let mut pairs = found.iter().zip(&self.template).enumerate();
        let differs =
            pairs.find(|(place, (found, wanted))| found != wanted && !numbers.contains(place));
        let shorter = found.len().min(self.template.len());
        format!(
            "a message of {} bytes that differs from the one of {} bytes, first at byte {}: {}",
            found.len(),
            self.template.len(),
            differs.map_or(shorter, |(place, _)| place),
            shown(found)
        )
    }

    /// As [`Self::is_right`], for a message that is compressed.
    fn is_right_inflated(
        &mut self,
        turn: u64,
        payload: &[u8],
        inflater: &mut Inflater,
    ) -> Result<(), String> {
        let place = (turn % self.known.len() as u64) as usize;
        // The slot is emptied when the server is asked again, so what is in it is message `turn`.
        if !self.known[place].is_empty() && self.known[place] == payload {
            return Ok(());
        }
        self.is_right(turn, inflater.inflate(payload)?)?;
        self.known[place].clear();
        self.known[place].extend_from_slice(payload);
        Ok(())
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.len() == DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

fn format_number(number: u64) -> [u8; DIGITS] {
    let mut text = [0; DIGITS];
    for (place, digit) in text.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (60 - 4 * place) & 15) as usize];
    }
    text
}

impl Driver {
    /// Asks the server to send to all.
    pub(super) fn trigger(&mut self, now: u64) -> Result<(), Failure> {
        let readers = (self.links.len() - self.options.websockets.stalled) as u64;
        let publish = self.options.websockets.publish;
        let broadcast = &mut self.broadcast;
        broadcast.published += publish;
        broadcast.missing = publish * readers;
        broadcast.asked_at = now;
        broadcast.latency.clear();
        for known in &mut broadcast.known {
            known.clear();
        }
        self.output.clear();
        self.put(frame::TEXT, format!("publish:{publish}").as_bytes());
        self.write_output(0)
    }

    /// A message has come to one of all.
    #[inline]
    pub(super) fn delivered(
        &mut self,
        slot: usize,
        message: Message<'_>,
        now: u64,
    ) -> Result<(), String> {
        let turn = self.links[slot].delivered;
        if turn >= self.broadcast.published {
            return Err(format!(
                "a message that nobody asked for: {}",
                shown(message.payload)
            ));
        }
        match (message.deflated, self.options.websockets.deflate) {
            (false, false) => self.broadcast.is_right(turn, message.payload)?,
            (true, _) => {
                let inflater = &mut self.inflater;
                self.broadcast
                    .is_right_inflated(turn, message.payload, inflater)?;
            }
            (false, true) => {
                return Err("a message that is not compressed, though that was agreed".to_owned());
            }
        }
        self.links[slot].delivered += 1;
        self.broadcast.missing -= 1;
        if self.window.contains(&now) {
            self.report.requests += 1;
            let waited = now - self.broadcast.asked_at;
            self.report.latency.record(waited, 1);
            self.broadcast.latency.record(waited, 1);
        }
        Ok(())
    }

    /// Once everything has come that was asked for: asks again, and begins or ends the measured time where it is
    /// time for that.
    pub(super) fn go_round(&mut self, now: u64, enough: u64) -> Result<(), Failure> {
        if self.broadcast.missing > 0 {
            return Ok(());
        }
        let measures = self.window.start != u64::MAX;
        if measures {
            let slow = self.broadcast.latency.quantile(0.99);
            self.report.broadcasts.push(slow);
        }
        let over = now.saturating_sub(self.window.start) >= self.measured();
        if measures && (over || self.report.requests >= enough) {
            self.window.end = now;
            self.phase = Phase::Done;
            return Ok(());
        }
        if !measures && now >= self.warm_at {
            self.window.start = now;
        }
        self.trigger(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_hexadecimal() {
        assert_eq!(&format_number(0xfe), b"00000000000000fe");
        assert_eq!(number(b"00000000000000fe"), Some(0xfe));
        assert_eq!(number(&format_number(u64::MAX)), Some(u64::MAX));
        assert_eq!(number(b"+0000000000000fe"), None);
        assert_eq!(number(b"fe"), None);
    }
}
