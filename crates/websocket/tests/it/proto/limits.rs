//! The limits, which count what a frame's head announces.

use squall_websocket::proto::{CloseCode, Decoder, Limits, ProtocolError, Role, Scratch};

use super::drive::{CLIENT, SERVER, Seen};

const LIMITS: Limits = Limits {
    max_frame: 10,
    max_message: 15,
    max_fragments: 3,
};

#[test]
fn a_frame_up_to_the_limit_is_taken_and_no_longer_one() {
    let limited = CLIENT.limits(LIMITS);
    let input = b"\x82\x0a0123456789";
    assert_eq!(limited.sees(input), [Seen::Binary(input[2..].to_vec())]);
    let err = limited.fails(b"\x82\x0b");
    assert_eq!(err, ProtocolError::FrameTooLong { limit: 10 });
    assert_eq!(err.close_code(), CloseCode::TOO_BIG);
}

#[test]
fn a_message_up_to_the_limit_is_taken_and_no_longer_one() {
    let limited = CLIENT.limits(LIMITS).compressed();
    let input = b"\x02\x0a0123456789\x80\x05abcde";
    let expected = b"0123456789abcde";
    assert_eq!(limited.sees(input), [Seen::Binary(expected.to_vec())]);
    for first in [0x02, 0x42] {
        let err = limited.fails(&[&[first], &b"\x0a0123456789\x80\x06"[..]].concat());
        assert_eq!(err, ProtocolError::MessageTooLong { limit: 15 });
        assert_eq!(err.close_code(), CloseCode::TOO_BIG);
    }
}

#[test]
fn a_message_up_to_the_limit_of_frames_is_taken_and_none_in_more() {
    let limited = CLIENT.limits(LIMITS);
    assert_eq!(
        limited.sees(b"\x02\x00\x00\x00\x80\x00\x01\x00\x00\x00\x80\x00"),
        [Seen::Binary(vec![]), Seen::text("")]
    );
    for last in [0x00, 0x80] {
        let err = limited.fails(&[2, 0, 0, 0, 0, 0, last, 0]);
        assert_eq!(err, ProtocolError::TooManyFragments { limit: 3 });
        assert_eq!(err.close_code(), CloseCode::TOO_BIG);
    }
}

#[test]
fn control_frames_are_exempt() {
    let limited = CLIENT.limits(LIMITS);
    let ping = [&b"\x89\x7d"[..], &[b'x'; 125]].concat();
    let input = [&b"\x02\x01a"[..], &ping, b"\x00\x00", &ping, b"\x80\x01b"].concat();
    assert_eq!(
        limited.sees(&input),
        [
            Seen::Ping(vec![b'x'; 125]),
            Seen::Ping(vec![b'x'; 125]),
            Seen::Binary(b"ab".to_vec()),
        ]
    );
}

#[test]
fn a_huge_length_is_refused_before_the_mask_and_the_payload() {
    let err = SERVER.fails(b"\x82\xff\x40\0\0\0\0\0\0\0");
    assert_eq!(err, ProtocolError::FrameTooLong { limit: 1 << 20 });
    let err = SERVER.fails(b"\x82\xff\x80\0\0\0\0\0\0\0");
    assert_eq!(err, ProtocolError::LengthSign);
    assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
}

#[test]
fn memory_grows_with_what_has_come_not_with_what_is_announced() {
    let limits = Limits {
        max_frame: usize::MAX,
        max_message: usize::MAX,
        max_fragments: usize::MAX,
    };
    let mut decoder = Decoder::new(Role::Client, false);
    let mut scratch = Scratch::new();
    let mut input = &b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffpayload"[..];
    assert_eq!(decoder.decode(&mut input, &limits, &mut scratch), Ok(None));
    assert_eq!(scratch.message, b"payload");
    assert!(scratch.message.capacity() < 100);
    assert!(decoder.uses_scratch());
    for _ in 0..100 {
        let mut input = &[7; 1000][..];
        assert_eq!(decoder.decode(&mut input, &limits, &mut scratch), Ok(None));
    }
    assert_eq!(scratch.message.len(), 100_007);
    assert!(scratch.message.capacity() <= 2 * 100_007);
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 40);
}

#[test]
fn a_scratch_gives_back_what_a_long_message_has_taken() {
    let mut scratch = Scratch::new();
    scratch.message = vec![0; 100_000];
    scratch.control = vec![0; 125];
    scratch.trim(1000);
    assert!(scratch.message.is_empty() && scratch.control.is_empty());
    assert!((1000..2000).contains(&scratch.message.capacity()));
    scratch.trim(1000);
    assert!(scratch.message.capacity() >= 1000);
}

#[test]
fn the_beginning_of_a_head_needs_no_scratch() {
    let mut decoder = Decoder::new(Role::Server, false);
    let mut scratch = Scratch::new();
    for byte in b"\x82\xff\0\0\0\0\0\x01\0\0mas" {
        let mut input = &[*byte][..];
        let limits = Limits::default();
        assert_eq!(decoder.decode(&mut input, &limits, &mut scratch), Ok(None));
        assert!(!decoder.is_idle());
        assert!(!decoder.uses_scratch());
    }
    assert_eq!(scratch.message.capacity(), 0);
}

#[test]
fn a_scratch_that_is_kept_for_little_is_little() {
    let mut scratch = Scratch::new();
    scratch.message.reserve(100_000);
    scratch.message.extend_from_slice(b"the beginning");
    scratch.control.reserve(125);
    scratch.fit();
    assert_eq!(scratch.message, b"the beginning");
    assert!(scratch.message.capacity() <= 128);

    // What grows by doubling is never moved for it.
    let mut scratch = Scratch::new();
    for _ in 0..1000 {
        scratch.message.extend_from_slice(&[0; 77]);
        let before = scratch.message.capacity();
        scratch.fit();
        assert_eq!(scratch.message.capacity(), before);
    }
}
