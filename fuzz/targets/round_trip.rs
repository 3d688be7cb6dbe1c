//! What the encoders write, the decoders read, and it is the same message: no field that came in one way goes out in
//! another, and nothing is written that would be refused.

#![no_main]

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Version};
use libfuzzer_sys::fuzz_target;
use squall_fuzz::{Input, Message, drive, said};
use squall_http::h1::{
    Event, Limits, RequestDecoder, RequestEncoder, RequestHead, RequestStart, ResponseDecoder,
    ResponseEncoder, ResponseHead, ResponseStart, TargetForm,
};

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    if input.control[1] & 1 == 0 {
        let transcript = drive(&mut input.request_decoder(), &[input.bytes]);
        for message in transcript.messages {
            request(&input, message);
        }
    } else {
        let transcript = drive(&mut input.response_decoder(), &[input.bytes]);
        for message in &transcript.messages {
            response(&input, message);
        }
    }
});

/// Limits that leave room for the fields that an encoder adds.
fn roomy() -> Limits {
    let limits = Limits::default();
    Limits {
        headers: 2 * limits.headers,
        head_bytes: 2 * limits.head_bytes,
        ..limits
    }
}

/// Whether the length is told or chunks are written.
fn length(input: &Input<'_>, body: &[u8]) -> Option<u64> {
    (input.control[1] & 2 == 0).then_some(body.len() as u64)
}

/// Bytes of a body in the pieces of the control.
fn pieces<'a>(input: &Input<'_>, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    body.chunks(usize::from(input.control[3]) + 1)
}

/// The fields that the encoder decides about, and that it does not.
fn without_framing(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, DATE] {
        headers.remove(name);
    }
    headers
}

fn request(input: &Input<'_>, message: Message<RequestHead>) {
    let (mut parts, ()) = said(message.head).into_parts();
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    if parts.version == Version::HTTP_10 {
        // Ignored in HTTP/1.0, but what is written is HTTP/1.1.
        parts.headers.remove(EXPECT);
    }
    let request = Request::from_parts(parts, ());
    let start = RequestStart {
        form: if request.uri().scheme().is_some() {
            TargetForm::Absolute
        } else {
            TargetForm::Origin
        },
        ..RequestStart::of(&request, length(input, &message.body))
    };
    let mut out = Vec::new();
    let mut encoder = RequestEncoder::new();
    if encoder.head(&mut out, &start).is_err() {
        assert!(out.is_empty(), "an error leaves the buffer as it was");
        return;
    }
    for piece in pieces(input, &message.body) {
        encoder.data(&mut out, piece).expect("as announced");
    }
    encoder.end(&mut out).expect("as announced");

    let again = drive(&mut RequestDecoder::new(roomy()), &[&out]);
    let shown = || (out.escape_ascii().to_string(), &again.end);
    assert_eq!(again.messages.len(), 1, "{:?}", shown());
    assert!(again.end.is_ok(), "{:?}", shown());
    let read = again.messages.into_iter().next().expect("one");
    assert_eq!(read.body, message.body);
    let read = said(read.head);
    assert_eq!(read.method(), request.method());
    assert_eq!(read.uri(), request.uri());
    let (mut read_fields, mut fields) = (
        without_framing(read.headers()),
        without_framing(request.headers()),
    );
    if request.version() == Version::HTTP_10 || request.uri().authority().is_some() {
        // Host is made of the target, or was never there.
        read_fields.remove(HOST);
        fields.remove(HOST);
    }
    assert_eq!(read_fields, fields);
}

fn response(input: &Input<'_>, message: &Message<ResponseHead>) {
    let asked: &[u8] = match input.method() {
        Method::HEAD => b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        _ => b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    let method = if asked.starts_with(b"HEAD") {
        Method::HEAD
    } else {
        Method::GET
    };
    let mut decoder = RequestDecoder::new(Limits::default());
    let Ok((_, Some(Event::Head(asked)))) = decoder.decode(asked) else {
        unreachable!("it is a good request");
    };
    let mut response = http::Response::new(());
    *response.status_mut() = message.head.status;
    *response.headers_mut() = message.head.headers.clone();
    response.headers_mut().remove(TRANSFER_ENCODING);
    response.headers_mut().remove(CONTENT_LENGTH);
    let Ok(reason) = str::from_utf8(&message.head.reason) else {
        return;
    };
    let start = ResponseStart {
        reason: Some(reason),
        ..ResponseStart::of_parts(&response, length(input, &message.body))
    };
    let mut out = Vec::new();
    let mut encoder = ResponseEncoder::new();
    if encoder.head(&mut out, asked.exchange(), &start).is_err() {
        assert!(out.is_empty(), "an error leaves the buffer as it was");
        return;
    }
    let written = if encoder.wants_body() {
        &message.body[..]
    } else {
        &[]
    };
    for piece in pieces(input, written) {
        encoder.data(&mut out, piece).expect("as announced");
    }
    encoder.end(&mut out).expect("as announced");

    let mut decoder = ResponseDecoder::new(roomy());
    decoder.expect(&method);
    let again = drive(&mut decoder, &[&out]);
    let shown = || (out.escape_ascii().to_string(), &again.end);
    assert_eq!(again.messages.len(), 1, "{:?}", shown());
    assert!(again.end.is_ok() && again.rest.is_empty(), "{:?}", shown());
    let read = &again.messages[0];
    assert_eq!(read.body, written);
    assert_eq!(read.head.status, message.head.status);
    assert_eq!(&read.head.reason[..], reason.as_bytes());
    assert_eq!(
        without_framing(&read.head.headers),
        without_framing(&message.head.headers)
    );
}
