//! Runs a pattern on a thread and a loop of its own, so that it can block, start and stop as it likes.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use squall::IoLoop;
use squall::ioloop::LoopHandle;
use squall_examples::{causes, stage};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::event::Event;
use crate::log;
use crate::patterns::Pattern;
use crate::recorder::Recorder;

/// How many patterns run at once; each has a thread, a loop, perhaps a pool and a server.
pub(crate) const AT_ONCE: usize = 8;

/// The place where patterns run. Clones name the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage {
    running: Arc<AtomicUsize>,
}

/// Why a pattern was not started.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// As many run as may.
    Full,
    /// The system refused a thread.
    Io(io::Error),
}

/// A run. Dropping it stops it: its loop is closed, and what the program waited for ends with an error.
#[derive(Debug)]
pub(crate) struct Show {
    events: UnboundedReceiver<Event>,
    stop: Arc<Stop>,
}

impl Stage {
    /// Starts `pattern`.
    pub(crate) fn start(
        &self,
        pattern: &'static Pattern,
        args: Vec<String>,
    ) -> Result<Show, NotStarted> {
        let place = Place::take(&self.running).ok_or(NotStarted::Full)?;
        let (sender, events) = unbounded_channel();
        let stop = Arc::new(Stop::default());
        let stopping = Arc::clone(&stop);
        thread::Builder::new()
            .name(pattern.name.to_owned())
            .spawn(move || {
                let recorder = Rc::new(Recorder::new(pattern, sender));
                let error = run(pattern, &args, &recorder, &stopping);
                // Free before the end is told: who has seen it can start the next one.
                drop(place);
                recorder.end(error);
            })
            .map_err(NotStarted::Io)?;
        Ok(Show { events, stop })
    }
}

impl Show {
    /// What happens next; `None` after the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// A run of which nothing is heard for as long as the sender lives.
    #[cfg(test)]
    pub(crate) fn silent() -> (tokio::sync::mpsc::UnboundedSender<Event>, Self) {
        let (sender, events) = unbounded_channel();
        let stop = Arc::default();
        (sender, Self { events, stop })
    }

    /// What happens next, for a thread that has no loop.
    pub(crate) fn blocking_next(&mut self) -> Option<Event> {
        self.events.blocking_recv()
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        self.stop.now();
    }
}

/// Runs the program; the error is what it ended with, in words.
fn run(pattern: &Pattern, args: &[String], recorder: &Rc<Recorder>, stop: &Stop) -> Option<String> {
    let io_loop = match IoLoop::new() {
        Ok(io_loop) => io_loop,
        Err(err) => return Some(format!("the loop cannot be made: {err}")),
    };
    if !stop.can_begin(io_loop.handle()) {
        return None;
    }
    let (lines, entries, spans) = (recorder.clone(), recorder.clone(), recorder.clone());
    stage::on_line(move |line| lines.line(line));
    log::watch(move |entry| entries.log(entry));
    io_loop.observe(move |span| spans.span(span));
    let result = catch_unwind(AssertUnwindSafe(|| (pattern.run)(args)));
    io_loop.stop_observing();
    io_loop.close();
    log::unwatch();
    stage::clear();
    match result {
        Ok(result) => result.err().map(|err| causes(err.as_ref())),
        Err(payload) => Some(format!("the program panicked: {}", message(&*payload))),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a payload that is no text")
}

/// One of the places on the stage; given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(running: &Arc<AtomicUsize>) -> Option<Self> {
        // Nothing else is published with this count, so it need not order anything.
        let more = |count| (count < AT_ONCE).then_some(count + 1);
        running
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Self(Arc::clone(running)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a run is stopped from another thread, also before it has a loop.
#[derive(Debug, Default)]
struct Stop {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    /// No loop yet.
    #[default]
    Waiting,
    Running(LoopHandle),
    Stopped,
}

impl Stop {
    /// Notes the loop; false when the run was stopped before.
    fn can_begin(&self, handle: LoopHandle) -> bool {
        let mut state = self.lock();
        let begins = matches!(*state, State::Waiting);
        if begins {
            *state = State::Running(handle);
        }
        begins
    }

    fn now(&self) {
        let state = std::mem::replace(&mut *self.lock(), State::Stopped);
        if let State::Running(handle) = state {
            // Closed, not only stopped: a program may start a stopped loop again. An error means that it is closed already.
            let _ = handle.add_callback(|| {
                if let Ok(io_loop) = IoLoop::try_current() {
                    io_loop.close();
                }
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::event::Work;
    use crate::patterns;

    fn start(stage: &Stage, name: &str, args: &[&str]) -> Result<Show, NotStarted> {
        let pattern = patterns::find(name).expect("a pattern of this name");
        stage.start(pattern, args.iter().map(ToString::to_string).collect())
    }

    fn all(mut show: Show) -> Vec<Event> {
        std::iter::from_fn(|| show.blocking_next()).collect()
    }

    fn error_of(events: &[Event]) -> Option<&str> {
        match events.last() {
            Some(Event::End { error, .. }) => error.as_deref(),
            other => panic!("the last event is {other:?}"),
        }
    }

    #[test]
    fn a_run_tells_its_lines_its_spans_and_its_end() {
        let events = all(start(&Stage::default(), "thread_pool", &["0"]).expect("there is room"));
        assert_eq!(error_of(&events), None);
        let has = |wanted: &dyn Fn(&Event) -> bool| events.iter().any(wanted);
        assert!(has(
            &|event| matches!(event, Event::Line { text, .. } if text == "start")
        ));
        assert!(has(&|event| {
            matches!(event, Event::Span(span) if span.work == Work::Run && span.line.is_some())
        }));
        assert!(has(&|event| {
            matches!(event, Event::Span(span) if matches!(span.work, Work::Pool { .. }))
        }));
    }

    #[test]
    fn an_error_is_told_at_the_end() {
        let events = all(start(&Stage::default(), "thread_pool", &["x"]).expect("there is room"));
        let error = error_of(&events).expect("the argument is wrong");
        assert!(error.contains("found `x`"), "{error}");
    }

    #[test]
    fn a_full_stage_takes_no_more_until_one_has_left() {
        // Takes connections and never answers, so each run lasts until it is stopped.
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", silent.local_addr().expect("it is bound"));
        let stage = Stage::default();
        let long = || start(&stage, "done_callback", &[&url]);
        let mut shows: Vec<Show> = (0..AT_ONCE)
            .map(|_| long().expect("there is room"))
            .collect();
        assert!(matches!(long(), Err(NotStarted::Full)));
        let first = shows.remove(0);
        first.stop.now();
        all(first);
        assert!(long().is_ok());
    }

    #[test]
    fn a_dropped_run_is_stopped() {
        let stage = Stage::default();
        let mut show = start(&stage, "callback_to_future", &[]).expect("there is room");
        // Its first line: it runs.
        while !matches!(show.blocking_next(), Some(Event::Line { .. })) {}
        show.stop.now();
        let events = all(show);
        assert!(error_of(&events).is_some(), "{events:?}");
    }
}
