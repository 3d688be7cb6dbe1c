//! The rules about frames (RFC 6455 sections 5.1 to 5.5), each with the code that breaking it ends in.

use squall_websocket::proto::{CloseCode, MessageKind, ProtocolError};

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
