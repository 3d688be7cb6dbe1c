//! The syntax of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).

use std::error::Error;
use std::fmt;

use super::WINDOW_BITS;
use crate::proto::handshake::is_token_byte;

/// The name that permessage-deflate is registered under (RFC 7692 section 7).
pub(super) const NAME: &str = "permessage-deflate";

/// Why `Sec-WebSocket-Extensions` is refused, and the connection with it. A server answers 400.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The response says other parameters than those that can be said, or says them wrongly, or twice.
    Parameters,
    /// The response agrees to more than one extension for the same bits.
    Repeated,
    /// The field is not made as RFC 6455 section 9.1 says.
    Syntax,
    /// The response agrees to an extension that was not offered.
    Unasked,
    /// The response leaves out, or exceeds, what the offer has asked for.
    Unmet,
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parameters => "the parameters of permessage-deflate are not valid",
            Self::Repeated => "permessage-deflate is agreed to twice",
            Self::Syntax => "the list of extensions is malformed",
            Self::Unasked => "an extension is agreed to that was not offered",
            Self::Unmet => "permessage-deflate is agreed to on other terms than those offered",
        })
    }
}

impl Error for ExtensionError {}

/// One element of the list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Extension<'a> {
    pub(super) name: &'a str,
    /// The parameters of permessage-deflate; `None` if they are not all known, once each, with values that they can have.
    pub(super) terms: Option<Terms>,
}

/// The parameters of permessage-deflate, in an offer or in a response (RFC 7692 section 7.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Terms {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<u8>,
    /// The inner one is the value, which an offer may leave out.
    pub(super) client_max_window_bits: Option<Option<u8>>,
}

impl Terms {
    /// Takes one parameter in; `None` if it is not known, repeats another, or has a value that it cannot have.
    fn take(&mut self, name: &str, value: Option<Value<'_>>) -> Option<()> {
        let fresh = match (name, value) {
            ("server_no_context_takeover", None) => {
                !std::mem::replace(&mut self.server_no_context_takeover, true)
            }
            ("client_no_context_takeover", None) => {
                !std::mem::replace(&mut self.client_no_context_takeover, true)
            }
            ("server_max_window_bits", Some(value)) => self
                .server_max_window_bits
                .replace(value.window_bits()?)
                .is_none(),
            ("client_max_window_bits", value) => {
                let bits = match value {
                    Some(value) => Some(value.window_bits()?),
                    None => None,
                };
                self.client_max_window_bits.replace(bits).is_none()
            }
            _ => false,
        };
        fresh.then_some(())
    }
}

/// Calls `each` with the elements of a field line in their order, as far as it does not return an error itself.
pub(super) fn each_extension(
    line: &[u8],
    mut each: impl FnMut(Extension<'_>) -> Result<(), ExtensionError>,
) -> Result<(), ExtensionError> {
    let mut reader = Reader { rest: line };
    loop {
        // A list may have empty elements (RFC 9110 section 5.6.1.2).
        while reader.eat(b',') {}
        if reader.rest.is_empty() {
            return Ok(());
        }
        each(reader.extension()?)?;
        if !reader.rest.is_empty() && !reader.eat(b',') {
            return Err(ExtensionError::Syntax);
        }
    }
}

/// Reads a field line from its front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn extension(&mut self) -> Result<Extension<'a>, ExtensionError> {
        let name = self.token()?;
        let mut terms = (name == NAME).then(Terms::default);
        while self.eat(b';') {
            let parameter = self.token()?;
            let value = if self.eat(b'=') {
                Some(self.value()?)
            } else {
                None
            };
            terms = terms.and_then(|mut terms| terms.take(parameter, value).map(|()| terms));
        }
        Ok(Extension { name, terms })
    }

    /// Whether `byte` comes next; it and white space around it are gone then.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let Some(rest) = self.rest.strip_prefix(&[byte]) else {
            return false;
        };
        self.rest = rest;
        self.skip_space();
        true
    }

    fn skip_space(&mut self) {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t');
        let spaces = self.rest.iter().take_while(|byte| space(byte)).count();
        self.rest = &self.rest[spaces..];
    }

    fn token(&mut self) -> Result<&'a str, ExtensionError> {
        let length = self
            .rest
            .iter()
            .take_while(|byte| is_token_byte(byte))
            .count();
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        match std::str::from_utf8(token) {
            Ok(token) if length > 0 => Ok(token),
            _ => Err(ExtensionError::Syntax),
        }
    }

    /// A token, or a string in quotes that is a token once they are off (RFC 6455 section 9.1).
    fn value(&mut self) -> Result<Value<'a>, ExtensionError> {
        let Some(quoted) = self.rest.strip_prefix(b"\"") else {
            let token = self.token()?;
            return Ok(Value {
                bytes: token.as_bytes(),
            });
        };
        let mut at = 0;
        let mut letters = 0;
        while quoted.get(at) != Some(&b'"') {
            at += usize::from(quoted.get(at) == Some(&b'\\'));
            if !quoted.get(at).is_some_and(is_token_byte) {
                return Err(ExtensionError::Syntax);
            }
            at += 1;
            letters += 1;
        }
        if letters == 0 {
            return Err(ExtensionError::Syntax);
        }
        self.rest = &quoted[at + 1..];
        Ok(Value {
            bytes: &quoted[..at],
        })
    }
}

/// A value, in which a backslash stands before a letter or two: a token has none of its own.
#[derive(Clone, Copy, Debug)]
struct Value<'a> {
    bytes: &'a [u8],
}

impl Value<'_> {
    /// A decimal number from 8 to 15 without zeros in front (RFC 7692 section 7.1.2).
    fn window_bits(self) -> Option<u8> {
        let mut letters = self.bytes.iter().filter(|byte| **byte != b'\\');
        let first = digit(*letters.next()?)?;
        let bits = match letters.next() {
            None => first,
            Some(_) if first == 0 => return None,
            Some(second) => 10 * first + digit(*second)?,
        };
        (letters.next().is_none() && WINDOW_BITS.contains(&bits)).then_some(bits)
    }
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}
