//! What the tests of locks and queues hold in hand: a future polled step by step, with a waker that remembers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Numbers wake-ups and wakers.
static CLOCK: AtomicUsize = AtomicUsize::new(1);

/// A future with a waker of its own.
pub(crate) struct Probe<F> {
    future: Pin<Box<F>>,
    woken: Arc<Woken>,
}

/// When it was woken last, by `CLOCK`; 0 for never.
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0
            .store(CLOCK.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl<F: Future> Probe<F> {
    pub(crate) fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            woken: Arc::new(Woken(AtomicUsize::new(0))),
        }
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls with a new waker; the old one must not be called after this.
    pub(crate) fn poll_as_other_task(&mut self) -> Poll<F::Output> {
        self.woken = Arc::new(Woken(AtomicUsize::new(0)));
        self.poll()
    }

    #[track_caller]
    pub(crate) fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the future is still waiting"),
        }
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken_at() != 0
    }

    fn woken_at(&self) -> usize {
        self.woken.0.load(Ordering::Relaxed)
    }
}

/// The indices of those who were woken, in the order in which it happened.
pub(crate) fn order_of_wakes<F: Future>(probes: &[Probe<F>]) -> Vec<usize> {
    let mut order: Vec<_> = (0..probes.len())
        .filter(|&index| probes[index].is_woken())
        .collect();
    order.sort_by_key(|&index| probes[index].woken_at());
    order
}

type Actions = BTreeMap<usize, Box<dyn FnOnce()>>;

thread_local! {
    /// What the impatient wakers of this thread will do. A waker is `Send` and cannot hold it itself.
    static ACTIONS: RefCell<Actions> = const { RefCell::new(BTreeMap::new()) };
}

/// A waker that runs `action` inside `wake`, as an impatient executor might, or inside its drop.
pub(crate) fn waker_that_runs(action: impl FnOnce() + 'static) -> Waker {
    struct Impatient(usize);

    impl Wake for Impatient {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Impatient {
        fn drop(&mut self) {
            // A waker may outlive the thread-local values of its thread.
            let action = ACTIONS.try_with(|actions| actions.borrow_mut().remove(&self.0));
            if let Ok(Some(action)) = action {
                action();
            }
        }
    }

    let number = CLOCK.fetch_add(1, Ordering::Relaxed);
    ACTIONS.with_borrow_mut(|actions| actions.insert(number, Box::new(action)));
    Waker::from(Arc::new(Impatient(number)))
}

/// A small pseudo-random sequence (xorshift), the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }
}
