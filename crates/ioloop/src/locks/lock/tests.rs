use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::{AcquireLock, Lock};
use crate::locks::probe::{Probe, order_of_wakes};

fn waiting<T>(lock: &Lock<T>, count: usize) -> Vec<Probe<AcquireLock<T>>> {
    let mut probes: Vec<_> = (0..count).map(|_| Probe::new(lock.acquire())).collect();
    for probe in &mut probes {
        assert!(probe.poll().is_pending());
    }
    probes
}

#[test]
fn a_free_lock_is_taken_at_once() {
    let lock = Lock::new(1);
    let mut guard = Probe::new(lock.acquire()).ready();
    *guard += 1;
    assert!(lock.is_locked());
    assert!(lock.try_acquire().is_none());
    drop(guard);
    assert!(!lock.is_locked());
    assert_eq!(lock.try_acquire().as_deref(), Some(&2));
}

#[test]
fn turns_come_in_the_order_of_arrival() {
    let lock = Lock::new(Vec::new());
    let guard = lock.try_acquire().unwrap();
    let mut probes = waiting(&lock, 3);
    drop(guard);
    for turn in 0..3 {
        assert_eq!(order_of_wakes(&probes).len(), turn + 1);
        probes[turn].ready().push(turn);
    }
    assert_eq!(order_of_wakes(&probes), [0, 1, 2]);
    assert_eq!(*lock.try_acquire().unwrap(), [0, 1, 2]);
}

#[test]
fn nobody_snatches_the_lock_from_a_woken_waiter() {
    let lock = Lock::new(());
    let guard = lock.try_acquire().unwrap();
    let mut probes = waiting(&lock, 1);
    drop(guard);
    assert!(lock.is_locked());
    assert!(lock.try_acquire().is_none());
    let mut late = Probe::new(lock.acquire());
    assert!(late.poll().is_pending());
    drop(probes[0].ready());
    assert!(late.poll().is_ready());
}

#[test]
fn a_fresh_future_holds_no_place() {
    let lock = Lock::new(());
    let mut early = Probe::new(lock.acquire());
    let guard = Probe::new(lock.acquire()).ready();
    assert!(early.poll().is_pending());
    drop(early);
    drop(guard);
    assert!(!lock.is_locked());
}

#[test]
fn a_waiter_dropped_in_line_is_passed_over() {
    let lock = Lock::new(());
    let guard = lock.try_acquire().unwrap();
    let mut probes = waiting(&lock, 3);
    drop(probes.remove(0));
    drop(probes.remove(1));
    drop(guard);
    drop(probes[0].ready());
    assert!(!lock.is_locked());
}

#[test]
fn a_waiter_dropped_in_its_turn_passes_the_turn_on() {
    let lock = Lock::new(Rc::new("kept"));
    let guard = lock.try_acquire().unwrap();
    let mut probes = waiting(&lock, 2);
    drop(guard);
    assert_eq!(order_of_wakes(&probes), [0]);
    drop(probes.remove(0));
    assert!(probes[0].is_woken());
    drop(probes);
    assert_eq!(**lock.try_acquire().unwrap(), "kept");
}

#[test]
fn a_panic_under_the_guard_gives_the_lock_back() {
    let lock = Lock::new(7);
    let clone = lock.clone();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = clone.try_acquire().unwrap();
        *guard = 8;
        panic!("while the lock is held");
    }));
    assert!(result.is_err());
    assert_eq!(*lock.try_acquire().unwrap(), 8);
}

#[test]
fn the_value_comes_out_of_the_last_handle_only() {
    let lock = Lock::new(String::from("value"));
    assert_eq!(lock.clone().into_inner(), None);
    let guard = lock.try_acquire().unwrap();
    assert_eq!(lock.clone().into_inner(), None);
    drop(guard);
    assert_eq!(lock.into_inner().as_deref(), Some("value"));
}

#[test]
fn a_guard_outlives_the_handles() {
    let lock = Lock::new(Rc::new(5));
    let guard = lock.try_acquire().unwrap();
    let mut probes = waiting(&lock, 1);
    drop(lock);
    drop(guard);
    assert_eq!(**probes[0].ready(), 5);
}

#[test]
fn debug_tells_the_state() {
    let lock = Lock::<()>::default();
    assert_eq!(format!("{lock:?}"), "Lock { locked: false, waiters: 0 }");
    let guard = lock.try_acquire().unwrap();
    assert_eq!(format!("{guard:?}"), "()");
    assert_eq!(format!("{lock:?}"), "Lock { locked: true, waiters: 0 }");
    assert_eq!(format!("{:?}", lock.acquire()), "AcquireLock(not polled)");
}

#[test]
#[should_panic(expected = "polled after it had completed")]
fn a_completed_future_is_not_polled_again() {
    let lock = Lock::new(());
    let mut probe = Probe::new(lock.acquire());
    drop(probe.ready());
    let _ = probe.poll();
}
