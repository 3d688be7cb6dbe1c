use std::task::Poll;

use super::{Acquire, BoundedSemaphore, Permit, Semaphore};
use crate::locks::probe::{Dice, Probe, order_of_wakes};

fn waiting(semaphore: &Semaphore, count: usize) -> Vec<Probe<Acquire>> {
    let mut probes: Vec<_> = (0..count)
        .map(|_| Probe::new(semaphore.acquire()))
        .collect();
    for probe in &mut probes {
        assert!(probe.poll().is_pending());
    }
    probes
}

#[test]
fn as_many_as_there_are_permits() {
    let semaphore = Semaphore::new(2);
    let first = Probe::new(semaphore.acquire()).ready();
    let second = semaphore.try_acquire().unwrap();
    assert!(semaphore.try_acquire().is_none());
    let mut third = Probe::new(semaphore.acquire());
    assert!(third.poll().is_pending());
    drop(first);
    assert!(third.is_woken());
    drop((third.ready(), second));
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_go_to_the_longest_waiting() {
    let semaphore = Semaphore::new(0);
    let mut probes = waiting(&semaphore, 4);
    semaphore.add_permits(3);
    assert_eq!(order_of_wakes(&probes), [0, 1, 2]);
    assert_eq!(semaphore.available_permits(), 0);
    // The last one is polled first and gets its own.
    let permits: Vec<Permit> = probes[..3].iter_mut().rev().map(Probe::ready).collect();
    assert!(probes[3].poll().is_pending());
    drop(permits);
    assert!(probes[3].is_woken());
    drop(probes);
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn a_promised_permit_cannot_be_snatched() {
    let semaphore = Semaphore::new(0);
    let mut probes = waiting(&semaphore, 1);
    semaphore.release();
    assert!(semaphore.try_acquire().is_none());
    assert!(Probe::new(semaphore.acquire()).poll().is_pending());
    assert!(probes[0].poll().is_ready());
}

#[test]
fn a_waiter_dropped_with_its_permit_passes_it_on() {
    let semaphore = Semaphore::new(0);
    let mut probes = waiting(&semaphore, 3);
    semaphore.release();
    drop(probes.remove(0));
    assert_eq!(order_of_wakes(&probes), [0]);
    drop(probes.remove(1));
    drop(probes.remove(0));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_fresh_and_a_completed_future_leave_nothing_behind() {
    let semaphore = Semaphore::new(1);
    drop(semaphore.acquire());
    let mut probe = Probe::new(semaphore.acquire());
    let permit = probe.ready();
    drop(probe);
    assert_eq!(semaphore.available_permits(), 0);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_waiter_moved_to_another_task_wakes_that_one() {
    let semaphore = Semaphore::new(0);
    let mut probe = Probe::new(semaphore.acquire());
    assert!(probe.poll().is_pending());
    assert!(probe.poll_as_other_task().is_pending());
    semaphore.release();
    assert!(probe.is_woken());
}

#[test]
fn forgotten_permits_come_back_by_release() {
    let semaphore = Semaphore::new(1);
    semaphore.try_acquire().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.release();
    assert_eq!(semaphore.available_permits(), 1);
    semaphore.add_permits(0);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn the_count_stays_at_its_maximum() {
    let semaphore = Semaphore::new(usize::MAX);
    semaphore.add_permits(usize::MAX);
    semaphore.release();
    assert_eq!(semaphore.available_permits(), usize::MAX);
}

#[test]
fn a_permit_outlives_the_handles() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    let mut probes = waiting(&semaphore, 1);
    drop(semaphore);
    drop(permit);
    assert!(probes[0].poll().is_ready());
}

#[test]
fn a_bounded_semaphore_refuses_what_was_not_taken() {
    let semaphore = BoundedSemaphore::new(2);
    assert_eq!(
        semaphore.release().unwrap_err().to_string(),
        "semaphore released too many times"
    );
    let permit = semaphore.try_acquire().unwrap();
    assert!(semaphore.release().is_err(), "the guard will give it back");
    permit.forget();
    assert!(semaphore.release().is_ok());
    assert!(semaphore.release().is_err());
    assert_eq!((semaphore.available_permits(), semaphore.bound()), (2, 2));
}

#[test]
fn a_bounded_semaphore_counts_promised_permits() {
    let semaphore = BoundedSemaphore::new(1);
    let permit = Probe::new(semaphore.acquire()).ready();
    let mut next = Probe::new(semaphore.acquire());
    assert!(next.poll().is_pending());
    drop(permit);
    assert!(next.is_woken());
    assert!(semaphore.release().is_err());
    next.ready().forget();
    assert!(semaphore.release().is_ok());
}

#[test]
fn debug_tells_the_state() {
    let semaphore = Semaphore::new(0);
    let probe = waiting(&semaphore, 1);
    assert_eq!(
        format!("{semaphore:?}"),
        "Semaphore { available: 0, waiters: 1 }"
    );
    drop(probe);
    let bounded = BoundedSemaphore::new(3);
    assert_eq!(
        format!("{bounded:?}"),
        "BoundedSemaphore { available: 3, bound: 3, waiters: 0 }"
    );
}

#[test]
fn no_permit_is_lost_or_made_whatever_happens() {
    const PERMITS: usize = 3;
    for seed in 1..50 {
        let mut dice = Dice::new(seed);
        let semaphore = Semaphore::new(PERMITS);
        let (mut waiters, mut held) = (Vec::<Probe<Acquire>>::new(), Vec::new());
        for _ in 0..1_000 {
            match dice.roll(6) {
                0 | 1 => waiters.push(Probe::new(semaphore.acquire())),
                2 | 3 if !waiters.is_empty() => {
                    let index = dice.roll(waiters.len());
                    if let Poll::Ready(permit) = waiters[index].poll() {
                        held.push(permit);
                        waiters.remove(index);
                    }
                }
                4 if !waiters.is_empty() => drop(waiters.remove(dice.roll(waiters.len()))),
                5 if !held.is_empty() => drop(held.remove(dice.roll(held.len()))),
                _ => {}
            }
            assert!(held.len() <= PERMITS);
            assert_eq!(semaphore.shared.total.get(), PERMITS);
            let idle = semaphore.available_permits() > 0;
            assert!(
                !idle || semaphore.shared.line.len() == 0,
                "somebody sleeps beside a free permit"
            );
        }
        drop((waiters, held));
        assert_eq!(semaphore.available_permits(), PERMITS);
    }
}
