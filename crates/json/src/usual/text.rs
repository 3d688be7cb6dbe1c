//! Texts (RFC 8259 section 7).

use memchr::memchr2;

use super::{Reader, Unusual};

/// A text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Text<'de, 's> {
    /// It stands in the document as it is.
    Input(&'de str),
    /// It was written with escapes.
    Scratch(&'s str),
}

impl<'de> Reader<'de> {
    /// Reads white space and a text in quotation marks.
    pub(super) fn quoted(&mut self) -> Result<Text<'de, '_>, Unusual> {
        self.expect(b'"')?;
        self.rest_of_quoted()
    }

    /// Reads what follows a quotation mark, and the other mark.
    pub(super) fn rest_of_quoted(&mut self) -> Result<Text<'de, '_>, Unusual> {
        let Some(run) = self.run() else {
            return self.give_up();
        };
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Text::Input(run));
        }
        match self.escaped(run) {
            Some(()) => Ok(Text::Scratch(&self.scratch)),
            None => self.give_up(),
        }
    }

    /// Reads characters that stand for themselves.
    #[inline(always)]
    fn run(&mut self) -> Option<&'de str> {
        let start = self.at;
        self.at += plain(&self.text.as_bytes()[start..]);
        self.text.get(start..self.at)
    }

    /// Reads the rest of a text that began with `run`.
    #[inline(never)]
    fn escaped(&mut self, run: &str) -> Option<()> {
        self.scratch.clear();
        // Room for all that is left, so that it grows once for all texts of a document.
        self.scratch.reserve(self.text.len() - self.at + run.len());
        self.scratch.push_str(run);
        while self.peek()? == b'\\' {
            let meant = self.escape()?;
            self.scratch.push(meant);
            let run = self.run()?;
            self.scratch.push_str(run);
        }
        // Anything else at the end of a run is a control character.
        (self.peek() == Some(b'"')).then(|| self.at += 1)
    }

    /// Reads a backslash and what belongs to it.
    fn escape(&mut self) -> Option<char> {
        let bytes = &self.text.as_bytes()[self.at..];
        let meant = match bytes.get(1)? {
            b'n' => '\n',
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.code_point(),
            _ => return None,
        };
        self.at += 2;
        Some(meant)
    }

    /// Reads `\u` and its digits, and those of the other surrogate, if it is one.
    fn code_point(&mut self) -> Option<char> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.code_unit()?;
        let within = (0xdc00..0xe000).contains(&second);
        within
            .then(|| 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            .and_then(char::from_u32)
    }

    /// Reads `\u` and four digits.
    fn code_unit(&mut self) -> Option<u32> {
        let bytes = &self.text.as_bytes()[self.at..];
        let [b'\\', b'u', digits @ ..] = bytes.first_chunk::<6>()? else {
            return None;
        };
        self.at += 6;
        digits.iter().try_fold(0, |code, digit| {
            Some(code << 4 | char::from(*digit).to_digit(16)?)
        })
    }
}

/// The bytes in front of the first one that ends a text, begins an escape, or must not be in a text.
#[inline(always)]
fn plain(bytes: &[u8]) -> usize {
    match bytes.first_chunk() {
        Some(word) => special_in(*word).unwrap_or_else(|| longer(bytes)),
        None => longer(bytes),
    }
}

/// The same, for what is longer than a word, or the end of a document.
#[inline(never)]
fn longer(bytes: &[u8]) -> usize {
    let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let run = &bytes[..end];
    // Both looks are compiled to vector instructions, which a single one for all three kinds would not be.
    let least = run.iter().copied().fold(u8::MAX, u8::min);
    if least < b' ' {
        return run.iter().position(|byte| *byte < b' ').unwrap_or(end);
    }
    end
}

/// Bytes that are looked at in one register.
const WORD: usize = size_of::<u64>();

/// The bytes in front of the first special one.
///
/// In each byte of a word, `x - n & !x` has its upper bit set where `x` is smaller than `n`. A borrow may set it in
/// bytes after such a one, but never before the first.
fn special_in(word: [u8; WORD]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let word = u64::from_le_bytes(word);
    let marks = below(word ^ (ONES * u64::from(FLIP)), CONTROLS_AND_QUOTE)
        | below(word ^ (ONES * u64::from(b'\\')), 1);
    let marks = marks & (ONES << 7);
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
}

/// With this bit flipped, a quotation mark comes right after the control characters, so that one comparison finds both:
/// they trade places with each other, and the mark with a space.
const FLIP: u8 = b'"' ^ b' ';
const CONTROLS_AND_QUOTE: u8 = b' ' + 1;
