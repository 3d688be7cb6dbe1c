//! The client's side of writing.

use http::{HeaderMap, Method, Request, Uri};

use crate::h1::WriteError;

/// The form in which a target is written (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// Scheme, authority, path and query: to a proxy.
    Absolute,
    /// `*`: OPTIONS about the server as a whole.
    Asterisk,
    /// Host and port: CONNECT, which always uses this form.
    Authority,
    /// Path and query: to the server itself.
    Origin,
}

/// What the head of a request says.
#[derive(Clone, Copy, Debug)]
pub struct RequestStart<'a> {
    /// The method; CONNECT and TRACE have no body.
    pub method: &'a Method,
    /// Where to: its authority becomes `Host` if `headers` has none. User information is never written.
    pub target: &'a Uri,
    /// How to write the target.
    pub form: TargetForm,
    /// The other fields. `Transfer-Encoding` is refused, `Content-Length` must agree with `length`.
    pub headers: &'a HeaderMap,
    /// The exact length of the body in bytes; `None` sends chunks. See [`Body::length`](crate::Body::length).
    pub length: Option<u64>,
    /// Whether the connection should stay open; if not, `Connection: close` is added.
    pub keep_alive: bool,
}

impl<'a> RequestStart<'a> {
    /// Describes `request`, origin-form (authority-form for CONNECT, `*` if that is its path), kept alive.
    pub fn of<B>(request: &'a Request<B>, length: Option<u64>) -> Self {
        let form = match (request.method(), request.uri().path()) {
            (&Method::CONNECT, _) => TargetForm::Authority,
            (_, "*") => TargetForm::Asterisk,
            _ => TargetForm::Origin,
        };
        Self {
            method: request.method(),
            target: request.uri(),
            form,
            headers: request.headers(),
            length,
            keep_alive: true,
        }
    }
}

/// Encodes requests, one after another, for one connection; always HTTP/1.1.
#[derive(Debug, Default)]
pub struct RequestEncoder {
    open: bool,
}

impl RequestEncoder {
    /// Makes an encoder that expects a head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the head of a request.
    ///
    /// `Host` comes first. The body is framed by `Content-Length` if its length is known (and is not zero, or the
    /// method is one that usually has a body: RFC 9110 §8.6), else by chunks.
    ///
    /// # Errors
    ///
    /// What must not be sent; `out` and the encoder are unchanged then.
    pub fn head(&mut self, out: &mut Vec<u8>, start: &RequestStart<'_>) -> Result<(), WriteError> {
        let _ = (out, start, self.open);
        Err(WriteError::OutOfOrder)
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
    /// it with [`data_end`](Self::data_end).
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
