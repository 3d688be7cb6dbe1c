//! Masking (RFC 6455 section 5.3): what clients send is combined with four bytes that change with each frame.
//!
//! The kernel is safe code whose main loop the compiler turns into vector instructions. What is left behind whole blocks
//! goes by halves, for most messages are short and consist of little else.

/// Masks or unmasks `bytes`, of which the first meets the first byte of `mask`.
#[inline]
pub fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let four = u32::from_ne_bytes(mask);
    let eight = u64::from(four) << 32 | u64::from(four);
    let (blocks, rest) = bytes.as_chunks_mut::<32>();
    for block in blocks {
        block
            .as_chunks_mut()
            .0
            .iter_mut()
            .for_each(|it| xor(it, eight));
    }
    // There is at most one of each from here on.
    let (half, rest) = rest.as_chunks_mut::<16>();
    if let Some(half) = half.first_mut() {
        half.as_chunks_mut()
            .0
            .iter_mut()
            .for_each(|it| xor(it, eight));
    }
    let (word, rest) = rest.as_chunks_mut();
    if let Some(word) = word.first_mut() {
        xor(word, eight);
    }
    let (word, rest) = rest.as_chunks_mut();
    if let Some(word) = word.first_mut() {
        *word = (u32::from_ne_bytes(*word) ^ four).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[inline]
fn xor(bytes: &mut [u8; 8], mask: u64) {
    *bytes = (u64::from_ne_bytes(*bytes) ^ mask).to_ne_bytes();
}

/// Appends `bytes` to `out`, masked or unmasked.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8], mask: [u8; 4]) {
    let start = out.len();
    out.extend_from_slice(bytes);
    apply(&mut out[start..], mask);
}

/// Returns the mask that goes on after `count` bytes.
pub const fn advanced(mask: [u8; 4], count: usize) -> [u8; 4] {
    u32::from_be_bytes(mask)
        .rotate_left(count as u32 % 4 * 8)
        .to_be_bytes()
}
