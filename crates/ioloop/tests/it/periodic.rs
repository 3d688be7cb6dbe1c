//! Periodic callbacks.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{IoLoop, PeriodicCallback, sleep};

use crate::support::{Flag, MS, Notes, OnDrop, Outcome, logged, run, unless_it_hangs};

/// Runs a test on a loop whose clock is paused; the function tells the milliseconds since its start.
fn paused<F: Future<Output = Outcome>>(test: impl FnOnce(Rc<dyn Fn() -> u128>) -> F) -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let start = io_loop.time();
    run(test(Rc::new(move || {
        (IoLoop::current().time() - start).as_millis()
    })))
}

#[test]
fn the_first_run_comes_after_one_interval_and_the_rhythm_is_kept() -> Outcome {
    paused(|now| async move {
        let notes = Notes::new();
        let inner = notes.clone();
        let periodic = PeriodicCallback::new(
            move || {
                inner.add(now());
                ready(())
            },
            10 * MS,
        );
        sleep(100 * MS).await;
        assert!(!periodic.is_running());
        periodic.start();
        periodic.start();
        assert!(periodic.is_running());
        sleep(35 * MS).await;
        assert_eq!(notes.take(), [110, 120, 130]);
        periodic.stop();
        assert!(!periodic.is_running());
        sleep(100 * MS).await;
        assert_eq!(notes.len(), 0);
        periodic.start();
        sleep(15 * MS).await;
        assert_eq!(notes.take(), [245], "a full interval after the start");
        drop(periodic);
        sleep(100 * MS).await;
        assert_eq!(notes.len(), 0);
        Ok(())
    })
}

#[test]
fn runs_never_overlap_and_missed_ticks_are_skipped() -> Outcome {
    paused(|now| async move {
        let notes = Notes::new();
        let inner = notes.clone();
        let periodic = PeriodicCallback::new(
            move || {
                let (notes, now) = (inner.clone(), Rc::clone(&now));
                async move {
                    notes.add(("begin", now()));
                    sleep(25 * MS).await;
                    notes.add(("end", now()));
                }
            },
            10 * MS,
        );
        periodic.start();
        sleep(99 * MS).await;
        assert_eq!(
            notes.take(),
            [
                ("begin", 10),
                ("end", 35),
                ("begin", 40),
                ("end", 65),
                ("begin", 70),
                ("end", 95),
            ]
        );
        Ok(())
    })
}

#[test]
fn jitter_stays_within_its_bounds() -> Outcome {
    paused(|now| async move {
        let notes = Notes::new();
        let inner = notes.clone();
        let periodic = PeriodicCallback::new(
            move || {
                inner.add(now());
                ready(())
            },
            1000 * MS,
        )
        .jitter(0.5);
        periodic.start();
        sleep(Duration::from_millis(500_500)).await;
        let times = notes.take();
        assert_eq!(times.len(), 500);
        let off: Vec<_> = times
            .iter()
            .zip(1_i128..)
            .map(|(time, tick)| *time as i128 - tick * 1000)
            .collect();
        assert!(off.iter().all(|off| (-250..=251).contains(off)), "{off:?}");
        assert!(off.iter().any(|off| *off < -50) && off.iter().any(|off| *off > 50));
        Ok(())
    })
}

#[test]
fn it_may_stop_and_start_itself() -> Outcome {
    paused(|now| async move {
        let own: Rc<RefCell<Option<PeriodicCallback>>> = Rc::default();
        let notes = Notes::new();
        let (inner, holder) = (notes.clone(), Rc::clone(&own));
        let periodic = PeriodicCallback::new(
            move || {
                inner.add(now());
                if let Some(periodic) = &*holder.borrow() {
                    periodic.stop();
                    if inner.len() < 3 {
                        periodic.start();
                    }
                }
                ready(())
            },
            10 * MS,
        );
        periodic.start();
        *own.borrow_mut() = Some(periodic);
        sleep(100 * MS).await;
        assert_eq!(notes.take(), [10, 20, 30]);
        assert!(own.borrow().as_ref().is_some_and(|own| !own.is_running()));
        own.take();
        Ok(())
    })
}

#[test]
fn stopping_drops_a_run_that_waits() -> Outcome {
    paused(|_| async move {
        let (dropped, ended) = (Flag::default(), Flag::default());
        let (inner, end) = (dropped.clone(), ended.clone());
        let periodic = PeriodicCallback::new(
            move || {
                let held = OnDrop::new(inner.sets());
                let end = end.clone();
                async move {
                    let _held = held;
                    sleep(50 * MS).await;
                    end.set();
                }
            },
            10 * MS,
        );
        periodic.start();
        sleep(20 * MS).await;
        assert!(!dropped.is_set());
        periodic.stop();
        assert!(dropped.is_set());
        sleep(100 * MS).await;
        assert!(!ended.is_set());
        Ok(())
    })
}

#[test]
fn a_run_that_fails_or_panics_is_logged_and_the_next_comes() -> Outcome {
    let runs = Rc::new(Cell::new(0));
    let count = Rc::clone(&runs);
    let line = line!() + 3;
    let (result, log) = logged(|| {
        paused(|_| async move {
            let periodic = PeriodicCallback::new(
                move || {
                    count.set(count.get() + 1);
                    let run = count.get();
                    if run == 1 {
                        panic!("at once");
                    }
                    async move {
                        sleep(MS).await;
                        match run {
                            2 => panic!("after a wait"),
                            3 => Err("an error"),
                            _ => Ok(()),
                        }
                    }
                },
                10 * MS,
            );
            periodic.start();
            sleep(55 * MS).await;
            Ok(())
        })
    });
    result?;
    assert_eq!(runs.get(), 5);
    assert_eq!(log.len(), 3, "{log:?}");
    log[0].assert_error(line, &["a periodic callback panicked", "at once"]);
    log[0].assert_backtrace();
    log[1].assert_error(line, &["a periodic callback panicked", "after a wait"]);
    log[1].assert_backtrace();
    log[2].assert_error(line, &["a periodic callback failed", "an error"]);
    Ok(())
}

#[test]
fn intervals_beyond_all_bounds_are_taken() {
    unless_it_hangs(|| {
        run(async {
            let never = PeriodicCallback::new(|| ready(()), Duration::MAX).jitter(1.0);
            never.start();
            let ticks = Rc::new(Cell::new(0));
            let count = Rc::clone(&ticks);
            let often = PeriodicCallback::new(
                move || {
                    count.set(count.get() + 1);
                    ready(())
                },
                Duration::ZERO,
            );
            often.start();
            while ticks.get() < 3 {
                sleep(MS).await;
            }
            assert!(never.is_running() && often.is_running());
            assert!(format!("{often:?}").contains("interval: 1ms"));
            Ok(())
        })
        .expect("both go");
    });
}

#[test]
fn a_closed_loop_ends_it() -> Outcome {
    let io_loop = IoLoop::new()?;
    let periodic = PeriodicCallback::new(|| ready(()), MS);
    periodic.start();
    io_loop.stop();
    io_loop.start();
    assert!(periodic.is_running());
    drop(io_loop);
    assert!(!periodic.is_running());
    Ok(())
}
