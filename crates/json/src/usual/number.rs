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
        let negative = self.next() == Some(b'-');
        let start = self.at;
        self.at += usize::from(negative);
        let first = self.at;
        let mut value = 0_i64;
        let rest = &self.text.as_bytes()[first..];
        // What overflows has more digits than are taken.
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        let digits = digits.fold(0, |count, byte| {
            value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            count + 1
        });
        self.at += digits;
        // No number begins with a zero that does nothing.
        let spare = digits > 1 && self.text.as_bytes()[first] == b'0';
        if digits == 0 || digits > DIGITS || spare {
            return Err(Unusual);
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            self.fraction()?;
            let text = self.text.get(start..self.at).ok_or(Unusual)?;
            return Ok(Number::Fraction(text));
        }
        match (negative, value) {
            (false, value) => Ok(Number::Unsigned(value.unsigned_abs())),
            // There is a negative zero only among fractions.
            (true, 0) => Err(Unusual),
            (true, value) => Ok(Number::Negative(-value)),
        }
    }

    /// Reads what follows the integer part.
    fn fraction(&mut self) -> Result<(), Unusual> {
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
        Ok(())
    }

    /// Reads one digit and more.
    fn digits(&mut self) -> Result<(), Unusual> {
        self.digit().ok_or(Unusual)?;
        while self.digit().is_some() {
            self.at += 1;
        }
        Ok(())
    }

    /// The digit at the place that has been reached, which stays unread.
    fn digit(&self) -> Option<u8> {
        let digit = self.peek()?.wrapping_sub(b'0');
        (digit < 10).then_some(digit)
    }
}
