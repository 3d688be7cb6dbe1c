//! The rules about frames (RFC 6455 sections 5.1 to 5.5), each with the code that breaking it ends in.

use squall_websocket::proto::{CloseCode, CloseFrame, MessageKind, ProtocolError};

use super::drive::{CLIENT, SERVER, Seen};

#[test]
fn reserved_bits_are_zero_unless_agreed() {
    for bits in 1..8 {
        for opcode in [0x81, 0x82, 0x88, 0x89, 0x8a] {
            let err = CLIENT.fails(&[opcode | bits << 4, 0]);
            assert_eq!(err, ProtocolError::ReservedBits(bits));
            assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
        }
    }
    // RSV2 and RSV3 mean nothing with compression either.
    for bits in [1, 2, 3, 5, 6, 7] {
        let err = CLIENT.compressed().fails(&[0x81 | bits << 4, 0]);
        assert_eq!(err, ProtocolError::ReservedBits(bits));
    }
}

#[test]
fn only_the_first_frame_of_a_message_says_that_it_is_compressed() {
    let input = b"\xc1\x01a\x42\x01b\x89\x00\x80\x01c";
    assert_eq!(
        CLIENT.compressed().sees(input),
        [
            Seen::Deflated(MessageKind::Text, b"a".to_vec()),
            Seen::Ping(vec![]),
            Seen::Deflated(MessageKind::Binary, b"bc".to_vec()),
        ]
    );
    for control in [0xc8, 0xc9, 0xca] {
        let err = CLIENT.compressed().fails(&[control, 0]);
        assert_eq!(err, ProtocolError::ReservedBits(4));
    }
    for continuation in [0x40, 0xc0] {
        let err = CLIENT.compressed().fails(&[0x41, 0, continuation, 0]);
        assert_eq!(err, ProtocolError::ReservedBits(4));
    }
}

#[test]
fn reserved_opcodes_are_refused() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let err = CLIENT.fails(&[0x80 | opcode, 0]);
        assert_eq!(err, ProtocolError::OpCode(opcode));
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
    }
}

#[test]
fn clients_mask_and_servers_do_not() {
    for first in [0x81, 0x82, 0x88, 0x89, 0x8a, 0x01] {
        let err = SERVER.fails(&[first, 0]);
        assert_eq!(err, ProtocolError::Unmasked);
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
        let err = CLIENT.fails(&[first, 0x80, 1, 2, 3, 4]);
        assert_eq!(err, ProtocolError::Masked);
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
    }
}

#[test]
fn control_frames_are_short_and_whole() {
    for opcode in [8, 9, 10] {
        let longest = [&[0x80 | opcode, 125][..], &[3, 0xe8], &[b'x'; 123]].concat();
        assert_eq!(CLIENT.sees(&longest).len(), 1);
        for length in [126, 127] {
            let err = CLIENT.fails(&[0x80 | opcode, length]);
            assert_eq!(err, ProtocolError::ControlLength);
            assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
        }
        let err = CLIENT.fails(&[opcode, 0]);
        assert_eq!(err, ProtocolError::ControlFragmented);
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
    }
}

#[test]
fn control_frames_come_between_the_parts_of_a_message() {
    let input = b"\x01\x03one\x89\x01p\x00\x03two\x8a\x01q\x89\x00\x80\x05three\x82\x01b";
    assert_eq!(
        CLIENT.sees(input),
        [
            Seen::Ping(b"p".to_vec()),
            Seen::Pong(b"q".to_vec()),
            Seen::Ping(vec![]),
            Seen::text("onetwothree"),
            Seen::Binary(b"b".to_vec()),
        ]
    );
}

#[test]
fn a_close_frame_ends_a_message_in_the_middle() {
    let transcript = CLIENT.decode(b"\x01\x03one\x88\x02\x03\xe8");
    let close = CloseFrame::new(CloseCode::NORMAL, "");
    assert_eq!(transcript.seen, [Seen::Close(Some(close))]);
    assert!(!transcript.idle);
}

#[test]
fn nothing_is_continued_but_what_has_begun() {
    for first in [0x00, 0x80] {
        let err = CLIENT.fails(&[first, 0]);
        assert_eq!(err, ProtocolError::NothingToContinue);
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
    }
    let after_a_whole_one = CLIENT.decode(b"\x81\x01a\x80\x01b");
    assert_eq!(after_a_whole_one.seen, [Seen::text("a")]);
    assert_eq!(
        after_a_whole_one.error,
        Some(ProtocolError::NothingToContinue)
    );
}

#[test]
fn a_message_begins_only_when_the_last_one_has_ended() {
    for first in [0x01, 0x02, 0x81, 0x82] {
        let err = CLIENT.fails(&[0x01, 1, b'a', first, 0]);
        assert_eq!(err, ProtocolError::MessageInterrupted);
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
    }
}

#[test]
fn lengths_take_as_few_bytes_as_they_can() {
    for length in [0_u16, 1, 125] {
        let [high, low] = length.to_be_bytes();
        let err = CLIENT.fails(&[0x82, 126, high, low]);
        assert_eq!(err, ProtocolError::LengthNotMinimal);
        assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
    }
    for length in [0_u64, 125, 126, 65535] {
        let input = [&[0x82, 127][..], &length.to_be_bytes()].concat();
        assert_eq!(CLIENT.fails(&input), ProtocolError::LengthNotMinimal);
    }
    for length in [1_u64 << 63, u64::MAX] {
        let input = [&[0x82, 127][..], &length.to_be_bytes()].concat();
        assert_eq!(CLIENT.fails(&input), ProtocolError::LengthSign);
    }
}

#[test]
fn every_error_says_what_is_wrong_and_has_a_code_that_may_be_sent() {
    let limit = 7;
    let errors = [
        (ProtocolError::BadDeflate, 1007),
        (ProtocolError::CloseCode(1005), 1002),
        (ProtocolError::CloseLength, 1002),
        (ProtocolError::CloseReason, 1007),
        (ProtocolError::ControlFragmented, 1002),
        (ProtocolError::ControlLength, 1002),
        (ProtocolError::FrameTooLong { limit }, 1009),
        (ProtocolError::LengthSign, 1002),
        (ProtocolError::LengthNotMinimal, 1002),
        (ProtocolError::Masked, 1002),
        (ProtocolError::MessageTooLong { limit }, 1009),
        (ProtocolError::MessageInterrupted, 1002),
        (ProtocolError::NothingToContinue, 1002),
        (ProtocolError::OpCode(11), 1002),
        (ProtocolError::ReservedBits(4), 1002),
        (ProtocolError::Text, 1007),
        (ProtocolError::TooManyFragments { limit }, 1009),
        (ProtocolError::Unmasked, 1002),
    ];
    for (err, code) in errors {
        assert_eq!(err.close_code().get(), code, "{err}");
        assert!(err.close_code().may_be_sent());
        // It goes into the reason of a close frame.
        assert!((5..=123).contains(&err.to_string().len()), "{err}");
    }
}
