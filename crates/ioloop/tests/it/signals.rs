//! Callbacks for signals. Each test has a signal of its own, because they share the process.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_ioloop::{IoLoop, Signal, Task, sleep};

use crate::support::{MS, Outcome, logged, run, unless_it_hangs};

/// Sends a signal to this process.
fn send(number: i32) {
    // SAFETY: a system call without pointers; the process has callbacks for the signal.
    #[allow(unsafe_code)]
    let result = unsafe { libc::kill(libc::getpid(), number) };
    assert_eq!(result, 0);
}

/// Waits until a number has been counted to.
async fn reaches(count: &Cell<u32>, number: u32) {
    while count.get() < number {
        sleep(MS).await;
    }
}

#[test]
fn every_callback_runs_for_each_signal_until_it_is_cancelled() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            let (first, second) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let count = Rc::clone(&first);
            let add = move || count.set(count.get() + 1);
            let kept = io_loop.add_signal_callback(Signal::User1, add)?;
            let count = Rc::clone(&second);
            let add = move || count.set(count.get() + 1);
            drop(io_loop.add_signal_callback(Signal::Number(libc::SIGUSR1), add)?);
            for round in 1..=3 {
                send(libc::SIGUSR1);
                reaches(&first, round).await;
                reaches(&second, round).await;
            }
            kept.cancel();
            send(libc::SIGUSR1);
            reaches(&second, 4).await;
            assert_eq!(first.get(), 3);
            Ok(())
        })
        .expect("the signals arrive");
    });
}

#[test]
fn a_callback_that_panics_is_logged_and_stays() {
    unless_it_hangs(|| {
        let line = line!() + 10;
        let (result, log) = logged(|| {
            run(async {
                let count = Rc::new(Cell::new(0));
                let inner = Rc::clone(&count);
                let panics = move || {
                    inner.set(inner.get() + 1);
                    panic!("signal {}", inner.get());
                };
                let io_loop = IoLoop::current();
                let task = io_loop.add_signal_callback(Signal::User2, panics)?;
                for round in 1..=2 {
                    send(libc::SIGUSR2);
                    reaches(&count, round).await;
                }
                assert!(!task.is_done());
                Ok(())
            })
        });
        result.expect("the signals arrive");
        assert_eq!(log.len(), 2, "{log:?}");
        for (entry, text) in log.iter().zip(["signal 1", "signal 2"]) {
            entry.assert_error(line, &["a signal callback panicked", text]);
            entry.assert_backtrace();
        }
    });
}

#[test]
fn a_callback_may_take_itself_away() {
    unless_it_hangs(|| {
        run(async {
            let own: Rc<RefCell<Option<Task<()>>>> = Rc::default();
            let count = Rc::new(Cell::new(0));
            let (holder, inner) = (Rc::clone(&own), Rc::clone(&count));
            let once = move || {
                inner.set(inner.get() + 1);
                if let Some(task) = holder.take() {
                    task.cancel();
                }
            };
            let task = IoLoop::current().add_signal_callback(Signal::Hangup, once)?;
            *own.borrow_mut() = Some(task);
            let others = Rc::new(Cell::new(0));
            let inner = Rc::clone(&others);
            let add = move || inner.set(inner.get() + 1);
            drop(IoLoop::current().add_signal_callback(Signal::Hangup, add)?);
            for round in 1..=2 {
                send(libc::SIGHUP);
                reaches(&others, round).await;
            }
            assert_eq!(count.get(), 1);
            Ok(())
        })
        .expect("the signals arrive");
    });
}

#[test]
fn signals_that_cannot_be_caught_are_refused() -> Outcome {
    let io_loop = IoLoop::new()?;
    for number in [libc::SIGKILL, libc::SIGSTOP, -1, 10_000] {
        let refused = io_loop.add_signal_callback(Signal::Number(number), || ());
        assert!(refused.is_err(), "signal {number}");
    }
    Ok(())
}
