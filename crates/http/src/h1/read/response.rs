//! The client's side of reading.

use http::Method;

use crate::h1::{Eof, Event, Limits, ParseError, ResponseHead};

/// Decodes responses, one after another, from the bytes of one connection.
///
/// See [the module](crate::h1) for how to drive it. Each request that is sent must be announced with
/// [`expect`](Self::expect), for the method decides whether the response has a body; bytes that answer no request
/// are [`ParseError::Unsolicited`].
#[derive(Debug)]
pub struct ResponseDecoder {
    limits: Limits,
}

impl ResponseDecoder {
    /// Makes a decoder that expects nothing yet. Cheap: it allocates nothing.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Announces a request of `method`: one more response is to come, after those already expected.
    pub fn expect(&mut self, method: &Method) {
        let _ = method;
    }

    /// Decodes one step: how many bytes of `input` were used, and the event they made, if it is complete.
    ///
    /// Without an event the decoder needs more bytes: call again with the unconsumed rest and more behind it.
    /// After a head with [`BodyKind::Upgrade`](crate::h1::BodyKind), and after the last response of a connection
    /// (`keep_alive` false), bytes are left unconsumed.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke; every later call returns it again.
    pub fn decode<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, ResponseHead>>), ParseError> {
        let _ = (input, self.limits);
        Err(ParseError::Truncated)
    }

    /// Says what it means that the peer closed its side now.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] in the middle of a response, or the error that decoding ended with. A close before
    /// the first byte of an expected response is [`Eof::Clean`]: whether to try again is for the caller to say.
    pub fn finish(&mut self) -> Result<Eof, ParseError> {
        Ok(Eof::Clean)
    }

    /// Says whether the decoder is between two responses: nothing of the next one has been seen.
    pub fn is_idle(&self) -> bool {
        true
    }
}
