//! The chunked coding (RFC 9112 §7.1), a table of states over bytes.
//!
//! Everything between the chunks is consumed byte by byte as it comes, so a cut anywhere costs nothing; only a
//! trailer section waits for its end.

use super::fields::parse_trailers;
use super::lines::{Found, Lines};
use crate::h1::syntax::is_token_byte;
use crate::h1::{Event, Limits, ParseError};

/// Digits of the longest size, leading zeros included.
const SIZE_DIGITS: u8 = 16;

/// The largest chunk: others count in signed numbers.
const LARGEST: u64 = i64::MAX as u64;

/// Where in the coding the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a size, after so many digits.
    Size(u8),
    /// In what follows a `;` behind a size.
    Extension(Extension),
    /// After the CR of a size line.
    SizeLf,
    /// In the data.
    Data,
    /// After the data.
    DataCr,
    /// After the CR that follows the data.
    DataLf,
    /// After the chunk of size 0.
    Trailers,
}

/// Where in an extension the next byte is: `;name`, `;name=token` or `;name="text"`, white space around each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// Before a name.
    Start,
    Name,
    /// In white space behind a name.
    NameEnd,
    /// Before a value.
    Equals,
    Token,
    Quoted,
    /// After a backslash in a quoted value.
    Escaped,
    /// Behind a value.
    End,
}

impl Extension {
    /// Where the byte after `byte` is (RFC 9112 §7.1.1); `None` if `byte` cannot stand here.
    fn next(self, byte: u8) -> Option<Self> {
        let next = match (self, byte) {
            (Self::Quoted, b'"') => Self::End,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted | Self::Escaped, b'\t' | b' '..=b'~' | 0x80..) => Self::Quoted,
            (Self::Start | Self::Equals | Self::NameEnd | Self::End, b' ' | b'\t') => self,
            (Self::Name, b' ' | b'\t') => Self::NameEnd,
            (Self::Token, b' ' | b'\t') => Self::End,
            (Self::Name | Self::NameEnd, b'=') => Self::Equals,
            (Self::Name | Self::NameEnd | Self::Token | Self::End, b';') => Self::Start,
            (Self::Equals, b'"') => Self::Quoted,
            (Self::Start | Self::Name, byte) if is_token_byte(byte) => Self::Name,
            (Self::Equals | Self::Token, byte) if is_token_byte(byte) => Self::Token,
            _ => return None,
        };
        Some(next)
    }

    /// Whether the line may end here.
    fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::NameEnd | Self::Token | Self::End)
    }
}

/// A chunked body in the making.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// The size as far as it was read, then the bytes of data still to come.
    size: u64,
    /// Bytes of all chunks announced.
    total: u64,
    /// Bytes of all extensions.
    extensions: usize,
    /// Where the complete lines of the trailer section end: the positions of their CRs.
    ends: Vec<u32>,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            state: State::Size(0),
            size: 0,
            total: 0,
            extensions: 0,
            ends: Vec::new(),
        }
    }

    /// Decodes one step; `lines` is fresh until the trailers and is left fresh after them.
    pub(super) fn decode<'a, H>(
        &mut self,
        input: &'a [u8],
        limits: &Limits,
        lines: &mut Lines,
    ) -> Result<(usize, Option<Event<'a, H>>), ParseError> {
        let mut at = 0;
        loop {
            match self.state {
                State::Data => {
                    let piece = self.take_data(&input[at..]);
                    let event = (!piece.is_empty()).then_some(Event::Data(piece));
                    return Ok((at + piece.len(), event));
                }
                State::Trailers => {
                    let (used, event) = self.trailers(&input[at..], limits, lines)?;
                    return Ok((at + used, event));
                }
                _ => {}
            }
            let Some(&byte) = input.get(at) else {
                return Ok((at, None));
            };
            self.state = self.next_state(byte, limits)?;
            at += 1;
        }
    }

    /// Cuts the current chunk's data off the front of `input`.
    fn take_data<'a>(&mut self, input: &'a [u8]) -> &'a [u8] {
        // What does not fit into a `usize` is more than the input has.
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let piece = &input[..input.len().min(size)];
        self.size -= piece.len() as u64;
        if self.size == 0 {
            self.state = State::DataCr;
        }
        piece
    }

    fn next_state(&mut self, byte: u8, limits: &Limits) -> Result<State, ParseError> {
        match (self.state, byte) {
            (State::Size(digits), byte) => self.size_byte(digits, byte, limits),
            (State::Extension(extension), b'\r') if extension.may_end() => Ok(State::SizeLf),
            (State::Extension(extension), byte) => self.extension_byte(extension, byte, limits),
            (State::SizeLf, b'\n') => self.size_line_end(limits),
            (State::SizeLf, _) => Err(ParseError::BareCr),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => {
                self.size = 0;
                Ok(State::Size(0))
            }
            _ => Err(ParseError::ChunkEnd),
        }
    }

    fn size_byte(&mut self, digits: u8, byte: u8, limits: &Limits) -> Result<State, ParseError> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            if digits == SIZE_DIGITS {
                return Err(ParseError::ChunkSizeOverflow);
            }
            self.size = self.size << 4 | u64::from(digit);
            return Ok(State::Size(digits + 1));
        }
        match byte {
            b'\n' => Err(ParseError::BareLf),
            b'\r' if digits > 0 => Ok(State::SizeLf),
            // What stands before an extension is like the end of one.
            b';' if digits > 0 => self.extension_byte(Extension::End, byte, limits),
            _ => Err(ParseError::ChunkSize),
        }
    }

    /// Skips extensions, for nobody has defined any, but not what only looks like one: where it ends is then a matter
    /// of opinion (RFC 9112 §7.1.1).
    fn extension_byte(
        &mut self,
        extension: Extension,
        byte: u8,
        limits: &Limits,
    ) -> Result<State, ParseError> {
        if byte == b'\n' {
            return Err(ParseError::BareLf);
        }
        let next = extension.next(byte).ok_or(ParseError::ChunkExtension)?;
        self.extensions += 1;
        if self.extensions > limits.chunk_extension_bytes {
            return Err(ParseError::ChunkExtensionsTooLong);
        }
        Ok(State::Extension(next))
    }

    fn size_line_end(&mut self, limits: &Limits) -> Result<State, ParseError> {
        if self.size == 0 {
            return Ok(State::Trailers);
        }
        if self.size > LARGEST {
            return Err(ParseError::ChunkSizeOverflow);
        }
        self.total = self.total.saturating_add(self.size);
        if self.total > limits.body_bytes {
            return Err(ParseError::BodyTooLarge);
        }
        Ok(State::Data)
    }

    fn trailers<'a, H>(
        &mut self,
        section: &[u8],
        limits: &Limits,
        lines: &mut Lines,
    ) -> Result<(usize, Option<Event<'a, H>>), ParseError> {
        loop {
            match lines.next(section, limits.trailer_bytes)? {
                Found::End(end) => {
                    let trailers = parse_trailers(&section[..end], &self.ends)?;
                    lines.reset();
                    return Ok((end, Some(Event::End(trailers))));
                }
                Found::Incomplete => return Ok((0, None)),
                Found::Line(..) if self.ends.len() >= limits.headers => {
                    return Err(ParseError::TooManyHeaders);
                }
                // Fits: lines are found in less than `u32::MAX` bytes.
                Found::Line(_, end) => self.ends.push(end as u32),
                Found::TooLarge => return Err(ParseError::TrailersTooLarge),
            }
        }
    }
}
