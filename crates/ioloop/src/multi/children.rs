//! Many futures polled as one: only those that were woken, in the order in which they were.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Futures of one type.
pub(super) struct Children<F> {
    /// `None` once a future is done. Pinned: never moved, dropped in its place.
    futures: Box<[Option<F>]>,
    nodes: Vec<Node>,
    group: Arc<Group>,
    /// Taken from the group, to be polled.
    woken: Vec<u32>,
    running: usize,
}

/// What a child's waker refers to, and the waker.
struct Node {
    bell: Arc<Bell>,
    waker: Waker,
}

/// Shared by the wakers of all children, on any thread.
struct Group(Mutex<State>);

struct State {
    /// The children that were woken since the last look, first come first.
    woken: Vec<u32>,
    /// Whoever polls the children, unless he was woken already.
    parent: Option<Waker>,
}

struct Bell {
    group: Arc<Group>,
    index: u32,
    /// Whether the child is in the list of those that were woken.
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut state = self.group.lock();
        state.woken.push(self.index);
        let parent = state.parent.take();
        drop(state);
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock, so poison means nothing here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future> Children<F> {
    pub(super) fn new(futures: impl IntoIterator<Item = F>) -> Self {
        let futures: Box<[Option<F>]> = futures.into_iter().map(Some).collect();
        let running = futures.len();
        // At first every one is polled, from the first to the last.
        let group = Arc::new(Group(Mutex::new(State {
            woken: Vec::new(),
            parent: None,
        })));
        let nodes = (0..running as u32)
            .map(|index| {
                let bell = Arc::new(Bell {
                    group: Arc::clone(&group),
                    index,
                    rung: AtomicBool::new(true),
                });
                let waker = Waker::from(Arc::clone(&bell));
                Node { bell, waker }
            })
            .collect();
        Self {
            futures,
            nodes,
            group,
            woken: (0..running as u32).rev().collect(),
            running,
        }
    }

    /// How many are not done.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// The next one that is done and its output; `None` when all were handed out.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, F::Output)>> {
        loop {
            if self.running == 0 {
                return Poll::Ready(None);
            }
            // The list is taken from its end, so it is kept in reverse.
            while let Some(index) = self.woken.pop() {
                if let Poll::Ready(output) = self.poll_child(index as usize) {
                    self.running -= 1;
                    return Poll::Ready(Some((index as usize, output)));
                }
            }
            let mut state = self.group.lock();
            if state.woken.is_empty() {
                if !state
                    .parent
                    .as_ref()
                    .is_some_and(|known| known.will_wake(cx.waker()))
                {
                    state.parent = Some(cx.waker().clone());
                }
                return Poll::Pending;
            }
            std::mem::swap(&mut state.woken, &mut self.woken);
            drop(state);
            self.woken.reverse();
        }
    }

    fn poll_child(&mut self, index: usize) -> Poll<F::Output> {
        let node = &self.nodes[index];
        // Before the poll: what wakes the child from now on must be seen. A swap and not a store,
        // so that the poll sees what was done before a bell that was rung in vain.
        node.bell.rung.swap(false, Ordering::AcqRel);
        let place = &mut self.futures[index];
        let Some(future) = place else {
            return Poll::Pending;
        };
        // SAFETY: the futures never move: they stay in their box until they are dropped there.
        let future = unsafe { Pin::new_unchecked(future) };
        let output = std::task::ready!(future.poll(&mut Context::from_waker(&node.waker)));
        *place = None;
        Poll::Ready(output)
    }
}

// The futures are pinned in a box of their own.
impl<F> Unpin for Children<F> {}
