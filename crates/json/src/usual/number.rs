//! Numbers (RFC 8259 section 6).

use super::{Reader, Unusual};

/// Digits of an integer that fit both `i64` and `u64` whatever they are.
const DIGITS: usize = 18;

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number<'de> {
    /// Digits with a point or an exponent.
    Fraction(&'de str),
    Negative(i64),
    Unsigned(u64),
}

impl<'de> Reader<'de> {
    /// Reads white space and a number.
    pub(super) fn number(&mut self) -> Result<Number<'de>, Unusual> {
        match self.digits_and_more() {
            Some(number) => Ok(number),
            None => self.give_up(),
        }
    }

    fn digits_and_more(&mut self) -> Option<Number<'de>> {
        let negative = self.next() == Some(b'-');
        let start = self.at;
        self.at += usize::from(negative);
        let first = self.at;
        let mut value = 0_i64;
        let bytes = self.text.as_bytes();
        let mut end = first;
        // What overflows has more digits than are taken.
        while let Some(byte) = bytes.get(end)
            && byte.is_ascii_digit()
        {
            value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            end += 1;
        }
        self.at = end;
        let digits = end - first;
        // No number begins with a zero that does nothing.
        let spare = digits > 1 && bytes[first] == b'0';
        if digits == 0 || digits > DIGITS || spare {
            return None;
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            self.fraction()?;
            return self.text.get(start..self.at).map(Number::Fraction);
        }
        match (negative, value) {
            (false, value) => Some(Number::Unsigned(value.unsigned_abs())),
            // There is a negative zero only among fractions.
            (true, 0) => None,
            (true, value) => Some(Number::Negative(-value)),
        }
    }

    /// Reads what follows the integer part.
    fn fraction(&mut self) -> Option<()> {
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// Reads one digit and more.
    fn digits(&mut self) -> Option<()> {
        self.digit()?;
        while self.digit().is_some() {
            self.at += 1;
        }
        Some(())
    }

    /// The digit at the place that has been reached, which stays unread.
    fn digit(&self) -> Option<u8> {
        let digit = self.peek()?.wrapping_sub(b'0');
        (digit < 10).then_some(digit)
    }
}
