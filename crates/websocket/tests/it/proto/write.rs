//! Frames that are written.

use squall_websocket::proto::{FrameHead, MessageKind, OpCode, write_frame};

use super::drive::{CLIENT, SERVER, Seen};

#[test]
fn lengths_are_written_in_as_few_bytes_as_they_need() {
    let rows: [(usize, &[u8]); 8] = [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (255, b"\x82\x7e\x00\xff"),
        (256, b"\x82\x7e\x01\x00"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
        (usize::MAX >> 1, b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ];
    for (length, expected) in rows {
        let head = FrameHead::new(OpCode::Binary, true, false, length, None);
        assert_eq!(head.as_ref(), expected);
        let head = FrameHead::new(OpCode::Binary, true, false, length, Some(*b"mask"));
        let mut masked = [expected, b"mask"].concat();
        masked[1] |= 0x80;
        assert_eq!(head.as_ref(), masked);
    }
}

#[test]
fn the_first_byte_has_the_bits_and_the_opcode() {
    let head =
        |opcode, fin, compressed| FrameHead::new(opcode, fin, compressed, 0, None).as_ref()[0];
    assert_eq!(head(OpCode::Text, true, false), 0x81);
    assert_eq!(head(OpCode::Text, false, false), 0x01);
    assert_eq!(head(OpCode::Binary, true, true), 0xc2);
    assert_eq!(head(OpCode::Binary, false, true), 0x42);
    assert_eq!(head(OpCode::Continuation, true, false), 0x80);
    assert_eq!(head(OpCode::Close, true, false), 0x88);
    assert_eq!(head(OpCode::Ping, true, false), 0x89);
    assert_eq!(head(OpCode::Pong, true, false), 0x8a);
}

#[test]
fn frames_are_appended_and_read_by_the_other_end() {
    for (setup, mask) in [(CLIENT, None), (SERVER, Some([9, 8, 7, 6]))] {
        let mut out = Vec::new();
        let mut write = |opcode, fin, compressed, payload: &[u8]| {
            write_frame(&mut out, opcode, fin, compressed, payload, mask);
        };
        write(OpCode::Text, false, false, "häl".as_bytes());
        write(OpCode::Ping, true, false, b"?");
        write(OpCode::Continuation, true, false, b"lo");
        write(OpCode::Binary, true, true, &[7; 300]);
        write(OpCode::Pong, true, false, b"");
        assert_eq!(
            setup.compressed().sees(&out),
            [
                Seen::Ping(b"?".to_vec()),
                Seen::text("hällo"),
                Seen::Deflated(MessageKind::Binary, vec![7; 300]),
                Seen::Pong(vec![]),
            ]
        );
    }
}
