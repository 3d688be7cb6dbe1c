//! Accepting connections.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use squall_ioloop::{spawn_callback, with_timeout};
use squall_net::{Accepted, Address, Listener};

use crate::config::Config;
use crate::connection::serve_member;
use crate::control::{Control, Listening, Phase};
use crate::parking::Parking;
use crate::service::{ConnectInfo, Service};

/// First pause after the system refused a connection; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Gives connections to a service.
pub(crate) struct Acceptor {
    pub(crate) service: Rc<dyn Service>,
    pub(crate) config: Rc<Config>,
    pub(crate) control: Rc<Control>,
    pub(crate) parking: Rc<Parking>,
}

impl Acceptor {
    /// Accepts from `listener` until the server stops.
    pub(crate) async fn run(self, listener: Listener, _listening: Listening) {
        let mut pause = None;
        let mut full = false;
        while let Some(accepted) = poll_fn(|cx| self.poll_next(&listener, cx)).await {
            match accepted {
                Ok(accepted) => {
                    pause = None;
                    self.note_fullness(&mut full, accepted.peer());
                    self.begin(accepted);
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
            self.begin(accepted);
        }
    }

    /// The next connection; `None` once the server stops.
    fn poll_next(
        &self,
        listener: &Listener,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Accepted>>> {
        if self.control.poll_phase(Phase::Stopping, cx).is_ready() {
            return Poll::Ready(None);
        }
        let most_open = (self.config.max_connections.max(1) - 1) as u64;
        ready!(self.control.poll_at_most(most_open, cx));
        listener.poll_accept(cx).map(Some)
    }

    /// Tells the log when the connection that is about to begin is the last one for now; once, until a tenth of them
    /// have left, so that a server at its limit does not fill the log.
    fn note_fullness(&self, full: &mut bool, peer: &Address) {
        let most = self.config.max_connections.max(1) as u64;
        let open = self.control.counts().open + 1;
        if open >= most && !*full {
            tracing::warn!(%peer, "{most} connections are open (max_connections), newcomers wait until one leaves");
        }
        *full = open >= most || (*full && open > most - most / 10);
    }

    /// Waits, but not beyond the beginning of a stop.
    async fn rest(&self, pause: Duration) {
        let stopping = poll_fn(|cx| self.control.poll_phase(Phase::Stopping, cx));
        // Either end of the waiting is as good.
        let _ = with_timeout(pause, stopping).await;
    }

    fn begin(&self, accepted: Accepted) {
        let peer = accepted.peer().clone();
        let stream = match accepted.adopt() {
            Ok(stream) => stream,
            Err(err) => {
                tracing::warn!(%peer, "a connection could not be taken over: {err}");
                return;
            }
        };
        self.control.count_accepted();
        if stream.can_park() {
            let local = stream.local_addr().unwrap_or(Address::Memory);
            return self.parking.admit(stream, ConnectInfo { local, peer });
        }
        let member = self.control.join();
        let (service, config) = (Rc::clone(&self.service), Rc::clone(&self.config));
        spawn_callback(serve_member(stream, peer, service, config, member));
    }
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
