//! A log-linear histogram of durations, in the manner of HdrHistogram.
//!
//! Each power of two is cut into 128 equal buckets, so a value is off by less than 0.8 % of itself;
//! below 128 ns every nanosecond has its own. Values above 73 minutes count as 73 minutes. Recording is a handful of
//! instructions and never allocates.

/// Each power of two has `1 << PRECISION` buckets.
const PRECISION: u32 = 7;
const BUCKETS_A_POWER: usize = 1 << PRECISION;
/// The largest value told apart, in nanoseconds: 73 minutes.
const LARGEST: u64 = (1 << 42) - 1;
const BUCKETS: usize = (42 - PRECISION as usize + 1) * BUCKETS_A_POWER;

/// Durations in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    /// The largest value recorded, exactly.
    max: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            count: 0,
            max: 0,
        }
    }

    /// Records `count` values of `nanos` each.
    #[inline]
    pub(crate) fn record(&mut self, nanos: u64, count: u64) {
        self.counts[bucket_of(nanos.min(LARGEST))] += count;
        self.count += count;
        self.max = self.max.max(nanos);
    }

    /// Forgets all values.
    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        (self.count, self.max) = (0, 0);
    }

    /// The largest value recorded, in nanoseconds; 0 when there is none.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// The value, in nanoseconds, that the part `share` (0 to 1) of all values does not exceed: the
    /// top of its bucket, though never above the largest value recorded. 0 when there is none.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return top_of(bucket).min(self.max);
            }
        }
        self.max
    }
}

#[inline]
fn bucket_of(value: u64) -> usize {
    let bits = 64 - value.leading_zeros();
    if bits <= PRECISION {
        return value as usize;
    }
    let shift = bits - 1 - PRECISION;
    // The top bit of the shifted value is always set; adding it steps over the buckets below.
    (shift as usize) * BUCKETS_A_POWER + (value >> shift) as usize
}

/// The largest value that falls into `bucket`.
fn top_of(bucket: usize) -> u64 {
    if bucket < BUCKETS_A_POWER {
        return bucket as u64;
    }
    let shift = bucket / BUCKETS_A_POWER - 1;
    let within = (bucket - shift * BUCKETS_A_POWER) as u64;
    ((within + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator (xorshift), so that a failure repeats.
    fn values(seed: u64, count: usize, bits: u32) -> Vec<u64> {
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // Every power of two is as likely as every other, as latencies are.
        (0..count)
            .map(|_| (next() >> 20) >> (44 - bits + (next() % u64::from(bits)) as u32))
            .collect()
    }

    #[test]
    fn buckets_follow_each_other_without_gap() {
        let mut last = 0;
        for value in 0..100_000 {
            let bucket = bucket_of(value);
            assert!(bucket == last || bucket == last + 1, "at {value}");
            assert!(value <= top_of(bucket), "at {value}");
            assert!(bucket == 0 || value > top_of(bucket - 1), "at {value}");
            last = bucket;
        }
        assert_eq!(bucket_of(LARGEST), BUCKETS - 1);
        assert_eq!(top_of(BUCKETS - 1), LARGEST);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        for (seed, count, bits) in [(1, 1, 10), (2, 7, 20), (3, 1000, 30), (4, 100_000, 42)] {
            let mut values = values(seed, count, bits);
            let mut histogram = Histogram::new();
            for value in &values {
                histogram.record(*value, 1);
            }
            values.sort_unstable();
            for share in [0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0] {
                let rank = ((share * count as f64).ceil() as usize).clamp(1, count);
                let exact = values[rank - 1];
                let found = histogram.quantile(share);
                assert!(found >= exact, "{share} of {count}: {found} < {exact}");
                assert!(
                    found as f64 <= exact as f64 * 1.008 + 1.0,
                    "{share} of {count}: {found} is far above {exact}"
                );
            }
            assert_eq!(Some(&histogram.max()), values.last());
            assert_eq!(histogram.quantile(1.0), histogram.max());
        }
    }

    #[test]
    fn many_at_once_are_many_one_by_one() {
        let (mut once, mut often) = (Histogram::new(), Histogram::new());
        for value in values(9, 500, 35) {
            once.record(value, 3);
            (0..3).for_each(|_| often.record(value, 1));
        }
        assert_eq!(once.counts, often.counts);
        assert_eq!(once.count, 1500);
        assert_eq!(once.quantile(0.5), often.quantile(0.5));
    }

    #[test]
    fn nothing_and_too_much_have_an_answer() {
        let mut histogram = Histogram::new();
        assert_eq!((histogram.quantile(0.5), histogram.max()), (0, 0));
        histogram.record(u64::MAX, 1);
        assert_eq!(histogram.quantile(0.5), LARGEST);
        assert_eq!(histogram.max(), u64::MAX);
    }
}
