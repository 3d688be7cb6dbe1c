//! The server's side of reading.

use crate::h1::{Eof, Event, Limits, ParseError, RequestHead};

/// Decodes requests, one after another, from the bytes of one connection.
///
/// See [the module](crate::h1) for how to drive it.
#[derive(Debug)]
pub struct RequestDecoder {
    limits: Limits,
}

impl RequestDecoder {
    /// Makes a decoder that expects the first byte of a request. Cheap: it allocates nothing.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Decodes one step: how many bytes of `input` were used, and the event they made, if it is complete.
    ///
    /// Without an event the decoder needs more bytes: call again with the unconsumed rest and more behind it.
    /// Bytes after the last request of a connection (`keep_alive` false) are left unconsumed.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke; every later call returns it again.
    pub fn decode<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, RequestHead>>), ParseError> {
        let _ = (input, self.limits);
        Err(ParseError::Truncated)
    }

    /// Says what it means that the peer closed its side now.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] in the middle of a request, or the error that decoding ended with.
    pub fn finish(&mut self) -> Result<Eof, ParseError> {
        Ok(Eof::Clean)
    }

    /// Changes the limit of the current body and all later ones, [`Limits::body_bytes`]: a route may allow more or
    /// less than the server does, once the head is known.
    pub fn set_body_limit(&mut self, bytes: u64) {
        self.limits.body_bytes = bytes;
    }

    /// Says whether the decoder is between two requests: nothing of the next one has been seen.
    pub fn is_idle(&self) -> bool {
        true
    }
}
