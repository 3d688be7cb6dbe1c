//! Broken rules: of the peer ([`ParseError`]) and of the application ([`WriteError`]).

use std::error::Error;
use std::fmt;

use http::StatusCode;

/// A rule of RFC 9112 or a limit that the peer broke; the connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Both `Content-Length` and `Transfer-Encoding` (RFC 9112 §6.3 rule 3).
    AmbiguousFraming,
    /// A CR without LF after it (RFC 9112 §2.2).
    BareCr,
    /// An LF without CR before it (RFC 9112 §2.2 lets us refuse it, and a proxy may see it otherwise).
    BareLf,
    /// More body than [`Limits::body_bytes`](super::Limits).
    BodyTooLarge,
    /// Chunk data longer than its size: no CRLF where it should end (RFC 9112 §7.1).
    ChunkEnd,
    /// A chunk extension that is not names with tokens or quoted texts (RFC 9112 §7.1.1).
    ChunkExtension,
    /// More chunk extensions than [`Limits::chunk_extension_bytes`](super::Limits).
    ChunkExtensionsTooLong,
    /// A chunk size that is not plain hexadecimal digits (RFC 9112 §7.1).
    ChunkSize,
    /// A chunk size of more than 16 digits or 2⁶³ - 1 bytes (RFC 9112 §7.1).
    ChunkSizeOverflow,
    /// `Transfer-Encoding` that does not end in `chunked` (RFC 9112 §6.3 rule 4).
    ChunkedNotLast,
    /// CONNECT with content (RFC 9110 §9.3.6: it has no meaning, and the tunnel starts right after the head).
    ConnectWithBody,
    /// A `Content-Length` that is not plain decimal digits (RFC 9110 §8.6).
    ContentLength,
    /// A `Content-Length` of more than 19 digits.
    ContentLengthOverflow,
    /// More than one `Content-Length`: in a request always, in a response when they differ (RFC 9112 §6.3 rule 5).
    ContentLengthRepeated,
    /// More than one `Content-Type` in a request (RFC 9110 §8.3).
    ContentTypeRepeated,
    /// `Expect` with something else than `100-continue` (RFC 9110 §10.1.1).
    ExpectationUnknown,
    /// A field name that is not a token (RFC 9112 §5.1).
    FieldName,
    /// A control byte in a field value (RFC 9110 §5.5).
    FieldValue,
    /// A trailer field that only makes sense in a head (RFC 9110 §6.5.1).
    ForbiddenTrailer,
    /// A head longer than [`Limits::head_bytes`](super::Limits).
    HeadTooLarge,
    /// A `Host` that is not a host with an optional port (RFC 9112 §3.2).
    HostInvalid,
    /// HTTP/1.1 without `Host` (RFC 9112 §3.2).
    HostMissing,
    /// More than one `Host` (RFC 9112 §3.2).
    HostRepeated,
    /// More than four empty lines before a request (RFC 9112 §2.2).
    LeadingEmptyLines,
    /// A method that is not a token starting with a letter (RFC 9110 §9.1).
    Method,
    /// A method of more than 32 bytes (RFC 9112 §3).
    MethodTooLong,
    /// A field line without a colon (RFC 9112 §5).
    MissingColon,
    /// A line that starts with white space: folding is obsolete (RFC 9112 §5.2).
    ObsFold,
    /// A first line that is not method, space, target, space, version (RFC 9112 §3).
    RequestLine,
    /// A first line that is not version, space, three digits, space, reason (RFC 9112 §4).
    StatusLine,
    /// A request target that is not a URI reference (RFC 9112 §3.2).
    Target,
    /// A form of target that the method does not allow (RFC 9112 §3.2).
    TargetForm,
    /// A request target longer than [`Limits::target_bytes`](super::Limits).
    TargetTooLong,
    /// More field lines than [`Limits::headers`](super::Limits).
    TooManyHeaders,
    /// More interim responses than [`Limits::interim_responses`](super::Limits).
    TooManyInterim,
    /// A trailer section longer than [`Limits::trailer_bytes`](super::Limits).
    TrailersTooLarge,
    /// A transfer coding other than `chunked` (RFC 9112 §6.1).
    TransferCodingUnknown,
    /// A malformed `Transfer-Encoding`: empty members, parameters, `chunked` twice (RFC 9112 §6.1, §7).
    TransferEncoding,
    /// `Transfer-Encoding` in an HTTP/1.0 message (RFC 9112 §6.1).
    TransferEncodingInHttp10,
    /// The peer closed its side in the middle of a message (RFC 9112 §8).
    Truncated,
    /// Bytes from a server that was not asked anything.
    Unsolicited,
    /// A version that is not `HTTP/` digit `.` digit (RFC 9112 §2.3).
    Version,
    /// A version other than 1.0 and 1.1.
    VersionUnsupported,
    /// White space between a field name and its colon (RFC 9112 §5.1).
    WhitespaceBeforeColon,
}

impl ParseError {
    /// Returns the status that answers the error on a server; 502 for the rules that only a server can break.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ExpectationUnknown => StatusCode::EXPECTATION_FAILED,
            Self::HeadTooLarge | Self::TooManyHeaders | Self::TrailersTooLarge => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::MethodTooLong | Self::TransferCodingUnknown => StatusCode::NOT_IMPLEMENTED,
            Self::StatusLine | Self::TooManyInterim | Self::Unsolicited => StatusCode::BAD_GATEWAY,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::VersionUnsupported => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AmbiguousFraming => "both content-length and transfer-encoding",
            Self::BareCr => "carriage return without line feed",
            Self::BareLf => "line feed without carriage return",
            Self::BodyTooLarge => "body over the limit body_bytes",
            Self::ChunkEnd => "chunk data not ended by an empty line",
            Self::ChunkExtension => "invalid chunk extension",
            Self::ChunkExtensionsTooLong => "chunk extensions over the limit chunk_extension_bytes",
            Self::ChunkSize => "chunk size is not hexadecimal digits",
            Self::ChunkSizeOverflow => "chunk size too large",
            Self::ChunkedNotLast => "transfer-encoding does not end in chunked",
            Self::ConnectWithBody => "connect with a body",
            Self::ContentLength => "content-length is not decimal digits",
            Self::ContentLengthOverflow => "content-length too large",
            Self::ContentLengthRepeated => "more than one content-length",
            Self::ContentTypeRepeated => "more than one content-type",
            Self::ExpectationUnknown => "unknown expectation",
            Self::FieldName => "invalid field name",
            Self::FieldValue => "control byte in a field value",
            Self::ForbiddenTrailer => "field not allowed in a trailer",
            Self::HeadTooLarge => "head over the limit head_bytes",
            Self::HostInvalid => "invalid host",
            Self::HostMissing => "host missing",
            Self::HostRepeated => "more than one host",
            Self::LeadingEmptyLines => "too many empty lines before a request",
            Self::Method => "invalid method",
            Self::MethodTooLong => "method too long",
            Self::MissingColon => "field line without a colon",
            Self::ObsFold => "folded field line",
            Self::RequestLine => "invalid request line",
            Self::StatusLine => "invalid status line",
            Self::Target => "invalid request target",
            Self::TargetForm => "form of target not allowed with the method",
            Self::TargetTooLong => "request target over the limit target_bytes",
            Self::TooManyHeaders => "field lines over the limit headers",
            Self::TooManyInterim => "interim responses over the limit interim_responses",
            Self::TrailersTooLarge => "trailer section over the limit trailer_bytes",
            Self::TransferCodingUnknown => "transfer coding not implemented",
            Self::TransferEncoding => "invalid transfer-encoding",
            Self::TransferEncodingInHttp10 => "transfer-encoding in an http/1.0 message",
            Self::Truncated => "message cut off",
            Self::Unsolicited => "response without a request",
            Self::Version => "invalid http version",
            Self::VersionUnsupported => "http version not supported",
            Self::WhitespaceBeforeColon => "white space before the colon of a field",
        })
    }
}

impl Error for ParseError {}

/// A message that the application asked for and that must not go out; nothing of it was written.
///
/// Before the head this leaves the connection usable: a server answers 500 instead. After it (`BodyTooLong`,
/// `BodyTooShort`) the connection must close, for the peer cannot tell where the next message starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// Content where there must be none: TRACE and CONNECT requests (RFC 9110 §9.3.6, §9.3.8).
    BodyForbidden,
    /// More body than was announced (RFC 9110 §8.6).
    BodyTooLong,
    /// The body ended before the announced length (RFC 9110 §8.6).
    BodyTooShort,
    /// A `Content-Length` field that is not one plain decimal number.
    ContentLength,
    /// A `Content-Length` field that differs from the body's known length.
    ContentLengthMismatch,
    /// A trailer field that only makes sense in a head (RFC 9110 §6.5.1).
    ForbiddenTrailer,
    /// A `Host` that is not a host with an optional port.
    HostInvalid,
    /// No `Host` field, and no authority in the target to make one of.
    HostMissing,
    /// More than one `Host` field.
    HostRepeated,
    /// An interim status (1xx) as the final one, or a final one as interim.
    InterimStatus,
    /// A head while the last message is unfinished, or a body without a head.
    OutOfOrder,
    /// A reason phrase with a control byte (RFC 9112 §4).
    Reason,
    /// A target that cannot be written in the wanted form (RFC 9112 §3.2).
    Target,
    /// A `Transfer-Encoding` field: the encoder alone decides that.
    TransferEncodingSet,
    /// 101 to a request that did not ask for an upgrade (RFC 9110 §15.2.2).
    UpgradeNotAsked,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyForbidden => "the method must not have a body",
            Self::BodyTooLong => "body longer than announced",
            Self::BodyTooShort => "body shorter than announced",
            Self::ContentLength => "invalid content-length",
            Self::ContentLengthMismatch => "content-length differs from the body's length",
            Self::ForbiddenTrailer => "field not allowed in a trailer",
            Self::HostInvalid => "invalid host",
            Self::HostMissing => "host missing",
            Self::HostRepeated => "more than one host",
            Self::InterimStatus => "interim and final status mixed up",
            Self::OutOfOrder => "message written out of order",
            Self::Reason => "control byte in a reason phrase",
            Self::Target => "target cannot be written in the wanted form",
            Self::TransferEncodingSet => "transfer-encoding set by hand",
            Self::UpgradeNotAsked => "protocol switched without being asked",
        })
    }
}

impl Error for WriteError {}
