//! Whether the bytes that arrive are the right ones.
//!
//! The first answer to each path is parsed with all rules of [`super::answer`] and checked against
//! what the arguments expect. From then on its bytes are the measure. The fast path compares what
//! arrives with them as it arrives, whole or in pieces, and keeps nothing but how far it got; a Date
//! may be any well-formed one. Where all requests are alike, so are the answers, and what arrives is
//! compared with a row of them at once, however many and however cut. Bytes that differ are no verdict
//! yet: a server may write the same answer in other chunks, or say that it will close. So the slow path
//! parses that answer from its first byte (which the fast path knows: it has just matched them) and
//! compares status line, fields and body with those of the first.
//!
//! Every byte of every answer passes through one of these.

use super::answer::{Answer, Head, Reader, is_date, shown};
use super::options::Options;

/// Bytes of a Date.
const DATE: usize = 29;
/// The most bytes of a row of answers: it should stay in the cache.
const LARGEST_ROW: usize = 512 * 1024;

/// Knows the right answer to each path.
#[derive(Debug)]
pub(crate) struct Judge {
    expected: Vec<Expected>,
    /// The last well-formed Date seen; whatever equals it needs no look at its form.
    date: [u8; DATE],
    row: Row,
    status: u16,
    body: Option<Vec<u8>>,
    /// Names of fields whose values may differ.
    vary: Vec<String>,
    to_head: bool,
}

/// What the first answer to a path has taught.
#[derive(Debug, Default)]
struct Expected {
    /// Its bytes; empty until there is one, and when the end of the answer is not in its bytes.
    bytes: Vec<u8>,
    /// Where its Date is, `bytes.len()` when it has none.
    date: usize,
    closes: bool,
    answer: Option<Learned>,
}

/// The same answer many times over.
#[derive(Debug, Default)]
struct Row {
    /// How many there are to be; 0 where answers are not all alike.
    times: usize,
    /// With the last Date that was seen; empty while it would not help.
    bytes: Vec<u8>,
    /// Bytes of one of them.
    length: usize,
}

#[derive(Debug)]
struct Learned {
    head: Head,
    body: Vec<u8>,
}

/// How far the answer that a connection waits for has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Bytes that matched the expected ones.
    matched: usize,
    /// Takes over where they did not.
    reader: Option<Box<Reader>>,
}

/// What came of some bytes.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The answer is not whole yet; all bytes were taken.
    More,
    /// The answer is whole and right.
    Right { used: usize, closes: bool },
    /// The answer is whole and not the expected one.
    Wrong {
        used: usize,
        closes: bool,
        why: String,
    },
    /// The answer breaks the rules of the protocol: nobody knows where it ends.
    Broken { why: String },
}

impl Progress {
    /// Whether something of the answer has arrived.
    pub(crate) fn begun(&self) -> bool {
        self.matched > 0 || self.reader.is_some()
    }

    /// How many bytes of it, for a message.
    pub(crate) fn length(&self) -> usize {
        self.reader
            .as_ref()
            .map_or(self.matched, |reader| reader.length())
    }
}

impl Judge {
    pub(crate) fn new(options: &Options) -> Self {
        let mut expected = Vec::new();
        expected.resize_with(options.paths.len(), Expected::default);
        Self {
            expected,
            date: [0; DATE],
            row: Row {
                // One more, because the first may have begun before.
                times: match options.paths.len() == 1 && !options.close {
                    true => options.pipeline + 1,
                    false => 0,
                },
                ..Row::default()
            },
            status: options.expect_status,
            body: options.expect_body.clone(),
            vary: options.vary.clone(),
            to_head: options.method == "HEAD",
        }
    }

    /// Takes `data`, which is not empty, as the rest of a row of right answers, of which `outstanding` are
    /// still to come: how many it completes. `None` when it is something else; then nothing was taken.
    #[inline]
    pub(crate) fn take_row(
        &self,
        progress: &mut Progress,
        outstanding: u32,
        data: &[u8],
    ) -> Option<u32> {
        if progress.reader.is_some() {
            return None;
        }
        let end = progress.matched + data.len();
        if self.row.bytes.get(progress.matched..end)? != data {
            return None;
        }
        let answers = (end / self.row.length) as u32;
        let rest = end % self.row.length;
        if answers + u32::from(rest > 0) > outstanding {
            return None;
        }
        progress.matched = rest;
        Some(answers)
    }

    /// Judges the front of `data`, which is not empty, as (the rest of) the answer to request `path`.
    #[inline]
    pub(crate) fn take(&mut self, path: usize, progress: &mut Progress, data: &[u8]) -> Verdict {
        let expected = &self.expected[path];
        if progress.matched == 0 && progress.reader.is_none() {
            let length = expected.bytes.len();
            if let Some(answer) = data.get(..length)
                && length > 0
                && expected.is_whole(answer, &self.date)
            {
                return Verdict::Right {
                    used: length,
                    closes: expected.closes,
                };
            }
        }
        self.take_with_care(path, progress, data)
    }

    /// The connection has ended in the middle of an answer: the verdict when that is its end, or
    /// `None` when it is cut off.
    pub(crate) fn end(&mut self, path: usize, progress: &mut Progress) -> Option<Verdict> {
        let mut reader = progress.reader.take()?;
        if !reader.end() {
            return None;
        }
        self.conclude(path, *reader, 0)
    }

    /// Compares a piece; new dates, differences and first answers end up here as well.
    #[inline(never)]
    fn take_with_care(&mut self, path: usize, progress: &mut Progress, data: &[u8]) -> Verdict {
        let mut reader = match progress.reader.take() {
            Some(reader) => reader,
            None => {
                let expected = &self.expected[path];
                let piece = (expected.bytes.len() - progress.matched).min(data.len());
                let date = self.date;
                if piece > 0 && expected.is_piece(progress.matched, &data[..piece], &mut self.date)
                {
                    if date != self.date {
                        self.row.lay(expected, &self.date);
                    }
                    progress.matched += piece;
                    if progress.matched < expected.bytes.len() {
                        return Verdict::More;
                    }
                    progress.matched = 0;
                    return Verdict::Right {
                        used: piece,
                        closes: expected.closes,
                    };
                }
                let mut reader = Box::new(Reader::new(self.to_head));
                let matched = std::mem::take(&mut progress.matched);
                if let Err(why) = reader.feed(&expected.bytes[..matched]) {
                    return Verdict::Broken { why };
                }
                reader
            }
        };
        match reader.feed(data) {
            Ok((_, false)) => {
                progress.reader = Some(reader);
                Verdict::More
            }
            Ok((used, true)) => self
                .conclude(path, *reader, used)
                .unwrap_or(Verdict::Broken {
                    why: "the answer has no head".to_owned(),
                }),
            Err(why) => Verdict::Broken {
                why: format!("{why}; it began {}", shown(reader.raw())),
            },
        }
    }

    /// Judges a whole answer that was parsed; the first right one to its path becomes the measure.
    fn conclude(&mut self, path: usize, reader: Reader, used: usize) -> Option<Verdict> {
        let answer = reader.into_answer()?;
        let closes = answer.head.closes;
        if let Err(why) = self.check(path, &answer) {
            return Some(Verdict::Wrong { used, closes, why });
        }
        if self.expected[path].answer.is_none() {
            let expected = Expected::learn(answer);
            if let Some(date) = expected.bytes[expected.date..].first_chunk() {
                self.date = *date;
            }
            self.row.lay(&expected, &self.date);
            self.expected[path] = expected;
        }
        Some(Verdict::Right { used, closes })
    }

    fn check(&self, path: usize, answer: &Answer) -> Result<(), String> {
        let head = &answer.head;
        if head.status != self.status {
            return Err(format!(
                "status {} instead of {}, body {}",
                head.status,
                self.status,
                shown(&answer.body)
            ));
        }
        let learned = self.expected[path].answer.as_ref();
        if !self.to_head
            && let Some(body) = self.body.as_ref().or(learned.map(|learned| &learned.body))
        {
            same_body(body, &answer.body)?;
        }
        learned.map_or(Ok(()), |learned| self.same_head(&learned.head, head))
    }

    fn same_head(&self, first: &Head, head: &Head) -> Result<(), String> {
        if first.line != head.line {
            return Err(format!(
                "status line {} instead of {}",
                shown(&head.line),
                shown(&first.line)
            ));
        }
        // Connection and Keep-Alive come and go with the last answer on a connection.
        let fixed = |head: &Head| -> Vec<(String, Vec<u8>)> {
            let varies = |name: &String| self.vary.contains(name);
            let fields = head.fields.iter().filter(|(name, _)| !varies(name));
            fields.cloned().collect()
        };
        let (first, fields) = (fixed(first), fixed(head));
        let differing = first.iter().zip(&fields).find(|(old, new)| old != new);
        if let Some(((old_name, old), (name, value))) = differing {
            return Err(format!(
                "field {name} {} where the first answer has {old_name} {}",
                shown(value),
                shown(old)
            ));
        }
        if first.len() != fields.len() {
            return Err(format!(
                "{} fields instead of {}",
                fields.len(),
                first.len()
            ));
        }
        Ok(())
    }
}

impl Expected {
    fn learn(answer: Answer) -> Self {
        let head_end = answer
            .raw
            .windows(4)
            .position(|window| window == b"\r\n\r\n");
        let head = &answer.raw[..head_end.unwrap_or_default()];
        let date = answer.head.values("date").next().and_then(|date| {
            // By its name, as a file may have changed in the very second of its answer.
            let line = head
                .windows(6)
                .position(|name| name.eq_ignore_ascii_case(b"\ndate:"))?;
            let value = head[line..]
                .windows(DATE)
                .position(|window| window == date)?;
            (answer.head.values("date").count() == 1).then_some(line + value)
        });
        let bytes = match answer.repeatable {
            true => answer.raw,
            false => Vec::new(),
        };
        Self {
            date: date.unwrap_or(bytes.len()).min(bytes.len()),
            bytes,
            closes: answer.head.closes,
            answer: Some(Learned {
                head: answer.head,
                body: answer.body,
            }),
        }
    }

    /// Whether `answer`, of the same length, is the expected one with the date `date`.
    #[inline]
    fn is_whole(&self, answer: &[u8], date: &[u8; DATE]) -> bool {
        let (before, rest) = answer.split_at(self.date);
        if before != &self.bytes[..self.date] {
            return false;
        }
        match rest.split_first_chunk::<DATE>() {
            Some((found, after)) => found == date && after == &self.bytes[self.date + DATE..],
            None => rest.is_empty(),
        }
    }

    /// Whether `data` is what the answer has from `from` on; takes up a new date that lies in it as a
    /// whole.
    fn is_piece(&self, from: usize, data: &[u8], date: &mut [u8; DATE]) -> bool {
        let same = |from: usize, data: &[u8]| data == &self.bytes[from..from + data.len()];
        let to = from + data.len();
        let date_end = self.bytes.len().min(self.date + DATE);
        if to <= self.date || from >= date_end {
            return same(from, data);
        }
        let before = self.date.saturating_sub(from);
        let after = data.len() - to.saturating_sub(date_end);
        let (begin, end) = (from.max(self.date), to.min(date_end));
        let found = &data[before..after];
        if !same(from, &data[..before]) || !same(date_end, &data[after..]) {
            return false;
        }
        match <&[u8; DATE]>::try_from(found) {
            Ok(found) => {
                if !is_date(found) {
                    return false;
                }
                *date = *found;
                true
            }
            Err(_) => found == &date[begin - self.date..end - self.date],
        }
    }
}

impl Row {
    /// Lays the row out anew, for a first answer or a new date.
    fn lay(&mut self, expected: &Expected, date: &[u8; DATE]) {
        self.bytes.clear();
        self.length = expected.bytes.len();
        if expected.closes || self.length == 0 || self.length * self.times > LARGEST_ROW {
            return;
        }
        let mut answer = expected.bytes.clone();
        if let Some(place) = answer[expected.date..].first_chunk_mut() {
            *place = *date;
        }
        self.bytes = answer.repeat(self.times);
    }
}

fn same_body(expected: &[u8], found: &[u8]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let at = expected
        .iter()
        .zip(found)
        .position(|(expected, found)| expected != found);
    match at {
        Some(at) => Err(format!(
            "body differs at byte {at} of {}: {} instead of {}",
            expected.len(),
            shown(&found[at..]),
            shown(&expected[at..])
        )),
        None => Err(format!(
            "body has {} bytes instead of {}",
            found.len(),
            expected.len()
        )),
    }
}

#[cfg(test)]
mod tests;
