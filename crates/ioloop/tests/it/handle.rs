//! Reaching a loop from other threads.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use squall_ioloop::{IoLoop, LoopHandle, moment, sleep};

use crate::support::{MS, Outcome, logged, run, stop, unless_it_hangs};

/// A loop that runs on a thread of its own until its handle stops it.
fn elsewhere() -> (LoopHandle, thread::JoinHandle<()>) {
    let (send, receive) = mpsc::channel();
    let thread = thread::spawn(move || {
        let io_loop = IoLoop::new().expect("a loop");
        send.send(io_loop.handle()).expect("somebody listens");
        io_loop.start();
    });
    (receive.recv().expect("the loop is made"), thread)
}

fn is_send_and_sync<T: Send + Sync + Copy + 'static>() {}

#[test]
fn a_handle_may_go_anywhere() {
    is_send_and_sync::<LoopHandle>();
}

#[test]
fn callbacks_of_one_thread_run_in_their_order_on_the_loop() {
    unless_it_hangs(|| {
        let (handle, thread) = elsewhere();
        let there = thread.thread().id();
        let (send, receive) = mpsc::channel();
        for number in 0..1000 {
            let send = send.clone();
            handle
                .add_callback(move || {
                    assert_eq!(thread::current().id(), there);
                    send.send(number).expect("somebody listens");
                })
                .expect("the loop is open");
        }
        drop(send);
        assert!(receive.iter().eq(0..1000));
        assert!(!handle.is_closed());
        assert!(format!("{handle:?}").contains("closed: false"));
        handle.stop();
        thread.join().expect("no panic");
        assert!(handle.is_closed());
        handle.stop();
    });
}

#[test]
fn callbacks_left_before_the_start_run_in_the_first_turn() -> Outcome {
    let io_loop = IoLoop::new()?;
    let (send, receive) = mpsc::channel();
    let handle = io_loop.handle();
    handle.add_callback(move || send.send(1).expect("somebody listens"))?;
    handle.stop();
    io_loop.start();
    assert_eq!(receive.recv()?, 1);
    Ok(())
}

#[test]
fn spawn_answers_with_the_value_of_a_future_that_need_not_be_send() {
    unless_it_hangs(|| {
        let (handle, thread) = elsewhere();
        let make = || async {
            let local = Rc::new(5);
            sleep(MS).await;
            *local + 1
        };
        let answer = handle.spawn(make).expect("the loop is open");
        assert_eq!(answer.wait(), Ok(6));
        let answer = handle.spawn(make).expect("the loop is open");
        let value = run(async move { Ok(answer.await?) });
        assert_eq!(value.expect("an answer"), 6);
        drop(handle.spawn(make).expect("the loop is open"));
        handle.stop();
        thread.join().expect("no panic");
    });
}

#[test]
fn a_remote_future_that_panics_is_logged_and_answers_that_it_is_gone() -> Outcome {
    let io_loop = IoLoop::new()?;
    let handle = io_loop.handle();
    let line = line!() + 1;
    let answer = handle.spawn(|| async { panic!("far away") })?;
    let maker = handle.spawn(|| {
        if true {
            panic!("in the making");
        }
        async {}
    })?;
    let (result, log) = logged(|| {
        run(async {
            let answer: Result<(), _> = answer.await;
            assert!(answer.is_err());
            assert!(maker.await.is_err());
            Ok(())
        })
    });
    result?;
    assert_eq!(log.len(), 2, "{log:?}");
    let far = log.iter().find(|entry| entry.message.contains("far away"));
    far.ok_or("not logged")?.assert_backtrace();
    far.ok_or("not logged")?.assert_error(line, &["panicked"]);
    Ok(())
}

#[test]
fn an_answer_of_a_loop_that_closes_is_that_it_is_closed() -> Outcome {
    let io_loop = IoLoop::new()?;
    let handle = io_loop.handle();
    let begun = handle.spawn(std::future::pending::<()>)?;
    io_loop.stop();
    io_loop.start();
    let unbegun = handle.spawn(std::future::pending::<()>)?;
    drop(io_loop);
    assert!(begun.wait().is_err());
    let err = unbegun.wait().err().ok_or("a value")?;
    assert!(err.to_string().contains("closed"), "{err}");
    Ok(())
}

#[test]
fn a_panicking_callback_of_another_thread_is_logged_with_its_place() -> Outcome {
    let io_loop = IoLoop::new()?;
    let handle = io_loop.handle();
    let line = line!() + 2;
    let add = move || {
        handle.add_callback(|| panic!("from afar"))?;
        handle.add_callback(stop)
    };
    thread::spawn(add).join().map_err(|_| "panicked")??;
    let ((), log) = logged(|| io_loop.start());
    assert_eq!(log.len(), 1);
    log[0].assert_error(line, &["a callback panicked", "from afar"]);
    Ok(())
}

#[test]
fn a_burst_from_several_threads_arrives_whole() {
    unless_it_hangs(|| {
        let (handle, thread) = elsewhere();
        let sum = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (0..4)
            .map(|_| {
                let sum = Arc::clone(&sum);
                thread::spawn(move || {
                    for _ in 0..2000 {
                        let sum = Arc::clone(&sum);
                        handle
                            .add_callback(move || {
                                sum.fetch_add(1, Ordering::Relaxed);
                            })
                            .expect("the loop is open");
                    }
                })
            })
            .collect();
        for other in others {
            other.join().expect("no panic");
        }
        handle.stop();
        thread.join().expect("no panic");
        assert_eq!(sum.load(Ordering::Relaxed), 8000);
    });
}

#[test]
fn a_handle_of_its_own_loop_works_as_well() -> Outcome {
    run(async {
        let handle = IoLoop::current().handle();
        let answer = handle.spawn(|| async {
            moment().await;
            1
        })?;
        assert_eq!(answer.await?, 1);
        Ok(())
    })
}
