//! Locks and their kin between tasks of a running loop.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::locks::{BoundedSemaphore, Condition, Event, Lock, Semaphore};
use squall_ioloop::{IoLoop, moment, spawn, with_timeout};

type Outcome = Result<(), Box<dyn Error>>;

/// Longer than any of the tests takes: who waits that long has been forgotten.
const LONG: Duration = Duration::from_secs(30);

/// Short, for waits that cannot end before it does.
const SHORT: Duration = Duration::from_millis(5);

#[test]
fn a_lock_serialises_tasks_across_awaits() -> Outcome {
    IoLoop::run_sync(async {
        let lock = Lock::new(Vec::new());
        let tasks: Vec<_> = (0..10)
            .map(|number| {
                let lock = lock.clone();
                spawn(async move {
                    let mut list = lock.acquire().await;
                    list.push(number);
                    moment().await;
                    list.push(number);
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        let list = lock.into_inner().ok_or("a task still has the lock")?;
        assert!(
            list.into_iter()
                .eq((0..10).flat_map(|number| [number, number]))
        );
        Ok(())
    })
}

#[test]
fn a_guard_may_move_into_another_task() -> Outcome {
    IoLoop::run_sync(async {
        let lock = Lock::new(Rc::new(Cell::new(0)));
        let guard = lock.acquire().await;
        let holder = spawn(async move {
            moment().await;
            guard.set(1);
        });
        assert_eq!(with_timeout(LONG, lock.acquire()).await?.get(), 1);
        holder.await?;
        Ok(())
    })
}

#[test]
fn a_lock_that_is_not_free_in_time_is_left_in_order() -> Outcome {
    IoLoop::run_sync(async {
        let lock = Lock::<()>::default();
        let guard = lock.acquire().await;
        assert!(with_timeout(SHORT, lock.acquire()).await.is_err());
        drop(guard);
        assert!(!lock.is_locked(), "nobody is in line any more");
        Ok(())
    })
}

#[test]
fn a_cancelled_task_passes_its_turn_on() -> Outcome {
    IoLoop::run_sync(async {
        let lock = Lock::new(());
        let guard = lock.acquire().await;
        let waiter = |lock: &Lock| {
            let lock = lock.clone();
            spawn(async move { drop(lock.acquire().await) })
        };
        let (first, second) = (waiter(&lock), waiter(&lock));
        moment().await;
        moment().await;
        // It is the first one's turn now, but it does not live to see it.
        drop(guard);
        first.cancel();
        with_timeout(LONG, second).await??;
        assert!(first.await.is_err());
        assert!(with_timeout(LONG, lock.acquire()).await.is_ok());
        Ok(())
    })
}

#[test]
fn a_semaphore_bounds_how_many_run() -> Outcome {
    IoLoop::run_sync(async {
        let limit = Semaphore::new(3);
        let (now, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let mut tasks = Vec::new();
        for _ in 0..20 {
            // Taken before the task starts and given back when it ends.
            let permit = limit.acquire().await;
            let (now, most) = (now.clone(), most.clone());
            tasks.push(spawn(async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                moment().await;
                now.set(now.get() - 1);
                drop(permit);
            }));
        }
        for task in tasks {
            task.await?;
        }
        assert_eq!(most.get(), 3);
        assert_eq!(limit.available_permits(), 3);
        Ok(())
    })
}

#[test]
fn a_bounded_semaphore_is_released_by_another_task() -> Outcome {
    IoLoop::run_sync(async {
        let slots = BoundedSemaphore::new(1);
        slots.acquire().await.forget();
        let releasing = slots.clone();
        let release = spawn(async move { releasing.release() });
        drop(with_timeout(LONG, slots.acquire()).await?);
        release.await??;
        assert!(slots.release().is_err());
        Ok(())
    })
}

#[test]
fn an_event_set_by_a_timer_releases_everybody() -> Outcome {
    IoLoop::run_sync(async {
        let event = Event::new();
        let waiters = [spawn(event.wait()), spawn(event.wait())];
        let timer = event.clone();
        IoLoop::current().call_later(SHORT, move || timer.set());
        for waiter in waiters {
            with_timeout(LONG, waiter).await??;
        }
        assert!(event.is_set());
        Ok(())
    })
}

#[test]
fn an_event_that_is_not_set_in_time() -> Outcome {
    IoLoop::run_sync(async {
        let event = Event::new();
        assert!(with_timeout(SHORT, event.wait()).await.is_err());
        event.set();
        with_timeout(SHORT, event.wait()).await?;
        Ok(())
    })
}

#[test]
fn a_condition_wakes_in_the_order_of_the_waits() -> Outcome {
    IoLoop::run_sync(async {
        let (condition, order) = (Condition::new(), Rc::new(RefCell::new(Vec::new())));
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let (wait, order) = (condition.wait(), order.clone());
                spawn(async move {
                    wait.await;
                    order.borrow_mut().push(number);
                })
            })
            .collect();
        // The tasks have not run yet, but their waits have begun.
        condition.notify(2);
        condition.notify_all();
        for task in tasks {
            with_timeout(LONG, task).await??;
        }
        assert_eq!(*order.borrow(), [0, 1, 2, 3]);
        Ok(())
    })
}
