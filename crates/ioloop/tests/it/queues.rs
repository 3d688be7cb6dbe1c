//! Queues between tasks of a running loop.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::queues::{LifoQueue, PriorityQueue, Queue};
use squall_ioloop::{IoLoop, moment, spawn, with_timeout};

type Outcome = Result<(), Box<dyn Error>>;

/// Longer than any of the tests takes: who waits that long has been forgotten.
const LONG: Duration = Duration::from_secs(30);

/// Short, for waits that cannot end before it does.
const SHORT: Duration = Duration::from_millis(5);

#[test]
fn producers_and_consumers_share_the_work() -> Outcome {
    IoLoop::run_sync(async {
        let (queue, seen) = (Queue::new(2), Rc::new(RefCell::new(Vec::new())));
        let consumers: Vec<_> = (0..3)
            .map(|_| {
                let (queue, seen) = (queue.clone(), seen.clone());
                spawn(async move {
                    while let Some(item) = queue.get().await {
                        seen.borrow_mut().push(item);
                        moment().await;
                        queue.task_done()?;
                    }
                    Ok::<_, squall_ioloop::queues::TaskDoneTooOften>(())
                })
            })
            .collect();
        let producers: Vec<_> = (0..4)
            .map(|producer| {
                let queue = queue.clone();
                spawn(async move {
                    for number in 0..25 {
                        queue.put(producer * 100 + number).await?;
                    }
                    Ok::<_, squall_ioloop::queues::QueueClosed<i32>>(())
                })
            })
            .collect();
        for producer in producers {
            with_timeout(LONG, producer).await???;
        }
        with_timeout(LONG, queue.join()).await?;
        queue.close();
        for consumer in consumers {
            with_timeout(LONG, consumer).await???;
        }
        let seen = seen.take();
        assert_eq!(seen.len(), 100);
        for producer in 0..4 {
            let own = seen.iter().filter(|item| *item / 100 == producer);
            assert!(
                own.is_sorted(),
                "the items of one producer keep their order"
            );
        }
        Ok(())
    })
}

#[test]
fn a_full_queue_makes_the_producer_wait() -> Outcome {
    IoLoop::run_sync(async {
        let queue = Queue::new(1);
        queue.put("first").await?;
        assert!(with_timeout(SHORT, queue.put("too late")).await.is_err());
        let (inbox, second) = (queue.clone(), queue.put("second"));
        let producer = spawn(second);
        assert_eq!(inbox.get().await, Some("first"));
        with_timeout(LONG, producer).await???;
        assert_eq!(inbox.get_nowait()?, "second");
        assert!(inbox.is_empty());
        Ok(())
    })
}

#[test]
fn a_get_that_times_out_takes_nothing() -> Outcome {
    IoLoop::run_sync(async {
        let queue = Queue::new(0);
        assert!(with_timeout(SHORT, queue.get()).await.is_err());
        queue.put_nowait(Rc::new(1))?;
        assert_eq!(with_timeout(LONG, queue.get()).await?.as_deref(), Some(&1));
        Ok(())
    })
}

#[test]
fn a_consumer_cancelled_with_an_item_on_its_way_loses_nothing() -> Outcome {
    IoLoop::run_sync(async {
        let queue = Queue::new(0);
        let (first, second) = (spawn(queue.get()), spawn(queue.get()));
        moment().await;
        moment().await;
        queue.put_nowait(7)?;
        first.cancel();
        assert_eq!(with_timeout(LONG, second).await??, Some(7));
        assert!(first.await.is_err());
        Ok(())
    })
}

#[test]
fn closing_ends_the_consumers() -> Outcome {
    IoLoop::run_sync(async {
        let queue = Queue::<String>::new(1);
        let consumer = spawn(queue.get());
        moment().await;
        queue.close();
        assert_eq!(with_timeout(LONG, consumer).await??, None);
        let refused = queue.put(String::from("late")).await;
        assert_eq!(
            refused.map_err(|err| err.into_item()),
            Err(String::from("late"))
        );
        Ok(())
    })
}

#[test]
fn the_other_orders() -> Outcome {
    IoLoop::run_sync(async {
        let (lifo, priority) = (LifoQueue::new(3), PriorityQueue::new(3));
        for item in [(2, "b"), (1, "a"), (3, "c")] {
            lifo.put(item).await?;
            priority.put(item).await?;
        }
        let mut names = (Vec::new(), Vec::new());
        for _ in 0..3 {
            names.0.extend(lifo.get().await.map(|item| item.1));
            names.1.extend(priority.get().await.map(|item| item.1));
        }
        assert_eq!(names, (vec!["c", "a", "b"], vec!["a", "b", "c"]));
        Ok(())
    })
}
