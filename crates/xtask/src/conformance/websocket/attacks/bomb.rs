//! Little that inflates to much, written bit by bit (RFC 1951): a byte, and the order to repeat it 258 times, again and again.

use crate::conformance::websocket::wire::frame;

/// How a bomb is packed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    OneFrame,
    /// In sixteen frames, which is not more than are allowed.
    Parts,
}

/// Frames of a compressed message that inflates to about so many zeros.
pub(super) fn bomb(kind: Kind, inflated: usize) -> Vec<u8> {
    let payload = zeros(inflated);
    let count = match kind {
        Kind::OneFrame => 1,
        Kind::Parts => 16,
    };
    let size = payload.len().div_ceil(count);
    let mut frames = Vec::new();
    for (at, part) in payload.chunks(size).enumerate() {
        // The first has the bit that says `compressed` (RFC 7692 section 7.2.1).
        let first = if at == 0 { 0x42 } else { 0 };
        let last = if at + 1 == payload.len().div_ceil(size) {
            0x80
        } else {
            0
        };
        frames.extend(frame(first | last, part));
    }
    frames
}

/// A block with fixed codes, and the begin of the empty one that every message ends with (RFC 7692 section 7.2.1).
fn zeros(inflated: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // Not the last block; fixed codes.
    bits.push(0b010, 3);
    // The literal 0: eight bits, the most significant first.
    bits.push_code(0b0011_0000, 8);
    for _ in 0..inflated / 258 {
        // Length 258 and distance 1.
        bits.push_code(0b1100_0101, 8);
        bits.push_code(0, 5);
    }
    // The end of the block, then an empty stored block whose four bytes are left out.
    bits.push_code(0, 7);
    bits.push(0b000, 3);
    bits.bytes
}

/// Bits, the least significant first.
#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    /// How many there are.
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u32, width: usize) {
        for at in 0..width {
            self.push_bit(value >> at & 1);
        }
    }

    /// Codes begin with their most significant bit.
    fn push_code(&mut self, code: u32, width: usize) {
        for at in (0..width).rev() {
            self.push_bit(code >> at & 1);
        }
    }

    fn push_bit(&mut self, bit: u32) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= (bit as u8) << (self.count % 8);
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_where_zlib_reads_them() {
        // Inflated by zlib with 00 00 ff ff behind: 259 zeros.
        assert_eq!(zeros(258), ZEROS);
    }

    const ZEROS: [u8; 5] = [0x62, 0x18, 0x05, 0x00, 0x00];

    #[test]
    fn little_becomes_much() {
        let frames = bomb(Kind::OneFrame, 2 << 20);
        assert!(frames.len() < 16 << 10, "{}", frames.len());
        assert_eq!(frames[0], 0xc2);
        let parts = bomb(Kind::Parts, 2 << 20);
        assert_eq!(parts[0], 0x42);
        assert!(parts.len() < frames.len() + 16 * 14);
    }
}
