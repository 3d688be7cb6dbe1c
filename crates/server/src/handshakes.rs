//! The handshakes that go on at a time on one loop.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::control::{Member, Phase};

/// Holds the number of handshakes down: one too many costs the oldest its place, which an honest client does not have for
/// longer than two round trips. So clients that connect and stay silent cannot keep others out.
#[derive(Debug)]
pub(crate) struct Handshakes {
    most: usize,
    next: Cell<u64>,
    /// By age; `None` until the first poll.
    running: RefCell<BTreeMap<u64, Option<Waker>>>,
}

impl Handshakes {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            next: Cell::new(0),
            running: RefCell::default(),
        }
    }

    /// Runs a handshake, unless it is cut.
    pub(crate) async fn run<F: Future>(
        self: &Rc<Self>,
        member: &Member,
        handshake: F,
    ) -> Result<F::Output, Cut> {
        let mut handshake = pin!(handshake);
        let place = self.enter();
        poll_fn(|cx| {
            if member.poll_phase(cx) == Phase::Aborting {
                return Poll::Ready(Err(Cut::Stopped));
            }
            if !place.keep(cx) {
                return Poll::Ready(Err(Cut::Oldest));
            }
            handshake.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    fn enter(self: &Rc<Self>) -> Place {
        let number = self.next.get();
        self.next.set(number + 1);
        let mut running = self.running.borrow_mut();
        let oldest = (running.len() >= self.most)
            .then(|| running.pop_first())
            .flatten();
        running.insert(number, None);
        drop(running);
        if let Some((_, Some(waker))) = oldest {
            waker.wake();
        }
        Place {
            handshakes: Rc::clone(self),
            number,
        }
    }
}

/// Why a handshake did not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// It had to give way to younger ones.
    Oldest,
    /// The server stops for good.
    Stopped,
}

/// One handshake's place among those that run.
struct Place {
    handshakes: Rc<Handshakes>,
    number: u64,
}

impl Place {
    /// Says whether the place is still had; the task is woken when it is lost.
    fn keep(&self, cx: &Context<'_>) -> bool {
        let mut running = self.handshakes.running.borrow_mut();
        match running.get_mut(&self.number) {
            Some(Some(waker)) => waker.clone_from(cx.waker()),
            Some(place) => *place = Some(cx.waker().clone()),
            None => return false,
        }
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.handshakes.running.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use squall_ioloop::{IoLoop, moment, spawn};

    use super::*;
    use crate::control::Control;

    #[test]
    fn one_too_many_costs_the_oldest_its_place() {
        IoLoop::run_sync(async {
            let handshakes = Rc::new(Handshakes::new(2));
            let control = Rc::new(Control::default());
            let silent = || {
                let (handshakes, member) = (Rc::clone(&handshakes), control.join());
                spawn(async move { handshakes.run(&member, pending::<()>()).await })
            };
            let (first, second) = (silent(), silent());
            moment().await;
            assert!(!first.is_done());
            let quick = handshakes.run(&control.join(), ready("done")).await;
            assert_eq!(quick, Ok("done"));
            assert_eq!(first.await.unwrap(), Err(Cut::Oldest));
            moment().await;
            assert!(!second.is_done(), "there was room again");
            let _third = silent();
            moment().await;
            assert!(!second.is_done());
            let _fourth = silent();
            moment().await;
            assert_eq!(second.await.unwrap(), Err(Cut::Oldest));
            Ok::<_, squall_ioloop::RunError>(())
        })
        .unwrap();
    }

    #[test]
    fn the_end_of_the_server_ends_them() {
        IoLoop::run_sync(async {
            let handshakes = Rc::new(Handshakes::new(2));
            let control = Rc::new(Control::default());
            let mut member = control.join();
            member.sit_down();
            let running = spawn(async move { handshakes.run(&member, pending::<()>()).await });
            moment().await;
            control.advance(Phase::Stopping);
            moment().await;
            assert!(!running.is_done());
            control.advance(Phase::Aborting);
            assert_eq!(running.await.unwrap(), Err(Cut::Stopped));
            Ok::<_, squall_ioloop::RunError>(())
        })
        .unwrap();
    }
}
