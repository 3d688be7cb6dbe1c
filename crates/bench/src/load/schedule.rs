//! When each request of a run at a fixed rate is due.
//!
//! Request `k` is due `k / rate` seconds after the start and belongs to connection `k % connections`,
//! so each connection is a user with an even pace of its own. Whether the server is slow does not
//! move a due time: a request that cannot be sent yet waits, and its latency counts from the time it
//! was due. That is the correction for coordinated omission: a server that stalls for a second is
//! charged with every request of that second and not just with those that happened to be under way.

/// The due times of all requests, in nanoseconds on the clock of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    start: u64,
    /// Nanoseconds between two requests, in units of 2⁻³² ns: rounding adds up to less than a
    /// microsecond over the longest run at the highest rate.
    step: u128,
    connections: u64,
}

impl Schedule {
    /// A schedule of `rate` requests a second (more than 0) over `connections` connections (at least 1).
    pub(crate) fn new(start: u64, rate: f64, connections: u64) -> Self {
        Self {
            start,
            step: (1e9 / rate * (1u64 << 32) as f64) as u128,
            connections,
        }
    }

    /// When request `index` is due.
    #[inline]
    pub(crate) fn due(&self, index: u64) -> u64 {
        self.start + ((u128::from(index) * self.step) >> 32) as u64
    }

    /// The connection that request `index` belongs to.
    #[inline]
    pub(crate) fn connection(&self, index: u64) -> usize {
        (index % self.connections) as usize
    }

    /// When the request number `turn` of `connection` is due.
    #[inline]
    pub(crate) fn due_on(&self, connection: usize, turn: u64) -> u64 {
        self.due(connection as u64 + turn * self.connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_even_and_take_turns() {
        let schedule = Schedule::new(500, 1000.0, 3);
        let due: Vec<u64> = (0..4).map(|index| schedule.due(index)).collect();
        assert_eq!(due, [500, 1_000_500, 2_000_500, 3_000_500]);
        let turns: Vec<usize> = (0..4).map(|index| schedule.connection(index)).collect();
        assert_eq!(turns, [0, 1, 2, 0]);
        assert_eq!(schedule.due_on(1, 2), schedule.due(7));
    }

    #[test]
    fn an_hour_at_any_rate_ends_on_time() {
        for rate in [0.01, 3.0, 7777.7, 333_333.0, 10_000_000.0] {
            let schedule = Schedule::new(0, rate, 1);
            let last = (3600.0 * rate) as u64;
            let expected = last as f64 / rate * 1e9;
            let off = (schedule.due(last) as f64 - expected).abs();
            assert!(off < 10_000.0, "{rate}/s is off by {off} ns");
        }
    }
}
