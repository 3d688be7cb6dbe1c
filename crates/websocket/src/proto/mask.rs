//! Masking (RFC 6455 section 5.3): what clients send is combined with four bytes that change with each frame.

/// Masks or unmasks `bytes`, of which the first meets the first byte of `mask`.
pub fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = [a, b, c, d, a, b, c, d];
    let word = u64::from_ne_bytes(wide);
    let (words, rest) = bytes.as_chunks_mut();
    for eight in words {
        *eight = (u64::from_ne_bytes(*eight) ^ word).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide) {
        *byte ^= mask;
    }
}

/// Appends `bytes` to `out`, masked or unmasked.
pub fn append(out: &mut Vec<u8>, bytes: &[u8], mask: [u8; 4]) {
    let start = out.len();
    out.extend_from_slice(bytes);
    apply(&mut out[start..], mask);
}

/// Returns the mask that goes on after `count` bytes.
pub const fn advanced(mask: [u8; 4], count: usize) -> [u8; 4] {
    let [a, b, c, d] = mask;
    match count % 4 {
        0 => mask,
        1 => [b, c, d, a],
        2 => [c, d, a, b],
        _ => [d, a, b, c],
    }
}
