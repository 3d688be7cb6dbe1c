//! Masking, against the loop that RFC 6455 section 5.3 writes down.

use squall_websocket::proto::{OpCode, mask, write_frame};

use super::drive::{SERVER, Seen};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|it| (it * 31 + it / 251) as u8).collect()
}

fn masked(bytes: &[u8], mask: [u8; 4]) -> Vec<u8> {
    bytes
        .iter()
        .enumerate()
        .map(|(i, byte)| byte ^ mask[i % 4])
        .collect()
}

#[test]
fn every_length_at_every_alignment_is_masked() {
    let source = bytes(320);
    for start in 0..9 {
        for length in 0..=300 {
            let mut buffer = source.clone();
            mask::apply(&mut buffer[start..start + length], MASK);
            let expected = [
                &source[..start],
                &masked(&source[start..start + length], MASK),
                &source[start + length..],
            ]
            .concat();
            assert_eq!(buffer, expected, "{length} bytes at {start}");

            let mut appended = source[..start].to_vec();
            mask::append(&mut appended, &source[start..start + length], MASK);
            assert_eq!(appended, expected[..start + length]);
        }
    }
}

#[test]
fn the_mask_goes_on_behind_a_cut() {
    let source = bytes(67);
    let whole = masked(&source, MASK);
    for cut in 0..source.len() {
        let mut parts = source.clone();
        mask::apply(&mut parts[..cut], MASK);
        mask::apply(&mut parts[cut..], mask::advanced(MASK, cut));
        assert_eq!(parts, whole, "cut at {cut}");
    }
    assert_eq!(mask::advanced(MASK, usize::MAX), mask::advanced(MASK, 3));
}

#[test]
fn a_frame_is_unmasked_however_it_is_cut() {
    for length in [0, 1, 3, 4, 7, 8, 15, 31, 32, 33, 63, 64, 65, 125, 126, 300] {
        let payload = bytes(length);
        let mut input = Vec::new();
        write_frame(
            &mut input,
            OpCode::Binary,
            true,
            false,
            &payload,
            Some(MASK),
        );
        assert_eq!(input[input.len() - length..], masked(&payload, MASK));
        assert_eq!(SERVER.sees(&input), [Seen::Binary(payload)]);
    }
}
