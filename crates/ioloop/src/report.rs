//! How failures that nobody waits for reach somebody: the log, with the place that spawned them.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::panic::{self, AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::error::Panicked;

thread_local! {
    /// The last panic on this thread's running loop: its place and its backtrace, which exist only
    /// inside the panic hook.
    static LAST_PANIC: RefCell<Option<(String, Backtrace)>> = const { RefCell::new(None) };

    /// When an error of a place was last logged with a backtrace. There are as many places as the
    /// program has calls that spawn.
    static TRACED: RefCell<HashMap<&'static Location<'static>, Instant>> = RefCell::default();
}

/// For how long after one backtrace further errors of the same place come without.
const WHILE: Duration = Duration::from_secs(1);

/// Has panics inside running loops remember where they happened. The hook that was there before
/// still runs, so nothing that a program has set up is lost.
pub(crate) fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            remember(info);
            before(info);
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    if !Core::runs_here() {
        return;
    }
    let place = info
        .location()
        .map_or_else(String::new, ToString::to_string);
    // A panic while the cell is borrowed is not possible: nothing below runs foreign code.
    LAST_PANIC.with_borrow_mut(|last| *last = Some((place, Backtrace::force_capture())));
}

/// What is known of a panic that was just caught on this thread.
pub(crate) fn caught(payload: Box<dyn Any + Send>) -> Panicked {
    let (place, backtrace) = LAST_PANIC.with_borrow_mut(Option::take).unzip();
    let message = message(payload.as_ref());
    Panicked {
        payload: Mutex::new(Payload::new(payload)),
        message,
        place,
        backtrace,
    }
}

/// What a panic carries. Dropping it never panics, whatever the payload's own destructor does.
pub(crate) struct Payload(Option<Box<dyn Any + Send>>);

impl Payload {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        Self(Some(payload))
    }

    pub(crate) fn into_inner(mut self) -> Box<dyn Any + Send> {
        self.0.take().unwrap_or_else(|| Box::new(()))
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let payload = self.0.take();
        quietly(|| drop(payload));
    }
}

/// Runs what must not bring its caller down: a panic in it has been told by the panic hook, and goes
/// no further.
pub(crate) fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run))
        && !payload.is::<&'static str>()
        && !payload.is::<String>()
    {
        // Its destructor could panic as well, and so on without an end.
        std::mem::forget(payload);
    }
}

/// The text a panic was given.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a payload that is no text".to_owned()
    }
}

/// Logs a panic that nobody waits for. A subscriber that panics in turn does not harm the loop.
pub(crate) fn panicked(what: &str, spawned_at: &'static Location<'static>, panicked: &Panicked) {
    let backtrace = match &panicked.backtrace {
        Some(backtrace) => backtrace.to_string(),
        None => String::new(),
    };
    quietly(|| {
        tracing::error!(
            target: "squall::ioloop",
            spawned_at = %spawned_at,
            panicked_at = panicked.place.as_deref().unwrap_or("unknown"),
            backtrace,
            "{what} panicked: {}; the loop goes on",
            panicked.message,
        );
    });
}

/// Logs an error that nobody waits for, with its causes.
///
/// The backtrace is the loop's at this moment: it names the future that has failed, not the place
/// where the error arose, which an error, unlike a panic, has long left. Writing it takes a
/// millisecond or so, which a loop cannot spare for each of a thousand errors a second: a place that
/// fails again soon gets one only when `RUST_BACKTRACE` asks for it.
pub(crate) fn failed(what: &str, spawned_at: &'static Location<'static>, err: &dyn Error) {
    let backtrace = if is_first_in_a_while(spawned_at) {
        Backtrace::force_capture()
    } else {
        Backtrace::capture()
    };
    quietly(|| {
        tracing::error!(
            target: "squall::ioloop",
            spawned_at = %spawned_at,
            backtrace = %backtrace,
            "{what} failed: {}; the loop goes on",
            with_causes(err),
        );
    });
}

/// Whether the last backtrace for an error of this place was taken some time ago.
fn is_first_in_a_while(spawned_at: &'static Location<'static>) -> bool {
    let now = Instant::now();
    TRACED.with_borrow_mut(|traced| {
        let last = traced.insert(spawned_at, now);
        let recent = last.filter(|last| now - *last < WHILE);
        if let Some(last) = recent {
            traced.insert(spawned_at, last);
        }
        recent.is_none()
    })
}

/// An error and what caused it, on one line.
pub(crate) fn with_causes(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(inner) = cause {
        // Writing into a string cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
