//! Whatever a server sends: the decoder of responses does not panic, keeps its promises, and lets no head through that
//! is none.

#![no_main]

use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use squall_fuzz::{Input, drive};
use squall_http::h1::BodyKind;

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let limits = input.limits();
    let transcript = drive(&mut input.response_decoder(), &[input.bytes]);
    let finals = transcript
        .messages
        .iter()
        .filter(|message| !message.head.is_interim());
    assert!(finals.count() <= 4, "no answer is one too many");
    for message in &transcript.messages {
        let head = &message.head;
        assert!(message.body.len() as u64 <= limits.body_bytes);
        assert!(head.headers.len() <= limits.headers);
        assert!(!head.reason.iter().any(|byte| b"\r\n\0".contains(byte)));
        let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
        if bodiless.contains(&head.status) || head.is_interim() {
            assert!(message.body.is_empty());
        }
        match head.body {
            BodyKind::Empty => assert!(message.body.is_empty()),
            BodyKind::Length(length) if message.trailers.is_some() => {
                assert_eq!(message.body.len() as u64, length);
            }
            BodyKind::Upgrade => assert!(message.body.is_empty() && message.trailers.is_none()),
            BodyKind::UntilClose => assert!(!head.keep_alive),
            _ => {}
        }
    }
});
