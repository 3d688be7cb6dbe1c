//! What may be done from inside of `ready`: everything.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use squall_ioloop::reactor::ParkedOwner;
use squall_ioloop::{Activity, IoLoop, sleep, spawn};

use super::{Calls, End, owner, pair, settle};
use crate::support::{MS, Notes, Outcome, run};

/// Parked ends by key, which `ready` may take away and add to.
type Ends = Rc<RefCell<HashMap<u32, End>>>;

fn park(ends: &Ends, owner: &ParkedOwner, key: u32, stream: UnixStream) {
    let end = End::new(stream);
    end.registration.clear_readable();
    end.registration.park(owner, key);
    ends.borrow_mut().insert(key, end);
}

#[test]
fn an_event_for_a_descriptor_that_was_closed_and_opened_again_is_dropped() -> Outcome {
    run(async {
        let ends: Ends = Rc::default();
        let fars = Rc::new(RefCell::new(Vec::new()));
        let calls = Notes::new();
        let own: Rc<RefCell<Option<ParkedOwner>>> = Rc::default();
        *own.borrow_mut() = Some(owner({
            let (ends, fars, calls, own) = (
                Rc::clone(&ends),
                Rc::clone(&fars),
                calls.clone(),
                Rc::clone(&own),
            );
            move |key| {
                calls.add(key);
                if calls.len() > 1 {
                    return;
                }
                // The other one's event is in the same batch. Its place is taken before it is told.
                let other = ends.borrow_mut().remove(&(1 - key)).expect("it is there");
                let number = other.stream.as_raw_fd();
                drop(other);
                let (near, far) = pair();
                let reused = [near.as_raw_fd(), far.as_raw_fd()].contains(&number);
                assert!(reused, "the lowest free number is given out");
                let (new, rest) = match near.as_raw_fd() == number {
                    true => (near, far),
                    false => (far, near),
                };
                park(&ends, own.borrow().as_ref().expect("it is set"), 2, new);
                fars.borrow_mut().push(rest);
            }
        }));
        for key in 0..2 {
            let (near, far) = pair();
            park(&ends, own.borrow().as_ref().expect("it is set"), key, near);
            fars.borrow_mut().push(far);
        }
        for far in fars.borrow_mut().iter_mut() {
            far.write_all(b"x")?;
        }
        settle().await;
        sleep(MS).await;
        assert_eq!(calls.take().len(), 1, "neither the old one nor the new");
        // The new one is told of its own.
        fars.borrow_mut()[2].write_all(b"x")?;
        sleep(MS).await;
        assert_eq!(calls.take(), [2]);
        own.take();
        Ok(())
    })
}

#[test]
fn a_registration_may_be_dropped_by_its_own_call() -> Outcome {
    run(async {
        let ends: Ends = Rc::default();
        let calls = Notes::new();
        let owner = owner({
            let (ends, calls) = (Rc::clone(&ends), calls.clone());
            move |key| {
                calls.add(key);
                ends.borrow()[&key].registration.call_again();
                drop(ends.borrow_mut().remove(&key));
            }
        });
        let (near, mut far) = pair();
        park(&ends, &owner, 5, near);
        far.write_all(b"x")?;
        sleep(MS).await;
        assert_eq!(calls.take(), [5], "what was queued is gone with it");
        Ok(())
    })
}

#[test]
fn an_owner_may_go_inside_of_its_call_and_takes_the_calls_along() -> Outcome {
    run(async {
        let own: Rc<RefCell<Option<ParkedOwner>>> = Rc::default();
        let calls = Rc::new(Cell::new(0));
        *own.borrow_mut() = Some(owner({
            let (own, calls) = (Rc::clone(&own), Rc::clone(&calls));
            move |_| {
                calls.set(calls.get() + 1);
                own.take();
            }
        }));
        let mut pairs = Vec::new();
        for key in 0..10 {
            let (near, mut far) = pair();
            let end = End::new(near);
            end.registration
                .park(own.borrow().as_ref().expect("it is set"), key);
            far.write_all(b"x")?;
            pairs.push((end, far));
        }
        settle().await;
        assert_eq!(calls.get(), 1);

        // One with the same number gets none of what was for the first.
        let others = Notes::new();
        let second = owner({
            let others = others.clone();
            move |key| others.add(key)
        });
        for (_, far) in &mut pairs {
            far.write_all(b"y")?;
        }
        sleep(MS).await;
        assert_eq!(others.take(), []);
        pairs[3].0.registration.park(&second, 33);
        sleep(MS).await;
        assert_eq!(others.take(), [33]);
        Ok(())
    })
}

#[test]
fn ready_may_spawn_register_and_park() -> Outcome {
    run(async {
        let ends: Ends = Rc::default();
        let fars = Rc::new(RefCell::new(Vec::new()));
        let own: Rc<RefCell<Option<ParkedOwner>>> = Rc::default();
        *own.borrow_mut() = Some(owner({
            let (ends, fars, own) = (Rc::clone(&ends), Rc::clone(&fars), Rc::clone(&own));
            move |key| {
                ends.borrow()[&key].drain();
                if key == 500 {
                    return;
                }
                // More than a chunk of slots is added while events are handed out.
                let (near, mut far) = pair();
                far.write_all(b"x").expect("there is room");
                park(
                    &ends,
                    own.borrow().as_ref().expect("it is set"),
                    key + 1,
                    near,
                );
                fars.borrow_mut().push(far);
                ends.borrow()[&key].registration.unpark();
                drop(spawn(async {}));
            }
        }));
        let (near, mut far) = pair();
        park(&ends, own.borrow().as_ref().expect("it is set"), 0, near);
        far.write_all(b"x")?;
        while ends.borrow().len() <= 500 {
            sleep(MS).await;
        }
        own.take();
        Ok(())
    })
}

#[test]
fn a_loop_may_be_stopped_and_started_and_closed_by_a_call() -> Outcome {
    let io_loop = IoLoop::new()?;
    let (near, mut far) = pair();
    let end = Rc::new(End::new(near));
    let sum = Rc::new(Cell::new(0));
    let owner = owner({
        let (end, sum) = (Rc::clone(&end), Rc::clone(&sum));
        move |_| {
            sum.set(sum.get() + end.drain().0);
            IoLoop::current().stop();
            if sum.get() == 100 {
                IoLoop::current().close();
            }
        }
    });
    end.registration.clear_readable();
    end.registration.park(&owner, 0);
    for round in 1..=100 {
        // Between two runs nobody looks.
        far.write_all(b"x")?;
        io_loop.start();
        assert_eq!(sum.get(), round);
    }
    assert!(io_loop.is_closed());
    Ok(())
}

#[test]
fn the_observer_is_told_of_calls_with_the_place_of_the_owner() -> Outcome {
    let spans = Notes::new();
    let line = line!() + 12;
    run({
        let spans = spans.clone();
        async move {
            let observed = spans.clone();
            IoLoop::current().observe(move |span| {
                if let Activity::Run { location } = span.activity {
                    observed.add((location.file(), location.line()));
                }
            });
            let (near, mut far) = pair();
            let end = End::new(near);
            let owner = ParkedOwner::new(Rc::new(Calls(|_| {})));
            end.registration.clear_readable();
            end.registration.park(&owner, 0);
            far.write_all(b"x")?;
            sleep(MS).await;
            Ok(())
        }
    })?;
    let spans = spans.take();
    assert!(spans.contains(&(file!(), line)), "{spans:?}");
    Ok(())
}
