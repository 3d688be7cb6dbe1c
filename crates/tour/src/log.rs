//! The log: what the libraries tell through `tracing` goes to standard error, and to whoever watches the thread.

use std::cell::RefCell;
use std::env;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::panic;
use std::rc::Rc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

type Watcher = Rc<dyn Fn(&Entry)>;

thread_local! {
    static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) level: Level,
    pub(crate) text: String,
    /// Where what is told about was made, if the teller knows: the field `spawned_at`.
    pub(crate) place: Option<String>,
}

/// What is printed of a thread that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Everything, as of other threads.
    Printed,
    /// Nothing: the watcher sees to it.
    Silent,
}

/// Has the log go to standard error, from warnings on. Called once, at the start.
///
/// A panic on a watched thread is told by the loop or by the end of the run, so Rust's own words about it are left out
/// unless `RUST_BACKTRACE` asks for more.
pub(crate) fn init(watched: Watched) {
    if env::var_os("RUST_BACKTRACE").is_none() {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if WATCHER.with_borrow(Option::is_none) {
                told(info);
            }
        }));
    }
    // Fails only when there is a log already, which then is the better one.
    let _ = tracing::subscriber::set_global_default(registry().with(Log { watched }));
}

/// Has `watcher` told what is logged on this thread from now on.
pub(crate) fn watch(watcher: impl Fn(&Entry) + 'static) {
    WATCHER.set(Some(Rc::new(watcher)));
}

/// Ends what [`watch`] began.
pub(crate) fn unwatch() {
    WATCHER.set(None);
}

/// Prints a line of the log to standard error.
pub(crate) fn print(entry: &Entry) {
    let mut text = format!("{:>5} {}\n", entry.level, entry.text);
    if let Some(place) = &entry.place {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "      spawned at {place}");
    }
    // Nobody is left to tell when standard error is gone.
    let _ = io::stderr().write_all(text.as_bytes());
}

struct Log {
    watched: Watched,
}

impl<S: Subscriber> Layer<S> for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let entry = Entry::of(event);
        // Not borrowed while it runs, should it log something itself.
        let watcher = WATCHER.with_borrow(Clone::clone);
        if let Some(watcher) = &watcher {
            watcher(&entry);
        }
        let is_printed = watcher.is_none() || self.watched == Watched::Printed;
        if is_printed && entry.level <= Level::WARN {
            print(&entry);
        }
    }
}

impl Entry {
    fn of(event: &Event<'_>) -> Self {
        let mut fields = Fields::default();
        event.record(&mut fields);
        Self {
            level: *event.metadata().level(),
            text: fields.message,
            place: fields.place.as_deref().map(readable),
        }
    }
}

/// Takes the message and the place out of an event. Everything else, such as a backtrace, is for those who look closer.
#[derive(Default)]
struct Fields {
    message: String,
    place: Option<String>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "spawned_at" => self.place = Some(format!("{value:?}")),
            _ => {}
        }
    }
}

/// The sources of the programs are named as seen from the tour's own; that is not how a reader finds them.
fn readable(place: &str) -> String {
    match place.split_once("/../../") {
        Some((_, rest)) => format!("crates/{}", rest.trim_start_matches("../")),
        None => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::subscriber::with_default;

    #[test]
    fn places_as_a_reader_finds_them() {
        let seen = "crates/tour/src/patterns/../../../examples/examples/promise.rs:4:5";
        assert_eq!(readable(seen), "crates/examples/examples/promise.rs:4:5");
        assert_eq!(
            readable("crates/web/src/lib.rs:1:2"),
            "crates/web/src/lib.rs:1:2"
        );
    }

    #[test]
    fn a_watcher_is_told_what_its_thread_logs() {
        let entries = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&entries);
        watch(move |entry| sink.borrow_mut().push(entry.clone()));
        let log = registry().with(Log {
            watched: Watched::Silent,
        });
        with_default(log, || {
            let spawned_at = format_args!("a.rs:1:2").to_string();
            tracing::error!(spawned_at = %spawned_at, backtrace = "long", "{} failed", "it");
            tracing::info!("for those who watch");
            tracing::debug!("for nobody");
            std::thread::spawn(|| tracing::error!("another thread's"))
                .join()
                .expect("it does not panic");
        });
        unwatch();
        let entry = |level, text: &str, place: Option<&str>| Entry {
            level,
            text: text.to_owned(),
            place: place.map(str::to_owned),
        };
        assert_eq!(
            *entries.borrow(),
            [
                entry(Level::ERROR, "it failed", Some("a.rs:1:2")),
                entry(Level::INFO, "for those who watch", None),
            ]
        );
    }
}
