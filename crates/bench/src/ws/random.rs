//! Numbers for masks and keys: they look random, and a run that is repeated has the same ones.

/// xorshift64*, by Marsaglia and Vigna.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    /// Never 0.
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed ^ 0x9e37_79b9_7f4a_7c15 | 1,
        }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A mask for a frame.
    #[inline]
    pub(crate) fn mask(&mut self) -> [u8; 4] {
        ((self.next() >> 32) as u32).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_repeat_from_run_to_run_and_not_within_one() {
        let masks = |seed| {
            let mut random = Random::new(seed);
            let masks: Vec<[u8; 4]> = (0..1000).map(|_| random.mask()).collect();
            masks
        };
        assert_eq!(masks(1), masks(1));
        let mut sorted = masks(7);
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 1000);
        // Each bit is set about as often as not.
        for bit in 0..32 {
            let set = masks(7)
                .iter()
                .filter(|mask| u32::from_le_bytes(**mask) >> bit & 1 == 1)
                .count();
            assert!((400..600).contains(&set), "bit {bit}: {set}");
        }
    }
}
