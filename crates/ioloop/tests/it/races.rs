//! Wakers on other threads while tasks complete, are cancelled and lose their loops.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use squall_ioloop::{IoLoop, Task, ThreadPoolExecutor, moment, sleep, spawn};

use crate::support::{run, unless_it_hangs};

/// Rounds of a race: fewer where each step is slow.
const ROUNDS: u32 = if cfg!(debug_assertions) { 400 } else { 4000 };

/// Threads that wake, clone and drop the wakers they are sent.
struct Wakers {
    senders: Vec<mpsc::Sender<Waker>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Wakers {
    fn new() -> Self {
        let (senders, threads) = (0..2)
            .map(|_| {
                let (sender, receiver) = mpsc::channel::<Waker>();
                let thread = thread::spawn(move || {
                    for (waker, how) in receiver.iter().zip((0_u32..5).cycle()) {
                        match how {
                            0 => waker.wake(),
                            1 => waker.wake_by_ref(),
                            2 => {
                                let twin = waker.clone();
                                twin.wake();
                            }
                            3 => drop(waker.clone()),
                            _ => {
                                let twin = waker.clone();
                                drop(waker);
                                twin.wake_by_ref();
                                twin.wake();
                            }
                        }
                    }
                });
                (sender, thread)
            })
            .unzip();
        Self { senders, threads }
    }

    /// A future that sends its waker to every thread with each of a number of polls.
    fn future(&self, mut polls: u32) -> impl Future<Output = u32> + 'static {
        let senders = self.senders.clone();
        poll_fn(move |cx| {
            for sender in &senders {
                let _ = sender.send(cx.waker().clone());
            }
            if polls == 0 {
                return Poll::Ready(7);
            }
            polls -= 1;
            // Some wait for the threads, some go on by themselves.
            if polls.is_multiple_of(2) {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }

    fn join(self) {
        drop(self.senders);
        for thread in self.threads {
            thread.join().expect("no panic");
        }
    }
}

#[test]
fn wakers_elsewhere_while_tasks_complete_and_are_cancelled() {
    unless_it_hangs(|| {
        let wakers = Wakers::new();
        run(async {
            for round in 0..ROUNDS {
                let tasks: Vec<Task<u32>> = (0..4)
                    .map(|task| spawn(wakers.future(round % 3 + task)))
                    .collect();
                for _ in 0..round % 4 {
                    moment().await;
                }
                for (index, task) in tasks.into_iter().enumerate() {
                    match index {
                        0 => drop(task),
                        1 => task.cancel(),
                        2 => {
                            task.add_done_callback(|_| ());
                            task.cancel();
                            drop(task.await);
                        }
                        _ => {
                            task.add_done_callback(|_| ());
                        }
                    }
                }
            }
            Ok(())
        })
        .expect("no failure");
        wakers.join();
    });
}

#[test]
fn wakers_elsewhere_while_loops_close_and_others_take_their_place() {
    unless_it_hangs(|| {
        let wakers = Wakers::new();
        let makers: Vec<_> = (0..2)
            .map(|_| {
                let senders = wakers.senders.clone();
                thread::spawn(move || {
                    let wakers = Wakers {
                        senders,
                        threads: Vec::new(),
                    };
                    let mut kept = Vec::new();
                    for round in 0..ROUNDS / 2 {
                        let io_loop = IoLoop::new().expect("a loop");
                        for task in 0..3 {
                            let task = io_loop.spawn(wakers.future(5 + task));
                            task.add_done_callback(|_| ());
                            // Handles that outlive their loop.
                            if round % 2 == 0 {
                                kept.push(task);
                            }
                        }
                        for _ in 0..round % 3 {
                            io_loop.stop();
                            io_loop.start();
                        }
                        drop(io_loop);
                        if round % 8 == 0 {
                            assert!(kept.iter().all(Task::is_done));
                            kept.clear();
                        }
                    }
                })
            })
            .collect();
        for maker in makers {
            maker.join().expect("no panic");
        }
        wakers.join();
    });
}

#[test]
fn callbacks_of_other_threads_while_their_loop_closes() {
    unless_it_hangs(|| {
        for _ in 0..ROUNDS / 4 {
            let io_loop = IoLoop::new().expect("a loop");
            let handle = io_loop.handle();
            let (ran, dropped) = (Arc::new(AtomicU32::new(0)), Arc::new(()));
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let (ran, held) = (Arc::clone(&ran), Arc::clone(&dropped));
                    thread::spawn(move || {
                        let mut taken = 0;
                        for _ in 0..50 {
                            let (ran, held) = (Arc::clone(&ran), Arc::clone(&held));
                            let added = handle.add_callback(move || {
                                ran.fetch_add(1, Ordering::Relaxed);
                                drop(held);
                            });
                            taken += u32::from(added.is_ok());
                        }
                        handle.stop();
                        taken
                    })
                })
                .collect();
            io_loop.start();
            drop(io_loop);
            let taken: u32 = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .sum();
            assert!(ran.load(Ordering::Relaxed) <= taken);
            assert_eq!(
                Arc::strong_count(&dropped),
                1,
                "run or dropped, nothing is kept"
            );
        }
    });
}

#[test]
fn answers_of_a_pool_while_their_loop_closes() {
    unless_it_hangs(|| {
        let pool = ThreadPoolExecutor::new(2);
        for round in 0..ROUNDS {
            let io_loop = IoLoop::new().expect("a loop");
            for _ in 0..4 {
                let pool = pool.clone();
                io_loop.spawn_callback(async move { pool.submit(move || round).await });
            }
            for _ in 0..round % 3 + 1 {
                io_loop.stop();
                io_loop.start();
            }
        }
        pool.shutdown();
    });
}

#[test]
fn no_wake_up_is_lost_between_a_wake_and_the_poll_it_meets() {
    unless_it_hangs(|| {
        let rounds: u32 = if cfg!(debug_assertions) {
            100_000
        } else {
            1_000_000
        };
        run(async {
            let asked = Arc::new(AtomicU32::new(0));
            let answered = Arc::new(AtomicU32::new(0));
            let (send, receive) = mpsc::channel::<Waker>();
            let (ask, answer) = (Arc::clone(&asked), Arc::clone(&answered));
            let thread = thread::spawn(move || {
                let waker = receive.recv().expect("a waker");
                for round in 1..=rounds {
                    while ask.load(Ordering::Relaxed) < round {
                        std::hint::spin_loop();
                    }
                    // A plain store and a wake-up: whatever order is needed, the waker gives it.
                    answer.store(round, Ordering::Relaxed);
                    waker.wake_by_ref();
                }
            });
            let mut round = 0;
            let task = spawn(poll_fn(move |cx| {
                if round == 0 {
                    let _ = send.send(cx.waker().clone());
                }
                if answered.load(Ordering::Relaxed) < round {
                    return Poll::Pending;
                }
                if round == rounds {
                    return Poll::Ready(());
                }
                round += 1;
                asked.store(round, Ordering::Relaxed);
                // Scheduled already when the other thread's wake-up comes.
                cx.waker().wake_by_ref();
                Poll::Pending
            }));
            task.await?;
            thread.join().map_err(|_| "panicked")?;
            Ok(())
        })
        .expect("every round ends");
    });
}

#[test]
fn a_sleeping_loop_hears_every_wake_up() {
    unless_it_hangs(|| {
        run(async {
            for round in 0..ROUNDS {
                let (sender, receiver) = tokio::sync::oneshot::channel();
                let thread = thread::spawn(move || {
                    for _ in 0..round % 50 {
                        thread::yield_now();
                    }
                    sender.send(round)
                });
                assert_eq!(receiver.await?, round);
                thread
                    .join()
                    .map_err(|_| "panicked")?
                    .map_err(|_| "dropped")?;
            }
            Ok(())
        })
        .expect("every answer arrives");
    });
}

/// Wakes the waker of a task that was dropped long ago.
#[test]
fn wakers_outlive_tasks_loops_and_threads() {
    let kept: Vec<Waker> = (0..50)
        .map(|round| {
            thread::spawn(move || {
                let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
                let inner = Rc::clone(&kept);
                let io_loop = IoLoop::new().expect("a loop");
                let task = io_loop.spawn(poll_fn(move |cx: &mut Context<'_>| {
                    *inner.borrow_mut() = Some(cx.waker().clone());
                    if round % 2 == 0 {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                }));
                io_loop.stop();
                io_loop.start();
                drop(task);
                kept.take().expect("polled once")
            })
            .join()
            .expect("no panic")
        })
        .collect();
    let other = IoLoop::new().expect("a loop");
    for waker in kept {
        waker.wake_by_ref();
        assert!(waker.will_wake(&waker.clone()));
        waker.wake();
    }
    other.stop();
    other.start();
}

#[test]
fn stopping_from_other_threads_at_any_moment() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let over = Arc::new(AtomicBool::new(false));
        let (handle, stops) = (io_loop.handle(), Arc::clone(&over));
        let thread = thread::spawn(move || {
            while !stops.load(Ordering::Relaxed) {
                handle.stop();
                thread::yield_now();
            }
        });
        for _ in 0..ROUNDS {
            let mut task = io_loop.spawn(sleep(Duration::ZERO));
            io_loop.start();
            let mut nobody = Context::from_waker(Waker::noop());
            let _ = Pin::new(&mut task).poll(&mut nobody);
        }
        over.store(true, Ordering::Relaxed);
        thread.join().expect("no panic");
    });
}
