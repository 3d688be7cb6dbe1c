//! `call_later`, `call_at`, `sleep` and `with_timeout` by the system's clock.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use squall_ioloop::{IoLoop, TimeoutError, moment, sleep, sleep_until, spawn, with_timeout};

use tokio::task::coop;

use crate::support::{Flag, LONG, MS, NoteOnDrop, Notes, Outcome, run, stop, unless_it_hangs};

#[test]
fn timers_run_in_the_order_of_their_times_and_of_their_making() -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let notes = Notes::new();
    // Delays on several levels of the wheel, and equal ones.
    let delays: [u64; 12] = [70, 5, 1, 4096, 5, 63, 64, 5000, 65, 1, 300_000, 4095];
    for (index, delay) in delays.into_iter().enumerate() {
        io_loop.call_later(Duration::from_millis(delay), notes.adds((delay, index)));
    }
    io_loop.call_later(Duration::from_secs(301), stop);
    io_loop.start();
    let mut expected: Vec<_> = delays.into_iter().zip(0..).collect();
    expected.sort_unstable();
    assert_eq!(notes.take(), expected);
    Ok(())
}

#[test]
fn a_timer_never_runs_too_early() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let left = Rc::new(Cell::new(200));
        for index in 0..200_u64 {
            let delay = Duration::from_micros(137 * index);
            let due = Instant::now() + delay;
            let left = Rc::clone(&left);
            io_loop.call_later(delay, move || {
                assert!(Instant::now() >= due);
                left.set(left.get() - 1);
                if left.get() == 0 {
                    stop();
                }
            });
        }
        io_loop.start();
        assert_eq!(left.get(), 0);
    });
}

#[test]
fn a_timer_set_after_one_that_was_cancelled_still_runs() {
    unless_it_hangs(|| {
        run(async {
            // The alarm is set for a timer that is cancelled before it rings.
            with_timeout(5 * MS, tokio::time::sleep(MS)).await?;
            assert_eq!(IoLoop::current().timer_count(), 0);
            tokio::time::sleep(20 * MS).await;
            assert!(with_timeout(5 * MS, pending::<()>()).await.is_err());
            Ok(())
        })
        .expect("the time is up");
    });
}

#[test]
fn a_shorter_timer_set_later_runs_first() {
    unless_it_hangs(|| {
        run(async {
            let notes = Notes::new();
            IoLoop::current().call_later(30 * MS, notes.adds("long"));
            tokio::time::sleep(2 * MS).await;
            IoLoop::current().call_later(2 * MS, notes.adds("short"));
            sleep(50 * MS).await;
            assert_eq!(notes.take(), ["short", "long"]);
            Ok(())
        })
        .expect("both ran");
    });
}

#[test]
fn cancelling_drops_the_callback_and_tells_whether_it_was_in_time() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    let held = NoteOnDrop::new(&notes, "dropped");
    let timeout = io_loop.call_later(LONG, move || drop(held));
    let twin = timeout.clone();
    assert!(timeout.cancel());
    assert_eq!(notes.take(), ["dropped"]);
    assert!(!timeout.cancel() && !twin.cancel());
    let ran = io_loop.call_later(Duration::ZERO, stop);
    io_loop.start();
    assert!(!ran.cancel());
    let kept = io_loop.call_later(LONG, || ());
    drop(io_loop);
    assert!(!kept.cancel());
    Ok(())
}

#[test]
fn a_handle_does_not_cancel_the_timer_that_took_its_place() -> Outcome {
    let io_loop = IoLoop::new()?;
    let old: Vec<_> = (0..100).map(|_| io_loop.call_later(LONG, || ())).collect();
    for timeout in &old {
        assert!(timeout.cancel());
    }
    let new: Vec<_> = (0..100).map(|_| io_loop.call_later(LONG, || ())).collect();
    assert!(old.iter().all(|timeout| !timeout.cancel()));
    assert!(new.iter().all(squall_ioloop::Timeout::cancel));
    Ok(())
}

#[test]
fn a_timer_can_be_cancelled_by_one_of_the_same_turn() -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let ran = Flag::default();
    let victim: Rc<Cell<Option<squall_ioloop::Timeout>>> = Rc::default();
    let inner = Rc::clone(&victim);
    io_loop.call_later(MS, move || {
        let victim = inner.take().expect("set below");
        assert!(victim.cancel(), "it is due, but has not run");
    });
    victim.set(Some(io_loop.call_later(MS, ran.sets())));
    io_loop.call_later(2 * MS, stop);
    io_loop.start();
    assert!(!ran.is_set());
    Ok(())
}

#[test]
fn a_timer_of_a_time_that_has_passed_runs_in_the_next_turn() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    let inner = notes.clone();
    let past = io_loop.time();
    io_loop.call_later(10 * MS, move || {
        let io_loop = IoLoop::current();
        io_loop.call_at(past, inner.adds("timer"));
        let last = inner.clone();
        io_loop.add_callback(move || {
            last.add("next turn");
            stop();
        });
    });
    io_loop.start();
    assert_eq!(notes.take(), ["timer", "next turn"]);
    Ok(())
}

#[test]
fn delays_beyond_all_bounds_are_taken() -> Outcome {
    let io_loop = IoLoop::new()?;
    let far = io_loop.call_later(Duration::MAX, || panic!("too soon"));
    let years = Duration::from_secs(365 * 24 * 3600 * 30);
    io_loop.call_later(years, || panic!("too soon"));
    io_loop.call_at(io_loop.time() + years, || panic!("too soon"));
    run(async {
        assert!(with_timeout(MS, sleep(Duration::MAX)).await.is_err());
        with_timeout(Duration::MAX, moment()).await?;
        Ok(())
    })?;
    assert!(far.cancel());
    assert_eq!(io_loop.timer_count(), 2);
    Ok(())
}

#[test]
fn a_year_passes_at_once_with_a_paused_clock() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        // Farther than the wheel reaches.
        let years = Duration::from_secs(5 * 365 * 24 * 3600);
        let start = IoLoop::current().time();
        sleep(years).await;
        assert_eq!(IoLoop::current().time() - start, years);
        Ok(())
    })
}

#[test]
fn a_million_timers_run_or_are_cancelled() -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let ran = Rc::new(Cell::new(0_u32));
    let mut timeouts = Vec::new();
    for number in 0..1_000_000_u64 {
        let ran = Rc::clone(&ran);
        let delay = Duration::from_millis((number * 7919) % 100_000 + 1);
        timeouts.push(io_loop.call_later(delay, move || ran.set(ran.get() + 1)));
    }
    assert_eq!(io_loop.timer_count(), 1_000_000);
    let cancelled = timeouts
        .iter()
        .step_by(2)
        .filter(|timeout| timeout.cancel())
        .count();
    assert_eq!(cancelled, 500_000);
    io_loop.call_later(Duration::from_secs(101), stop);
    io_loop.start();
    assert_eq!(ran.get(), 500_000);
    assert_eq!(io_loop.timer_count(), 0);
    Ok(())
}

#[test]
fn large_and_small_callbacks_are_dropped_once() -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let held = Rc::new(());
    let ballast = [7_u64; 20];
    for cancelled in [true, false] {
        let (small, large) = (Rc::clone(&held), Rc::clone(&held));
        let timeouts = [
            io_loop.call_later(MS, move || drop(small)),
            io_loop.call_later(MS, move || {
                drop(large);
                assert_eq!(ballast.iter().sum::<u64>(), 140);
            }),
            io_loop.call_later(MS, || ()),
        ];
        assert_eq!(Rc::strong_count(&held), 3);
        if cancelled {
            assert!(timeouts.iter().all(squall_ioloop::Timeout::cancel));
        } else {
            io_loop.call_later(2 * MS, stop);
            io_loop.start();
        }
        assert_eq!(Rc::strong_count(&held), 1);
    }
    Ok(())
}

#[test]
fn dropping_a_sleep_cancels_its_timer() -> Outcome {
    run(async {
        let waits = spawn(sleep(LONG));
        moment().await;
        assert_eq!(IoLoop::current().timer_count(), 1);
        waits.cancel();
        assert_eq!(IoLoop::current().timer_count(), 0);
        Ok(())
    })
}

#[test]
fn a_sleep_counts_from_its_making() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let io_loop = IoLoop::current();
        let start = io_loop.time();
        let first = sleep(10 * MS);
        sleep(7 * MS).await;
        first.await;
        assert_eq!(io_loop.time() - start, 10 * MS);
        sleep_until(start + 25 * MS).await;
        assert_eq!(io_loop.time() - start, 25 * MS);
        sleep_until(start).await;
        sleep(Duration::ZERO).await;
        assert_eq!(io_loop.time() - start, 25 * MS);
        Ok(())
    })
}

#[test]
fn with_timeout_gives_the_value_or_the_limit() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let value = with_timeout(5 * MS, async {
            sleep(4 * MS).await;
            1
        });
        assert_eq!(value.await?, 1);
        let both = with_timeout(5 * MS, sleep(5 * MS));
        both.await?;
        let notes = Notes::new();
        let held = NoteOnDrop::new(&notes, "dropped");
        let err: TimeoutError = with_timeout(5 * MS, async move {
            let _held = held;
            pending::<()>().await;
        })
        .await
        .err()
        .ok_or("a value")?;
        assert_eq!(notes.take(), ["dropped"]);
        assert_eq!(
            (err.limit(), err.to_string()),
            (5 * MS, "not done within 5ms".into())
        );
        let err = std::io::Error::from(err);
        assert_eq!(err.kind(), std::io::ErrorKind::TimedOut);
        Ok(())
    })
}

#[test]
fn giving_up_a_task_does_not_stop_it() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    run(async {
        let done = Flag::default();
        let sets = done.sets();
        let task = spawn(async move {
            sleep(10 * MS).await;
            sets();
        });
        assert!(with_timeout(5 * MS, task).await.is_err());
        assert!(!done.is_set());
        sleep(6 * MS).await;
        assert!(done.is_set());
        Ok(())
    })
}

#[test]
fn a_loop_that_sleeps_is_woken_for_a_timer_from_another_thread() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let handle = io_loop.handle();
        let thread = std::thread::spawn(move || {
            handle.add_callback(|| {
                IoLoop::current().call_later(MS, stop);
            })
        });
        io_loop.start();
        assert!(thread.join().expect("no panic").is_ok());
    });
}

#[test]
fn a_task_that_uses_up_the_budget_does_not_stop_the_timers() {
    unless_it_hangs(|| {
        let outcome = IoLoop::run_sync(async {
            let mut rest = pin!(sleep(MS));
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                let polled = rest.as_mut().poll(cx);
                let mut nobody = Context::from_waker(Waker::noop());
                while let Poll::Ready(taken) = coop::poll_proceed(&mut nobody) {
                    taken.made_progress();
                }
                polled
            })
            .await;
            assert_eq!(polls, 2, "once to begin, once at the end");
            Ok::<_, std::io::Error>(())
        });
        outcome.expect("it ends");
    });
}
