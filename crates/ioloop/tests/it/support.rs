//! What several tests need: a collector of log entries, a guard against hanging, values that tell
//! when they are dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::future::Future;
use std::panic::{self, Location};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use squall_ioloop::IoLoop;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// What a test ends with.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Longer than any of the tests takes: who waits that long has been forgotten.
pub(crate) const LONG: Duration = Duration::from_secs(100);

/// One millisecond.
pub(crate) const MS: Duration = Duration::from_millis(1);

/// Runs a test's future on a loop of its own.
pub(crate) fn run<F, T>(future: F) -> Result<T, Box<dyn Error>>
where
    F: Future<Output = Result<T, Box<dyn Error>>>,
{
    IoLoop::run_sync(future)
}

/// Runs a test on a thread of its own, and fails if it hangs instead of hanging as well.
pub(crate) fn unless_it_hangs(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = panic::catch_unwind(panic::AssertUnwindSafe(test));
        let _ = done.send(());
        if let Err(payload) = result {
            panic::resume_unwind(payload);
        }
    });
    wait.recv_timeout(LONG).expect("the test hangs");
    if let Err(payload) = thread.join() {
        panic::resume_unwind(payload);
    }
}

/// A list that callbacks write to.
#[derive(Debug)]
pub(crate) struct Notes<T>(Rc<RefCell<Vec<T>>>);

impl<T> Clone for Notes<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: 'static> Notes<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::default())
    }

    pub(crate) fn add(&self, note: T) {
        self.0.borrow_mut().push(note);
    }

    /// A callback that adds a note.
    pub(crate) fn adds(&self, note: T) -> impl FnOnce() + use<T> {
        let notes = self.clone();
        move || notes.add(note)
    }

    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}

/// Adds a note when it is dropped.
pub(crate) struct NoteOnDrop<T: 'static>(Option<T>, Notes<T>);

impl<T: 'static> NoteOnDrop<T> {
    pub(crate) fn new(notes: &Notes<T>, note: T) -> Self {
        Self(Some(note), notes.clone())
    }
}

impl<T: 'static> Drop for NoteOnDrop<T> {
    fn drop(&mut self) {
        if let Some(note) = self.0.take() {
            self.1.add(note);
        }
    }
}

/// Runs a closure when it is dropped.
pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub(crate) fn new(run: F) -> Self {
        Self(Some(run))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

/// Panics when it is dropped.
#[derive(Debug)]
pub(crate) struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("dropped a bomb");
        }
    }
}

/// Whether something happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flag(Rc<Cell<bool>>);

impl Flag {
    pub(crate) fn set(&self) {
        self.0.set(true);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.get()
    }

    /// A callback that sets it.
    pub(crate) fn sets(&self) -> impl FnOnce() + use<> {
        let flag = self.clone();
        move || flag.set()
    }
}

/// Stops the loop of this thread.
pub(crate) fn stop() {
    IoLoop::current().stop();
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) level: Level,
    pub(crate) message: String,
    fields: BTreeMap<&'static str, String>,
}

impl Entry {
    /// The text of a field; empty when there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Checks that it is an error that was spawned at `line` of the file of the caller.
    #[track_caller]
    pub(crate) fn assert_error(&self, line: u32, words: &[&str]) {
        let file = Location::caller().file();
        assert_eq!(self.level, Level::ERROR, "{self:?}");
        let place = self.field("spawned_at");
        assert!(
            place.starts_with(&format!("{file}:{line}:")),
            "spawned at {place} instead of {file}:{line}"
        );
        for word in words {
            assert!(
                self.message.contains(word),
                "`{word}` is not in {:?}",
                self.message
            );
        }
    }

    /// Checks that it has the place and the backtrace of a panic.
    #[track_caller]
    pub(crate) fn assert_backtrace(&self) {
        let backtrace = self.field("backtrace");
        assert!(backtrace.lines().count() > 2, "backtrace: {backtrace:?}");
        let place = self.field("panicked_at");
        assert!(place.contains("tests/it/"), "panicked at {place}");
    }
}

/// Runs `f` and answers with what Squall wrote to the log of this thread meanwhile.
pub(crate) fn logged<R>(f: impl FnOnce() -> R) -> (R, Vec<Entry>) {
    let entries = Arc::default();
    let collector = Collector {
        entries: Arc::clone(&entries),
    };
    let result = tracing::subscriber::with_default(collector, f);
    let entries = std::mem::take(&mut *entries.lock().unwrap_or_else(PoisonError::into_inner));
    (result, entries)
}

/// Collects the entries of the log.
struct Collector {
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "squall::ioloop"
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        if !self.enabled(event.metadata()) {
            return;
        }
        let mut entry = Entry {
            level: *event.metadata().level(),
            message: String::new(),
            fields: BTreeMap::new(),
        };
        event.record(&mut entry);
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name(), text);
        }
    }
}
