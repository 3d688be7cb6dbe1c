//! Promises and what is made of them.

use std::rc::Rc;
use std::thread;

use squall_ioloop::{
    IoLoop, TaskError, chain, from_callback, from_send_callback, moment, promise, sleep, spawn,
};

use crate::support::{Flag, MS, Notes, Outcome, logged, run, stop, unless_it_hangs};

#[test]
fn a_promise_gives_what_its_resolver_was_given() -> Outcome {
    run(async {
        let (resolver, promise) = promise();
        assert!(!promise.is_done() && !resolver.is_abandoned());
        let text = Rc::new("not blocking");
        resolver.resolve(Rc::clone(&text));
        assert!(promise.is_done());
        assert!(Rc::ptr_eq(&promise.await?, &text));
        Ok(())
    })
}

#[test]
fn a_promise_needs_no_loop() {
    let (resolver, made) = promise::<u32>();
    resolver.resolve(1);
    assert!(made.is_done());
    let (resolver, made) = promise::<u32>();
    drop(made);
    assert!(resolver.is_abandoned());
    resolver.resolve(1);
}

#[test]
fn a_dropped_resolver_is_an_error_that_says_where() -> Outcome {
    run(async {
        let (resolver, promise) = promise::<u32>();
        let line = line!() - 1;
        let waits = spawn(promise);
        moment().await;
        drop(resolver);
        let err = waits.await?.err().ok_or("a value")?;
        assert!(err.is_dropped() && !err.is_cancelled());
        let text = err.to_string();
        assert!(text.contains("was dropped without a value"), "{text}");
        assert!(text.contains(&format!("promises.rs:{line}:")), "{text}");
        Ok(())
    })
}

#[test]
fn a_rejected_promise_gives_the_error() -> Outcome {
    run(async {
        let failed = spawn(async { panic!("on purpose") });
        let err: TaskError = failed.await.err().ok_or("a value")?;
        let (resolver, promise) = promise::<u32>();
        resolver.reject(err);
        assert!(promise.await.is_err_and(|err| err.is_panic()));
        Ok(())
    })
}

#[test]
fn callbacks_of_a_promise_run_in_order_later_and_before_the_awaiter() -> Outcome {
    run(async {
        for settled_first in [false, true] {
            let (resolver, promise) = promise::<u32>();
            let mut resolver = Some(resolver);
            if settled_first {
                resolver.take().ok_or("gone")?.resolve(4);
            }
            let notes = Notes::new();
            for number in 0..3 {
                let inner = notes.clone();
                promise.add_done_callback(move |value| {
                    assert_eq!(value.ok(), Some(&4));
                    inner.add(number);
                });
            }
            if let Some(resolver) = resolver {
                resolver.resolve(4);
            }
            assert_eq!(notes.len(), 0);
            assert_eq!(promise.await?, 4);
            assert_eq!(notes.take(), [0, 1, 2]);
        }
        Ok(())
    })
}

#[test]
fn callbacks_run_although_the_promise_is_dropped_and_may_add_others() -> Outcome {
    run(async {
        let (resolver, made) = promise::<u32>();
        let made = Rc::new(made);
        let notes = Notes::new();
        let (inner, again) = (notes.clone(), Rc::downgrade(&made));
        made.add_done_callback(move |_| {
            inner.add("outer");
            let last = inner.clone();
            if let Some(made) = again.upgrade() {
                made.add_done_callback(move |_| last.add("inner"));
            }
        });
        resolver.resolve(1);
        moment().await;
        drop(made);
        moment().await;
        assert_eq!(notes.take(), ["outer", "inner"]);
        let (resolver, made) = promise::<u32>();
        made.add_done_callback(|value| assert!(value.is_err_and(TaskError::is_dropped)));
        drop(made);
        drop(resolver);
        moment().await;
        Ok(())
    })
}

#[test]
fn a_panicking_callback_of_a_promise_is_logged_and_the_awaiter_goes_on() -> Outcome {
    let line = line!() + 5;
    let (result, log) = logged(|| {
        run(async {
            let (resolver, promise) = promise::<u32>();
            let made_at = 0;
            promise.add_done_callback(move |_| panic!("callback {made_at}"));
            promise.add_done_callback(|_| ());
            resolver.resolve(2);
            assert_eq!(promise.await?, 2);
            Ok(())
        })
    });
    result?;
    log[0].assert_error(line, &["a done callback panicked", "callback 0"]);
    assert_eq!(log.len(), 1);
    Ok(())
}

#[test]
fn a_callback_off_a_loop_is_a_panic() {
    let (_resolver, promise) = promise::<u32>();
    let add = std::panic::AssertUnwindSafe(|| promise.add_done_callback(|_| ()));
    assert!(std::panic::catch_unwind(add).is_err());
}

#[test]
fn a_promise_can_be_asked_again_only_in_vain() -> Outcome {
    run(async {
        let (resolver, mut promise) = promise::<u32>();
        resolver.resolve(1);
        assert_eq!((&mut promise).await?, 1);
        assert!((&mut promise).await.is_err_and(|err| err.is_taken()));
        let told = Flag::default();
        let sets = told.sets();
        promise.add_done_callback(move |result| {
            assert!(result.is_err_and(TaskError::is_taken));
            sets();
        });
        moment().await;
        assert!(told.is_set());
        Ok(())
    })
}

#[test]
fn chain_passes_values_errors_and_cancellations_on() -> Outcome {
    run(async {
        let (resolver, made) = promise();
        chain(spawn(async { 5 }), resolver);
        assert_eq!(made.await?, 5);
        let (resolver, made) = promise::<u32>();
        chain(spawn(async { panic!("on purpose") }), resolver);
        assert!(made.await.is_err_and(|err| err.is_panic()));
        let (resolver, made) = promise::<u32>();
        let task = spawn(std::future::pending());
        task.cancel();
        chain(task, resolver);
        assert!(made.await.is_err_and(|err| err.is_cancelled()));
        let (resolver, made) = promise();
        drop(made);
        chain(spawn(async { 1 }), resolver);
        sleep(MS).await;
        Ok(())
    })
}

#[test]
fn from_callback_gives_what_the_callback_was_given() -> Outcome {
    run(async {
        assert_eq!(from_callback(|done| done(1)).await?, 1);
        let later = from_callback(|done| {
            IoLoop::current().call_later(MS, move || done("later"));
        });
        assert_eq!(later.await?, "later");
        let dropped = from_callback::<u32>(drop);
        assert!(dropped.await.is_err_and(|err| err.is_dropped()));
        Ok(())
    })
}

#[test]
fn from_send_callback_takes_answers_of_other_threads() -> Outcome {
    run(async {
        let answer = from_send_callback(|done| {
            thread::spawn(move || done(5));
        });
        assert_eq!(answer.await?, 5);
        let dropped = from_send_callback::<u32>(|done| {
            thread::spawn(move || drop(done));
        });
        let err = dropped.await.err().ok_or("a value")?;
        assert_eq!(
            err.to_string(),
            "the callback was dropped without being called"
        );
        let mut kept = None;
        drop(from_send_callback::<u32>(|done| kept = Some(done)));
        kept.ok_or("not called")?(1);
        Ok(())
    })
}

#[test]
fn a_promise_is_settled_from_a_timer_of_a_started_loop() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let (resolver, promise) = promise();
        io_loop.call_later(MS, move || resolver.resolve(3));
        let sum = Rc::new(std::cell::Cell::new(0));
        let inner = Rc::clone(&sum);
        io_loop.spawn_callback(async move {
            inner.set(promise.await?);
            stop();
            Ok::<_, TaskError>(())
        });
        io_loop.start();
        assert_eq!(sum.get(), 3);
    });
}

#[test]
fn resolvers_and_promises_can_be_shown() {
    let (resolver, promise) = promise::<u32>();
    assert_eq!(format!("{resolver:?}"), "Resolver { .. }");
    assert!(format!("{promise:?}").contains("is_done: false"));
}
