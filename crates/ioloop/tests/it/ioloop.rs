//! Starting, stopping, `run_sync`, and what a turn is.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::{pending, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use squall_ioloop::{IoLoop, RunError, moment, sleep, spawn, spawn_callback};

use crate::support::{
    Flag, LONG, MS, NoteOnDrop, Notes, OnDrop, Outcome, logged, run, stop, unless_it_hangs,
};

#[test]
fn callbacks_run_in_order_and_what_they_add_runs_in_the_next_turn() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    for name in ["a", "b"] {
        let inner = notes.clone();
        io_loop.add_callback(move || {
            inner.add(name);
            IoLoop::current().add_callback(inner.adds("added"));
        });
    }
    let task = notes.clone();
    io_loop.spawn_callback(async move {
        task.add("task");
        moment().await;
        task.add("task again");
    });
    io_loop.add_callback(notes.adds("c"));
    io_loop.stop();
    io_loop.start();
    assert_eq!(notes.take(), ["a", "b", "task", "c"]);
    io_loop.add_callback(stop);
    io_loop.start();
    assert_eq!(notes.take(), ["added", "added", "task again"]);
    Ok(())
}

#[test]
fn a_turn_of_many_callbacks_is_finished_before_what_it_adds() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    for number in 0..1000 {
        let inner = notes.clone();
        io_loop.add_callback(move || {
            inner.add(number);
            IoLoop::current().add_callback(inner.adds(number + 1000));
        });
    }
    io_loop.add_callback(|| IoLoop::current().add_callback(stop));
    io_loop.start();
    assert!(notes.take().into_iter().eq(0..2000));
    Ok(())
}

#[test]
fn a_loop_stopped_before_it_starts_runs_one_turn() -> Outcome {
    let io_loop = IoLoop::new()?;
    let ran = Flag::default();
    io_loop.add_callback(ran.sets());
    io_loop.stop();
    io_loop.stop();
    io_loop.start();
    assert!(ran.is_set());
    Ok(())
}

#[test]
fn stopping_twice_does_not_stop_the_next_run() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.add_callback(|| {
        stop();
        stop();
    });
    io_loop.start();
    let ran = Flag::default();
    let sets = ran.sets();
    io_loop.call_later(2 * MS, move || {
        sets();
        stop();
    });
    io_loop.start();
    assert!(ran.is_set());
    Ok(())
}

#[test]
fn a_loop_starts_again_where_it_was() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    let inner = notes.clone();
    io_loop.spawn_callback(async move {
        for step in 0..5 {
            inner.add(step);
            moment().await;
        }
    });
    for turn in 1..=5 {
        io_loop.stop();
        io_loop.start();
        assert_eq!(notes.len(), turn);
    }
    Ok(())
}

#[test]
fn stop_works_from_a_callback_a_task_a_timer_and_another_thread() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.add_callback(stop);
    io_loop.start();
    io_loop.spawn_callback(async {
        moment().await;
        stop();
    });
    io_loop.start();
    io_loop.call_later(MS, stop);
    io_loop.start();
    for _ in 0..20 {
        let handle = io_loop.handle();
        let thread = thread::spawn(move || {
            handle.stop();
            handle.stop();
        });
        io_loop.start();
        thread.join().map_err(|_| "panicked")?;
        // The second stop may have been left over: it is one turn of the next run.
        io_loop.stop();
        io_loop.start();
    }
    Ok(())
}

#[test]
fn starting_a_running_loop_is_an_entry_in_the_log() -> Outcome {
    let io_loop = IoLoop::new()?;
    let other = IoLoop::new()?;
    let (_, log) = logged(|| {
        io_loop.add_callback(move || {
            IoLoop::current().start();
            other.start();
            stop();
        });
        io_loop.start();
    });
    assert_eq!(log.len(), 2, "{log:?}");
    for entry in log {
        assert!(entry.message.contains("already running"), "{entry:?}");
        assert!(entry.field("started_at").contains("ioloop.rs"));
    }
    Ok(())
}

#[test]
fn off_a_loop_there_is_no_current_one() {
    thread::spawn(|| {
        let err = IoLoop::try_current().expect_err("no loop here");
        assert!(err.to_string().contains("IoLoop::new()"), "{err}");
        type Attempt = fn();
        let attempts: [Attempt; 5] = [
            || drop(IoLoop::current()),
            || drop(sleep(MS)),
            || spawn_callback(async {}),
            || drop(spawn(async {})),
            || squall_ioloop::clock::hold(),
        ];
        for attempt in attempts {
            let payload = catch_unwind(attempt).expect_err("a panic");
            let text = payload.downcast_ref::<String>().expect("a text");
            assert_eq!(*text, err.to_string());
        }
    })
    .join()
    .expect("no failure");
}

#[test]
fn two_loops_on_one_thread_keep_their_work_apart() -> Outcome {
    let first = IoLoop::new()?;
    let second = IoLoop::new()?;
    assert!(first != second && first == first.clone());
    let notes = Notes::new();
    for (io_loop, name) in [(&first, "first"), (&second, "second")] {
        let inner = notes.clone();
        let expected = io_loop.clone();
        io_loop.spawn_callback(async move {
            moment().await;
            assert!(IoLoop::current() == expected);
            inner.add(name);
            expected.stop();
        });
    }
    second.start();
    assert_eq!(notes.take(), ["second"]);
    assert!(IoLoop::current() == first);
    first.start();
    assert_eq!(notes.take(), ["first"]);
    Ok(())
}

#[test]
fn a_task_may_await_a_task_of_another_loop_of_its_thread() -> Outcome {
    let first = IoLoop::new()?;
    let second = IoLoop::new()?;
    let (resolver, promise) = squall_ioloop::promise::<u32>();
    let task = first.spawn(async move { promise.await.map(|n| n + 1) });
    first.stop();
    first.start();
    second.add_callback(move || resolver.resolve(1));
    second.stop();
    second.start();
    assert!(!task.is_done(), "its own loop has not run");
    first.stop();
    first.start();
    let sum = Rc::new(Cell::new(0));
    let inner = Rc::clone(&sum);
    second.spawn_callback(async move {
        inner.set(task.await??);
        stop();
        Ok::<_, squall_ioloop::TaskError>(())
    });
    second.start();
    assert_eq!(sum.get(), 2);
    Ok(())
}

#[test]
fn run_sync_gives_the_value_or_the_error() -> Outcome {
    assert_eq!(IoLoop::run_sync(ready(Ok::<_, io::Error>(5)))?, 5);
    let err = IoLoop::run_sync(async {
        sleep(MS).await;
        Err::<(), _>(io::Error::new(io::ErrorKind::NotFound, "no such thing"))
    })
    .err()
    .ok_or("a value")?;
    assert_eq!(err.kind(), io::ErrorKind::NotFound);
    Ok(())
}

#[test]
fn run_sync_carries_a_panic_out() {
    let kept = Flag::default();
    let held = OnDrop::new(kept.sets());
    let payload = catch_unwind(AssertUnwindSafe(|| {
        IoLoop::run_sync(async {
            let _held = held;
            moment().await;
            std::panic::panic_any(42_u32);
            #[expect(unreachable_code, reason = "gives the type")]
            Ok::<(), io::Error>(())
        })
    }))
    .expect_err("a panic");
    assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
    assert!(kept.is_set());
    assert!(IoLoop::try_current().is_err(), "the fresh loop was closed");
    assert_eq!(IoLoop::run_sync(ready(Ok::<_, io::Error>(1))).ok(), Some(1));
}

#[test]
fn run_sync_may_borrow_and_its_borrows_end_with_it() -> Outcome {
    let io_loop = IoLoop::new()?;
    let mut words = vec![String::from("storm")];
    for ends in ["done", "stopped", "too late"] {
        let list = &mut words;
        let future = async {
            list.push(ends.to_owned());
            moment().await;
            let shared = RefCell::new(list);
            match ends {
                "done" => {}
                "stopped" => {
                    stop();
                    pending::<()>().await;
                }
                _ => sleep(LONG).await,
            }
            shared.borrow_mut().push("end".to_owned());
            Ok::<_, Box<dyn Error>>(())
        };
        let result = IoLoop::run_sync_timeout(3 * MS, future);
        assert_eq!(result.is_ok(), ends == "done");
    }
    assert_eq!(words, ["storm", "done", "end", "stopped", "too late"]);
    assert_eq!(io_loop.task_count(), 0);
    assert_eq!(io_loop.timer_count(), 0);
    Ok(())
}

#[test]
fn run_sync_gives_up_at_its_time_limit() -> Outcome {
    let _io_loop = IoLoop::with_paused_clock()?;
    let dropped = Flag::default();
    let held = OnDrop::new(dropped.sets());
    let hour = Duration::from_secs(3600);
    let err = IoLoop::run_sync_timeout(hour, async {
        let _held = held;
        pending::<Result<(), Box<dyn Error>>>().await
    })
    .err()
    .ok_or("a value")?;
    let err = err.downcast::<RunError>()?;
    assert!(err.is_timeout() && !err.is_stopped(), "{err}");
    assert!(err.to_string().contains("3600s"), "{err}");
    assert_eq!(
        io::Error::from(*err).kind(),
        io::ErrorKind::TimedOut,
        "the kind of error is kept"
    );
    assert!(dropped.is_set());
    Ok(())
}

#[test]
fn run_sync_within_its_time_limit_gives_the_value() -> Outcome {
    let value = IoLoop::run_sync_timeout(LONG, async {
        sleep(MS).await;
        Ok::<_, io::Error>(1)
    })?;
    assert_eq!(value, 1);
    assert_eq!(
        IoLoop::run_sync_timeout(Duration::MAX, ready(Ok::<_, io::Error>(2)))?,
        2
    );
    Ok(())
}

#[test]
fn run_sync_inside_a_running_loop_is_an_error() -> Outcome {
    run(async {
        let err = IoLoop::run_sync(ready(Ok::<_, Box<dyn Error>>(())))
            .err()
            .ok_or("it ran")?
            .downcast::<RunError>()?;
        assert!(err.is_already_running());
        assert!(err.to_string().contains("await the future"), "{err}");
        Ok(())
    })
}

#[test]
fn run_sync_inside_another_runtime_is_an_error() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let err = runtime
        .block_on(async { IoLoop::run_sync(ready(Ok::<_, Box<dyn Error>>(()))) })
        .err()
        .ok_or("it ran")?
        .downcast::<RunError>()?;
    assert!(err.is_already_running());
    Ok(())
}

#[test]
fn run_sync_of_a_loop_that_is_stopped_is_an_error() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.call_later(MS, stop);
    let err = run(pending::<Result<(), _>>()).err().ok_or("it ended")?;
    let err = err.downcast::<RunError>()?;
    assert!(err.is_stopped());
    assert_eq!(
        err.to_string(),
        "the loop was stopped before the future was done"
    );
    Ok(())
}

#[test]
fn run_sync_on_a_closed_loop_is_an_error() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.close();
    let err = run(async { Ok(()) }).err().ok_or("it ran")?;
    let err = err.downcast::<RunError>()?;
    assert!(err.is_closed(), "{err}");
    Ok(())
}

#[test]
fn run_sync_wins_over_a_stop_in_the_same_turn() -> Outcome {
    let _io_loop = IoLoop::new()?;
    let value = run(async {
        stop();
        Ok(7)
    })?;
    assert_eq!(value, 7);
    Ok(())
}

#[test]
fn run_sync_runs_everything_else_meanwhile() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    io_loop.add_callback(notes.adds("callback"));
    io_loop.call_later(MS, notes.adds("timer"));
    run(async {
        sleep(3 * MS).await;
        Ok(())
    })?;
    assert_eq!(notes.take(), ["callback", "timer"]);
    Ok(())
}

#[test]
fn dropping_what_run_sync_ran_may_run_another() -> Outcome {
    let io_loop = IoLoop::new()?;
    let inner = Rc::new(Cell::new(0));
    let count = Rc::clone(&inner);
    let nested = OnDrop::new(move || {
        count.set(IoLoop::run_sync(ready(Ok::<_, io::Error>(3))).unwrap_or(0));
    });
    let result = IoLoop::run_sync_timeout(MS, async {
        let _nested = nested;
        pending::<Result<(), io::Error>>().await
    });
    assert!(result.is_err());
    assert_eq!(inner.get(), 3);
    drop(io_loop);
    Ok(())
}

#[test]
fn counting_tasks_and_timers() -> Outcome {
    let io_loop = IoLoop::new()?;
    let tasks: Vec<_> = (0..3)
        .map(|_| io_loop.spawn(sleep(Duration::from_secs(60))))
        .collect();
    let timeout = io_loop.call_later(LONG, || ());
    io_loop.stop();
    io_loop.start();
    assert_eq!((io_loop.task_count(), io_loop.timer_count()), (3, 4));
    assert!(timeout.cancel());
    tasks[1].cancel();
    assert_eq!((io_loop.task_count(), io_loop.timer_count()), (2, 2));
    assert!(format!("{io_loop:?}").contains("timers: 2"));
    Ok(())
}

#[test]
fn a_thousand_loops_come_and_go() -> Outcome {
    for round in 0..1000_u32 {
        let io_loop = IoLoop::new()?;
        let task = io_loop.spawn(async move { round });
        io_loop.stop();
        io_loop.start();
        assert!(task.is_done());
    }
    assert!(IoLoop::try_current().is_err());
    Ok(())
}

#[test]
fn loops_on_threads_talk_through_their_handles() {
    unless_it_hangs(|| {
        const LOOPS: usize = 4;
        const ROUNDS: usize = 200;
        let (send, receive) = std::sync::mpsc::channel();
        let threads: Vec<_> = (0..LOOPS)
            .map(|_| {
                let send = send.clone();
                thread::spawn(move || {
                    let io_loop = IoLoop::new().expect("a loop");
                    send.send(io_loop.handle()).expect("somebody listens");
                    io_loop.start();
                })
            })
            .collect();
        let handles: Vec<_> = receive.iter().take(LOOPS).collect();
        // A token goes round until it has been everywhere often enough.
        fn pass(handles: Vec<squall_ioloop::LoopHandle>, left: usize) {
            let Some(next) = left.checked_sub(1) else {
                for handle in handles {
                    handle.stop();
                }
                return;
            };
            let handle = handles[left % handles.len()];
            handle
                .add_callback(move || pass(handles, next))
                .expect("the loop is open");
        }
        pass(handles, LOOPS * ROUNDS);
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}

#[test]
fn entering_a_loop_lets_sockets_be_made_for_it() -> Outcome {
    let io_loop = IoLoop::new()?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let listener = io_loop.enter(|| tokio::net::TcpListener::from_std(listener))?;
    run(async move {
        let client = spawn(tokio::net::TcpStream::connect(address));
        let (_stream, peer) = listener.accept().await?;
        assert_eq!(client.await??.local_addr()?, peer);
        Ok(())
    })?;
    io_loop.enter(|| io_loop.close());
    assert!(io_loop.is_closed());
    Ok(())
}

#[test]
fn loop_time_is_that_of_the_system() -> Outcome {
    let io_loop = IoLoop::new()?;
    let before = Instant::now();
    let time = io_loop.time();
    assert!(before <= time && time <= Instant::now());
    Ok(())
}

#[test]
fn a_future_is_dropped_when_it_is_done_and_not_when_its_task_is_dropped() -> Outcome {
    run(async {
        let notes = Notes::new();
        let held = NoteOnDrop::new(&notes, "future");
        let task = spawn(async move {
            let _held = held;
            moment().await;
        });
        drop(task);
        moment().await;
        assert_eq!(notes.len(), 0);
        moment().await;
        moment().await;
        assert_eq!(notes.take(), ["future"]);
        Ok(())
    })
}
