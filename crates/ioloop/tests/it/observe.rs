//! What an observer is told.

use std::cell::RefCell;
use std::rc::Rc;

use squall_ioloop::{Activity, IoLoop, Span, ThreadPoolExecutor, sleep};

use crate::support::{MS, Outcome, logged, run, stop, unless_it_hangs};

#[test]
fn an_observer_is_told_of_runs_waits_and_pool_work_in_order() -> Outcome {
    let io_loop = IoLoop::new()?;
    let spans: Rc<RefCell<Vec<Span>>> = Rc::default();
    let inner = Rc::clone(&spans);
    io_loop.observe(move |span| inner.borrow_mut().push(span));
    let pool = ThreadPoolExecutor::new(1);
    let line = line!() + 2;
    run(async move {
        pool.submit(std::thread::yield_now).await?;
        sleep(2 * MS).await;
        Ok(())
    })?;
    io_loop.stop_observing();
    let count = spans.borrow().len();
    io_loop.stop();
    io_loop.start();
    assert_eq!(spans.borrow().len(), count);
    let spans = spans.borrow();
    assert!(spans.iter().all(|span| span.start <= span.end));
    assert!(spans.iter().any(|span| span.activity == Activity::Wait));
    let pools: Vec<_> = spans
        .iter()
        .filter_map(|span| match &span.activity {
            Activity::Pool { thread, location } => Some((thread.as_str(), location.line())),
            _ => None,
        })
        .collect();
    assert_eq!(pools, [("squall-pool-0", line)]);
    let ours = |span: &&Span| matches!(&span.activity, Activity::Run { location } if location.file().contains("tests/it/"));
    assert!(spans.iter().filter(ours).count() >= 3);
    Ok(())
}

#[test]
fn an_observer_may_take_itself_away() -> Outcome {
    let io_loop = IoLoop::new()?;
    let told = Rc::new(RefCell::new(0));
    let (inner, own) = (Rc::clone(&told), Rc::downgrade(&Rc::new(())));
    io_loop.observe(move |_| {
        let _ = &own;
        *inner.borrow_mut() += 1;
        IoLoop::current().stop_observing();
    });
    for _ in 0..5 {
        io_loop.add_callback(|| ());
    }
    io_loop.stop();
    io_loop.start();
    assert_eq!(*told.borrow(), 1);
    Ok(())
}

#[test]
fn an_observer_that_panics_is_logged_and_the_loop_goes_on() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let line = line!() + 1;
        io_loop.observe(|_| panic!("seen too much"));
        io_loop.call_later(30 * MS, stop);
        let ((), log) = logged(|| io_loop.start());
        assert!(log.len() >= 2, "of the timer and of the wait: {log:?}");
        for entry in log {
            entry.assert_error(line, &["the observer panicked", "seen too much"]);
        }
    });
}
