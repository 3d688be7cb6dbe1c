//! The fields that decide where a message ends and what becomes of the connection.

use http::Version;

use crate::h1::syntax::{decimal, is_host, members};
use crate::h1::{BodyKind, Limits, ParseError};

/// Who sent the message: requests are judged more strictly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
}

/// What the fields of one head said about framing, gathered while they are parsed.
#[derive(Debug)]
pub(super) struct Framing {
    sender: Sender,
    content_length: Option<u64>,
    /// `Transfer-Encoding` was there.
    coded: bool,
    /// The last coding so far is `chunked`.
    chunked: bool,
    /// There was a coding other than `chunked`.
    unknown_coding: bool,
    /// Options of `Connection`.
    close: bool,
    keep_alive: bool,
    upgrade_option: bool,
    /// `Upgrade` names a protocol.
    upgrade_field: bool,
    expect_continue: bool,
    expect_unknown: bool,
    host: bool,
    content_type: bool,
}

impl Framing {
    pub(super) fn new(sender: Sender) -> Self {
        Self {
            sender,
            content_length: None,
            coded: false,
            chunked: false,
            unknown_coding: false,
            close: false,
            keep_alive: false,
            upgrade_option: false,
            upgrade_field: false,
            expect_continue: false,
            expect_unknown: false,
            host: false,
            content_type: false,
        }
    }

    /// Takes note of one field; the value is trimmed.
    pub(super) fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), ParseError> {
        // Most fields have a name of another length than these, so that one comparison of numbers is all they cost.
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is(b"host") => self.note_host(value)?,
            6 if is(b"expect") => self.note_expect(value),
            7 if is(b"upgrade") => self.upgrade_field |= !value.is_empty(),
            10 if is(b"connection") => self.note_connection(value),
            12 if is(b"content-type") => self.note_type()?,
            14 if is(b"content-length") => self.note_length(value)?,
            17 if is(b"transfer-encoding") => self.note_coding(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes note of a `Host` whose value was right in another request; false if it is not the first one of its own.
    pub(super) fn note_known_host(&mut self) -> bool {
        !std::mem::replace(&mut self.host, true)
    }

    fn note_host(&mut self, value: &[u8]) -> Result<(), ParseError> {
        if self.sender == Sender::Server {
            return Ok(());
        }
        if self.host {
            return Err(ParseError::HostRepeated);
        }
        if !is_host(value) {
            return Err(ParseError::HostInvalid);
        }
        self.host = true;
        Ok(())
    }

    /// RFC 9110 §8.3 has one; with two, a filter may look at the one and the service at the other.
    fn note_type(&mut self) -> Result<(), ParseError> {
        if std::mem::replace(&mut self.content_type, true) && self.sender == Sender::Client {
            return Err(ParseError::ContentTypeRepeated);
        }
        Ok(())
    }

    fn note_expect(&mut self, value: &[u8]) {
        if value.eq_ignore_ascii_case(b"100-continue") {
            self.expect_continue = true;
        } else {
            self.expect_unknown = true;
        }
    }

    fn note_connection(&mut self, value: &[u8]) {
        for option in members(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// RFC 9110 §8.6: a client may not be vague; of a server, lists of one and the same length are known.
    fn note_length(&mut self, value: &[u8]) -> Result<(), ParseError> {
        for member in members(value) {
            let length = decimal(member)
                .ok_or(ParseError::ContentLength)?
                .ok_or(ParseError::ContentLengthOverflow)?;
            match self.content_length {
                None => self.content_length = Some(length),
                Some(same) if same == length && self.sender == Sender::Server => {}
                Some(_) => return Err(ParseError::ContentLengthRepeated),
            }
        }
        Ok(())
    }

    /// RFC 9112 §6.1: `chunked` once, and last.
    fn note_coding(&mut self, value: &[u8]) -> Result<(), ParseError> {
        self.coded = true;
        for coding in members(value) {
            if coding.eq_ignore_ascii_case(b"chunked") {
                if self.chunked {
                    return Err(ParseError::TransferEncoding);
                }
                self.chunked = true;
            } else if self.chunked {
                return Err(ParseError::ChunkedNotLast);
            } else if is_plain_coding(coding) {
                self.unknown_coding = true;
            } else {
                return Err(ParseError::TransferEncoding);
            }
        }
        Ok(())
    }

    /// RFC 9112 §6.3 for messages that may have a body; `None` if the fields do not say how it ends (rules 7 and 8).
    pub(super) fn body(
        &self,
        version: Version,
        limits: &Limits,
    ) -> Result<Option<BodyKind>, ParseError> {
        if self.coded {
            return self.coded_body(version).map(Some);
        }
        match self.content_length {
            None => Ok(None),
            Some(0) => Ok(Some(BodyKind::Empty)),
            Some(length) if length > limits.body_bytes => Err(ParseError::BodyTooLarge),
            Some(length) => Ok(Some(BodyKind::Length(length))),
        }
    }

    fn coded_body(&self, version: Version) -> Result<BodyKind, ParseError> {
        if version == Version::HTTP_10 {
            return Err(ParseError::TransferEncodingInHttp10);
        }
        if self.content_length.is_some() {
            return Err(ParseError::AmbiguousFraming);
        }
        if !self.chunked {
            return Err(ParseError::ChunkedNotLast);
        }
        if self.unknown_coding {
            return Err(ParseError::TransferCodingUnknown);
        }
        Ok(BodyKind::Chunked)
    }

    /// Says whether the fields announce content, whatever it is.
    pub(super) fn announces_content(&self) -> bool {
        self.coded || self.content_length.is_some_and(|length| length > 0)
    }

    /// RFC 9112 §9.3: `close` wins, then the version decides.
    pub(super) fn keeps_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }

    /// RFC 9110 §7.8: both fields, and never in HTTP/1.0.
    pub(super) fn offers_upgrade(&self, version: Version) -> bool {
        version == Version::HTTP_11 && self.upgrade_option && self.upgrade_field
    }

    /// RFC 9110 §10.1.1: expectations of HTTP/1.0 are ignored.
    pub(super) fn expects_continue(&self, version: Version) -> Result<bool, ParseError> {
        if version == Version::HTTP_10 {
            return Ok(false);
        }
        if self.expect_unknown {
            return Err(ParseError::ExpectationUnknown);
        }
        Ok(self.expect_continue)
    }

    /// RFC 9112 §3.2: HTTP/1.1 cannot do without.
    pub(super) fn check_host(&self, version: Version) -> Result<(), ParseError> {
        if version == Version::HTTP_11 && !self.host {
            return Err(ParseError::HostMissing);
        }
        Ok(())
    }
}

/// A name without parameters. Those are for codings that nobody implements, and a way to hide `chunked`.
fn is_plain_coding(coding: &[u8]) -> bool {
    !coding.is_empty()
        && coding
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+'))
}
