//! The server's side of reading.

use std::mem;

use http::Method;

use super::body::BodyReader;
use super::fields;
use super::framing::{Framing, Sender};
use super::lines::{Found, Lines};
use super::request_line;
use crate::h1::head::{Block, Field};
use crate::h1::{BodyKind, Eof, Event, Exchange, Limits, ParseError, RequestHead};

/// Empty lines that may stand before a request: old clients end a body with one too many (RFC 9112 §2.2).
const LEADING_EMPTY_LINES: u8 = 4;

/// The field that is checked most closely.
const HOST: &[u8] = b"host";

/// Bytes of the longest `Host` that is remembered; a host name has at most 253, and a port 5.
const HOST_BYTES: usize = 260;

/// Decodes requests, one after another, from the bytes of one connection.
///
/// See [the module](crate::h1) for how to drive it.
#[derive(Debug)]
pub struct RequestDecoder {
    limits: Limits,
    state: State,
    /// How much of the current head or trailer section was seen.
    lines: Lines,
    /// The current head as far as its lines are complete; `None` before its first one is.
    block: Option<Box<Block>>,
    /// What its fields said about framing.
    framing: Framing,
    /// The last `Host` that was right, which most requests repeat.
    host: Vec<u8>,
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
            block: None,
            framing: Framing::new(Sender::Client),
            host: Vec::new(),
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
            State::Head => self
                .take_head(input)
                .map(|(used, head)| (used, head.map(Event::Head))),
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

    /// Forgets the empty lines in front of the next request: a decoder between two requests is as new then, and may go on
    /// with another connection.
    pub fn forget_empty_lines(&mut self) {
        self.empty_lines = 0;
    }

    /// Goes on to the next request if all of the current one's body has been handed out: the same as decoding its
    /// [`Event::End`], for callers that know that nothing else can come. Says whether it did.
    #[inline]
    pub fn skip_end(&mut self) -> bool {
        let complete = matches!(&self.state, State::Body(body) if body.is_complete());
        if complete {
            self.state = if self.keep_alive {
                State::Head
            } else {
                State::Closed
            };
        }
        complete
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

    /// Decodes the head that comes next: as [`decode`](Self::decode), for callers that know that nothing else can come.
    ///
    /// In the middle of a message, or after the last one, nothing is decoded.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke; every later call returns it again.
    #[inline]
    pub fn next_head(&mut self, input: &[u8]) -> Result<(usize, Option<RequestHead>), ParseError> {
        if matches!(self.state, State::Head) {
            let decoded = self.take_head(input);
            return decoded.inspect_err(|err| self.state = State::Failed(*err));
        }
        match self.state {
            State::Failed(err) => Err(err),
            _ => Ok((0, None)),
        }
    }

    #[inline(never)]
    fn take_head(&mut self, input: &[u8]) -> Result<(usize, Option<RequestHead>), ParseError> {
        if self.lines.is_fresh()
            && let Some((used, head)) = self.repeated_head(input)
        {
            return Ok((used, Some(head)));
        }
        self.decode_head(input)
    }

    #[inline(never)]
    fn decode_head(&mut self, input: &[u8]) -> Result<(usize, Option<RequestHead>), ParseError> {
        if self.lines.is_fresh()
            && let Some((used, head)) = self.usual_head(input)?
        {
            return Ok((used, Some(head)));
        }
        let mut skipped = 0;
        loop {
            let rest = &input[skipped..];
            let Some(block) = &mut self.block else {
                match self.first_line(rest)? {
                    Found::End(end) => {
                        skipped += end;
                        self.skip_empty_line()?;
                    }
                    Found::Line(..) => {}
                    Found::Incomplete | Found::TooLarge => return Ok((skipped, None)),
                }
                continue;
            };
            // What begins with white space folds a line, however it goes on.
            let start = self.lines.start();
            if start < self.limits.head_bytes
                && matches!(rest.get(start), Some(b' ' | b'\t'))
                && block.fields.len() < self.limits.headers
            {
                return Err(ParseError::ObsFold);
            }
            match self.lines.next(rest, self.limits.head_bytes)? {
                Found::Line(..) if block.fields.len() >= self.limits.headers => {
                    return Err(ParseError::TooManyHeaders);
                }
                Found::Line(start, end) => {
                    let line = &rest[start..end];
                    let (colon, value) = fields::split(line)?;
                    self.framing.note(&line[..colon], &line[value.clone()])?;
                    block.fields.push(Field::new(start, colon, value));
                }
                Found::End(end) => {
                    let mut block = self.block.take().unwrap_or_default();
                    let framing = mem::replace(&mut self.framing, Framing::new(Sender::Client));
                    self.end_head(&mut block, &framing, &rest[..end])?;
                    return Ok((skipped + end, Some(self.follow(block))));
                }
                Found::Incomplete => return Ok((skipped, None)),
                Found::TooLarge => return Err(ParseError::HeadTooLarge),
            }
        }
    }

    /// Decodes a head with the very bytes of the last one that was at work on this thread.
    #[inline]
    fn repeated_head(&mut self, input: &[u8]) -> Option<(usize, RequestHead)> {
        let block = Block::take_last();
        match block.repeated_by(input, &self.limits) {
            Some(length) => Some((length, self.follow(block))),
            None => {
                block.give_back();
                None
            }
        }
    }

    /// Decodes a head that is here whole and in the form that nearly all clients use, in one pass. `None` if it has to be
    /// decoded line by line.
    fn usual_head(&mut self, input: &[u8]) -> Result<Option<(usize, RequestHead)>, ParseError> {
        let mut block = Block::take();
        let window = &input[..input.len().min(self.limits.head_bytes)];
        let mut framing = Framing::new(Sender::Client);
        let line = request_line::parse_usual(window, self.limits.target_bytes, &mut block);
        let mut next = line;
        while let Some(start) = next {
            let lines = &window[start..];
            if let [b'\r', b'\n', ..] = lines {
                let end = start + 2;
                self.end_head(&mut block, &framing, &input[..end])?;
                block.repeatable = true;
                return Ok(Some((end, self.follow(block))));
            }
            next = match fields::split_usual(lines) {
                Some((colon, value, length)) if block.fields.len() < self.limits.headers => {
                    self.note_usual(&mut framing, &lines[..colon], &lines[value.clone()])?;
                    block.fields.push(Field::new(start, colon, value));
                    Some(start + length)
                }
                _ => None,
            };
        }
        block.give_back();
        Ok(None)
    }

    /// Takes note of a field, and of a `Host` that was seen before without another look.
    #[inline]
    fn note_usual(
        &mut self,
        framing: &mut Framing,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), ParseError> {
        if name.len() != HOST.len() || !name.eq_ignore_ascii_case(HOST) {
            return framing.note(name, value);
        }
        if *value == *self.host && framing.note_known_host() {
            return Ok(());
        }
        framing.note(name, value)?;
        if value.len() <= HOST_BYTES {
            self.host.clear();
            self.host.extend_from_slice(value);
        }
        Ok(())
    }

    /// Finds the first line of a head, checks it at once, and so its limits.
    fn first_line(&mut self, head: &[u8]) -> Result<Found, ParseError> {
        if matches!(head, [byte, ..] if !byte.is_ascii_alphabetic() && !b"\r\n".contains(byte)) {
            return Err(ParseError::Method);
        }
        let target_bytes = self.limits.target_bytes;
        let longest = request_line::longest(target_bytes);
        let limit = longest.min(self.limits.head_bytes);
        let seen = self.lines.scanned();
        let found = self.lines.next(head, limit);
        if !matches!(found, Ok(Found::Line(..) | Found::End(_))) {
            let window = &head[..head.len().min(limit)];
            let end = memchr::memchr2(b'\r', b'\n', &window[seen..]);
            let line = &window[..end.map_or(window.len(), |end| seen + end)];
            request_line::judge_version(line, seen, target_bytes)?;
        }
        let found = found?;
        match found {
            Found::Line(start, end) => {
                let block = self.block.insert(Block::take());
                request_line::parse(&head[start..end], target_bytes, block)?;
            }
            Found::TooLarge if longest <= self.limits.head_bytes => {
                // Too long to be right; which part is too long says the parser.
                request_line::parse(&head[..longest], target_bytes, &mut Block::take())?;
                return Err(ParseError::RequestLine);
            }
            Found::TooLarge => return Err(ParseError::HeadTooLarge),
            Found::End(_) | Found::Incomplete => {}
        }
        Ok(found)
    }

    fn skip_empty_line(&mut self) -> Result<(), ParseError> {
        self.lines.reset();
        self.empty_lines += 1;
        if self.empty_lines > LEADING_EMPTY_LINES {
            return Err(ParseError::LeadingEmptyLines);
        }
        Ok(())
    }

    /// Completes the head with all its bytes.
    fn end_head(
        &self,
        block: &mut Block,
        framing: &Framing,
        bytes: &[u8],
    ) -> Result<(), ParseError> {
        let version = block.version;
        framing.check_host(version)?;
        let body = body_kind(framing, block, &self.limits)?;
        let expects_continue = framing.expects_continue(version)?;

        block.bytes.extend_from_slice(bytes);
        block.body = Some(body);
        block.expects_continue = expects_continue && body != BodyKind::Empty;
        let upgrade = block.method == Method::CONNECT || framing.offers_upgrade(version);
        let keep_alive = framing.keeps_alive(version);
        block.exchange = Exchange::new(&block.method, version, keep_alive, upgrade);
        Ok(())
    }

    /// Gets ready for what follows a head that is complete.
    fn follow(&mut self, block: Box<Block>) -> RequestHead {
        self.lines.reset();
        self.empty_lines = 0;
        let head = RequestHead::new(block);
        self.keep_alive = head.keep_alive();
        self.state = BodyReader::new(head.body(), &self.limits).map_or(State::Closed, State::Body);
        head
    }
}

/// RFC 9112 §6.3: a request whose fields do not say so has no body.
fn body_kind(framing: &Framing, block: &Block, limits: &Limits) -> Result<BodyKind, ParseError> {
    let body = framing
        .body(block.version, limits)?
        .unwrap_or(BodyKind::Empty);
    if block.method == Method::CONNECT && body != BodyKind::Empty {
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
