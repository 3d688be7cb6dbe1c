//! Drives a decoder over an input cut in every way and tells what came out.

use std::fmt::{Debug, Write};

use http::{HeaderMap, Method, Version};
use squall_http::h1::{
    Eof, Event, Limits, ParseError, RequestDecoder, RequestHead, ResponseDecoder, ResponseHead,
};

/// Turns a row of a table into bytes: `⏎` is CRLF, any other character is the byte of its number.
pub(crate) fn wire(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for letter in text.chars() {
        match letter {
            '⏎' => bytes.extend_from_slice(b"\r\n"),
            letter => bytes.push(u8::try_from(u32::from(letter)).expect("Latin-1 or ⏎")),
        }
    }
    bytes
}

/// Turns bytes into what a row of a table looks like.
pub(crate) fn text(bytes: &[u8]) -> String {
    let letters: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    letters.replace("\r\n", "⏎")
}

/// What one call of a decoder returns.
pub(crate) type Step<'a, H> = Result<(usize, Option<Event<'a, H>>), ParseError>;

/// Both decoders.
pub(crate) trait Machine {
    type Head: Debug + PartialEq + Summary;
    fn step<'a>(&mut self, input: &'a [u8]) -> Step<'a, Self::Head>;
    fn close(&mut self) -> Result<Eof, ParseError>;
}

impl Machine for RequestDecoder {
    type Head = RequestHead;
    fn step<'a>(&mut self, input: &'a [u8]) -> Step<'a, RequestHead> {
        self.decode(input)
    }
    fn close(&mut self) -> Result<Eof, ParseError> {
        self.finish()
    }
}

impl Machine for ResponseDecoder {
    type Head = ResponseHead;
    fn step<'a>(&mut self, input: &'a [u8]) -> Step<'a, ResponseHead> {
        self.decode(input)
    }
    fn close(&mut self) -> Result<Eof, ParseError> {
        self.finish()
    }
}

/// All that came out of one input.
#[derive(Debug, PartialEq)]
pub(crate) struct Transcript<H> {
    pub(crate) messages: Vec<Message<H>>,
    /// How it ended: an error while decoding, or what the end of the input meant.
    pub(crate) end: Result<Eof, ParseError>,
    /// What the decoder left; not compared after errors.
    pub(crate) rest: Vec<u8>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Message<H> {
    pub(crate) head: H,
    pub(crate) body: Vec<u8>,
    /// There once the message has ended.
    pub(crate) trailers: Option<HeaderMap>,
}

/// Feeds the pieces one by one, keeping what is not consumed as a connection would.
pub(crate) fn run<M: Machine>(mut machine: M, pieces: &[&[u8]]) -> Transcript<M::Head> {
    let mut messages: Vec<Message<M::Head>> = Vec::new();
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let (used, event) = match machine.step(&buffer) {
                Ok(step) => step,
                Err(err) => {
                    assert_eq!(machine.step(&[]).map(|_| ()), Err(err), "errors last");
                    assert_eq!(machine.close(), Err(err), "errors last");
                    let rest = Vec::new();
                    return Transcript {
                        messages,
                        end: Err(err),
                        rest,
                    };
                }
            };
            let more = event.is_some();
            match event {
                Some(Event::Head(head)) => messages.push(Message {
                    head,
                    body: Vec::new(),
                    trailers: None,
                }),
                Some(Event::Data(data)) => {
                    assert!(!data.is_empty(), "pieces are never empty");
                    messages
                        .last_mut()
                        .expect("a head came first")
                        .body
                        .extend_from_slice(data);
                }
                Some(Event::End(trailers)) => {
                    messages.last_mut().expect("a head came first").trailers =
                        Some(trailers.map(|trailers| *trailers).unwrap_or_default());
                }
                None => {}
            }
            buffer.drain(..used);
            if !more {
                break;
            }
        }
    }
    Transcript {
        messages,
        end: machine.close(),
        rest: buffer,
    }
}

/// Feeds `input` whole, byte by byte and cut in two at every byte; all must tell the same.
pub(crate) fn everywhere<M: Machine>(make: impl Fn() -> M, input: &[u8]) -> Transcript<M::Head> {
    let whole = run(make(), &[input]);
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(run(make(), &bytes), whole, "byte by byte: {}", text(input));
    // Long inputs are cut at fewer places, all of their ends included.
    let stride = if input.len() > 2000 { 97 } else { 1 };
    for at in (0..=input.len()).step_by(stride) {
        let (left, right) = input.split_at(at);
        assert_eq!(
            run(make(), &[left, right]),
            whole,
            "cut at {at}: {}",
            text(input)
        );
        assert_eq!(
            run(make(), &[left, b"", right]),
            whole,
            "cut at {at}: {}",
            text(input)
        );
    }
    whole
}

/// Decodes requests with the usual limits and tells what came out in a line.
pub(crate) fn requests(input: &str) -> String {
    everywhere(|| RequestDecoder::new(Limits::default()), &wire(input)).summary()
}

/// Decodes the responses to requests of these methods and tells what came out in a line.
pub(crate) fn responses(methods: &[Method], input: &str) -> String {
    everywhere(
        || response_decoder(methods, Limits::default()),
        &wire(input),
    )
    .summary()
}

pub(crate) fn response_decoder(methods: &[Method], limits: Limits) -> ResponseDecoder {
    let mut decoder = ResponseDecoder::new(limits);
    for method in methods {
        decoder.expect(method);
    }
    decoder
}

impl<H: Summary> Transcript<H> {
    /// Messages and the end, separated by ` ; `. A message is its head, its body after `=`, its trailers after `+`,
    /// and `...` if it did not end.
    pub(crate) fn summary(&self) -> String {
        let mut out = String::new();
        for message in &self.messages {
            out += &message.head.summary();
            if !message.body.is_empty() {
                write!(out, " ={}", text(&message.body)).expect("a string");
            }
            match &message.trailers {
                Some(trailers) => {
                    for (name, value) in trailers {
                        write!(out, " +{name}:{}", text(value.as_bytes())).expect("a string");
                    }
                }
                None => out += " ...",
            }
            out += " ; ";
        }
        match self.end {
            Ok(Eof::Clean) => out += "clean",
            Ok(Eof::EndOfBody) => out += "end of body",
            Err(err) => write!(out, "{err:?}").expect("a string"),
        }
        if !self.rest.is_empty() && self.end.is_ok() {
            write!(out, " ; left {}", text(&self.rest)).expect("a string");
        }
        out
    }
}

pub(crate) trait Summary {
    fn summary(&self) -> String;
}

impl Summary for RequestHead {
    fn summary(&self) -> String {
        let version = digits(self.version());
        let mut out = format!("{} {} {version}", self.method(), self.uri());
        let flags = [
            (self.keep_alive(), " keep"),
            (self.expects_continue(), " continue"),
            (self.offers_upgrade(), " upgrade"),
        ];
        for (flag, word) in flags {
            out += if flag { word } else { "" };
        }
        write!(out, " {:?}", self.body()).expect("a string");
        out
    }
}

impl Summary for ResponseHead {
    fn summary(&self) -> String {
        let keep = if self.keep_alive { " keep" } else { "" };
        let version = digits(self.version);
        let (status, reason) = (self.status.as_str(), text(&self.reason));
        format!("{version} {status} {reason:?}{keep} {:?}", self.body)
    }
}

fn digits(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        _ => "other",
    }
}

/// Checks a table of (input, summary), and tells of all rows that differ at once.
pub(crate) fn check(rows: &[(&str, &str)], decode: impl Fn(&str) -> String) {
    let mut wrong = String::new();
    for (input, expected) in rows {
        let got = decode(input);
        if got != *expected {
            write!(
                wrong,
                "\n{input:?}\n  expected {expected}\n  got      {got}"
            )
            .expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
