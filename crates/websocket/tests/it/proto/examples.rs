//! The examples of RFC 6455 section 5.7.

use super::drive::{CLIENT, SERVER, Seen};

#[test]
fn a_text_in_one_frame() {
    assert_eq!(CLIENT.sees(b"\x81\x05Hello"), [Seen::text("Hello")]);
}

#[test]
fn a_masked_text_in_one_frame() {
    let input = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(SERVER.sees(input), [Seen::text("Hello")]);
}

#[test]
fn a_text_in_two_frames() {
    assert_eq!(CLIENT.sees(b"\x01\x03Hel\x80\x02lo"), [Seen::text("Hello")]);
}

#[test]
fn a_ping_and_its_masked_pong() {
    assert_eq!(
        CLIENT.sees(b"\x89\x05Hello"),
        [Seen::Ping(b"Hello".to_vec())]
    );
    assert_eq!(
        SERVER.sees(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        [Seen::Pong(b"Hello".to_vec())]
    );
}

#[test]
fn bytes_with_lengths_of_16_and_64_bits() {
    let payload: Vec<u8> = (0..256).map(|it| it as u8).collect();
    let input = [&b"\x82\x7e\x01\x00"[..], &payload].concat();
    assert_eq!(CLIENT.sees(&input), [Seen::Binary(payload)]);

    let payload: Vec<u8> = (0..65536).map(|it| (it / 7) as u8).collect();
    let input = [&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], &payload].concat();
    let expected = [Seen::Binary(payload)];
    for cut in [1, 2, 3, 9, 10, 11, 5000, input.len() - 1] {
        let (first, second) = input.split_at(cut);
        assert_eq!(CLIENT.pieces([first, second]).seen, expected);
    }
    assert_eq!(CLIENT.pieces(input.chunks(1)).seen, expected);
}
