//! The masks of what a client sends.

/// Bytes asked of the system at a time.
const POOL: usize = 1024;

/// Unpredictable masks (RFC 6455 section 10.3): from the system's generator, many at a time.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    pool: Vec<u8>,
}

impl Masks {
    pub(crate) fn next(&mut self) -> [u8; 4] {
        if self.pool.is_empty() {
            self.pool.resize(POOL, 0);
            // A system without randomness runs no client; a mask of zeros would be worse than none.
            getrandom::fill(&mut self.pool).expect("the system has randomness");
        }
        let mut mask = [0; 4];
        let start = self.pool.len() - mask.len();
        mask.copy_from_slice(&self.pool[start..]);
        self.pool.truncate(start);
        mask
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn masks_differ() {
        let mut masks = Masks::default();
        let different: HashSet<[u8; 4]> = (0..1000).map(|_| masks.next()).collect();
        assert!(different.len() > 990, "{} of 1000", different.len());
    }
}
