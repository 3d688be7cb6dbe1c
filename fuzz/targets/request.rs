//! Whatever a client sends: the decoder of requests does not panic, keeps its promises, and lets no head through that
//! is none.

#![no_main]

use http::Version;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use libfuzzer_sys::fuzz_target;
use squall_fuzz::{Input, drive, said};

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let limits = input.limits();
    let transcript = drive(&mut input.request_decoder(), &[input.bytes]);
    for message in transcript.messages {
        let request = said(message.head);
        assert!(message.body.len() as u64 <= limits.body_bytes);
        assert!(request.headers().len() <= limits.headers);
        let count = |name| request.headers().get_all(name).iter().count();
        let (hosts, lengths, codings) =
            (count(HOST), count(CONTENT_LENGTH), count(TRANSFER_ENCODING));
        assert!(hosts <= 1 && lengths <= 1 && codings <= 1);
        assert!(lengths + codings <= 1, "one framing");
        assert!(hosts == 1 || request.version() == Version::HTTP_10);
        assert!(codings == 0 || request.version() == Version::HTTP_11);
        if let Some(length) = request.headers().get(CONTENT_LENGTH) {
            let length = length.to_str().expect("digits");
            assert!(length.bytes().all(|byte| byte.is_ascii_digit()));
            if message.trailers.is_some() {
                assert_eq!(length.parse(), Ok(message.body.len()));
            }
        } else if codings == 0 {
            assert!(message.body.is_empty());
        }
        let target = request.uri().to_string();
        assert!(target.bytes().all(|byte| matches!(byte, 0x21..=0x7e)));
        for value in request.headers().values() {
            assert!(!value.as_bytes().iter().any(|byte| b"\r\n\0".contains(byte)));
        }
    }
});
