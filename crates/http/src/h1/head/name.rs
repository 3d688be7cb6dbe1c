//! Names of fields, which are the same in any case (RFC 9110 section 5.1).

/// Whether `name`, of any case, is `wanted`, of small letters and the same length.
pub(super) fn is_name(name: &[u8], wanted: &[u8]) -> bool {
    match (name.last_chunk(), wanted.last_chunk()) {
        // Words that overlap at the end, so that no byte is looked at alone.
        (Some(last), Some(wanted_last)) => {
            let words = name.as_chunks().0.iter().zip(wanted.as_chunks().0);
            words.fold(
                small(*last) == u64::from_le_bytes(*wanted_last),
                |same, (word, wanted)| same && small(*word) == u64::from_le_bytes(*wanted),
            )
        }
        _ => name.eq_ignore_ascii_case(wanted),
    }
}

/// Eight bytes with small letters for capitals.
fn small(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let word = u64::from_le_bytes(word);
    let seven = word & (ONES * 0x7f);
    // The upper bit of a byte of these says that it is `A` or more, and more than `Z`; no sum reaches the next byte.
    let from_a = seven + ONES * u64::from(0x80 - b'A');
    let behind_z = seven + ONES * u64::from(0x7f - b'Z');
    let capitals = from_a & !behind_z & !word & (ONES << 7);
    word | capitals >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_any_case_and_different_in_any_other_byte() {
        let wanted = b"x-a-name-of_some`length{1}";
        for length in 0..=wanted.len() {
            let wanted = &wanted[..length];
            let mut name = wanted.to_vec();
            assert!(is_name(&name, wanted));
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    name[at] = byte;
                    let same = name.eq_ignore_ascii_case(wanted);
                    assert_eq!(
                        is_name(&name, wanted),
                        same,
                        "{byte:#x} at {at} of {length}"
                    );
                }
                // So that the next bytes are compared behind a capital.
                name[at] = wanted[at].to_ascii_uppercase();
            }
        }
    }
}
