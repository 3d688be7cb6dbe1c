//! Who has been idle for longest.

use std::cmp::Reverse;

use squall_ioloop::reactor::Places;

/// Of so many values one is sorted, so that finding them costs the same each time, however many there are.
const SHARE: usize = 8;

/// The numbers of values, those that are oldest first.
///
/// Sorting all for each one that is taken would let a flood of newcomers cost the square of their number; keeping all sorted
/// would cost everybody else. So an eighth of all is found at a time, the oldest, and used up.
#[derive(Debug, Default)]
pub(super) struct Eldest {
    /// With the time of each, in ticks; the oldest is last.
    known: Vec<(u32, u32)>,
}

impl Eldest {
    /// Returns the number of the oldest value, `since` being its time and `now` the present; `None` if there is none.
    pub(super) fn next<T>(
        &mut self,
        places: &Places<T>,
        now: u32,
        since: impl Fn(&T) -> u32,
    ) -> Option<u32> {
        // Who was used or served meanwhile is not the one that was meant.
        let is_same = |(key, then): &(u32, u32)| {
            let value = places.get(*key);
            value.is_some_and(|value| since(value) == *then)
        };
        while let Some(known) = self.known.pop() {
            if is_same(&known) {
                return Some(known.0);
            }
        }
        let all = places.iter().map(|(key, value)| (key, since(value)));
        self.known = all.collect();
        let age = |(_, then): &(u32, u32)| Reverse(now.wrapping_sub(*then));
        let count = self.known.len().div_ceil(SHARE);
        if count == 0 {
            return None;
        }
        self.known.select_nth_unstable_by_key(count - 1, age);
        self.known.truncate(count);
        self.known.sort_unstable_by_key(age);
        self.known.reverse();
        self.known.pop().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_come_first_and_those_that_have_changed_do_not() {
        let mut places = Places::new();
        let mut eldest = Eldest::default();
        assert_eq!(eldest.next(&places, 0, |since: &u32| *since), None);
        // The time has just begun anew, so some numbers are of before.
        let now = 50u32;
        for n in 0..100u32 {
            let key = places.reserve();
            places.put(key, now.wrapping_sub((n * 37) % 101));
        }
        let mut ages = Vec::new();
        while let Some(key) = eldest.next(&places, now, |since| *since) {
            ages.push(now.wrapping_sub(places.take(key).expect("it is there")));
            places.free(key);
            if ages.len() == 5 {
                // One of those that are known already is served.
                let next = places
                    .iter()
                    .max_by_key(|(_, since)| now.wrapping_sub(**since));
                let (next, _) = next.expect("there are more");
                places.put(next, now);
            }
        }
        assert_eq!(ages.len(), 100);
        let served = ages
            .iter()
            .rposition(|age| *age == 0)
            .expect("one was served");
        ages.remove(served);
        assert!(ages.is_sorted_by(|one, next| one >= next), "{ages:?}");
    }
}
