//! The server's side of reading.

use bytes::Bytes;
use http::Method;

use super::body::BodyReader;
use super::fields;
use super::framing::{Framing, Sender};
use super::lines::{Found, Lines};
use super::request_line::RequestLine;
use crate::h1::{BodyKind, Eof, Event, Limits, ParseError, RequestHead};

/// Empty lines that may stand before a request: old clients end a body with one too many (RFC 9112 §2.2).
const LEADING_EMPTY_LINES: u8 = 4;

/// Decodes requests, one after another, from the bytes of one connection.
///
/// See [the module](crate::h1) for how to drive it.
#[derive(Debug)]
pub struct RequestDecoder {
    limits: Limits,
    state: State,
    /// How much of the current head or trailer section was seen.
    lines: Lines,
    /// The first line of the current head, once it is complete.
    first: Option<RequestLine>,
    /// Empty lines skipped before the current head.
    empty_lines: u8,
    /// Whether a request may follow the one whose body is read.
    keep_alive: bool,
}

#[derive(Debug)]
enum State {
    /// Before or in a head.
    Head,
    /// After a head.
    Body(BodyReader),
    /// After the last request.
    Closed,
    /// After an error.
    Failed(ParseError),
}

impl RequestDecoder {
    /// Makes a decoder that expects the first byte of a request. Cheap: it allocates nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: limits.bounded(),
            state: State::Head,
            lines: Lines::default(),
            first: None,
            empty_lines: 0,
            keep_alive: true,
        }
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
        let decoded = match &mut self.state {
            State::Head => self.decode_head(input),
            State::Body(body) => body.decode(input, &self.limits, &mut self.lines),
            State::Closed => return Ok((0, None)),
            State::Failed(err) => return Err(*err),
        };
        match &decoded {
            Ok((_, Some(Event::End(_)))) if self.keep_alive => self.state = State::Head,
            Ok((_, Some(Event::End(_)))) => self.state = State::Closed,
            Ok(_) => {}
            Err(err) => self.state = State::Failed(*err),
        }
        decoded
    }

    /// Says what it means that the peer closed its side now.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] in the middle of a request, or the error that decoding ended with.
    pub fn finish(&mut self) -> Result<Eof, ParseError> {
        match &self.state {
            State::Head if self.lines.is_fresh() => Ok(Eof::Clean),
            State::Body(body) if body.is_complete() => Ok(Eof::Clean),
            State::Closed => Ok(Eof::Clean),
            State::Head | State::Body(_) => {
                self.state = State::Failed(ParseError::Truncated);
                Err(ParseError::Truncated)
            }
            State::Failed(err) => Err(*err),
        }
    }

    /// Changes [`Limits::body_bytes`] for the body at hand and all later ones: a route may allow less than the
    /// server does, once the head is known.
    ///
    /// A body that is longer fails with [`ParseError::BodyTooLarge`] in the next step.
    pub fn set_body_limit(&mut self, bytes: u64) {
        self.limits.body_bytes = bytes;
        if matches!(self.state, State::Body(BodyReader::Length(left)) if left > bytes) {
            self.state = State::Failed(ParseError::BodyTooLarge);
        }
    }

    /// Says whether the decoder is between two requests: nothing of the next one has been seen.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Head) && self.lines.is_fresh()
    }

    fn decode_head<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, RequestHead>>), ParseError> {
        let mut skipped = 0;
        loop {
            let rest = &input[skipped..];
            match self.next_line(rest)? {
                Found::End(end) if self.first.is_none() => {
                    skipped += end;
                    self.skip_empty_line()?;
                }
                Found::End(end) => {
                    let head = self.build_head(&rest[..end])?;
                    return Ok((skipped + end, Some(Event::Head(head))));
                }
                Found::Line(..) => {}
                Found::Incomplete | Found::TooLarge => return Ok((skipped, None)),
            }
        }
    }

    /// Finds the next line of the head; the first one is checked at once, and so are the limits.
    fn next_line(&mut self, head: &[u8]) -> Result<Found, ParseError> {
        if self.first.is_some() {
            return self.next_field_line(head);
        }
        if matches!(head, [byte, ..] if !byte.is_ascii_alphabetic() && !b"\r\n".contains(byte)) {
            return Err(ParseError::Method);
        }
        let target_bytes = self.limits.target_bytes;
        let longest = RequestLine::longest(target_bytes);
        let found = self.lines.next(head, longest.min(self.limits.head_bytes))?;
        match found {
            Found::Line(start, end) => {
                self.first = Some(RequestLine::parse(&head[start..end], target_bytes)?);
            }
            Found::TooLarge if longest <= self.limits.head_bytes => {
                // Too long to be right; which part is too long says the parser.
                RequestLine::parse(&head[..longest], target_bytes)?;
                return Err(ParseError::RequestLine);
            }
            Found::TooLarge => return Err(ParseError::HeadTooLarge),
            Found::End(_) | Found::Incomplete => {}
        }
        Ok(found)
    }

    fn next_field_line(&mut self, head: &[u8]) -> Result<Found, ParseError> {
        let found = self.lines.next(head, self.limits.head_bytes)?;
        match found {
            Found::TooLarge => Err(ParseError::HeadTooLarge),
            // The first line is in the list as well.
            Found::Line(..) if self.lines.ends().len() - 1 > self.limits.headers => {
                Err(ParseError::TooManyHeaders)
            }
            found => Ok(found),
        }
    }

    fn skip_empty_line(&mut self) -> Result<(), ParseError> {
        self.lines.reset();
        self.empty_lines += 1;
        if self.empty_lines > LEADING_EMPTY_LINES {
            return Err(ParseError::LeadingEmptyLines);
        }
        Ok(())
    }

    /// Makes the head out of its bytes, all lines being known, and gets ready for the body.
    fn build_head(&mut self, head: &[u8]) -> Result<RequestHead, ParseError> {
        let line = self.first.take().ok_or(ParseError::RequestLine)?;
        let bytes = Bytes::copy_from_slice(head);
        let target = line.target(&bytes)?;
        let ends = self.lines.ends();
        let mut framing = Framing::new(Sender::Client);
        let headers = fields::parse(&bytes, ends[0] as usize + 2, &ends[1..], |name, value| {
            framing.note(name, value)
        })?;
        framing.check_host(line.version)?;
        let body = body_kind(&framing, &line, &self.limits)?;
        let expect_continue = framing.expects_continue(line.version)?;
        let keep_alive = framing.keeps_alive(line.version);

        self.lines.reset();
        self.empty_lines = 0;
        self.keep_alive = keep_alive;
        self.state = BodyReader::new(body, &self.limits).map_or(State::Closed, State::Body);
        Ok(RequestHead {
            upgrade: line.method == Method::CONNECT || framing.offers_upgrade(line.version),
            method: line.method,
            target,
            version: line.version,
            headers,
            body,
            keep_alive,
            expect_continue: expect_continue && body != BodyKind::Empty,
        })
    }
}

/// RFC 9112 §6.3: a request whose fields do not say so has no body.
fn body_kind(
    framing: &Framing,
    line: &RequestLine,
    limits: &Limits,
) -> Result<BodyKind, ParseError> {
    let body = framing
        .body(line.version, limits)?
        .unwrap_or(BodyKind::Empty);
    if line.method == Method::CONNECT && body != BodyKind::Empty {
        return Err(ParseError::ConnectWithBody);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` in pieces of `size` bytes; how many bytes were looked at for line ends.
    fn examined(input: &[u8], size: usize) -> usize {
        let mut decoder = RequestDecoder::new(Limits {
            headers: usize::MAX,
            ..Limits::default()
        });
        let mut end = 0;
        while end < input.len() {
            end = (end + size).min(input.len());
            match decoder.decode(&input[..end]) {
                Ok((0, None)) => {}
                Ok((_, Some(Event::Head(_)))) | Err(_) => break,
                other => panic!("not a head: {other:?}"),
            }
        }
        decoder.lines.examined
    }

    #[test]
    fn work_is_linear_in_the_bytes_of_a_head_however_it_is_cut() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\n";
        let inputs = [
            format!("{start}X: {}\r\n\r\n", "x".repeat(60_000)),
            format!("{start}{}\r\n", "X: y\r\n".repeat(10_000)),
            format!("{start}{}\r\n", ":\r\n".repeat(16_000)),
            format!("{start}X: {}", "x".repeat(1 << 20)),
            format!("GET /{} HTTP/1.1\r\n", "x".repeat(1 << 20)),
            "M".repeat(1 << 20),
        ];
        for input in inputs {
            for size in [1, 2, 7, 64, 1024, 4096, 1 << 16] {
                let pieces = input.len().min(1 << 16) / size + 1;
                let lines = input.matches('\r').count();
                let work = examined(input.as_bytes(), size);
                // Each byte once, and one more for each line and each piece.
                assert!(work <= (1 << 16) + lines + pieces + 1, "{size}: {work}");
            }
        }
    }
}
