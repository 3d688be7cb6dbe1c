use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;
use std::task::Poll;

use super::{BaseQueue, Fifo, Get, LifoQueue, Order, PriorityQueue, Put, Queue};
use crate::locks::probe::{Dice, Probe, order_of_wakes};

fn getters<T, S: Order<T>>(queue: &BaseQueue<T, S>, count: usize) -> Vec<Probe<Get<T, S>>> {
    let mut probes: Vec<_> = (0..count).map(|_| Probe::new(queue.get())).collect();
    for probe in &mut probes {
        assert!(probe.poll().is_pending());
    }
    probes
}

fn putters<T, S: Order<T>>(
    queue: &BaseQueue<T, S>,
    items: impl IntoIterator<Item = T>,
) -> Vec<Probe<Put<T, S>>> {
    let mut probes: Vec<_> = items
        .into_iter()
        .map(|item| Probe::new(queue.put(item)))
        .collect();
    for probe in &mut probes {
        assert!(probe.poll().is_pending());
    }
    probes
}

fn drain<T, S: Order<T>>(queue: &BaseQueue<T, S>) -> Vec<T> {
    std::iter::from_fn(|| queue.get_nowait().ok()).collect()
}

#[test]
fn items_come_out_in_order() {
    let queue = Queue::default();
    let (lifo, priority) = (LifoQueue::default(), PriorityQueue::default());
    for item in [2, 3, 1] {
        queue.put_nowait(item).unwrap();
        lifo.put_nowait(item).unwrap();
        Probe::new(priority.put(item)).ready().unwrap();
    }
    assert_eq!(drain(&queue), [2, 3, 1]);
    assert_eq!(drain(&lifo), [1, 3, 2]);
    assert_eq!(drain(&priority), [1, 2, 3]);
}

#[test]
fn sizes_are_told() {
    let queue = Queue::new(2);
    assert_eq!((queue.qsize(), queue.maxsize()), (0, 2));
    assert!(queue.is_empty() && !queue.is_full());
    queue.put_nowait('a').unwrap();
    assert!(!queue.is_empty() && !queue.is_full());
    queue.put_nowait('b').unwrap();
    assert!(queue.is_full());
    let refused = queue.put_nowait('c').unwrap_err();
    assert!(!refused.is_closed());
    assert_eq!(refused.to_string(), "queue is full");
    assert_eq!(refused.into_item(), 'c');
    assert_eq!(drain(&queue), ['a', 'b']);
    let empty = queue.get_nowait().unwrap_err();
    assert_eq!(
        (empty.to_string().as_str(), empty.is_closed()),
        ("queue is empty", false)
    );
}

#[test]
fn zero_means_no_limit() {
    let queue = Queue::new(0);
    for item in 0..1_000 {
        queue.put_nowait(item).unwrap();
        assert!(!queue.is_full());
    }
    assert_eq!(queue.qsize(), 1_000);
}

#[test]
fn items_need_nothing_but_an_order() {
    // Neither Send nor Clone nor Debug.
    struct Local(#[allow(dead_code, reason = "it is there to be not Send")] Rc<Cell<u8>>);
    let queue = Queue::new(1);
    queue.put_nowait(Local(Rc::new(Cell::new(1)))).unwrap();
    let refused = queue.put_nowait(Local(Rc::new(Cell::new(2))));
    let error: Box<dyn std::error::Error> = refused.unwrap_err().into();
    assert_eq!(format!("{error:?}"), "QueueFull { closed: false, .. }");
    assert!(queue.get_nowait().is_ok());
}

#[test]
fn getters_are_served_in_the_order_of_arrival() {
    let queue = Queue::new(1);
    let mut probes = getters(&queue, 3);
    for item in 0..3 {
        // Promised items do not count for the limit.
        queue.put_nowait(item).unwrap();
        assert!(queue.is_empty());
    }
    assert_eq!(order_of_wakes(&probes), [0, 1, 2]);
    let items: Vec<_> = probes.iter_mut().map(|probe| probe.ready()).collect();
    assert_eq!(items, [Some(0), Some(1), Some(2)]);
}

#[test]
fn a_promised_item_cannot_be_snatched() {
    let queue = Queue::new(0);
    let mut probes = getters(&queue, 1);
    queue.put_nowait(1).unwrap();
    assert!(queue.get_nowait().is_err());
    assert!(Probe::new(queue.get()).poll().is_pending());
    assert_eq!(probes[0].ready(), Some(1));
}

#[test]
fn a_late_getter_of_a_free_item_leaves_one_for_the_promised() {
    let queue = Queue::new(0);
    let mut probes = getters(&queue, 1);
    queue.put_nowait(1).unwrap();
    queue.put_nowait(2).unwrap();
    assert_eq!(queue.qsize(), 1);
    assert_eq!(queue.get_nowait(), Ok(1), "items leave in their order");
    assert!(queue.get_nowait().is_err());
    assert_eq!(probes[0].ready(), Some(2));
}

#[test]
fn a_woken_getter_takes_what_is_most_urgent_when_it_runs() {
    let queue = PriorityQueue::new(0);
    let mut probes = getters(&queue, 1);
    queue.put_nowait(5).unwrap();
    queue.put_nowait(1).unwrap();
    assert_eq!(probes[0].ready(), Some(1));
    assert_eq!(drain(&queue), [5]);
}

#[test]
fn a_getter_dropped_with_its_promise_loses_no_item() {
    let queue = Queue::new(1);
    let mut probes = getters(&queue, 3);
    queue.put_nowait("kept").unwrap();
    drop(probes.remove(0));
    assert_eq!(order_of_wakes(&probes), [0]);
    drop(probes.remove(1));
    drop(probes.remove(0));
    assert_eq!(drain(&queue), ["kept"]);
}

#[test]
fn items_come_back_in_order_whoever_is_dropped_first() {
    for first in [0, 1] {
        let queue = Queue::new(0);
        let mut probes = getters(&queue, 2);
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        queue.put_nowait(3).unwrap();
        drop(probes.remove(first));
        drop(probes);
        assert_eq!(drain(&queue), [1, 2, 3]);
    }
}

#[test]
fn an_item_that_comes_back_to_a_full_queue_holds_putters_up() {
    let queue = Queue::new(1);
    let probes = getters(&queue, 1);
    queue.put_nowait(1).unwrap();
    queue.put_nowait(2).unwrap();
    let mut waiting = putters(&queue, [3]);
    drop(probes);
    assert_eq!(queue.qsize(), 2);
    assert_eq!(queue.get_nowait(), Ok(1));
    assert!(waiting[0].poll().is_pending());
    assert_eq!(queue.get_nowait(), Ok(2));
    assert!(waiting[0].ready().is_ok());
    assert_eq!(drain(&queue), [3]);
}

#[test]
fn putters_wait_while_it_is_full_and_are_served_in_order() {
    let queue = Queue::new(1);
    queue.put_nowait(0).unwrap();
    let mut probes = putters(&queue, [1, 2, 3]);
    for item in 0..3 {
        assert_eq!(queue.get_nowait(), Ok(item));
        assert!(queue.is_full(), "the next item went in at once");
        assert!(queue.put_nowait(9).is_err(), "nobody pushes in");
        assert_eq!(order_of_wakes(&probes).len(), item + 1);
    }
    assert_eq!(order_of_wakes(&probes), [0, 1, 2]);
    assert!(probes.iter_mut().all(|probe| probe.ready().is_ok()));
}

#[test]
fn a_waiting_item_may_be_the_next_as_in_tornado() {
    let queue = PriorityQueue::new(1);
    queue.put_nowait(5).unwrap();
    let mut probes = putters(&queue, [1]);
    assert_eq!(Probe::new(queue.get()).ready(), Some(1));
    assert!(probes[0].ready().is_ok());
    assert_eq!(drain(&queue), [5]);
}

#[test]
fn a_dropped_putter_takes_its_item_with_it_only_while_it_waits() {
    let queue = Queue::new(1);
    queue.put_nowait(0).unwrap();
    let mut probes = putters(&queue, [1, 2, 3]);
    drop(probes.remove(0));
    assert_eq!(queue.get_nowait(), Ok(0));
    // 2 is in, though its putter has not run.
    drop(probes.remove(0));
    assert_eq!(queue.get_nowait(), Ok(2));
    assert!(probes[0].ready().is_ok());
    assert_eq!(drain(&queue), [3]);
}

#[test]
fn an_unpolled_put_puts_nothing() {
    let queue = Queue::new(0);
    drop(queue.put(1));
    assert!(queue.is_empty());
    assert!(Probe::new(queue.join()).poll().is_ready());
}

#[test]
fn join_waits_for_what_was_put_to_be_done() {
    let queue = Queue::new(0);
    assert!(Probe::new(queue.join()).poll().is_ready());
    queue.put_nowait(1).unwrap();
    queue.put_nowait(2).unwrap();
    let mut join = Probe::new(queue.join());
    assert!(join.poll().is_pending());
    assert_eq!(drain(&queue).len(), 2);
    assert!(join.poll().is_pending(), "taken is not done");
    queue.task_done().unwrap();
    assert!(!join.is_woken());
    queue.task_done().unwrap();
    assert!(join.is_woken());
    queue.put_nowait(3).unwrap();
    assert!(join.poll().is_ready(), "it was finished for a moment");
    assert!(Probe::new(queue.join()).poll().is_pending());
}

#[test]
fn task_done_once_too_often_is_an_error() {
    let queue = Queue::new(0);
    assert!(queue.task_done().is_err());
    queue.put_nowait(1).unwrap();
    assert!(queue.task_done().is_ok());
    assert_eq!(
        queue.task_done().unwrap_err().to_string(),
        "task_done called too many times"
    );
}

#[test]
fn join_counts_a_waiting_item_once_it_is_in() {
    let queue = Queue::new(1);
    queue.put_nowait(1).unwrap();
    let probes = putters(&queue, [2]);
    assert_eq!(queue.get_nowait(), Ok(1));
    queue.task_done().unwrap();
    let mut join = Probe::new(queue.join());
    assert!(join.poll().is_pending());
    queue.task_done().unwrap();
    assert!(join.poll().is_ready());
    drop(probes);
}

#[test]
fn a_closed_queue_gives_out_what_it_has() {
    let queue = Queue::new(0);
    queue.put_nowait(1).unwrap();
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(Probe::new(queue.get()).ready(), Some(1));
    assert_eq!(Probe::new(queue.get()).ready(), None);
    let empty = queue.get_nowait().unwrap_err();
    assert!(empty.is_closed());
    assert_eq!(empty.to_string(), "queue is closed and empty");
}

#[test]
fn a_closed_queue_takes_nothing() {
    let queue = Queue::new(0);
    queue.close();
    let refused = queue.put_nowait(1).unwrap_err();
    assert!(refused.is_closed());
    assert_eq!(refused.to_string(), "queue is closed");
    let closed = Probe::new(queue.put(2)).ready().unwrap_err();
    assert_eq!(closed.to_string(), "queue is closed");
    assert_eq!(closed.into_item(), 2);
}

#[test]
fn closing_wakes_everybody() {
    let queue = Queue::new(1);
    let mut consumers = getters(&queue, 3);
    queue.put_nowait(1).unwrap();
    queue.close();
    assert_eq!(order_of_wakes(&consumers), [0, 1, 2]);
    // The promise made before stands.
    assert_eq!(consumers[0].ready(), Some(1));
    assert_eq!(consumers[1].ready(), None);
    drop(consumers);

    let queue = Queue::new(1);
    queue.put_nowait(1).unwrap();
    let mut producers = putters(&queue, [2, 3]);
    queue.close();
    let back = producers
        .iter_mut()
        .map(|put| put.ready().unwrap_err().into_item());
    assert_eq!(back.collect::<Vec<_>>(), [2, 3]);
    assert_eq!(drain(&queue), [1]);
}

#[test]
fn an_item_that_comes_back_to_a_closed_queue_can_be_taken() {
    let queue = Queue::new(0);
    let probes = getters(&queue, 1);
    queue.put_nowait(1).unwrap();
    queue.close();
    drop(probes);
    assert_eq!(Probe::new(queue.get()).ready(), Some(1));
}

#[test]
fn equal_priorities_keep_the_order_of_arrival() {
    #[derive(Debug)]
    struct Job(u8, &'static str);
    impl Ord for Job {
        fn cmp(&self, other: &Self) -> Ordering {
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Job {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    impl PartialEq for Job {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for Job {}

    let queue = PriorityQueue::new(0);
    for (priority, name) in [(1, "a"), (0, "b"), (1, "c"), (0, "d"), (1, "e")] {
        queue.put_nowait(Job(priority, name)).unwrap();
    }
    let names: Vec<_> = drain(&queue).into_iter().map(|job| job.1).collect();
    assert_eq!(names, ["b", "d", "a", "c", "e"]);
}

#[test]
fn an_item_may_use_the_queue_when_it_is_dropped() {
    struct Echo(Queue<Echo>, Rc<Cell<usize>>);
    impl Drop for Echo {
        fn drop(&mut self) {
            self.1.set(self.1.get() + self.0.qsize() + 1);
        }
    }
    let (queue, seen) = (Queue::new(1), Rc::new(Cell::new(0)));
    let echo = || Echo(queue.clone(), seen.clone());
    queue
        .put_nowait(echo())
        .unwrap_or_else(|_| panic!("there is room"));
    let mut probes = putters(&queue, [echo(), echo()]);
    drop(probes.remove(0)); // an item in line, dropped with its putter
    assert_eq!(seen.get(), 2);
    queue.close();
    drop(probes); // an item that came back
    assert_eq!(seen.get(), 4);
    drop(drain(&queue));
    assert_eq!(seen.get(), 5);
}

#[test]
fn debug_tells_the_state() {
    let queue = Queue::new(1);
    queue.put_nowait(1).unwrap();
    let probe = putters(&queue, [2]);
    assert_eq!(
        format!("{queue:?}"),
        "Queue { maxsize: 1, qsize: 1, getters: 0, putters: 1, unfinished: 1, closed: false }"
    );
    assert_eq!(format!("{:?}", queue.get()), "Get(not polled)");
    drop(probe);
}

/// Puts, gets, cancels and closes at random, and checks after each step that nobody sleeps without a reason, and in the end
/// that every item went in and came out once, and in order.
fn play(seed: u64, maxsize: usize) {
    let mut dice = Dice::new(seed);
    let queue: BaseQueue<usize, Fifo<usize>> = Queue::new(maxsize);
    let (mut gets, mut puts) = (
        Vec::<Probe<Get<_, _>>>::new(),
        Vec::<(usize, Probe<Put<_, _>>)>::new(),
    );
    let taken = RefCell::new(Vec::new());
    let take = |item: Option<usize>| taken.borrow_mut().extend(item);
    let (mut next, mut lost) = (0, Vec::new());
    for step in 0..1_000 {
        if step == 900 && dice.roll(2) == 0 {
            queue.close();
        }
        match dice.roll(9) {
            0 | 1 => {
                puts.push((next, Probe::new(queue.put(next))));
                next += 1;
            }
            2 => gets.push(Probe::new(queue.get())),
            3 if !puts.is_empty() => {
                let index = dice.roll(puts.len());
                if let Poll::Ready(result) = puts[index].1.poll() {
                    puts.remove(index);
                    lost.extend(result.err().map(super::QueueClosed::into_item));
                }
            }
            4 | 5 if !gets.is_empty() => {
                let index = dice.roll(gets.len());
                if let Poll::Ready(item) = gets[index].poll() {
                    gets.remove(index);
                    take(item);
                }
            }
            6 if !puts.is_empty() => drop(puts.remove(dice.roll(puts.len()))),
            7 if !gets.is_empty() => drop(gets.remove(dice.roll(gets.len()))),
            8 => take(queue.get_nowait().ok()),
            _ => {}
        }
        let (getters, putters) = (queue.shared().getters.len(), queue.shared().putters.len());
        assert!(getters == 0 || queue.is_empty() && !queue.is_closed());
        assert!(putters == 0 || queue.is_full() && !queue.is_closed());
    }
    drop((gets, puts));
    queue.close();
    taken.borrow_mut().extend(drain(&queue));
    let taken = taken.into_inner();
    assert_eq!(taken.len(), queue.shared().unfinished());
    assert!(lost.iter().all(|item| !taken.contains(item)));
    let mut once = taken.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), taken.len());
}

#[test]
fn no_item_is_lost_or_doubled_whatever_happens() {
    for seed in 1..40 {
        for maxsize in 0..3 {
            play(seed, maxsize);
        }
    }
}

#[test]
fn one_producer_is_consumed_in_order_whatever_is_cancelled() {
    for seed in 1..40 {
        let mut dice = Dice::new(seed);
        let queue = Queue::new(2);
        let mut gets = Vec::<Probe<Get<_, _>>>::new();
        let (mut next, mut taken) = (0, Vec::new());
        for _ in 0..1_000 {
            match dice.roll(4) {
                0 => next += usize::from(queue.put_nowait(next).is_ok()),
                1 => gets.push(Probe::new(queue.get())),
                2 if !gets.is_empty() => drop(gets.remove(dice.roll(gets.len()))),
                3 if !gets.is_empty() => {
                    let index = dice.roll(gets.len());
                    if let Poll::Ready(item) = gets[index].poll() {
                        gets.remove(index);
                        taken.extend(item);
                    }
                }
                _ => {}
            }
        }
        drop(gets);
        taken.extend(drain(&queue));
        assert!(taken.into_iter().eq(0..next));
    }
}
