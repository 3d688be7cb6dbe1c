use std::collections::BTreeMap;

use super::*;

/// Data is a number here; nothing is owned.
unsafe fn nothing(_data: Data, _verb: Verb) {}

fn number(data: usize) -> Data {
    MaybeUninit::new([data as u32, 0])
}

fn number_of(timer: &Timer) -> usize {
    // SAFETY: every timer here was made with `number`.
    unsafe { timer.data.assume_init()[0] as usize }
}

fn insert(wheel: &mut Wheel, deadline: u64, data: usize) -> Key {
    let location = Location::caller();
    let act: Act = nothing;
    wheel.insert(
        deadline,
        Timer {
            act,
            data: number(data),
            location,
        },
    )
}

/// Advances and takes what is due.
fn due(wheel: &mut Wheel, now: u64) -> Vec<usize> {
    let mut keys = Vec::new();
    wheel.advance(now, |key| keys.push(key));
    keys.into_iter()
        .map(|key| number_of(&wheel.remove(key).expect("what is due can be taken")))
        .collect()
}

#[test]
fn timers_of_one_tick_keep_their_order() {
    let mut wheel = Wheel::new();
    // The first goes to a higher level and moves down; the second is put there directly.
    insert(&mut wheel, 100, 1);
    assert_eq!(due(&mut wheel, 70), []);
    insert(&mut wheel, 100, 2);
    insert(&mut wheel, 99, 0);
    assert_eq!(due(&mut wheel, 100), [0, 1, 2]);
    assert_eq!(wheel.len(), 0);
}

#[test]
fn what_is_late_is_due_with_the_next_advance() {
    let mut wheel = Wheel::new();
    assert_eq!(due(&mut wheel, 1000), []);
    insert(&mut wheel, 3, 7);
    assert_eq!(wheel.next_tick(), Some(1001));
    assert_eq!(due(&mut wheel, 1001), [7]);
}

#[test]
fn a_timer_beyond_the_wheel_waits_in_it() {
    let mut wheel = Wheel::new();
    let far = REACH * 3 + 17;
    insert(&mut wheel, far, 1);
    insert(&mut wheel, REACH + 5, 0);
    assert_eq!(due(&mut wheel, REACH + 4), []);
    assert_eq!(due(&mut wheel, far - 1), [0]);
    assert_eq!(due(&mut wheel, far), [1]);
}

#[test]
fn a_cancelled_timer_is_gone_also_when_it_is_due() {
    let mut wheel = Wheel::new();
    let waiting = insert(&mut wheel, 50, 0);
    let ready = insert(&mut wheel, 1, 1);
    assert!(wheel.remove(waiting).is_some());
    assert!(wheel.remove(waiting).is_none());
    let mut keys = Vec::new();
    wheel.advance(1, |key| keys.push(key));
    assert_eq!(keys, [ready]);
    assert!(wheel.remove(ready).is_some());
    assert!(wheel.remove(ready).is_none());
    assert_eq!(wheel.next_tick(), None);
}

#[test]
fn a_handle_does_not_reach_the_next_user_of_its_node() {
    let mut wheel = Wheel::new();
    let old = insert(&mut wheel, 5, 0);
    wheel.remove(old);
    let new = insert(&mut wheel, 5, 1);
    assert_eq!(old.index, new.index, "the node is used again");
    assert!(wheel.remove(old).is_none());
    assert_eq!(due(&mut wheel, 5), [1]);
}

#[test]
fn clear_hands_out_everything_once() {
    let mut wheel = Wheel::new();
    for data in 0..2000 {
        insert(&mut wheel, (data as u64) * 977 + 1, data);
    }
    due(&mut wheel, 977 * 100);
    let mut left: Vec<usize> = wheel.clear().iter().map(number_of).collect();
    left.sort_unstable();
    assert_eq!(left, (100..2000).collect::<Vec<_>>());
    assert_eq!(wheel.len(), 0);
    assert_eq!(wheel.next_tick(), None);
}

#[test]
fn sites_are_told_apart() {
    let mut wheel = Wheel::new();
    let act: Act = nothing;
    let here = Location::caller();
    let there = elsewhere();
    let first = wheel.insert(
        1,
        Timer {
            act,
            data: number(0),
            location: here,
        },
    );
    let second = wheel.insert(
        1,
        Timer {
            act,
            data: number(0),
            location: there,
        },
    );
    let third = wheel.insert(
        1,
        Timer {
            act,
            data: number(0),
            location: here,
        },
    );
    assert_eq!(wheel.sites.len(), 2);
    assert_eq!(
        wheel.remove(second).map(|timer| timer.location),
        Some(there)
    );
    assert_eq!(wheel.remove(first).map(|timer| timer.location), Some(here));
    assert_eq!(wheel.remove(third).map(|timer| timer.location), Some(here));
}

fn elsewhere() -> &'static Location<'static> {
    Location::caller()
}

/// A small generator: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Random inserts, cancels and advances, against a sorted map.
#[test]
fn behaves_as_a_sorted_map_does() {
    for seed in 1..=40 {
        let mut random = Random(seed * 0x9e37_79b9);
        let mut wheel = Wheel::new();
        let mut model: BTreeMap<(u64, usize), Key> = BTreeMap::new();
        let mut now = 0;
        for data in 0..3000 {
            let reach = [3, 70, 5000, 300_000, REACH + (1 << 33)][random.below(5) as usize];
            match random.below(4) {
                0 | 1 => {
                    let deadline = now + 1 + random.below(reach);
                    let key = insert(&mut wheel, deadline, data);
                    model.insert((deadline, data), key);
                }
                2 => {
                    let at = (now + random.below(reach), 0);
                    if let Some((name, key)) = model.range(at..).next().map(|(n, k)| (*n, *k)) {
                        model.remove(&name);
                        assert_eq!(wheel.remove(key).as_ref().map(number_of), Some(name.1));
                    }
                }
                _ => {
                    now += random.below(reach);
                    let later = model.split_off(&(now + 1, 0));
                    let expected: Vec<usize> = model.keys().map(|(_, data)| *data).collect();
                    model = later;
                    assert_eq!(due(&mut wheel, now), expected, "seed {seed}");
                }
            }
            assert_eq!(wheel.len(), model.len());
            if let (Some(next), Some(((first, _), _))) =
                (wheel.next_tick(), model.first_key_value())
            {
                assert!(
                    next > now && next <= *first,
                    "seed {seed}: {next} for {first} at {now}"
                );
            } else {
                assert!(model.is_empty() && wheel.next_tick().is_none());
            }
        }
    }
}
