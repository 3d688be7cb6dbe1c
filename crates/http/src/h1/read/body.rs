//! A body in the making, of either side.

use super::chunked::Chunked;
use super::lines::Lines;
use crate::h1::{BodyKind, Event, Limits, ParseError};

/// What is still to come of the current message.
#[derive(Debug)]
pub(super) enum BodyReader {
    Chunked(Chunked),
    /// So many bytes; none is left of a body that is complete but for its `End`.
    Length(u64),
    /// All that comes, but at most so many bytes.
    UntilClose(u64),
}

impl BodyReader {
    /// Starts the body of a head; `None` where HTTP ends.
    pub(super) fn new(kind: BodyKind, limits: &Limits) -> Option<Self> {
        match kind {
            BodyKind::Chunked => Some(Self::Chunked(Chunked::new())),
            BodyKind::Empty => Some(Self::Length(0)),
            BodyKind::Length(bytes) => Some(Self::Length(bytes)),
            BodyKind::UntilClose => Some(Self::UntilClose(limits.body_bytes)),
            BodyKind::Upgrade => None,
        }
    }

    /// Decodes one step.
    pub(super) fn decode<'a, H>(
        &mut self,
        input: &'a [u8],
        limits: &Limits,
        lines: &mut Lines,
    ) -> Result<(usize, Option<Event<'a, H>>), ParseError> {
        let piece = match self {
            Self::Chunked(chunked) => return chunked.decode(input, limits, lines),
            Self::Length(0) => return Ok((0, Some(Event::End(None)))),
            Self::UntilClose(0) if !input.is_empty() => return Err(ParseError::BodyTooLarge),
            Self::Length(left) | Self::UntilClose(left) => {
                // What does not fit into a `usize` is more than the input has.
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let piece = &input[..input.len().min(most)];
                *left -= piece.len() as u64;
                piece
            }
        };
        let event = (!piece.is_empty()).then_some(Event::Data(piece));
        Ok((piece.len(), event))
    }

    /// Says whether only the `End` is missing.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self, Self::Length(0))
    }
}
