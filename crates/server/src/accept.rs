//! Accepting connections.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use squall_ioloop::with_timeout;
use squall_net::{Accepted, Listener};

use crate::config::WhenFull;
use crate::control::{Listening, Phase};
use crate::door::{Newcomer, Preface};
use crate::intake::Intake;

/// First pause after the system refused a connection; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts at one door.
pub(crate) struct Acceptor {
    pub(crate) intake: Rc<Intake>,
    pub(crate) preface: Preface,
}

impl Acceptor {
    /// Accepts from `listener` until the server stops.
    pub(crate) async fn run(self, listener: Listener, _listening: Listening) {
        let mut pause = None;
        while let Some(accepted) = poll_fn(|cx| self.poll_next(&listener, cx)).await {
            match accepted {
                Ok(accepted) => {
                    pause = None;
                    self.intake.own.count_accepted();
                    self.intake.place(self.newcomer(accepted));
                }
                Err(err) if concerns_one_connection(&err) => {
                    tracing::debug!("a connection failed before it was accepted: {err}");
                }
                Err(err) => {
                    // Out of descriptors or memory. The connection stays queued, so trying at once would spin.
                    let next = pause.map_or(FIRST_PAUSE, |pause: Duration| {
                        (pause * 2).min(LONGEST_PAUSE)
                    });
                    if pause.is_none() {
                        tracing::warn!(
                            "cannot accept connections, trying again until it works: {err}"
                        );
                    }
                    pause = Some(next);
                    self.rest(next).await;
                }
            }
        }
        for accepted in listener.close() {
            self.intake.begin(self.newcomer(accepted));
        }
    }

    /// The next connection; `None` once the server stops.
    fn poll_next(
        &self,
        listener: &Listener,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Accepted>>> {
        let Intake {
            control, config, ..
        } = &*self.intake;
        if control.poll_phase(Phase::Stopping, cx).is_ready() {
            return Poll::Ready(None);
        }
        let most_open = (config.max_connections.max(1) - 1) as u64;
        match config.when_full {
            WhenFull::CloseIdle => {
                let room = control.poll_at_most(most_open, cx);
                if room.is_pending() {
                    ready!(self.intake.parking.poll_any(cx));
                }
            }
            WhenFull::Refuse => {}
            WhenFull::Wait => ready!(control.poll_at_most(most_open, cx)),
        }
        listener.poll_accept(cx).map(Some)
    }

    /// Waits, but not beyond the beginning of a stop.
    async fn rest(&self, pause: Duration) {
        let stopping = poll_fn(|cx| self.intake.control.poll_phase(Phase::Stopping, cx));
        // Either end of the waiting is as good.
        let _ = with_timeout(pause, stopping).await;
    }

    fn newcomer(&self, accepted: Accepted) -> Newcomer {
        let preface = self.preface.clone();
        Newcomer { accepted, preface }
    }
}

/// Serves what other loops give to this one, until the server stops.
pub(crate) async fn take_given(intake: Rc<Intake>, _listening: Listening) {
    let control = &intake.control;
    let next = |cx: &mut Context<'_>| match control.poll_phase(Phase::Stopping, cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => intake.own.poll_take(cx).map(Some),
    };
    while let Some(given) = poll_fn(next).await {
        given
            .into_iter()
            .for_each(|newcomer| intake.begin(newcomer));
    }
    let left = intake.own.close();
    left.into_iter().for_each(|newcomer| intake.begin(newcomer));
}

fn concerns_one_connection(err: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, TimedOut,
    };
    let kinds = [
        BrokenPipe,
        ConnectionAborted,
        ConnectionRefused,
        ConnectionReset,
        Interrupted,
        TimedOut,
    ];
    kinds.contains(&err.kind())
}
