//! Promises: values that are settled by hand.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::callbacks::Callbacks;
use crate::core::Core;
use crate::error::TaskError;
use crate::ioloop::IoLoop;
use crate::task::Task;
use crate::unit::Unit;

/// Makes a promise and the resolver that settles it; Tornado's bare `Future()`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use squall_ioloop::{IoLoop, promise};
///
/// let text = IoLoop::run_sync(async {
///     let (resolver, promise) = promise();
///     IoLoop::current().call_later(Duration::from_millis(1), move || {
///         resolver.resolve("not blocking");
///     });
///     Ok::<_, std::io::Error>(promise.await?)
/// })?;
/// assert_eq!(text, "not blocking");
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn promise<T: 'static>() -> (Resolver<T>, Promise<T>) {
    let cell = Rc::new(PromiseCell {
        location: Location::caller(),
        state: RefCell::new(State::Pending),
        notifying: Cell::new(false),
        joiner: Cell::new(None),
        callbacks: RefCell::default(),
        core: RefCell::default(),
    });
    let resolver = Resolver {
        cell: Some(Rc::clone(&cell)),
    };
    (resolver, Promise { cell })
}

struct PromiseCell<T> {
    location: &'static Location<'static>,
    state: RefCell<State<T>>,
    /// Callbacks stand in the queue: whoever awaits comes after them.
    notifying: Cell<bool>,
    joiner: Cell<Option<Waker>>,
    callbacks: RefCell<Callbacks<T>>,
    /// The loop that the callbacks run on: the one they were added on.
    core: RefCell<Weak<Core>>,
}

enum State<T> {
    Pending,
    Settled(Result<T, TaskError>),
    Taken,
}

impl<T: 'static> PromiseCell<T> {
    /// Puts the callbacks in the loop's queue, if there are any and they do not stand there yet.
    fn notify_later(self: &Rc<Self>) {
        if self.notifying.get() || self.callbacks.borrow().is_empty() {
            return;
        }
        let Some(core) = self.core.borrow().upgrade() else {
            return;
        };
        self.notifying.set(true);
        let notice = Notice(Some(Rc::clone(self)));
        core.push(Unit::new(move || notice.deliver(), self.location));
    }

    fn notify(self: Rc<Self>) {
        let callbacks = self.callbacks.take();
        {
            let state = self.state.borrow();
            let taken;
            let result = match &*state {
                State::Settled(result) => result.as_ref(),
                _ => {
                    taken = TaskError::taken(self.location);
                    Err(&taken)
                }
            };
            callbacks.run(result);
        }
        self.notifying.set(false);
        self.wake();
        self.notify_later();
    }
}

/// Stands in the loop's queue for the callbacks of a settled promise.
struct Notice<T>(Option<Rc<PromiseCell<T>>>);

impl<T: 'static> Notice<T> {
    fn deliver(mut self) {
        if let Some(cell) = self.0.take() {
            cell.notify();
        }
    }
}

impl<T> Drop for Notice<T> {
    fn drop(&mut self) {
        // Not delivered: the loop was closed. The callbacks go with it, and whoever awaits, perhaps on
        // another loop, need not wait for them.
        if let Some(cell) = self.0.take() {
            drop(cell.callbacks.take());
            cell.notifying.set(false);
            cell.wake();
        }
    }
}

impl<T> PromiseCell<T> {
    fn is_settled(&self) -> bool {
        !matches!(&*self.state.borrow(), State::Pending)
    }

    fn wake(&self) {
        if let Some(joiner) = self.joiner.take() {
            joiner.wake();
        }
    }
}

/// Settles a [`Promise`].
///
/// **Dropping it without settling is an error at the other end**, so that nobody waits for ever.
pub struct Resolver<T: 'static> {
    /// `None` once it has settled the promise.
    cell: Option<Rc<PromiseCell<T>>>,
}

impl<T: 'static> Resolver<T> {
    /// Gives the promise its value; Tornado's `set_result`. Whoever awaits it goes on in a later turn.
    pub fn resolve(mut self, value: T) {
        self.settle(Ok(value));
    }

    /// Ends the promise with an error, that of another task or promise; Tornado's `set_exception`.
    pub fn reject(mut self, error: TaskError) {
        self.settle(Err(error));
    }

    /// Whether nobody waits any more: the promise was dropped.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.cell
            .as_ref()
            .is_none_or(|cell| Rc::strong_count(cell) == 1)
    }

    fn settle(&mut self, result: Result<T, TaskError>) {
        let Some(cell) = self.cell.take() else {
            return;
        };
        *cell.state.borrow_mut() = State::Settled(result);
        cell.notify_later();
        if !cell.notifying.get() {
            cell.wake();
        }
    }
}

impl<T: 'static> Drop for Resolver<T> {
    fn drop(&mut self) {
        if let Some(location) = self.cell.as_ref().map(|cell| cell.location) {
            self.settle(Err(TaskError::dropped(location)));
        }
    }
}

impl<T: 'static> fmt::Debug for Resolver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

/// A value that somebody else will settle: see [`promise`].
///
/// # Cancel safety
///
/// Awaiting a promise by `&mut promise` and dropping that future loses nothing.
#[must_use = "await it, or add a done callback"]
pub struct Promise<T: 'static> {
    cell: Rc<PromiseCell<T>>,
}

impl<T: 'static> Promise<T> {
    /// Runs `callback` with the value or the error once the promise is settled.
    ///
    /// Any number may be added; they run in the order in which they were added, always from a later
    /// turn of the loop, also when the promise is settled already, and before anybody who awaits it
    /// goes on. A callback that panics is logged with the place that added it. They run also when the
    /// promise itself has been dropped.
    ///
    /// # Panics
    ///
    /// Panics off a loop, as [`IoLoop::current`] does: the callback would have no turn to run in.
    #[track_caller]
    pub fn add_done_callback(&self, callback: impl FnOnce(Result<&T, &TaskError>) + 'static) {
        let io_loop = IoLoop::current();
        *self.cell.core.borrow_mut() = Rc::downgrade(io_loop.core());
        let mut callbacks = self.cell.callbacks.borrow_mut();
        callbacks.add(callback, Location::caller());
        drop(callbacks);
        if self.is_done() {
            self.cell.notify_later();
        }
    }

    /// Whether the promise was settled, with a value or an error.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.cell.is_settled()
    }
}

impl<T: 'static> Future for Promise<T> {
    /// The value, or why there is none.
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let cell = &self.cell;
        if !cell.is_settled() || cell.notifying.get() {
            let known = cell
                .joiner
                .take()
                .filter(|joiner| joiner.will_wake(cx.waker()));
            cell.joiner
                .set(Some(known.unwrap_or_else(|| cx.waker().clone())));
            return Poll::Pending;
        }
        match cell.state.replace(State::Taken) {
            State::Settled(result) => Poll::Ready(result),
            _ => Poll::Ready(Err(TaskError::taken(cell.location))),
        }
    }
}

impl<T: 'static> Drop for Promise<T> {
    fn drop(&mut self) {
        drop(self.cell.joiner.take());
    }
}

impl<T: 'static> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise")
            .field("is_done", &self.is_done())
            .finish_non_exhaustive()
    }
}

/// Has a resolver settled with whatever a task ends with; Tornado's `chain_future`.
///
/// When the promise has been dropped the task goes on, and its value is dropped.
#[track_caller]
pub fn chain<T: 'static>(task: Task<T>, resolver: Resolver<T>) {
    IoLoop::current().spawn_callback(async move {
        match task.await {
            Ok(value) => resolver.resolve(value),
            Err(error) => resolver.reject(error),
        }
    });
}

/// Turns a function that takes a callback into a future; Tornado's `gen.Task`.
///
/// `start` is called at once, with the callback to hand on. The future is ready when the callback
/// was called.
///
/// # Errors
///
/// A [`TaskError`] that [`is_dropped`](TaskError::is_dropped) when the callback was dropped without
/// being called.
///
/// # Examples
///
/// ```
/// use squall_ioloop::{IoLoop, from_callback};
///
/// fn multiply(a: u32, b: u32, done: impl FnOnce(u32) + 'static) {
///     IoLoop::current().add_callback(move || done(a * b));
/// }
///
/// let product = IoLoop::run_sync(async {
///     Ok::<_, std::io::Error>(from_callback(|done| multiply(6, 7, done)).await?)
/// })?;
/// assert_eq!(product, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn from_callback<T: 'static>(start: impl FnOnce(Box<dyn FnOnce(T)>)) -> Promise<T> {
    let (resolver, promise) = promise();
    start(Box::new(move |value| resolver.resolve(value)));
    promise
}

/// [`from_callback`] for functions that call back on another thread.
///
/// # Errors
///
/// [`CallbackDropped`] when the callback was dropped without being called.
///
/// # Cancel safety
///
/// Dropping the future loses the value; calling the callback then does nothing.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use squall_ioloop::{IoLoop, from_send_callback};
///
/// let answer = IoLoop::run_sync(async {
///     let answer = from_send_callback(|done| {
///         thread::spawn(move || done(42));
///     });
///     Ok::<_, Box<dyn std::error::Error>>(answer.await?)
/// })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_send_callback<T: Send + 'static>(
    start: impl FnOnce(Box<dyn FnOnce(T) + Send>),
) -> impl Future<Output = Result<T, CallbackDropped>> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    start(Box::new(move |value| {
        // Nobody waits any more when this fails, which is their right.
        let _ = sender.send(value);
    }));
    async move { receiver.await.map_err(|_| CallbackDropped) }
}

/// A callback given out by [`from_send_callback`] was dropped without being called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackDropped;

impl fmt::Display for CallbackDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the callback was dropped without being called")
    }
}

impl std::error::Error for CallbackDropped {}
