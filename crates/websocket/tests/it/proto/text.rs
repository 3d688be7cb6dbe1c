//! Text is UTF-8, however it is cut, and fails at the first byte that cannot be right (RFC 6455 section 8.1).

use squall_websocket::proto::{CloseCode, Decoder, Limits, ProtocolError, Role, Scratch};

use super::drive::{CLIENT, Seen};

const GOOD: [&str; 12] = [
    "",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\u{0}",
    "\u{7f}\u{80}",
    "\u{7ff}\u{800}",
    "\u{d7ff}\u{e000}",
    "\u{fffd}\u{fffe}\u{ffff}",
    "\u{10000}\u{1fffe}",
    "\u{10fffe}\u{10ffff}",
    "𝄞 and 👩‍👩‍👧",
    "\u{feff}a",
];

/// Text that is wrong, and how many of its bytes can be seen before it is.
const BAD: [(&[u8], usize); 24] = [
    // Continuations without a beginning.
    (b"\x80", 0),
    (b"\xbf", 0),
    (b"ab\x80\xbf", 2),
    // Beginnings without a continuation.
    (b"\xc3 ", 1),
    (b"\xe0\xa0 ", 2),
    (b"\xf0\x90\x80 ", 3),
    (b"\xc3\xc3", 1),
    (b"\xe2\x82\xe2", 2),
    // Never anything: overlong forms of two bytes, and what is beyond four.
    (b"\xc0\xaf", 0),
    (b"\xc1\xbf", 0),
    (b"\xf5\x80\x80\x80", 0),
    (b"\xf8\x88\x80\x80\x80", 0),
    (b"\xfc\x84\x80\x80\x80\x80", 0),
    (b"\xfe", 0),
    (b"\xff", 0),
    // Overlong forms of three and four bytes: the second byte tells.
    (b"\xe0\x80\xaf", 1),
    (b"\xe0\x9f\xbf", 1),
    (b"\xf0\x80\x80\xaf", 1),
    (b"\xf0\x8f\xbf\xbf", 1),
    // Surrogates, alone and in pairs.
    (b"\xed\xa0\x80", 1),
    (b"\xed\xbf\xbf", 1),
    (b"\xed\xa0\x80\xed\xb0\x80", 1),
    // Beyond U+10FFFF.
    (b"\xf4\x90\x80\x80", 1),
    (
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
        12,
    ),
];

#[test]
fn good_text_is_taken_at_once_and_in_two_frames() {
    for text in GOOD {
        let bytes = text.as_bytes();
        let whole = [&[0x81, bytes.len() as u8], bytes].concat();
        assert_eq!(CLIENT.sees(&whole), [Seen::text(text)]);
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let input = [
                &[0x01, first.len() as u8],
                first,
                &[0x89, 0, 0x80, second.len() as u8],
                second,
            ]
            .concat();
            let expected = [Seen::Ping(vec![]), Seen::text(text)];
            assert_eq!(CLIENT.sees(&input), expected);
        }
        let mut input = Vec::from(b"\x01\x00");
        bytes.iter().for_each(|byte| input.extend([0x00, 1, *byte]));
        input.extend([0x80, 0]);
        assert_eq!(CLIENT.sees(&input), [Seen::text(text)]);
    }
}

#[test]
fn bad_text_fails_with_1007() {
    for (bytes, _) in BAD {
        let err = CLIENT.fails(&[&[0x81, bytes.len() as u8], bytes].concat());
        assert_eq!(err, ProtocolError::Text, "{bytes:x?}");
        assert_eq!(err.close_code(), CloseCode::INVALID_DATA);
    }
}

#[test]
fn bad_text_fails_at_the_first_byte_that_cannot_be_right() {
    for (bytes, good) in BAD {
        // In a frame that announces more than ever comes.
        let head = [0x81, 125];
        let seen = CLIENT.pieces([&head, &bytes[..good]]);
        assert_eq!(seen.error, None, "{bytes:x?}");
        let failed = CLIENT.pieces([&head, &bytes[..=good]]);
        assert_eq!(failed.error, Some(ProtocolError::Text), "{bytes:x?}");
        // In frames of one byte, none of which is the last one.
        let mut frames = Vec::new();
        for byte in &bytes[..=good] {
            let first = u8::from(frames.is_empty());
            frames.extend([first, 1, *byte]);
        }
        let last = frames.len() - 1;
        assert_eq!(CLIENT.decode(&frames[..last]).error, None, "{bytes:x?}");
        assert_eq!(CLIENT.fails(&frames), ProtocolError::Text, "{bytes:x?}");
    }
}

#[test]
fn text_that_ends_within_a_character_fails() {
    for bytes in [&b"\xc3"[..], b"a\xe2\x82", b"\xf0\x9d\x84", b"\xf4\x8f"] {
        let whole = [&[0x81, bytes.len() as u8], bytes].concat();
        assert_eq!(CLIENT.fails(&whole), ProtocolError::Text);
        // Nothing is wrong until the message ends.
        let first = [&[0x01, bytes.len() as u8], bytes].concat();
        assert_eq!(CLIENT.decode(&first).error, None);
        let ended = [&first[..], b"\x80\x00"].concat();
        assert_eq!(CLIENT.fails(&ended), ProtocolError::Text);
    }
}

#[test]
fn what_a_message_leaves_unfinished_is_not_the_next_ones() {
    let input = b"\x01\x01\xe2\x00\x01\x82\x80\x01\xac\x01\x01a\x80\x01b";
    assert_eq!(CLIENT.sees(input), [Seen::text("€"), Seen::text("ab")]);
    let input = b"\x02\x01\xe2\x80\x01\x82\x01\x01\xac";
    let transcript = CLIENT.decode(input);
    assert_eq!(transcript.seen, [Seen::Binary(b"\xe2\x82".to_vec())]);
    assert_eq!(transcript.error, Some(ProtocolError::Text));
}

#[test]
fn compressed_text_is_not_looked_at() {
    let transcript = CLIENT.compressed().decode(b"\x41\x02\xff\xfe\x80\x01\xff");
    assert_eq!(transcript.error, None);
    assert_eq!(transcript.seen.len(), 1);
}

#[test]
fn text_in_parts_that_ends_within_a_character_fails_before_anybody_reads_it() {
    let mut decoder = Decoder::new(Role::Client, false);
    let mut input = &b"\x01\x01a\x80\x02\xe2\x82"[..];
    let failed = decoder.decode(&mut input, &Limits::default(), &mut Scratch::new());
    assert_eq!(failed, Err(ProtocolError::Text));
}
