//! The client's side of reading.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{Method, StatusCode};

use super::body::BodyReader;
use super::fields;
use super::framing::{Framing, Sender};
use super::lines::{Found, Lines};
use super::status_line::StatusLine;
use crate::h1::head::MethodKind;
use crate::h1::{BodyKind, Eof, Event, Limits, ParseError, ResponseHead};

/// Decodes responses, one after another, from the bytes of one connection.
///
/// See [the module](crate::h1) for how to drive it. Each request that is sent must be announced with
/// [`expect`](Self::expect), for the method decides whether the response has a body; bytes that answer no request
/// are [`ParseError::Unsolicited`].
#[derive(Debug)]
pub struct ResponseDecoder {
    limits: Limits,
    state: State,
    /// How much of the current head or trailer section was seen.
    lines: Lines,
    /// The first line of the current head, once it is complete.
    first: Option<StatusLine>,
    /// Where the complete lines of the current head end, the first one's among them: the positions of their CRs.
    ends: Vec<u32>,
    /// The requests whose final response has not begun.
    expected: VecDeque<MethodKind>,
    /// Interim responses since the last final one.
    interim: u32,
    /// Whether a response may follow the one whose body is read.
    keep_alive: bool,
}

#[derive(Debug)]
enum State {
    /// Before or in a head.
    Head,
    /// After a head.
    Body(BodyReader),
    /// After the last response, or after HTTP.
    Closed,
    /// After an error.
    Failed(ParseError),
}

impl ResponseDecoder {
    /// Makes a decoder that expects nothing yet. Cheap: it allocates nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: limits.bounded(),
            state: State::Head,
            lines: Lines::default(),
            first: None,
            ends: Vec::new(),
            expected: VecDeque::new(),
            interim: 0,
            keep_alive: true,
        }
    }

    /// Announces a request of `method`: one more response is to come, after those already expected.
    pub fn expect(&mut self, method: &Method) {
        self.expected.push_back(MethodKind::of(method));
    }

    /// Decodes one step: how many bytes of `input` were used, and the event they made, if it is complete.
    ///
    /// Without an event the decoder needs more bytes: call again with the unconsumed rest and more behind it.
    /// After a head with [`BodyKind::Upgrade`], and after the last response of a connection (`keep_alive` false),
    /// bytes are left unconsumed.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke; every later call returns it again.
    pub fn decode<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, ResponseHead>>), ParseError> {
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
    /// [`ParseError::Truncated`] in the middle of a response, or the error that decoding ended with. A close before
    /// the first byte of an expected response is [`Eof::Clean`]: whether to try again is for the caller to say.
    pub fn finish(&mut self) -> Result<Eof, ParseError> {
        match &self.state {
            State::Head if self.lines.is_fresh() => Ok(Eof::Clean),
            State::Body(BodyReader::UntilClose(_)) => {
                self.state = State::Closed;
                Ok(Eof::EndOfBody)
            }
            State::Body(body) if body.is_complete() => Ok(Eof::Clean),
            State::Closed => Ok(Eof::Clean),
            State::Head | State::Body(_) => {
                self.state = State::Failed(ParseError::Truncated);
                Err(ParseError::Truncated)
            }
            State::Failed(err) => Err(*err),
        }
    }

    /// Says whether the decoder is between two responses: nothing of the next one has been seen.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Head) && self.lines.is_fresh()
    }

    fn decode_head<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, ResponseHead>>), ParseError> {
        if input.is_empty() {
            return Ok((0, None));
        }
        let request = *self.expected.front().ok_or(ParseError::Unsolicited)?;
        loop {
            match self.next_line(input)? {
                Found::End(end) => {
                    let head = self.build_head(&input[..end], request)?;
                    return Ok((end, Some(Event::Head(head))));
                }
                Found::Line(..) => {}
                Found::Incomplete | Found::TooLarge => return Ok((0, None)),
            }
        }
    }

    /// Finds the next line of the head; the first one is checked at once, and so are the limits.
    fn next_line(&mut self, head: &[u8]) -> Result<Found, ParseError> {
        let found = self.lines.next(head, self.limits.head_bytes)?;
        if let Found::Line(_, end) = found {
            // Fits: lines are found in less than `u32::MAX` bytes.
            self.ends.push(end as u32);
        }
        match found {
            Found::Line(start, end) if self.first.is_none() => {
                self.first = Some(StatusLine::parse(&head[start..end])?);
            }
            // The first line is in the list as well.
            Found::Line(..) if self.ends.len() - 1 > self.limits.headers => {
                return Err(ParseError::TooManyHeaders);
            }
            Found::End(_) if self.first.is_none() => return Err(ParseError::StatusLine),
            Found::TooLarge => return Err(ParseError::HeadTooLarge),
            _ => {}
        }
        Ok(found)
    }

    /// Makes the head out of its bytes, all lines being known, and gets ready for what follows it.
    fn build_head(&mut self, head: &[u8], request: MethodKind) -> Result<ResponseHead, ParseError> {
        let line = self.first.take().ok_or(ParseError::StatusLine)?;
        let bytes = Bytes::copy_from_slice(head);
        let ends = &self.ends;
        let first_end = ends[0] as usize;
        let mut framing = Framing::new(Sender::Server);
        let headers = fields::parse(&bytes, first_end + 2, &ends[1..], |name, value| {
            framing.note(name.as_str().as_bytes(), value)
        })?;
        let body = body_kind(&framing, request, &line, &self.limits)?;
        let head = ResponseHead {
            status: line.status,
            reason: bytes.slice(line.reason..first_end),
            version: line.version,
            headers,
            body,
            keep_alive: keeps_alive(&framing, body, &line),
        };
        self.lines.reset();
        self.ends.clear();
        self.follow(&head)?;
        Ok(head)
    }

    /// Decides what the bytes after `head` are.
    fn follow(&mut self, head: &ResponseHead) -> Result<(), ParseError> {
        if head.is_interim() {
            self.interim += 1;
            if self.interim > self.limits.interim_responses {
                return Err(ParseError::TooManyInterim);
            }
            return Ok(());
        }
        self.interim = 0;
        self.expected.pop_front();
        self.keep_alive = head.keep_alive;
        self.state = BodyReader::new(head.body, &self.limits).map_or(State::Closed, State::Body);
        Ok(())
    }
}

/// RFC 9112 §6.3, rules 1, 2 and 8 around what the fields say.
fn body_kind(
    framing: &Framing,
    request: MethodKind,
    line: &StatusLine,
    limits: &Limits,
) -> Result<BodyKind, ParseError> {
    match line.status {
        StatusCode::SWITCHING_PROTOCOLS => return Ok(BodyKind::Upgrade),
        status if request == MethodKind::Connect && status.is_success() => {
            return Ok(BodyKind::Upgrade);
        }
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => return Ok(BodyKind::Empty),
        status if request == MethodKind::Head || status.is_informational() => {
            return Ok(BodyKind::Empty);
        }
        _ => {}
    }
    let body = framing.body(line.version, limits)?;
    Ok(body.unwrap_or(BodyKind::UntilClose))
}

fn keeps_alive(framing: &Framing, body: BodyKind, line: &StatusLine) -> bool {
    // Content after a 204 would be taken for the next response (RFC 9112 §6.3 rule 1, §11.2).
    let odd = line.status == StatusCode::NO_CONTENT && framing.announces_content();
    framing.keeps_alive(line.version) && body != BodyKind::UntilClose && !odd
}
