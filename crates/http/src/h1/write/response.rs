//! The server's side of writing.

use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::h1::{Exchange, WriteError};

/// The interim response that invites the body of a request with `Expect: 100-continue` (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What the head of a response says.
#[derive(Clone, Copy, Debug)]
pub struct ResponseStart<'a> {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase, if not the usual one of the status.
    pub reason: Option<&'a str>,
    /// The fields. `Transfer-Encoding` is refused, `Content-Length` must agree with `length`; `Connection: close` is
    /// understood.
    pub headers: &'a HeaderMap,
    /// The exact length of the body in bytes; `None` if it is not known. See [`Body::length`](crate::Body::length).
    pub length: Option<u64>,
    /// The value of `Date` (RFC 9110 §6.6.1), added if `headers` has none: the caller has a clock.
    pub date: Option<&'a HeaderValue>,
}

impl<'a> ResponseStart<'a> {
    /// Describes `response`, without a date.
    pub fn of<B>(response: &'a Response<B>, length: Option<u64>) -> Self {
        Self {
            status: response.status(),
            reason: None,
            headers: response.headers(),
            length,
            date: None,
        }
    }
}

/// Encodes responses, one after another, for one connection; the status line always says HTTP/1.1.
#[derive(Debug, Default)]
pub struct ResponseEncoder {
    open: bool,
}

impl ResponseEncoder {
    /// Makes an encoder that expects a head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the head of the final response of `exchange`.
    ///
    /// The body is framed by `Content-Length` if its length is known, else by chunks, or towards HTTP/1.0 by closing.
    /// Responses that have no body (to HEAD, 1xx, 204, 205, 304) swallow what [`data`](Self::data) is given;
    /// for HEAD and 304 a known length is still told. 101, and 2xx to CONNECT, end HTTP: `data` then passes bytes as
    /// they are.
    ///
    /// # Errors
    ///
    /// What must not be sent; `out` and the encoder are unchanged then.
    pub fn head(
        &mut self,
        out: &mut Vec<u8>,
        exchange: Exchange,
        start: &ResponseStart<'_>,
    ) -> Result<(), WriteError> {
        let _ = (out, exchange, start, self.open);
        Err(WriteError::OutOfOrder)
    }

    /// Appends an interim response (1xx other than 101; RFC 9110 §15.2), nothing towards HTTP/1.0.
    ///
    /// # Errors
    ///
    /// [`WriteError::InterimStatus`] for other statuses, [`WriteError::OutOfOrder`] inside a message.
    pub fn interim(
        &mut self,
        out: &mut Vec<u8>,
        exchange: Exchange,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<(), WriteError> {
        let _ = (out, exchange, status, headers);
        Err(WriteError::OutOfOrder)
    }

    /// Says whether the body of the current response goes out at all; if not, a stream need not be read.
    pub fn wants_body(&self) -> bool {
        false
    }

    /// Says whether the connection stays open after the current, or else the last, response.
    pub fn keep_alive(&self) -> bool {
        false
    }

    /// Appends a piece of the body, framed; an empty one does nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::BodyTooLong`] beyond the announced length, [`WriteError::OutOfOrder`] outside a message.
    pub fn data(&mut self, out: &mut Vec<u8>, piece: &[u8]) -> Result<(), WriteError> {
        let _ = (out, piece);
        Err(WriteError::OutOfOrder)
    }

    /// Appends what goes in front of a piece of `bytes` bytes that the caller writes itself, without a copy; follow
    /// it with [`data_end`](Self::data_end). Only while [`wants_body`](Self::wants_body).
    ///
    /// # Errors
    ///
    /// As [`data`](Self::data).
    pub fn data_start(&mut self, out: &mut Vec<u8>, bytes: usize) -> Result<(), WriteError> {
        let _ = (out, bytes);
        Err(WriteError::OutOfOrder)
    }

    /// Appends what goes behind the piece that [`data_start`](Self::data_start) announced.
    pub fn data_end(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// Ends the body and the message.
    ///
    /// # Errors
    ///
    /// [`WriteError::BodyTooShort`] below the announced length, [`WriteError::OutOfOrder`] outside a message.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.end_with(out, None)
    }

    /// Ends the message as [`end`](Self::end) does, with trailer fields if the body is chunked (else they are left
    /// out, as RFC 9110 §6.5.1 allows).
    ///
    /// # Errors
    ///
    /// As [`end`](Self::end), and [`WriteError::ForbiddenTrailer`].
    pub fn end_with(
        &mut self,
        out: &mut Vec<u8>,
        trailers: Option<&HeaderMap>,
    ) -> Result<(), WriteError> {
        let _ = (out, trailers);
        Err(WriteError::OutOfOrder)
    }
}
