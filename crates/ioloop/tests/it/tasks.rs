//! Tasks: awaiting, cancelling, done callbacks.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use squall_ioloop::{IoLoop, Task, TaskError, moment, sleep, spawn};

use crate::support::{
    Bomb, Flag, LONG, MS, NoteOnDrop, Notes, OnDrop, Outcome, logged, run, stop, unless_it_hangs,
};

/// Runs the loop of this thread for a few turns.
async fn turns(count: usize) {
    for _ in 0..count {
        moment().await;
    }
}

#[test]
fn a_task_gives_its_value() -> Outcome {
    run(async {
        let text = Rc::new(String::from("storm"));
        let task = spawn({
            let text = Rc::clone(&text);
            async move {
                moment().await;
                text
            }
        });
        assert!(!task.is_done());
        assert!(Rc::ptr_eq(&task.await?, &text));
        Ok(())
    })
}

#[test]
fn values_of_all_sizes_and_alignments_come_through() -> Outcome {
    #[repr(align(128))]
    #[derive(Debug, PartialEq, Clone, Copy)]
    struct Aligned(u8);
    run(async {
        spawn(async {}).await?;
        assert_eq!(spawn(ready([7_u8; 5000])).await?, [7; 5000]);
        let large = [1_u64; 1000];
        let sum = spawn(async move {
            moment().await;
            large.iter().sum::<u64>()
        });
        assert_eq!(sum.await?, 1000);
        let aligned = Aligned(3);
        let value = spawn(async move {
            let here = aligned;
            moment().await;
            assert_eq!((&raw const here).addr() % 128, 0);
            here
        });
        assert_eq!(value.await?, Aligned(3));
        Ok(())
    })
}

#[test]
fn a_panic_is_an_error_value() -> Outcome {
    run(async {
        let line = line!() + 1;
        let task = spawn(async { panic!("the {} broke", String::from("mast")) });
        let err: TaskError = task.await.err().ok_or("a value")?;
        assert!(err.is_panic() && !err.is_cancelled() && !err.is_taken() && !err.is_dropped());
        assert_eq!(err.spawned_at().line(), line);
        let text = err.to_string();
        assert!(text.contains("the mast broke"), "{text}");
        assert!(
            text.contains(&format!("tasks.rs:{line}:")),
            "where it was made and where it panicked: {text}"
        );
        assert!(err.backtrace().is_some());
        let payload = err.try_into_panic().map_err(|_| "no payload")?;
        assert_eq!(
            payload.downcast_ref::<String>().map(String::as_str),
            Some("the mast broke")
        );
        Ok(())
    })
}

#[test]
fn cancelling_drops_the_future_at_once() -> Outcome {
    run(async {
        for turns_before in 0..3 {
            let notes = Notes::new();
            let held = NoteOnDrop::new(&notes, "dropped");
            let task = spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            turns(turns_before).await;
            task.cancel();
            assert_eq!(notes.take(), ["dropped"]);
            assert!(task.is_done());
            task.cancel();
            let err = task.await.err().ok_or("a value")?;
            assert!(err.is_cancelled() && !err.is_closed());
            assert!(err.to_string().contains("was cancelled"), "{err}");
            assert!(err.try_into_panic().is_err());
        }
        Ok(())
    })
}

#[test]
fn cancelling_a_finished_task_leaves_its_value() -> Outcome {
    run(async {
        let task = spawn(async { 5 });
        turns(2).await;
        assert!(task.is_done());
        task.cancel();
        assert_eq!(task.await?, 5);
        Ok(())
    })
}

#[test]
fn a_task_that_cancels_itself_goes_on_to_its_next_wait() -> Outcome {
    for finishes in [false, true] {
        run(async move {
            let own: Rc<RefCell<Option<Task<u32>>>> = Rc::default();
            let inner = Rc::clone(&own);
            let notes = Notes::new();
            let inside = notes.clone();
            let held = NoteOnDrop::new(&notes, "dropped");
            let task = spawn(async move {
                let _held = held;
                moment().await;
                if let Some(task) = &*inner.borrow() {
                    task.cancel();
                    task.cancel();
                    assert!(!task.is_done());
                }
                inside.add("goes on");
                if !finishes {
                    pending::<()>().await;
                }
                1
            });
            *own.borrow_mut() = Some(task);
            turns(4).await;
            assert_eq!(notes.take(), ["goes on", "dropped"]);
            let task = own.take().ok_or("taken")?;
            assert_eq!(task.await.is_ok(), finishes);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_task_may_drop_its_own_handle() -> Outcome {
    run(async {
        let own: Rc<RefCell<Option<Task<Rc<()>>>>> = Rc::default();
        let inner = Rc::clone(&own);
        let value = Rc::new(());
        let result = Rc::clone(&value);
        let task = spawn(async move {
            moment().await;
            drop(inner.take());
            moment().await;
            result
        });
        *own.borrow_mut() = Some(task);
        turns(5).await;
        assert_eq!(Rc::strong_count(&value), 1);
        // Kept by its own future, so that the handle is dropped together with it.
        let own: Rc<RefCell<Option<Task<()>>>> = Rc::default();
        let inner = Rc::clone(&own);
        let task = spawn(async move {
            let _inner = inner;
            moment().await;
        });
        *own.borrow_mut() = Some(task);
        drop(own);
        turns(4).await;
        assert_eq!(IoLoop::current().task_count(), 1);
        Ok(())
    })
}

#[test]
fn done_callbacks_run_in_order_in_a_later_turn_and_before_the_awaiter() -> Outcome {
    run(async {
        let notes = Notes::new();
        let task = spawn(async {
            moment().await;
            3
        });
        for number in 0..5 {
            let inner = notes.clone();
            task.add_done_callback(move |value| {
                assert_eq!(value.ok(), Some(&3));
                inner.add(number);
            });
        }
        assert_eq!(task.await?, 3);
        assert_eq!(notes.take(), [0, 1, 2, 3, 4]);
        Ok(())
    })
}

#[test]
fn a_done_callback_of_a_finished_task_still_runs_in_a_later_turn() -> Outcome {
    run(async {
        let task = spawn(async { 3 });
        turns(2).await;
        let ran = Flag::default();
        let sets = ran.sets();
        task.add_done_callback(move |_| sets());
        assert!(task.is_done() && !ran.is_set());
        moment().await;
        assert!(ran.is_set());
        let again = Flag::default();
        let sets = again.sets();
        task.add_done_callback(move |_| sets());
        assert!(!again.is_set());
        assert_eq!(task.await?, 3);
        assert!(again.is_set(), "callbacks come before whoever awaits");
        Ok(())
    })
}

#[test]
fn a_done_callback_may_add_another_and_drop_the_handle() -> Outcome {
    run(async {
        let notes = Notes::new();
        let task = Rc::new(RefCell::new(Some(spawn(async { String::from("x") }))));
        let (inner, holder) = (notes.clone(), Rc::clone(&task));
        let add = move |value: Result<&String, &TaskError>| {
            inner.add(format!("outer {}", value.map_or("", |text| text)));
            let again = inner.clone();
            if let Some(task) = &*holder.borrow() {
                task.cancel();
                task.add_done_callback(move |value| {
                    again.add(format!("inner {}", value.map_or("", |text| text)));
                });
            }
            let last = inner.clone();
            IoLoop::current().add_callback(move || last.add("later".to_owned()));
            drop(holder.take());
        };
        if let Some(task) = &*task.borrow() {
            task.add_done_callback(add);
        }
        turns(5).await;
        assert_eq!(notes.take(), ["outer x", "later", "inner x"]);
        Ok(())
    })
}

#[test]
fn an_awaiter_waits_for_callbacks_that_callbacks_add() -> Outcome {
    run(async {
        let task = Rc::new(spawn(async { 1 }));
        let ran = Flag::default();
        let (inner, sets) = (Rc::downgrade(&task), ran.sets());
        task.add_done_callback(move |_| {
            if let Some(task) = inner.upgrade() {
                task.add_done_callback(move |_| sets());
            }
        });
        turns(4).await;
        assert!(ran.is_set());
        let task = Rc::into_inner(task).ok_or("held")?;
        assert_eq!(task.await?, 1);
        Ok(())
    })
}

#[test]
fn a_panicking_done_callback_keeps_none_of_the_others_from_running() -> Outcome {
    let notes = Notes::new();
    let inner = notes.clone();
    let (result, log) = logged(|| {
        run(async move {
            let task = spawn(async { 1 });
            for number in 0..4 {
                let notes = inner.clone();
                task.add_done_callback(move |_| {
                    notes.add(number);
                    match number {
                        1 => panic!("one"),
                        2 => std::panic::panic_any(Bomb),
                        _ => {}
                    }
                });
            }
            assert_eq!(task.await?, 1);
            Ok(())
        })
    });
    result?;
    assert_eq!(notes.take(), [0, 1, 2, 3]);
    assert_eq!(log.len(), 2, "{log:?}");
    Ok(())
}

#[test]
fn a_dropped_handle_leaves_the_work_and_the_callbacks() -> Outcome {
    run(async {
        let notes = Notes::new();
        let value = NoteOnDrop::new(&notes, "value dropped");
        let task = spawn(async move {
            moment().await;
            value
        });
        let inner = notes.clone();
        task.add_done_callback(move |value| {
            assert!(value.is_ok());
            inner.add("callback");
        });
        drop(task);
        turns(4).await;
        assert_eq!(notes.take(), ["callback", "value dropped"]);
        Ok(())
    })
}

#[test]
fn a_value_can_be_taken_once() -> Outcome {
    run(async {
        let mut task = spawn(async { Rc::new(5) });
        assert_eq!(*(&mut task).await?, 5);
        let err = (&mut task).await.err().ok_or("twice")?;
        assert!(err.is_taken());
        assert!(err.to_string().contains("already taken"), "{err}");
        let told = Flag::default();
        let sets = told.sets();
        task.add_done_callback(move |result| {
            assert!(result.is_err_and(TaskError::is_taken));
            sets();
        });
        moment().await;
        assert!(told.is_set());
        Ok(())
    })
}

#[test]
fn giving_up_awaiting_loses_nothing() -> Outcome {
    run(async {
        let mut task = spawn(async {
            turns(3).await;
            9
        });
        for _ in 0..2 {
            let mut once = &mut task;
            poll_fn(|cx| {
                assert!(Pin::new(&mut once).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        assert_eq!(task.await?, 9);
        Ok(())
    })
}

#[test]
fn the_last_one_to_await_is_the_one_who_is_told() -> Outcome {
    run(async {
        let mut task = spawn(async {
            turns(2).await;
            1
        });
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut task).poll(&mut nobody).is_pending());
        assert_eq!(task.await?, 1);
        Ok(())
    })
}

#[test]
fn a_future_that_panics_when_it_is_dropped_is_logged() -> Outcome {
    let line = line!() + 3;
    let (result, log) = logged(|| {
        run(async {
            let task = spawn(async {
                let _bomb = Bomb;
                pending::<()>().await;
            });
            moment().await;
            task.cancel();
            assert!(task.await.is_err_and(|err| err.is_cancelled()));
            Ok(())
        })
    });
    result?;
    assert_eq!(log.len(), 1, "{log:?}");
    log[0].assert_error(line, &["dropping a future panicked", "dropped a bomb"]);
    log[0].assert_backtrace();
    Ok(())
}

#[test]
fn a_value_that_panics_when_it_is_dropped_is_logged() -> Outcome {
    let (result, log) = logged(|| {
        run(async {
            drop(spawn(async { Bomb }));
            turns(3).await;
            let task = spawn(async { Bomb });
            task.add_done_callback(|_| ());
            drop(task);
            turns(3).await;
            Ok(())
        })
    });
    result?;
    assert_eq!(log.len(), 2, "{log:?}");
    Ok(())
}

#[test]
fn add_future_runs_its_callback_with_the_result() -> Outcome {
    let io_loop = IoLoop::new()?;
    let got = Rc::new(Cell::new(0));
    let inner = Rc::clone(&got);
    io_loop.add_future(
        async {
            sleep(MS).await;
            5
        },
        move |value| {
            inner.set(*value.expect("no panic"));
            stop();
        },
    );
    io_loop.start();
    assert_eq!(got.get(), 5);
    Ok(())
}

#[test]
fn a_finished_task_does_not_hear_its_wakers() -> Outcome {
    run(async {
        let kept: Rc<RefCell<Vec<Waker>>> = Rc::default();
        let inner = Rc::clone(&kept);
        let task = spawn(poll_fn(move |cx| {
            inner.borrow_mut().push(cx.waker().clone());
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            if inner.borrow().len() == 3 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        turns(6).await;
        assert!(task.is_done());
        drop(task);
        for waker in kept.take() {
            waker.wake_by_ref();
            let twin = waker.clone();
            twin.wake();
            drop(waker);
        }
        Ok(())
    })
}

#[test]
fn the_waker_of_a_poll_may_be_lent_to_other_threads() {
    unless_it_hangs(|| {
        run(async {
            for _ in 0..200 {
                let mut polls = 0;
                let task = spawn(poll_fn(move |cx| {
                    polls += 1;
                    if polls > 3 {
                        return Poll::Ready(());
                    }
                    let waker = cx.waker();
                    std::thread::scope(|scope| {
                        for _ in 0..2 {
                            scope.spawn(|| {
                                waker.wake_by_ref();
                                let twin = waker.clone();
                                twin.wake();
                            });
                        }
                        waker.wake_by_ref();
                        drop(waker.clone());
                    });
                    Poll::Pending
                }));
                task.await?;
            }
            Ok(())
        })
        .expect("every task is done");
    });
}

#[test]
fn cancelling_many_tasks_from_one_of_them() -> Outcome {
    run(async {
        let tasks: Rc<RefCell<Vec<Task<()>>>> = Rc::default();
        let ended = Rc::new(Cell::new(0));
        for _ in 0..100 {
            let (all, ended) = (Rc::clone(&tasks), Rc::clone(&ended));
            let held = OnDrop::new(move || ended.set(ended.get() + 1));
            let task = spawn(async move {
                let _held = held;
                moment().await;
                for task in &*all.borrow() {
                    task.cancel();
                }
                sleep(LONG).await;
            });
            tasks.borrow_mut().push(task);
        }
        turns(4).await;
        assert_eq!(ended.get(), 100);
        assert!(tasks.take().iter().all(Task::is_done));
        Ok(())
    })
}

#[test]
fn a_task_shows_where_it_was_spawned() -> Outcome {
    run(async {
        let task = spawn(async {});
        let at = task.spawned_at();
        assert!(at.file().ends_with("tasks.rs") && at.line() == line!() - 2);
        let shown = format!("{task:?}");
        assert!(shown.contains("is_done: false") && shown.contains("tasks.rs"));
        task.await?;
        Ok(())
    })
}
