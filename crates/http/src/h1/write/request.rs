//! The client's side of writing.

use http::{HeaderMap, Method, Request, Uri, header};

use super::body::BodyWriter;
use super::fields::{self, agreed_length};
use crate::h1::WriteError;
use crate::h1::syntax::{is_host, is_host_and_port};

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
#[derive(Debug)]
pub struct RequestEncoder {
    body: BodyWriter,
    /// Whether another request may follow.
    keep_alive: bool,
}

impl RequestEncoder {
    /// Makes an encoder that expects a head. Cheap: it allocates nothing.
    pub fn new() -> Self {
        Self {
            body: BodyWriter::Idle,
            keep_alive: true,
        }
    }

    /// Appends the head of a request.
    ///
    /// `Host` comes first. The body is framed by `Content-Length` if its length is known (a zero is only told for
    /// methods that usually have a body: RFC 9110 §8.6), else by chunks.
    ///
    /// # Errors
    ///
    /// What must not be sent; `out` and the encoder are unchanged then.
    /// [`OutOfOrder`](WriteError::OutOfOrder) also after a request that closes the connection.
    pub fn head(&mut self, out: &mut Vec<u8>, start: &RequestStart<'_>) -> Result<(), WriteError> {
        if !self.body.is_idle() || !self.keep_alive {
            return Err(WriteError::OutOfOrder);
        }
        let before = out.len();
        match write_head(out, start) {
            Ok((body, keep_alive)) => {
                self.body = body;
                self.keep_alive = keep_alive;
                Ok(())
            }
            Err(err) => {
                out.truncate(before);
                Err(err)
            }
        }
    }

    /// Says whether the connection can carry another request after the current, or else the last, one.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
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
    /// it with [`data_end`](Self::data_end). Only for pieces that are not empty.
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

    fn closing_on_error(&mut self, done: Result<(), WriteError>) -> Result<(), WriteError> {
        self.keep_alive &= done.is_ok();
        done
    }
}

impl Default for RequestEncoder {
    fn default() -> Self {
        Self::new()
    }
}

fn write_head(
    out: &mut Vec<u8>,
    start: &RequestStart<'_>,
) -> Result<(BodyWriter, bool), WriteError> {
    // Most heads fit; a line of a usual field takes about forty bytes.
    out.reserve(128 + 40 * start.headers.len());
    out.extend_from_slice(start.method.as_str().as_bytes());
    out.push(b' ');
    let target = out.len();
    write_target(out, start)?;
    if !out[target..].iter().all(|byte| matches!(byte, 0x21..=0x7e)) {
        return Err(WriteError::Target);
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields::line(out, &header::HOST, host(start)?);
    let seen = fields::write(out, start.headers, true)?;
    let body = write_framing(out, start, seen.content_length)?;
    let keep_alive = start.keep_alive && !seen.close;
    if !keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok((body, keep_alive))
}

/// RFC 9112 §3.2.
fn write_target(out: &mut Vec<u8>, start: &RequestStart<'_>) -> Result<(), WriteError> {
    let connect = *start.method == Method::CONNECT;
    match start.form {
        _ if connect => write_host_and_port(out, start.target),
        TargetForm::Absolute => {
            let scheme = start.target.scheme_str().ok_or(WriteError::Target)?;
            let host = authority(start.target).ok_or(WriteError::Target)?;
            out.extend_from_slice(scheme.as_bytes());
            out.extend_from_slice(b"://");
            out.extend_from_slice(host.as_bytes());
            write_path(out, start.target)
        }
        TargetForm::Asterisk if *start.method == Method::OPTIONS => {
            out.push(b'*');
            Ok(())
        }
        TargetForm::Origin => write_path(out, start.target),
        TargetForm::Asterisk | TargetForm::Authority => Err(WriteError::Target),
    }
}

fn write_path(out: &mut Vec<u8>, target: &Uri) -> Result<(), WriteError> {
    let path = target.path_and_query().map_or("", |path| path.as_str());
    match path.as_bytes() {
        [b'/', ..] => {}
        [] | [b'?', ..] => out.push(b'/'),
        _ => return Err(WriteError::Target),
    }
    out.extend_from_slice(path.as_bytes());
    Ok(())
}

/// RFC 9110 §9.3.6: the port of a tunnel is always told.
fn write_host_and_port(out: &mut Vec<u8>, target: &Uri) -> Result<(), WriteError> {
    let host = authority(target).ok_or(WriteError::Target)?;
    out.extend_from_slice(host.as_bytes());
    if is_host_and_port(host.as_bytes()) {
        return Ok(());
    }
    let port: &[u8] = match target.scheme_str() {
        Some("http") => b"80",
        Some("https") => b"443",
        _ => return Err(WriteError::Target),
    };
    if !host.ends_with(':') {
        out.push(b':');
    }
    out.extend_from_slice(port);
    Ok(())
}

/// The authority without user information, which is not for the wire (RFC 9110 §4.2.4).
fn authority(target: &Uri) -> Option<&str> {
    let authority = target.authority()?.as_str();
    Some(match authority.rfind('@') {
        Some(at) => &authority[at + 1..],
        None => authority,
    })
}

/// The value of `Host`: the field, else the target's authority.
fn host<'a>(start: &RequestStart<'a>) -> Result<&'a [u8], WriteError> {
    let mut fields = start.headers.get_all(header::HOST).iter();
    let host = match (fields.next(), fields.next()) {
        (None, _) => authority(start.target)
            .ok_or(WriteError::HostMissing)?
            .as_bytes(),
        (Some(host), None) => host.as_bytes(),
        (Some(_), Some(_)) => return Err(WriteError::HostRepeated),
    };
    if is_host(host) {
        Ok(host)
    } else {
        Err(WriteError::HostInvalid)
    }
}

/// Appends the field that frames the body. `set` is the length the application set as a field.
fn write_framing(
    out: &mut Vec<u8>,
    start: &RequestStart<'_>,
    set: Option<u64>,
) -> Result<BodyWriter, WriteError> {
    let length = agreed_length(set, start.length)?;
    if matches!(*start.method, Method::CONNECT | Method::TRACE) && length != Some(0) {
        return Err(WriteError::BodyForbidden);
    }
    match length {
        None => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            Ok(BodyWriter::Chunked)
        }
        Some(0) if !usually_has_body(start.method) => Ok(BodyWriter::Length(0)),
        Some(bytes) => {
            fields::length_line(out, bytes);
            Ok(BodyWriter::Length(bytes))
        }
    }
}

fn usually_has_body(method: &Method) -> bool {
    matches!(
        *method,
        Method::PATCH | Method::POST | Method::PUT | Method::QUERY
    )
}
