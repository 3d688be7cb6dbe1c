//! The server's side of writing.

use http::{HeaderMap, StatusCode, header};

use super::body::BodyWriter;
use super::fields::{self, Seen, agreed_length};
use crate::h1::{Exchange, WriteError};
use crate::{DateLine, Response};

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
    pub headers: Option<&'a HeaderMap>,
    /// The value of one more field, `Content-Type`.
    pub content_type: Option<&'static str>,
    /// The exact length of the body in bytes; `None` if it is not known. See [`Body::length`](crate::Body::length).
    pub length: Option<u64>,
    /// The `Date` (RFC 9110 §6.6.1), added if `headers` has none: the caller has a clock.
    pub date: Option<&'a DateLine>,
}

impl<'a> ResponseStart<'a> {
    /// Describes `response`, without a date.
    pub fn of(response: &'a Response) -> Self {
        let (headers, content_type) = response.fields();
        Self {
            status: response.status(),
            reason: None,
            headers,
            content_type,
            length: response.body().length(),
            date: None,
        }
    }

    /// Describes a response of the `http` crate with a body of this length, without a date.
    pub fn of_parts<B>(response: &'a http::Response<B>, length: Option<u64>) -> Self {
        Self {
            status: response.status(),
            reason: None,
            headers: Some(response.headers()),
            content_type: None,
            length,
            date: None,
        }
    }
}

/// Encodes responses, one after another, for one connection; the status line always says HTTP/1.1.
#[derive(Debug)]
pub struct ResponseEncoder {
    body: BodyWriter,
    /// Whether the connection stays open after the current, or else the last, response.
    keep_alive: bool,
    /// Whether the last head ended HTTP.
    tunnel: bool,
}

impl ResponseEncoder {
    /// Makes an encoder that expects a head. Cheap: it allocates nothing.
    pub fn new() -> Self {
        Self {
            body: BodyWriter::Idle,
            keep_alive: true,
            tunnel: false,
        }
    }

    /// Appends the head of the final response of `exchange`.
    ///
    /// The body is framed by `Content-Length` if its length is known, else by chunks, or towards HTTP/1.0 by closing.
    /// Responses that have no body (to HEAD, 1xx, 204, 205, 304) swallow what [`data`](Self::data) is given;
    /// for HEAD and 304 a known length other than zero is still told. 101, and 2xx to CONNECT, end HTTP: `data` then
    /// passes bytes as they are.
    ///
    /// # Errors
    ///
    /// What must not be sent; `out` and the encoder are unchanged then.
    /// [`OutOfOrder`](WriteError::OutOfOrder) also after a response that closes the connection.
    pub fn head(
        &mut self,
        out: &mut Vec<u8>,
        exchange: Exchange,
        start: &ResponseStart<'_>,
    ) -> Result<(), WriteError> {
        self.check_order()?;
        let before = out.len();
        match write_head(out, exchange, start) {
            Ok(plan) => {
                self.body = plan.body;
                self.keep_alive = plan.keep_alive;
                self.tunnel = plan.tunnel;
                Ok(())
            }
            Err(err) => {
                out.truncate(before);
                Err(err)
            }
        }
    }

    /// Appends an interim response (1xx other than 101; RFC 9110 §15.2), nothing towards HTTP/1.0.
    ///
    /// # Errors
    ///
    /// [`WriteError::InterimStatus`] for other statuses, [`WriteError::OutOfOrder`] inside a message,
    /// [`WriteError::ContentLength`] and [`WriteError::TransferEncodingSet`] for fields about a body.
    pub fn interim(
        &mut self,
        out: &mut Vec<u8>,
        exchange: Exchange,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<(), WriteError> {
        self.check_order()?;
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(WriteError::InterimStatus);
        }
        if exchange.is_http10() {
            return Ok(());
        }
        if headers.contains_key(header::CONTENT_LENGTH) {
            return Err(WriteError::ContentLength);
        }
        let before = out.len();
        status_line(out, status, None)?;
        if let Err(err) = fields::write(out, headers, false) {
            out.truncate(before);
            return Err(err);
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Says whether the body of the current response goes out at all; if not, a stream need not be read.
    pub fn wants_body(&self) -> bool {
        !matches!(self.body, BodyWriter::Idle | BodyWriter::Suppressed)
    }

    /// Says whether the connection stays open after the current, or else the last, response.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Says whether the last head ended HTTP: 101, or 2xx to CONNECT. What follows is another protocol's.
    pub fn is_tunnel(&self) -> bool {
        self.tunnel
    }

    /// Appends a piece of the body, framed; an empty one does nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::BodyTooLong`] beyond the announced length, [`WriteError::OutOfOrder`] outside a message. The
    /// connection cannot stay open then.
    pub fn data(&mut self, out: &mut Vec<u8>, piece: &[u8]) -> Result<(), WriteError> {
        let done = self.body.data(out, piece);
        self.closing_on_error(done)
    }

    /// Appends what goes in front of a piece of `bytes` bytes that the caller writes itself, without a copy; follow
    /// it with [`data_end`](Self::data_end). Only for pieces that are not empty, and only while
    /// [`wants_body`](Self::wants_body).
    ///
    /// # Errors
    ///
    /// As [`data`](Self::data).
    pub fn data_start(&mut self, out: &mut Vec<u8>, bytes: usize) -> Result<(), WriteError> {
        let done = self.body.data_start(out, bytes);
        self.closing_on_error(done)
    }

    /// Appends what goes behind the piece that [`data_start`](Self::data_start) announced.
    pub fn data_end(&mut self, out: &mut Vec<u8>) {
        self.body.data_end(out);
    }

    /// Ends the body and the message.
    ///
    /// # Errors
    ///
    /// [`WriteError::BodyTooShort`] below the announced length, [`WriteError::OutOfOrder`] outside a message. The
    /// connection cannot stay open then.
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
        let done = self.body.end(out, trailers);
        self.closing_on_error(done)
    }

    /// Gets ready for a response that is written at once; says whether it may be.
    pub(super) fn begin_usual(&mut self) -> bool {
        let may = self.check_order().is_ok();
        // Nothing but a head ends HTTP.
        self.tunnel &= !may;
        may
    }

    fn check_order(&self) -> Result<(), WriteError> {
        if self.body.is_idle() && self.keep_alive {
            Ok(())
        } else {
            Err(WriteError::OutOfOrder)
        }
    }

    fn closing_on_error(&mut self, done: Result<(), WriteError>) -> Result<(), WriteError> {
        self.keep_alive &= done.is_ok();
        done
    }
}

impl Default for ResponseEncoder {
    fn default() -> Self {
        Self::new()
    }
}

/// What a head promises.
struct Plan {
    body: BodyWriter,
    keep_alive: bool,
    tunnel: bool,
}

/// What the status and the request leave of a body (RFC 9112 §6.3 rules 1 and 2).
enum Content {
    /// It goes out.
    Sent,
    /// It does not, but its length may be told: HEAD, 304.
    Described,
    /// It does not, and no length may be told: 204.
    None,
    /// It is empty: 205.
    Empty,
    /// HTTP ends here.
    Tunnel,
}

fn write_head(
    out: &mut Vec<u8>,
    exchange: Exchange,
    start: &ResponseStart<'_>,
) -> Result<Plan, WriteError> {
    let content = content(exchange, start.status)?;
    // Most heads fit; a line of a usual field takes about forty bytes.
    out.reserve(192 + start.headers.map_or(0, |headers| 40 * headers.len()));
    status_line(out, start.status, start.reason)?;
    let seen = match start.headers {
        Some(headers) => fields::write(out, headers, false)?,
        None => Seen::default(),
    };
    if let (Some(date), false) = (start.date, seen.date) {
        out.extend_from_slice(date.as_bytes());
    }
    if let Some(kind) = start.content_type {
        out.extend_from_slice(b"content-type: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let body = write_framing(out, exchange, &content, seen.content_length, start.length)?;
    let keep_alive = exchange.keep_alive() && !seen.close && body != BodyWriter::Raw;
    let tunnel = matches!(content, Content::Tunnel);
    if !tunnel {
        write_persistence(out, exchange, keep_alive);
    }
    out.extend_from_slice(b"\r\n");
    Ok(Plan {
        body,
        keep_alive,
        tunnel,
    })
}

fn content(exchange: Exchange, status: StatusCode) -> Result<Content, WriteError> {
    let connect = exchange.is_connect();
    match status {
        StatusCode::SWITCHING_PROTOCOLS if exchange.offers_upgrade() && !connect => {
            Ok(Content::Tunnel)
        }
        StatusCode::SWITCHING_PROTOCOLS => Err(WriteError::UpgradeNotAsked),
        status if status.is_informational() => Err(WriteError::InterimStatus),
        status if connect && status.is_success() => Ok(Content::Tunnel),
        StatusCode::NO_CONTENT => Ok(Content::None),
        StatusCode::NOT_MODIFIED => Ok(Content::Described),
        _ if exchange.is_head() => Ok(Content::Described),
        StatusCode::RESET_CONTENT => Ok(Content::Empty),
        _ => Ok(Content::Sent),
    }
}

/// Appends the fields that frame the body. `set` is the length the application set as a field, `known` the body's.
fn write_framing(
    out: &mut Vec<u8>,
    exchange: Exchange,
    content: &Content,
    set: Option<u64>,
    known: Option<u64>,
) -> Result<BodyWriter, WriteError> {
    match content {
        Content::Tunnel => Ok(BodyWriter::Raw),
        Content::None => Ok(BodyWriter::Suppressed),
        Content::Empty => {
            fields::length_line(out, 0);
            Ok(BodyWriter::Suppressed)
        }
        Content::Described => {
            // An empty body says nothing here: handlers leave it out.
            if let Some(bytes) = set.or(known.filter(|&bytes| bytes > 0)) {
                fields::length_line(out, bytes);
            }
            Ok(BodyWriter::Suppressed)
        }
        Content::Sent => {
            let Some(bytes) = agreed_length(set, known)? else {
                return Ok(write_unknown_length(out, exchange));
            };
            fields::length_line(out, bytes);
            Ok(BodyWriter::Length(bytes))
        }
    }
}

fn write_unknown_length(out: &mut Vec<u8>, exchange: Exchange) -> BodyWriter {
    if exchange.is_http10() {
        return BodyWriter::Raw;
    }
    out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    BodyWriter::Chunked
}

/// RFC 9112 §9.3 and §9.6: silence means keep-alive in 1.1 and close in 1.0.
fn write_persistence(out: &mut Vec<u8>, exchange: Exchange, keep_alive: bool) {
    if !keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    } else if exchange.is_http10() {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
}

fn status_line(
    out: &mut Vec<u8>,
    status: StatusCode,
    reason: Option<&str>,
) -> Result<(), WriteError> {
    if status == StatusCode::OK && reason.is_none() {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return Ok(());
    }
    let reason = reason.or(status.canonical_reason()).unwrap_or("");
    if reason
        .bytes()
        .any(|byte| byte.is_ascii_control() && byte != b'\t')
    {
        return Err(WriteError::Reason);
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(())
}
