//! Thread pools.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Waker};
use std::thread;

use squall_ioloop::{ExecutorConfig, ExecutorError, IoLoop, ThreadPoolExecutor, multi, spawn};

use crate::support::{Bomb, Outcome, run, unless_it_hangs};

/// A pool with a bounded queue.
fn pool(threads: usize, queue: usize) -> ThreadPoolExecutor {
    let mut config = ExecutorConfig::default();
    config.threads = threads;
    config.queue = queue;
    config.name = "crew".to_owned();
    ThreadPoolExecutor::with_config(config)
}

/// Occupies a thread of a pool until the answered sender is dropped.
fn occupy(pool: &ThreadPoolExecutor) -> Sender<()> {
    let (begun, wait): (Sender<()>, Receiver<()>) = channel();
    let (release, held) = channel::<()>();
    drop(pool.submit(move || {
        drop(begun);
        let _ = held.recv();
    }));
    let _ = wait.recv();
    release
}

#[test]
fn jobs_give_their_values_and_run_elsewhere() -> Outcome {
    run(async {
        let pool = ThreadPoolExecutor::new(2);
        let here = thread::current().id();
        let there = pool.submit(|| thread::current().id()).await?;
        assert_ne!(here, there);
        let values = multi((0..100).map(|n| pool.submit(move || n * n))).await?;
        assert!(values.into_iter().eq((0..100).map(|n| n * n)));
        Ok(())
    })
}

#[test]
fn a_pool_has_no_more_threads_than_asked_for() -> Outcome {
    for threads in [0, 1, 3] {
        run(async move {
            let pool = pool(threads, 1000);
            let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let jobs = (0..200).map(|_| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                pool.submit(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                })
            });
            multi(jobs).await?;
            assert!(most.load(Ordering::SeqCst) <= threads.max(1));
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn threads_are_named_and_started_when_needed() -> Outcome {
    run(async {
        let pool = pool(4, 10);
        let name = || thread::current().name().map(str::to_owned);
        assert_eq!(pool.submit(name).await?.as_deref(), Some("crew-0"));
        let meet = Arc::new(Barrier::new(4));
        let jobs = (0..4).map(|_| {
            let meet = Arc::clone(&meet);
            pool.submit(move || {
                meet.wait();
                name()
            })
        });
        let mut names: Vec<_> = multi(jobs).await?.into_iter().flatten().collect();
        names.sort();
        assert_eq!(names, ["crew-0", "crew-1", "crew-2", "crew-3"]);
        Ok(())
    })
}

#[test]
fn a_full_queue_refuses_jobs_at_once() -> Outcome {
    run(async {
        let pool = pool(1, 2);
        let release = occupy(&pool);
        let waiting = [pool.submit(|| 1), pool.submit(|| 2)];
        assert_eq!(pool.waiting(), 2);
        let held = Arc::new(());
        let inner = Arc::clone(&held);
        let err = pool
            .submit(move || drop(inner))
            .await
            .err()
            .ok_or("taken")?;
        assert!(err.is_full() && !err.is_panic() && !err.is_shut_down());
        assert!(err.to_string().contains("full: 2 jobs wait"), "{err}");
        assert_eq!(Arc::strong_count(&held), 1, "it was dropped");
        drop(release);
        assert_eq!(multi(waiting).await?, [1, 2]);
        assert_eq!(pool.submit(|| 3).await?, 3);
        Ok(())
    })
}

#[test]
fn a_panic_is_an_error_and_the_thread_goes_on() -> Outcome {
    run(async {
        let pool = ThreadPoolExecutor::new(1);
        let line = String::from("broke");
        let err = pool.submit(move || panic!("the rope {line}")).await;
        let err: ExecutorError = err.err().ok_or("a value")?;
        assert!(err.is_panic());
        assert!(
            err.to_string().contains("panicked: the rope broke"),
            "{err}"
        );
        let payload = err.try_into_panic().map_err(|_| "no payload")?;
        assert!(payload.is::<String>());
        assert_eq!(pool.submit(|| 1).await?, 1);
        let err = io::Error::from(pool.submit(|| panic!("x")).await.err().ok_or("a value")?);
        assert!(err.to_string().contains('x'));
        Ok(())
    })
}

#[test]
fn a_thread_survives_values_and_payloads_that_panic_when_dropped() {
    unless_it_hangs(|| {
        run(async {
            let pool = pool(1, 10);
            // The answers are dropped first, so the values are dropped on the pool's thread.
            let release = occupy(&pool);
            drop(pool.submit(|| Bomb));
            drop(pool.submit(|| std::panic::panic_any(Bomb)));
            drop(release);
            assert_eq!(pool.submit(|| 5).await?, 5);
            let err = pool.submit(|| std::panic::panic_any(Bomb)).await;
            drop(err);
            Ok(())
        })
        .expect("the pool still works");
    });
}

#[test]
fn shutdown_waits_for_the_jobs_that_were_accepted() -> Outcome {
    let pool = pool(2, 100);
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..50 {
        let done = Arc::clone(&done);
        drop(pool.submit(move || {
            thread::yield_now();
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    assert!(!pool.is_shut_down());
    pool.shutdown();
    assert_eq!(done.load(Ordering::SeqCst), 50);
    assert!(pool.is_shut_down());
    pool.shutdown();
    let twin = pool.clone();
    run(async move {
        let err = twin.submit(|| 1).await.err().ok_or("taken")?;
        assert!(err.is_shut_down());
        assert!(err.to_string().contains("shut down"), "{err}");
        assert!(err.try_into_panic().is_err());
        Ok(())
    })
}

#[test]
fn a_job_may_shut_its_own_pool() {
    unless_it_hangs(|| {
        let pool = ThreadPoolExecutor::new(1);
        let twin = pool.clone();
        run(async {
            pool.submit(move || twin.shutdown()).await?;
            Ok(())
        })
        .expect("it does not wait for itself");
        assert!(pool.is_shut_down());
    });
}

#[test]
fn dropping_the_last_handle_lets_waiting_jobs_run() -> Outcome {
    let pool = pool(1, 10);
    let release = occupy(&pool);
    let (sender, receiver) = channel();
    for number in 0..5 {
        let sender = sender.clone();
        drop(pool.submit(move || sender.send(number)));
    }
    drop((pool, sender));
    drop(release);
    assert!(receiver.iter().eq(0..5));
    Ok(())
}

#[test]
fn a_dropped_answer_does_not_stop_the_job() -> Outcome {
    let pool = ThreadPoolExecutor::new(1);
    let (sender, receiver) = channel();
    drop(pool.submit(move || sender.send(7)));
    assert_eq!(receiver.recv()?, 7);
    Ok(())
}

#[test]
fn the_inline_executor_runs_jobs_where_they_are_submitted() -> Outcome {
    run(async {
        let pool = ThreadPoolExecutor::inline();
        let here = thread::current().id();
        let answer = pool.submit(|| thread::current().id());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(answer).poll(&mut cx).is_ready());
        assert_eq!(pool.submit(|| thread::current().id()).await?, here);
        assert!(
            pool.submit(|| panic!("x"))
                .await
                .is_err_and(|err| err.is_panic())
        );
        assert_eq!((pool.waiting(), pool.is_shut_down()), (0, false));
        pool.shutdown();
        assert_eq!(
            format!("{pool:?}"),
            "ThreadPoolExecutor { inline: true, .. }"
        );
        Ok(())
    })
}

#[test]
fn a_loop_runs_jobs_on_its_default_pool_or_a_given_one() -> Outcome {
    run(async {
        let io_loop = IoLoop::current();
        let name = || thread::current().name().unwrap_or_default().to_owned();
        let shared = io_loop.run_in_executor(None, name).await?;
        assert!(shared.starts_with("squall-pool-"), "{shared}");
        let own = pool(1, 1);
        assert_eq!(io_loop.run_in_executor(Some(&own), name).await?, "crew-0");
        io_loop.set_default_executor(ThreadPoolExecutor::inline());
        let here = io_loop.run_in_executor(None, || thread::current().id());
        assert_eq!(here.await?, thread::current().id());
        Ok(())
    })
}

#[test]
fn jobs_that_need_each_other_find_their_threads() {
    unless_it_hangs(|| {
        const THREADS: usize = 4;
        let pool = pool(THREADS, 10_000);
        let rounds = if cfg!(debug_assertions) {
            2_000
        } else {
            10_000
        };
        for round in 0..rounds {
            // Short ones first, so that some threads are busy, some look and some sleep.
            for _ in 0..round % 7 {
                drop(pool.submit(thread::yield_now));
            }
            let meet = Arc::new(Barrier::new(THREADS + 1));
            for _ in 0..THREADS {
                let meet = Arc::clone(&meet);
                drop(pool.submit(move || {
                    meet.wait();
                }));
            }
            meet.wait();
        }
    });
}

#[test]
fn several_loops_may_use_one_pool() {
    unless_it_hangs(|| {
        let pool = ThreadPoolExecutor::new(2);
        let sum = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (pool, sum) = (pool.clone(), Arc::clone(&sum));
                thread::spawn(move || {
                    run(async move {
                        for n in 0..500 {
                            *sum.lock().map_err(|_| "poisoned")? += pool.submit(move || n).await?;
                        }
                        Ok(())
                    })
                    .expect("no failure");
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert_eq!(*sum.lock().expect("no poison"), 3 * (0..500).sum::<i32>());
    });
}

#[test]
fn an_answer_may_come_after_its_loop_was_closed() -> Outcome {
    for _ in 0..100 {
        let pool = ThreadPoolExecutor::new(1);
        let io_loop = IoLoop::new()?;
        let twin = pool.clone();
        drop(io_loop.spawn(async move { twin.submit(thread::yield_now).await }));
        io_loop.stop();
        io_loop.start();
        drop(io_loop);
        pool.shutdown();
    }
    Ok(())
}

#[test]
fn awaiting_in_a_task_and_giving_up() -> Outcome {
    run(async {
        let pool = pool(1, 10);
        let release = occupy(&pool);
        let answer = pool.submit(|| 1);
        let waits = spawn(answer);
        squall_ioloop::moment().await;
        waits.cancel();
        drop(release);
        assert_eq!(pool.submit(|| 2).await?, 2);
        Ok(())
    })
}
