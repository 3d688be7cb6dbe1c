//! Callbacks for signals of the system.

use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use tokio::signal::unix::{SignalKind, signal};

use crate::ioloop::IoLoop;
use crate::report;
use crate::task::Task;

/// A signal of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGHUP`: the terminal is gone, or a daemon is to read its configuration again.
    Hangup,
    /// `SIGINT`: Ctrl-C.
    Interrupt,
    /// `SIGQUIT`: Ctrl-\.
    Quit,
    /// `SIGTERM`: please end.
    Terminate,
    /// `SIGUSR1`.
    User1,
    /// `SIGUSR2`.
    User2,
    /// Another one, by number.
    Number(i32),
}

impl Signal {
    fn kind(self) -> SignalKind {
        match self {
            Self::Hangup => SignalKind::hangup(),
            Self::Interrupt => SignalKind::interrupt(),
            Self::Quit => SignalKind::quit(),
            Self::Terminate => SignalKind::terminate(),
            Self::User1 => SignalKind::user_defined1(),
            Self::User2 => SignalKind::user_defined2(),
            Self::Number(number) => SignalKind::from_raw(number),
        }
    }
}

impl IoLoop {
    /// Runs a callback on the loop each time a signal arrives; several in a row may count as one.
    ///
    /// From the first such callback on, the signal no longer has its usual effect in this process,
    /// also when the callback is taken away: cancelling the answered task does that, dropping it does
    /// not. Each of several callbacks, on any loops, is run. One that panics is logged, and stays.
    ///
    /// # Errors
    ///
    /// When the system does not let the signal be caught, as with `SIGKILL`.
    #[track_caller]
    pub fn add_signal_callback(
        &self,
        kind: Signal,
        mut callback: impl FnMut() + 'static,
    ) -> io::Result<Task<()>> {
        let location = Location::caller();
        self.check_open()?;
        let mut arrivals = self.enter(|| signal(kind.kind()))?;
        let run = async move {
            while arrivals.recv().await.is_some() {
                if let Err(payload) = catch_unwind(AssertUnwindSafe(&mut callback)) {
                    report::panicked("a signal callback", location, &report::caught(payload));
                }
            }
        };
        Ok(Task::spawn(self.core(), run, location))
    }
}
