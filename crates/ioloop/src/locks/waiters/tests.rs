use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;

use super::{KEPT_NODES, Key, NONE, State, WaitList};
use crate::locks::probe::{Dice, waker_that_runs};

fn enter(list: &WaitList<u32>) -> Key {
    list.enter((), Some(Waker::noop().clone()))
}

fn collect(list: &WaitList<u32>, key: Key) -> Option<u32> {
    list.poll(key, Waker::noop()).ok()
}

/// Walks the line both ways and counts the nodes.
fn check(list: &WaitList<u32>) {
    let slab = list.slab.borrow();
    let (mut forth, mut at, mut last) = (0, slab.head, NONE);
    while at != NONE {
        assert!(matches!(slab.nodes[at].state, State::Waiting { .. }));
        assert_eq!(slab.nodes[at].prev, last);
        (forth, last, at) = (forth + 1, at, slab.nodes[at].next);
    }
    assert_eq!((forth, last), (slab.waiting, slab.tail));
    let (mut free, mut at) = (0, slab.free);
    while at != NONE {
        assert!(matches!(slab.nodes[at].state, State::Free));
        (free, at) = (free + 1, slab.nodes[at].next);
    }
    assert_eq!(slab.used + free, slab.nodes.len());
}

#[test]
fn first_come_first_served() {
    let list = WaitList::new();
    let keys = [enter(&list), enter(&list), enter(&list)];
    for grant in 0..3 {
        drop(list.hand(grant).expect("somebody waits"));
    }
    assert_eq!(list.hand(3).err(), Some(3));
    assert_eq!(
        keys.map(|key| collect(&list, key)),
        [Some(0), Some(1), Some(2)]
    );
}

#[test]
fn a_waiter_without_a_grant_goes_on_waiting() {
    let list = WaitList::new();
    let key = enter(&list);
    let key = list.poll(key, Waker::noop()).unwrap_err();
    assert_eq!(list.len(), 1);
    assert_eq!(list.leave(key), None);
    assert_eq!(list.len(), 0);
    check(&list);
}

#[test]
fn who_leaves_with_a_grant_returns_it() {
    let list = WaitList::new();
    let key = enter(&list);
    drop(list.hand(5));
    assert_eq!(list.len(), 0);
    assert_eq!(list.leave(key), Some(5));
    check(&list);
}

#[test]
fn hand_up_to_takes_the_front() {
    let list = WaitList::new();
    let mut keys: Vec<_> = (0..4).map(|_| enter(&list)).collect();
    assert_eq!(list.hand_up_to(3, |()| 1).len(), 3);
    assert_eq!(list.leave(keys.pop().unwrap()), None);
    assert_eq!(list.hand_up_to(3, |()| 1).len(), 0);
    assert!(keys.into_iter().all(|key| list.leave(key) == Some(1)));
    check(&list);
}

#[test]
fn a_burst_gives_its_memory_back() {
    let list = WaitList::new();
    let keys: Vec<_> = (0..10 * KEPT_NODES).map(|_| enter(&list)).collect();
    drop(list.hand_all(|()| 0));
    for key in keys {
        assert_eq!(list.leave(key), Some(0));
    }
    assert_eq!(list.slab.borrow().nodes.capacity(), 0);
    let key = enter(&list);
    assert_eq!(list.leave(key), None);
    assert_eq!(list.slab.borrow().nodes.len(), 1, "a small one is kept");
}

#[test]
fn a_node_stays_small() {
    // Two links, an empty offer and a waker: a million waiters are 40 MB.
    assert_eq!(size_of::<super::Node<(), ()>>(), 40);
}

/// A waker that enters the list, is served and leaves again, when it is woken or dropped.
fn waker_that_comes_back(list: &Rc<WaitList<u32>>, ran: &Rc<Cell<usize>>) -> Waker {
    let (list, ran) = (Rc::clone(list), Rc::clone(ran));
    waker_that_runs(move || {
        let key = enter(&list);
        drop(list.hand_all(|()| 9));
        assert_eq!(list.leave(key), Some(9));
        ran.set(ran.get() + 1);
    })
}

#[test]
fn wakers_may_come_straight_back() {
    let (list, ran) = (Rc::new(WaitList::new()), Rc::new(Cell::new(0)));
    // When they are woken.
    let key = list.enter((), Some(waker_that_comes_back(&list, &ran)));
    drop(list.hand(1));
    assert_eq!(ran.get(), 1);
    assert_eq!(list.leave(key), Some(1));
    // When they are replaced; the waiter itself is handed something on that occasion.
    let key = list.enter((), Some(waker_that_comes_back(&list, &ran)));
    let key = list.poll(key, Waker::noop()).unwrap_err();
    assert_eq!(ran.get(), 2);
    assert_eq!(collect(&list, key), Some(9));
    // When they leave.
    let key = list.enter((), Some(waker_that_comes_back(&list, &ran)));
    assert_eq!(list.leave(key), None);
    assert_eq!(ran.get(), 3);
    check(&list);
}

#[test]
fn a_panic_of_one_waker_wakes_the_others_nevertheless() {
    let (list, ran) = (WaitList::<u32>::new(), Rc::new(Cell::new(false)));
    let bad = list.enter((), Some(waker_that_runs(|| panic!("a bad waker"))));
    let flag = Rc::clone(&ran);
    let good = list.enter((), Some(waker_that_runs(move || flag.set(true))));
    let wakeups = list.hand_all(|()| 1);
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(wakeups)));
    assert!(outcome.is_err() && ran.get());
    assert_eq!((list.leave(bad), list.leave(good)), (Some(1), Some(1)));
}

#[test]
fn a_wakeup_is_paid_when_dropped_and_not_before() {
    let list = WaitList::<u32>::new();
    let ran = Rc::new(Cell::new(false));
    let flag = Rc::clone(&ran);
    let key = list.enter((), Some(waker_that_runs(move || flag.set(true))));
    let wakeup = list.hand(1).unwrap();
    assert!(!ran.get());
    drop(wakeup);
    assert!(ran.get());
    assert_eq!(list.leave(key), Some(1));
}

#[test]
fn many_random_comings_and_goings() {
    for seed in 1..20 {
        let mut dice = Dice::new(seed);
        let list = WaitList::new();
        // The model: who is in line, oldest first, and who was handed what.
        let (mut line, mut handed) = (VecDeque::new(), VecDeque::new());
        for step in 0..2_000 {
            match dice.roll(5) {
                0 | 1 => line.push_back(enter(&list)),
                2 => match (list.hand(step), line.pop_front()) {
                    (Ok(wakeup), Some(key)) => {
                        drop(wakeup);
                        handed.push_back((key, step));
                    }
                    (Err(grant), None) => assert_eq!(grant, step),
                    _ => panic!("the line and its model differ"),
                },
                3 if !line.is_empty() => {
                    let key = line.remove(dice.roll(line.len())).unwrap();
                    assert_eq!(list.leave(key), None);
                }
                4 if !handed.is_empty() => {
                    let (key, grant) = handed.remove(dice.roll(handed.len())).unwrap();
                    assert_eq!(collect(&list, key), Some(grant));
                }
                _ => {}
            }
            assert_eq!(list.len(), line.len());
            check(&list);
        }
    }
}
