//! The usual response, written at once.

use http::StatusCode;

use super::fields;
use super::response::ResponseEncoder;
use crate::h1::Exchange;
use crate::{Body, DateLine, Response};

/// The heads of the usual responses of one second: status 200, `Date`, `Content-Type` and `Content-Length`.
///
/// Those of one type differ in the last number only, so what is before it is kept for the next one. It holds about 130
/// bytes.
#[derive(Clone, Debug)]
pub struct UsualHead {
    date: DateLine,
    /// The type that `text` has, if there is a text.
    kind: &'static str,
    /// The head of the last response, up to the length.
    text: Vec<u8>,
}

impl UsualHead {
    /// Makes that of a second.
    pub fn new(date: DateLine) -> Self {
        Self {
            date,
            kind: "",
            text: Vec::new(),
        }
    }

    /// Returns the line of the date, for other heads.
    pub fn date(&self) -> &DateLine {
        &self.date
    }

    fn text(&mut self, kind: &'static str) -> &[u8] {
        // Types are constants of the program, so the same text is nearly always at the same place.
        if !std::ptr::eq(self.kind, kind) || self.text.is_empty() {
            self.prepare(kind);
        }
        &self.text
    }

    fn prepare(&mut self, kind: &'static str) {
        self.kind = kind;
        self.text.clear();
        let parts: [&[u8]; 5] = [
            b"HTTP/1.1 200 OK\r\n",
            self.date.as_bytes(),
            b"content-type: ",
            kind.as_bytes(),
            b"\r\ncontent-length: ",
        ];
        parts
            .iter()
            .for_each(|part| self.text.extend_from_slice(part));
    }
}

impl ResponseEncoder {
    /// Appends a whole response, head and body at once, if it is of the usual kind: status 200 with no field but
    /// `Content-Type`, its body here, to a request that is not HEAD or CONNECT, on a connection that stays open. Says
    /// whether it was; else nothing has happened, and [`head`](Self::head) is the way.
    pub fn usual(
        &mut self,
        out: &mut Vec<u8>,
        exchange: Exchange,
        response: &Response,
        head: &mut UsualHead,
    ) -> bool {
        let (None, Some(kind)) = response.fields() else {
            return false;
        };
        let Body::Full(body) = response.body() else {
            return false;
        };
        if !exchange.is_usual() || response.status() != StatusCode::OK || !self.begin_usual() {
            return false;
        }
        let head = head.text(kind);
        out.reserve(head.len() + LENGTH + body.len());
        out.extend_from_slice(head);
        length(out, body.len());
        out.extend_from_slice(body);
        true
    }
}

/// Bytes of the longest length, and of what follows it.
const LENGTH: usize = 24;

/// Appends the length of a body, and the end of a head.
#[inline]
fn length(out: &mut Vec<u8>, length: usize) {
    // A digit fits.
    let digit = |number: usize| b'0' + (number % 10) as u8;
    match length {
        0..10 => out.extend_from_slice(&[digit(length), b'\r', b'\n', b'\r', b'\n']),
        10..100 => {
            let digits = [digit(length / 10), digit(length)];
            out.extend_from_slice(&[digits[0], digits[1], b'\r', b'\n', b'\r', b'\n']);
        }
        _ => {
            fields::number(out, length as u64);
            out.extend_from_slice(b"\r\n\r\n");
        }
    }
}
