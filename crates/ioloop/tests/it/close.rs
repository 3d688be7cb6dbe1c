//! The end of a loop: what is dropped, in which order, and what is refused afterwards.

use std::future::pending;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use squall_ioloop::{Events, IoLoop, Signal, promise, sleep, spawn};

use crate::support::{
    Flag, NoteOnDrop, Notes, OnDrop, Outcome, logged, run, stop, unless_it_hangs,
};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn closing_drops_tasks_in_their_order_then_callbacks_then_timers() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    let timer = NoteOnDrop::new(&notes, "timer");
    io_loop.call_later(HOUR, move || drop(timer));
    let callback = NoteOnDrop::new(&notes, "callback");
    io_loop.add_callback(move || drop(callback));
    for name in ["first task", "second task"] {
        let held = NoteOnDrop::new(&notes, name);
        drop(io_loop.spawn(async move {
            let _held = held;
            pending::<()>().await;
        }));
    }
    assert_eq!((io_loop.task_count(), io_loop.timer_count()), (2, 1));
    io_loop.close();
    assert!(io_loop.is_closed());
    assert_eq!(
        notes.take(),
        ["first task", "second task", "callback", "timer"]
    );
    assert_eq!((io_loop.task_count(), io_loop.timer_count()), (0, 0));
    io_loop.close();
    Ok(())
}

#[test]
fn closing_drops_what_started_and_what_was_left_by_other_threads() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    let held = NoteOnDrop::new(&notes, "task");
    let task = io_loop.spawn(async move {
        let _held = held;
        sleep(HOUR).await;
    });
    io_loop.stop();
    io_loop.start();
    let (sent, dropped) = std::sync::mpsc::channel::<()>();
    let handle = io_loop.handle();
    thread::spawn(move || handle.add_callback(move || drop(sent)))
        .join()
        .map_err(|_| "panicked")??;
    io_loop.close();
    assert!(dropped.recv().is_err(), "dropped without a word");
    assert_eq!(notes.take(), ["task"]);
    assert!(task.is_done());
    assert!(handle.is_closed());
    Ok(())
}

#[test]
fn what_is_given_to_a_closed_loop_is_dropped() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.close();
    let notes = Notes::new();
    for round in 0..200 {
        let held = NoteOnDrop::new(&notes, round);
        io_loop.spawn_callback(async move { drop(held) });
        let held = (NoteOnDrop::new(&notes, round), [0_u64; 16]);
        io_loop.spawn_callback(async move { drop(held) });
        let held = NoteOnDrop::new(&notes, round);
        io_loop.add_callback(move || drop(held));
        let held = NoteOnDrop::new(&notes, round);
        assert!(!io_loop.call_later(HOUR, move || drop(held)).cancel());
        let held = NoteOnDrop::new(&notes, round);
        let task = io_loop.spawn(async move { drop(held) });
        assert!(task.is_done());
        task.cancel();
        assert_eq!(notes.take(), [round; 5]);
        if round % 2 == 0 {
            task.add_done_callback(|_| panic!("runs on no loop"));
        }
    }
    // Memory that was freed twice would be given to two tasks now.
    let other = IoLoop::new()?;
    let tasks: Vec<_> = (0..400).map(|n| other.spawn(async move { n })).collect();
    other.stop();
    other.start();
    for (index, task) in tasks.into_iter().enumerate() {
        task.add_done_callback(move |n| assert_eq!(n.ok(), Some(&index)));
    }
    other.stop();
    other.start();
    Ok(())
}

#[test]
fn a_task_given_to_a_closed_loop_says_so() -> Outcome {
    let closed = IoLoop::new()?;
    closed.close();
    let task = closed.spawn(async { 1 });
    drop(closed);
    let err = run(async { Ok(task.await.err().ok_or("a value")?) })?;
    assert!(err.is_closed() && err.is_cancelled(), "{err}");
    assert!(err.to_string().contains("was closed"), "{err}");
    Ok(())
}

#[test]
fn a_closed_loop_refuses_what_it_would_have_to_watch() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.close();
    let (reader, _writer) = std::io::pipe()?;
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&reader);
    let err = io_loop
        .add_handler(descriptor, Events::READ, |_, _| ())
        .err()
        .ok_or("watched")?;
    assert!(err.to_string().contains("closed"), "{err}");
    let err = io_loop
        .add_signal_callback(Signal::User2, || ())
        .err()
        .ok_or("caught")?;
    assert!(err.to_string().contains("closed"), "{err}");
    let err = squall_ioloop::process::Subprocess::spawn(std::process::Command::new("true"))
        .err()
        .ok_or("started")?;
    assert!(err.to_string().contains("closed"), "{err}");
    Ok(())
}

#[test]
fn starting_a_closed_loop_is_an_entry_in_the_log() -> Outcome {
    let io_loop = IoLoop::new()?;
    io_loop.close();
    let ((), log) = logged(|| io_loop.start());
    assert_eq!(log.len(), 1);
    assert!(log[0].message.contains("not started: the loop"), "{log:?}");
    assert!(log[0].field("started_at").contains("close.rs"));
    Ok(())
}

#[test]
fn closing_a_running_loop_stops_it_first() -> Outcome {
    let io_loop = IoLoop::new()?;
    let notes = Notes::new();
    let inner = io_loop.clone();
    let during = notes.clone();
    io_loop.add_callback(move || {
        inner.close();
        during.add(format!("closed: {}", inner.is_closed()));
    });
    io_loop.add_callback(notes.adds("the rest of the turn".to_owned()));
    io_loop.start();
    assert!(io_loop.is_closed());
    assert_eq!(notes.take(), ["closed: false", "the rest of the turn"]);
    Ok(())
}

#[test]
fn a_cancelled_task_may_hold_the_last_handle_to_its_loop() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let dropped = Flag::default();
        let last = (io_loop.clone(), OnDrop::new(dropped.sets()));
        let task = io_loop.spawn(async move {
            let _last = last;
            pending::<()>().await;
        });
        drop(io_loop);
        assert!(IoLoop::try_current().is_ok());
        task.cancel();
        assert!(dropped.is_set());
        assert!(IoLoop::try_current().is_err());
    });
}

#[test]
fn dropping_a_cancelled_future_may_close_its_loop() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let inner = io_loop.clone();
        let closes = OnDrop::new(move || inner.close());
        let task = io_loop.spawn(async move {
            let _closes = closes;
            pending::<()>().await;
        });
        let other = io_loop.spawn(pending::<()>());
        task.cancel();
        assert!(io_loop.is_closed() && other.is_done());
    });
}

#[test]
fn destructors_may_use_the_loop_that_is_being_closed() -> Outcome {
    let io_loop = IoLoop::new()?;
    let ran = Flag::default();
    for _ in 0..3 {
        let inner = io_loop.clone();
        let flag = ran.clone();
        let uses = OnDrop::new(move || {
            inner.spawn_callback(async {});
            drop(inner.spawn(async {}));
            inner.add_callback(flag.sets());
            inner.call_later(Duration::ZERO, flag.sets());
            inner.close();
            inner.stop();
            inner.start();
            assert!(IoLoop::run_sync(async { Ok::<_, Box<dyn std::error::Error>>(()) }).is_err());
        });
        let task = io_loop.spawn(async move {
            let _uses = uses;
            pending::<()>().await;
        });
        task.add_done_callback(|_| ());
    }
    let (_, log) = logged(|| io_loop.close());
    assert!(io_loop.is_closed() && !ran.is_set());
    assert_eq!(log.len(), 3, "three starts were refused: {log:?}");
    Ok(())
}

#[test]
fn a_loop_made_later_takes_the_place_of_one_that_has_gone() -> Outcome {
    let first = IoLoop::new()?;
    let second = IoLoop::new()?;
    assert!(IoLoop::current() == first);
    drop(first);
    assert!(IoLoop::try_current()? == second);
    second.close();
    let third = IoLoop::new()?;
    assert!(IoLoop::try_current()? == third, "a closed loop makes room");
    drop(third);
    drop(second);
    assert!(IoLoop::try_current().is_err());
    Ok(())
}

#[test]
fn a_running_loop_may_see_the_last_of_the_one_that_was_current() -> Outcome {
    let first = IoLoop::new()?;
    let second = IoLoop::new()?;
    second.add_callback(move || {
        drop(first);
        stop();
    });
    second.start();
    assert!(IoLoop::try_current()? == second);
    drop(second);
    assert!(IoLoop::try_current().is_err());
    Ok(())
}

#[test]
fn a_loop_that_closes_may_hold_the_last_handle_to_the_current_one() -> Outcome {
    let first = IoLoop::new()?;
    let second = IoLoop::new()?;
    second.add_callback(move || drop(first));
    drop(second);
    assert!(IoLoop::try_current().is_err());
    Ok(())
}

#[test]
fn a_loop_is_closed_although_its_tasks_sleep() -> Outcome {
    let dropped = Flag::default();
    let held = OnDrop::new(dropped.sets());
    run(async move {
        drop(spawn(async move {
            let _held = held;
            sleep(HOUR).await;
        }));
        sleep(Duration::ZERO).await;
        Ok(())
    })?;
    assert!(dropped.is_set());
    assert!(IoLoop::try_current().is_err(), "the fresh loop has gone");
    let io_loop = IoLoop::new()?;
    let again = Flag::default();
    let held = OnDrop::new(again.sets());
    drop(io_loop.spawn(async move {
        let _held = held;
        sleep(HOUR).await;
    }));
    io_loop.stop();
    io_loop.start();
    drop(io_loop);
    assert!(again.is_set());
    Ok(())
}

#[test]
fn the_fresh_loop_of_run_sync_is_closed_although_a_task_holds_it() -> Outcome {
    let kept = run(async {
        let io_loop = IoLoop::current();
        let inner = io_loop.clone();
        drop(spawn(async move {
            let _inner = inner;
            pending::<()>().await;
        }));
        Ok(io_loop)
    })?;
    assert!(kept.is_closed());
    Ok(())
}

#[test]
fn a_done_callback_is_not_run_by_another_loop_that_came_after() -> Outcome {
    let io_loop = IoLoop::new()?;
    let task = io_loop.spawn(async { 1 });
    io_loop.stop();
    io_loop.start();
    drop(io_loop);
    assert!(task.is_done());
    let held = Rc::new(());
    let here = thread::current().id();
    // The loops of the other thread take over whatever the first one has left.
    let (made, wait) = std::sync::mpsc::channel();
    let (added, go_on) = std::sync::mpsc::channel::<()>();
    let other = thread::spawn(move || {
        let loops: Vec<_> = (0..64).filter_map(|_| IoLoop::new().ok()).collect();
        let _ = made.send(());
        let _ = go_on.recv();
        for io_loop in loops {
            io_loop.stop();
            io_loop.start();
        }
    });
    wait.recv()?;
    let inner = Rc::clone(&held);
    task.add_done_callback(move |_| {
        let _inner = inner;
        assert_eq!(thread::current().id(), here);
    });
    added.send(())?;
    other.join().map_err(|_| "panicked")?;
    drop(task);
    assert_eq!(Rc::strong_count(&held), 1);
    Ok(())
}

#[test]
fn whoever_awaits_a_task_of_a_closed_loop_is_told_after_its_callbacks_are_gone() {
    unless_it_hangs(|| {
        let first = IoLoop::new().expect("a loop");
        let second = IoLoop::new().expect("a loop");
        let task = first.spawn(pending::<()>());
        task.add_done_callback(|_| panic!("dropped instead"));
        let waits = second.spawn(task);
        waits.add_done_callback(|result| {
            let inner = result.expect("no panic").as_ref();
            assert!(inner.expect_err("closed").is_closed());
            stop();
        });
        let closes = first.clone();
        second.call_later(Duration::from_millis(2), move || closes.close());
        second.start();
    });
}

#[test]
fn whoever_awaits_a_promise_is_told_although_its_callbacks_loop_is_closed() {
    unless_it_hangs(|| {
        for settled_before in [true, false] {
            let first = IoLoop::new().expect("a loop");
            let (resolver, promise) = promise::<u32>();
            let ran = Flag::default();
            let sets = ran.sets();
            promise.add_done_callback(move |_| sets());
            let second = IoLoop::new().expect("a loop");
            let waits = second.spawn(promise);
            waits.add_done_callback(|result| {
                assert_eq!(result.expect("no panic").as_ref().ok(), Some(&5));
                stop();
            });
            let closes = first.clone();
            second.call_later(Duration::from_millis(2), move || {
                if settled_before {
                    resolver.resolve(5);
                    closes.close();
                } else {
                    closes.close();
                    resolver.resolve(5);
                }
            });
            second.start();
            assert!(!ran.is_set());
        }
    });
}

#[test]
fn a_handle_of_a_closed_loop_refuses_callbacks_also_when_its_place_is_taken() -> Outcome {
    let old = IoLoop::new()?.handle();
    let loops = (0..8)
        .map(|_| IoLoop::new())
        .collect::<Result<Vec<_>, _>>()?;
    assert!(old.is_closed());
    let err = old.add_callback(|| ()).err().ok_or("taken")?;
    assert_eq!(
        err.to_string(),
        "the event loop is closed: the callback will not run"
    );
    assert!(old.spawn(|| async {}).is_err());
    old.stop();
    drop(loops);
    Ok(())
}
