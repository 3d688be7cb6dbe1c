//! `multi` in all its shapes, and `as_completed`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use squall_ioloop::{IoLoop, as_completed, moment, multi, promise, sleep, spawn, with_timeout};

use crate::support::{Flag, LONG, MS, OnDrop, Outcome, logged, run, unless_it_hangs};

/// Is done after some milliseconds.
async fn after(delay: u32) -> io::Result<u32> {
    sleep(delay * MS).await;
    Ok(delay)
}

/// Fails after some milliseconds.
async fn fails(delay: u32, name: &str) -> Result<u32, String> {
    sleep(delay * MS).await;
    Err(name.to_owned())
}

#[test]
fn every_shape_is_kept() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let [a, b, c] = multi([after(3), after(1), after(2)]).await?;
        assert_eq!((a, b, c), (3, 1, 2));
        assert_eq!(multi(vec![after(2), after(1)]).await?, [2, 1]);
        assert_eq!(multi(vec![after(2), after(1)].into_iter()).await?, [2, 1]);
        assert_eq!(multi((1..=3).map(after)).await?, [1, 2, 3]);
        let odd = (0..3).filter_map(|n: u32| n.checked_mul(2).map(|n| after(n + 1)));
        assert_eq!(multi(odd).await?, [1, 3, 5]);
        let map = HashMap::from([("x", after(1)), ("y", after(2))]);
        assert_eq!(multi(map).await?, HashMap::from([("x", 1), ("y", 2)]));
        let map = BTreeMap::from([(2, after(1)), (1, after(2))]);
        assert_eq!(multi(map).await?, BTreeMap::from([(2, 1), (1, 2)]));
        let text = async { Ok::<_, io::Error>(String::from("text")) };
        assert_eq!(multi((after(1), text)).await?, (1, "text".to_owned()));
        assert_eq!(multi((after(1),)).await?, (1,));
        Ok(())
    })
}

#[test]
fn tuples_of_twelve_are_the_largest() -> Outcome {
    run(async {
        fn it<T>(value: T) -> impl Future<Output = io::Result<T>> {
            ready(Ok(value))
        }
        let values = multi((
            it(1),
            it("2"),
            it(3.0),
            it('4'),
            it(5_u8),
            it(()),
            it(7_i64),
            it([8]),
            it(true),
            it(Some(10)),
            it(11_u128),
            spawn(async { 12 }).into_io(),
        ));
        let values = values.await?;
        assert_eq!((values.0, values.1, values.10, values.11), (1, "2", 11, 12));
        Ok(())
    })
}

/// Tasks fail with another error than the rest of a tuple.
trait IntoIo {
    fn into_io(self) -> impl Future<Output = io::Result<i32>>;
}

impl IntoIo for squall_ioloop::Task<i32> {
    async fn into_io(self) -> io::Result<i32> {
        Ok(self.await?)
    }
}

#[test]
fn nothing_gives_nothing() -> Outcome {
    run(async {
        let none: [std::future::Ready<io::Result<u32>>; 0] = [];
        assert_eq!(multi(none).await?, [0; 0]);
        assert!(
            multi(Vec::<std::future::Ready<io::Result<u32>>>::new())
                .await?
                .is_empty()
        );
        let map: HashMap<u32, std::future::Ready<io::Result<u32>>> = HashMap::new();
        assert!(multi(map).await?.is_empty());
        let mut nothing = as_completed(Vec::<std::future::Ready<()>>::new());
        assert_eq!(nothing.remaining(), 0);
        assert!(nothing.next().await.is_none());
        Ok(())
    })
}

#[test]
fn the_first_error_in_order_is_given_and_the_others_are_logged() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    let (result, log) = logged(|| {
        run(async {
            let start = IoLoop::current().time();
            let err = multi([
                fails(9, "first in order"),
                fails(1, "first in time"),
                fails(5, "between"),
            ])
            .await
            .err();
            assert_eq!(err.as_deref(), Some("first in order"));
            assert_eq!(IoLoop::current().time() - start, 9 * MS, "all are awaited");
            let done = Flag::default();
            let sets = done.sets();
            let slow = async {
                sleep(7 * MS).await;
                sets();
                Ok::<u32, String>(7)
            };
            let err = multi((slow, fails(1, "second"), fails(2, "third")))
                .await
                .err();
            assert_eq!(err.as_deref(), Some("second"));
            assert!(done.is_set());
            Ok(())
        })
    });
    result?;
    let told: Vec<_> = log.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (text, name) in told.iter().zip(["between", "first in time", "third"]) {
        assert!(
            text.contains("given to `multi` failed") && text.contains(name),
            "{text}"
        );
    }
    Ok(())
}

#[test]
fn values_of_the_others_are_dropped_with_an_error() -> Outcome {
    run(async {
        let held = Rc::new(());
        let value = Rc::clone(&held);
        let futures = [ready(Ok(value)), ready(Err("no"))];
        assert!(multi(futures).await.is_err());
        assert_eq!(Rc::strong_count(&held), 1);
        Ok(())
    })
}

#[test]
fn each_future_is_polled_only_when_it_was_woken() -> Outcome {
    const COUNT: usize = 500;
    run(async {
        let polls = Rc::new(Cell::new(0));
        let (resolvers, promises): (Vec<_>, Vec<_>) =
            (0..COUNT).map(|_| promise::<usize>()).unzip();
        let counted = promises.into_iter().map(|promise| {
            let polls = Rc::clone(&polls);
            let mut promise = promise;
            poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                Pin::new(&mut promise).poll(cx)
            })
        });
        let all = spawn(multi(counted.collect::<Vec<_>>()));
        moment().await;
        assert_eq!(polls.get(), COUNT);
        for (index, resolver) in resolvers.into_iter().enumerate().rev() {
            resolver.resolve(index);
            moment().await;
            moment().await;
        }
        assert!(all.await??.into_iter().eq(0..COUNT));
        assert_eq!(polls.get(), 2 * COUNT);
        Ok(())
    })
}

#[test]
fn dropping_it_drops_the_futures_and_leaves_tasks_alone() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let (dropped, done) = (Flag::default(), Flag::default());
        let (held, sets) = (OnDrop::new(dropped.sets()), done.sets());
        let task = spawn(async move {
            sleep(10 * MS).await;
            sets();
        });
        let future = async move {
            let _held = held;
            sleep(LONG).await;
            Ok(())
        };
        assert!(with_timeout(5 * MS, multi((future, task))).await.is_err());
        assert!(dropped.is_set() && !done.is_set());
        sleep(6 * MS).await;
        assert!(done.is_set());
        Ok(())
    })
}

#[test]
fn results_come_in_the_order_in_which_they_are_done() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let mut results = as_completed([3, 1, 2, 1].map(after));
        assert_eq!(results.remaining(), 4);
        let mut order = Vec::new();
        while let Some((index, value)) = results.next().await {
            order.push((index, value?));
            assert_eq!(results.remaining(), 4 - order.len());
        }
        assert_eq!(order, [(1, 1), (3, 1), (2, 2), (0, 3)]);
        assert!(results.next().await.is_none());
        assert!(format!("{results:?}").contains("remaining: 0"));
        Ok(())
    })
}

#[test]
fn giving_up_the_next_result_loses_nothing() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let mut results = as_completed([after(5), after(10)]);
        assert!(with_timeout(2 * MS, results.next()).await.is_err());
        assert!(matches!(results.next().await, Some((0, Ok(5)))));
        assert!(with_timeout(2 * MS, results.next()).await.is_err());
        assert!(matches!(results.next().await, Some((1, Ok(10)))));
        Ok(())
    })
}

#[test]
fn futures_that_wake_themselves_do_not_keep_it_from_ending() -> Outcome {
    run(async {
        let restless = (0..10).map(|count| async move {
            for _ in 0..count {
                moment().await;
            }
            Ok::<_, io::Error>(count)
        });
        assert!(multi(restless).await?.into_iter().eq(0..10));
        Ok(())
    })
}

#[test]
fn a_wake_up_after_the_end_is_harmless() -> Outcome {
    run(async {
        let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
        let inner = Rc::clone(&kept);
        let mut polls = 0;
        let keeps = poll_fn(move |cx| {
            *inner.borrow_mut() = Some(cx.waker().clone());
            cx.waker().wake_by_ref();
            polls += 1;
            if polls > 1 {
                Poll::Ready(Ok::<_, io::Error>(1))
            } else {
                Poll::Pending
            }
        });
        let mut results = as_completed(vec![keeps]);
        assert!(results.next().await.is_some());
        kept.borrow().as_ref().ok_or("no waker")?.wake_by_ref();
        assert!(results.next().await.is_none());
        drop(results);
        kept.take().ok_or("no waker")?.wake();
        Ok(())
    })
}

/// Is ready for `round` once another thread says so with plain stores.
struct Said {
    said: Arc<AtomicU32>,
    round: u32,
}

impl Future for Said {
    type Output = io::Result<u32>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.said.load(Ordering::Relaxed) >= self.round {
            Poll::Ready(Ok(self.round))
        } else {
            Poll::Pending
        }
    }
}

#[test]
fn no_wake_up_of_another_thread_is_lost() {
    unless_it_hangs(|| {
        const ROUNDS: u32 = 30_000;
        run(async {
            let said = Arc::new(AtomicU32::new(0));
            let asked = Arc::new(AtomicU32::new(0));
            let (to_thread, wakers) = std::sync::mpsc::channel::<Waker>();
            let (say, ask) = (Arc::clone(&said), Arc::clone(&asked));
            let thread = thread::spawn(move || {
                for (waker, round) in wakers.iter().zip(1..) {
                    while ask.load(Ordering::Relaxed) < round {
                        std::hint::spin_loop();
                    }
                    say.store(round, Ordering::Relaxed);
                    waker.wake();
                }
            });
            for round in 1..=ROUNDS {
                let mut said = Said {
                    said: Arc::clone(&said),
                    round,
                };
                let (to_thread, asked) = (to_thread.clone(), Arc::clone(&asked));
                let mut polls = 0;
                let child = poll_fn(move |cx| {
                    polls += 1;
                    match polls {
                        1 => {
                            // Woken already when the other thread comes.
                            to_thread.send(cx.waker().clone()).expect("it listens");
                            cx.waker().wake_by_ref();
                            asked.store(round, Ordering::Relaxed);
                            Poll::Pending
                        }
                        _ => Pin::new(&mut said).poll(cx),
                    }
                });
                assert_eq!(multi(vec![child]).await?, [round]);
            }
            drop(to_thread);
            thread.join().map_err(|_| "panicked")?;
            Ok(())
        })
        .expect("every round ends");
    });
}
