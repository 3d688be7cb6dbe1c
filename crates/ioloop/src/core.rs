//! The state of a loop, as its own thread sees it.

mod events;
mod pump;

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::{io, ptr};

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::clock::Clock;
use crate::descriptor::Handlers;
use crate::error::TaskError;
use crate::executor::ThreadPoolExecutor;
use crate::inbox::{Inbox, SendUnit};
use crate::reactor::Reactor;
use crate::report;
use crate::task::cell::{self, Header};
use crate::task::cells::Cells;
use crate::task::links::TaskList;
use crate::timer::wheel::{Key, Timer, Wheel};
use crate::trace::Recorder;
use crate::unit::{Payload, Unit, Verb};
use pump::{Pump, PumpState};

/// Polls of tasks between two looks at the descriptors. The pump is one task for the runtime and
/// runs many units a poll, so this is lower than the runtime's own default.
const EVENT_INTERVAL: u32 = 8;

/// Threads for what the runtime itself blocks on: name look-ups and files. Blocking work of users
/// has an executor of its own.
const RUNTIME_BLOCKING_THREADS: usize = 4;

thread_local! {
    /// The thread's loop: the first one made on the thread, or the one that runs.
    ///
    /// A `Core` takes itself out when it goes, so the pointer is always good or null.
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };

    /// The loops of the thread in the order in which they were made. A `Core` takes itself out when
    /// it goes.
    static LOOPS: RefCell<Vec<*const Core>> = const { RefCell::new(Vec::new()) };
}

/// Everything a loop has. All of it is for the loop's thread but the mailbox.
pub(crate) struct Core {
    /// Where other threads leave callbacks and woken tasks; also the loop's identity.
    inbox: &'static Inbox,
    generation: u64,
    /// What runs next. Only `push` and `pop` touch it, neither of which runs foreign code.
    queue: UnsafeCell<VecDeque<Unit>>,
    /// Room for what the mailbox hands over.
    received: RefCell<Vec<SendUnit>>,
    tasks: TaskList,
    cells: Cells,
    timers: RefCell<Wheel>,
    pub(crate) clock: Clock,
    /// Jobs on thread pools that will come back to this loop; a paused clock stands still for them.
    pub(crate) away: Cell<usize>,
    pump: PumpState,
    /// Where the unit that runs was made, for the log.
    location: Cell<&'static Location<'static>>,
    running: Cell<bool>,
    stop: Cell<bool>,
    /// Wakes `start`, so that it sees `stop`.
    root: RefCell<Option<Waker>>,
    closed: Cell<bool>,
    /// `close` was called while the loop ran.
    close_later: Cell<bool>,
    /// The core is being dropped: no new handle to it may be made.
    going: Cell<bool>,
    runtime: RefCell<Option<Rc<LocalRuntime>>>,
    pub(crate) executor: RefCell<Option<ThreadPoolExecutor>>,
    pub(crate) handlers: Handlers,
    pub(crate) reactor: Rc<Reactor>,
    pub(crate) recorder: Recorder,
}

impl Core {
    pub(crate) fn new(clock: Clock) -> io::Result<Rc<Self>> {
        report::install_panic_hook();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(EVENT_INTERVAL)
            .max_blocking_threads(RUNTIME_BLOCKING_THREADS)
            .on_thread_park(|| {
                Self::with_current(Self::before_park);
            })
            .on_thread_unpark(|| {
                Self::with_current(|core| core.recorder.unparked());
            })
            .build_local(LocalOptions::default())?;
        let (inbox, generation) = Inbox::take();
        let core = Rc::new(Self {
            inbox,
            generation,
            queue: UnsafeCell::new(VecDeque::new()),
            received: RefCell::default(),
            tasks: TaskList::new(),
            cells: Cells::new(),
            timers: RefCell::new(Wheel::new()),
            clock,
            away: Cell::new(0),
            pump: PumpState::new(),
            location: Cell::new(Location::caller()),
            running: Cell::new(false),
            stop: Cell::new(false),
            root: RefCell::default(),
            closed: Cell::new(false),
            close_later: Cell::new(false),
            going: Cell::new(false),
            runtime: RefCell::new(Some(Rc::new(runtime))),
            executor: RefCell::default(),
            handlers: Handlers::default(),
            reactor: Rc::new(Reactor::new(inbox, generation)),
            recorder: Recorder::default(),
        });
        // It fails only while the thread ends, and then nobody asks for the current loop any more.
        let _ = LOOPS.try_with(|loops| loops.borrow_mut().push(Rc::as_ptr(&core)));
        if Self::with_current(Self::is_closed).unwrap_or(true) {
            CURRENT.set(Rc::as_ptr(&core));
        }
        Ok(core)
    }

    /// Runs `f` with the loop of this thread, if there is one.
    #[inline]
    pub(crate) fn with_current<R>(f: impl FnOnce(&Self) -> R) -> Option<R> {
        let core = CURRENT.get();
        // SAFETY: a core removes itself from `CURRENT` before it goes; see the note there.
        unsafe { core.as_ref() }.map(f)
    }

    /// How often the loop has begun to run what there is to run.
    pub(crate) fn polls(&self) -> u64 {
        self.pump.polls()
    }

    /// The loop of this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        let core = CURRENT.get();
        if core.is_null() {
            return None;
        }
        // SAFETY: the core is alive, and was made by `Rc::new`; while it is going, its count is zero
        // and must not be raised again.
        unsafe {
            if (*core).going.get() {
                return None;
            }
            Rc::increment_strong_count(core);
            Some(Rc::from_raw(core))
        }
    }

    /// Whether a loop runs on this thread at this moment.
    pub(crate) fn runs_here() -> bool {
        Self::with_current(|core| core.running.get()).unwrap_or(false)
    }

    pub(crate) fn inbox(&self) -> &'static Inbox {
        self.inbox
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn tasks(&self) -> &TaskList {
        &self.tasks
    }

    pub(crate) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Where the unit that runs was made.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location.get()
    }

    /// Notes the place that stands for what runs now, when the unit itself does not know it.
    pub(crate) fn set_location(&self, location: &'static Location<'static>) {
        self.location.set(location);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Puts a unit at the end of the queue: it runs in the next turn.
    #[inline]
    pub(crate) fn push(&self, unit: Unit) {
        if self.closed.get() {
            drop(unit);
            return;
        }
        // SAFETY: see the field: no other reference exists, and pushing runs no foreign code.
        unsafe { (*self.queue.get()).push_back(unit) };
        if self.pump.is_idle() {
            self.pump.wake();
        }
    }

    #[inline]
    fn pop(&self) -> Option<Unit> {
        // SAFETY: as in `push`.
        unsafe { (*self.queue.get()).pop_front() }
    }

    /// Units that wait for their turn.
    pub(crate) fn queued(&self) -> usize {
        // SAFETY: as in `push`.
        unsafe { (*self.queue.get()).len() }
    }

    /// Hands a unit to the loop with that mailbox and generation, which is or was one of this thread.
    pub(crate) fn push_or_post(inbox: &'static Inbox, generation: u64, unit: Unit) {
        let mut unit = Some(unit);
        Self::with_current(|core| {
            if ptr::eq(core.inbox, inbox)
                && core.generation == generation
                && let Some(unit) = unit.take()
            {
                core.push(unit);
            }
        });
        if let Some(unit) = unit {
            // SAFETY: it stays on this thread. A closed loop drops it.
            drop(unsafe { inbox.post(unit, generation) });
        }
    }

    /// Has `timer` run at `tick`, not before.
    pub(crate) fn add_timer(&self, tick: u64, timer: Timer) -> Option<Key> {
        if self.closed.get() {
            // SAFETY: the timer was not run and is dropped once.
            unsafe { (timer.act)(timer.data, Verb::Drop) };
            return None;
        }
        let mut timers = self.timers.borrow_mut();
        if timers.has_passed(tick) {
            let key = timers.insert_due(tick, timer);
            drop(timers);
            self.push(Self::timer_unit(key, nowhere()));
            return Some(key);
        }
        let key = timers.insert(tick, timer);
        drop(timers);
        if self.pump.is_idle() && self.pump.armed_after(tick) {
            self.pump.wake();
        }
        Some(key)
    }

    /// Takes a timer away; false when it has run or was taken away before.
    pub(crate) fn remove_timer(&self, key: Key) -> bool {
        let timer = self.timers.borrow_mut().remove(key);
        let found = timer.is_some();
        if let Some(timer) = timer {
            // SAFETY: it is out of the wheel and was not run.
            unsafe { (timer.act)(timer.data, Verb::Drop) };
        }
        found
    }

    /// Timers that have neither run nor been cancelled.
    pub(crate) fn timer_count(&self) -> usize {
        self.timers.borrow().len()
    }

    /// The unit of a timer that is due. Until it runs the timer can still be cancelled.
    fn timer_unit(key: Key, location: &'static Location<'static>) -> Unit {
        // SAFETY: `act_on_timer` reads the key from the two words; dropping it does nothing.
        unsafe {
            Unit::raw(
                act_on_timer,
                [key.index as usize, key.generation as usize],
                location,
            )
        }
    }

    /// Notes that a job of this loop went to a thread pool, whose answer may come at once.
    pub(crate) fn expect_answer(&self) {
        self.pump.expect_answer();
    }

    /// Asks `start` to return at the end of this turn.
    pub(crate) fn stop(&self) {
        self.stop.set(true);
        if self.pump.is_idle() {
            self.pump.wake();
        }
    }

    /// Runs the loop until `done` is ready (its value is the answer) or the loop was stopped.
    pub(crate) fn run<R>(
        self: &Rc<Self>,
        mut done: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Option<R> {
        let runtime = self.runtime.borrow().clone()?;
        let entered = Entered::enter(self);
        if self.pump.start() {
            drop(runtime.spawn_local(Pump::new(self)));
        }
        let result = runtime.block_on(std::future::poll_fn(|cx| {
            if let Poll::Ready(result) = done(cx) {
                return Poll::Ready(Some(result));
            }
            if self.pump.has_stopped() {
                return Poll::Ready(None);
            }
            *self.root.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        }));
        self.pump.pause();
        self.stop.set(false);
        drop(entered);
        drop(runtime);
        if self.close_later.get() {
            self.close();
        }
        result
    }

    /// Ends everything on the loop; a running loop is stopped first and closed then.
    pub(crate) fn close(&self) {
        if self.running.get() {
            self.close_later.set(true);
            self.stop();
            return;
        }
        if self.closed.replace(true) {
            return;
        }
        let _entered = Entered::enter(self);
        let mail = self.inbox.shut();
        self.handlers.clear();
        self.close_reactor();
        while let Some(member) = self.tasks.first() {
            let header = Header::from_links(member);
            // SAFETY: members of the list are alive, and this is the loop's thread. Cancelling takes
            // the task out of the list.
            unsafe {
                let location = header.as_ref().location();
                cell::cancel(header, TaskError::closed(location));
            }
        }
        drop(mail);
        while let Some(unit) = self.pop() {
            drop(unit);
        }
        let timers = self.timers.borrow_mut().clear();
        for timer in timers {
            // SAFETY: the wheel handed it out once, and it was not run.
            unsafe { (timer.act)(timer.data, Verb::Drop) };
        }
        drop(self.executor.take());
        self.pump.forget();
        drop(self.root.take());
        if let Some(runtime) = self.runtime.take().and_then(Rc::into_inner) {
            // A plain drop would wait for blocking work, and panic inside another runtime.
            runtime.shutdown_background();
        }
    }

    /// Enters the runtime, so that sockets can be made for it.
    pub(crate) fn with_runtime<R>(&self, f: impl FnOnce() -> R) -> R {
        let runtime = self.runtime.borrow().clone();
        let _entered = runtime.as_ref().map(|runtime| runtime.enter());
        f()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.going.set(true);
        self.close();
        let this = ptr::from_ref(self);
        let _ = LOOPS.try_with(|loops| loops.borrow_mut().retain(|known| *known != this));
        if CURRENT.get() == this {
            CURRENT.set(first_of_thread());
        }
        self.inbox.give_back();
    }
}

/// Makes a loop the current one of its thread, and puts back the one before.
struct Entered<'a> {
    core: &'a Core,
    before: *const Core,
    was_running: bool,
}

impl<'a> Entered<'a> {
    fn enter(core: &'a Core) -> Self {
        Self {
            core,
            before: CURRENT.replace(core),
            was_running: core.running.replace(true),
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.core.running.set(self.was_running);
        // The one before may have gone in the meantime.
        let there = LOOPS.try_with(|loops| loops.borrow().contains(&self.before));
        CURRENT.set(match there {
            Ok(true) => self.before,
            _ => first_of_thread(),
        });
    }
}

/// The loop of this thread when none runs: the first one that is there, if possible an open one.
fn first_of_thread() -> *const Core {
    let first = LOOPS.try_with(|loops| {
        let loops = loops.borrow();
        // SAFETY: a core takes itself out of the list before it goes.
        let open = loops.iter().find(|core| unsafe { !(***core).is_closed() });
        open.or(loops.first()).copied()
    });
    first.ok().flatten().unwrap_or(ptr::null())
}

/// # Safety
///
/// The payload must be one made by [`Core::timer_unit`].
unsafe fn act_on_timer(payload: *mut Payload, verb: Verb) {
    if verb == Verb::Drop {
        // The wheel still has the timer, and will be cleared.
        return;
    }
    // SAFETY: given by the caller.
    let (index, generation) = unsafe { ((*payload)[0].assume_init(), (*payload)[1].assume_init()) };
    let key = Key {
        index: index as u32,
        generation: generation as u32,
    };
    let due = Core::with_current(|core| {
        let timer = core.timers.borrow_mut().remove(key)?;
        core.location.set(timer.location);
        Some(timer)
    });
    if let Some(timer) = due.flatten() {
        // SAFETY: it is out of the wheel and runs once.
        unsafe { (timer.act)(timer.data, Verb::Run) };
    }
}

/// The place that stands for units whose own place is looked up when they run.
fn nowhere() -> &'static Location<'static> {
    static NOWHERE: OnceLock<&'static Location<'static>> = OnceLock::new();
    NOWHERE.get_or_init(Location::caller)
}

/// A boxed, pinned tokio timer.
type Alarm = Pin<Box<tokio::time::Sleep>>;
