//! What one loop does with a newcomer: it serves it, or gives it to a loop that has less to do.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use squall_ioloop::{TimeoutError, sleep, spawn_callback, with_timeout};
use squall_net::{Address, IoStream};

use crate::balance::{Balance, Given, Own, PATIENCE};
use crate::config::{Config, WhenFull};
use crate::connection::serve_member;
use crate::control::{Control, Member};
use crate::door::{Newcomer, Secure};
use crate::handshakes::Handshakes;
use crate::parking::Parking;
use crate::refuse;
use crate::service::{ConnectInfo, Service};

/// Clients that are told at a time that there is no room for them; more are closed without a word.
const MOST_REFUSED: usize = 128;

/// Gives connections to a service.
pub(crate) struct Intake {
    pub(crate) service: Rc<dyn Service>,
    pub(crate) config: Rc<Config>,
    pub(crate) control: Rc<Control>,
    pub(crate) own: Own,
    pub(crate) parking: Rc<Parking>,
    pub(crate) handshakes: Rc<Handshakes>,
    /// Connections that are being sent away.
    pub(crate) refusing: Cell<usize>,
    /// The log knows that there is no room.
    pub(crate) full: Cell<bool>,
}

impl Intake {
    /// Finds a loop for a newcomer, this one or another.
    pub(crate) fn place(self: &Rc<Self>, newcomer: Newcomer) {
        let Own { balance, number } = &self.own;
        let left = match balance.choose(Some(*number)) {
            Some(to) if to != *number => hand(balance, Some(self), to, newcomer),
            None if self.config.when_full == WhenFull::Refuse => return self.refuse(newcomer),
            _ => Some(newcomer),
        };
        if let Some(newcomer) = left {
            self.begin(newcomer);
        }
    }

    /// Serves a newcomer on this loop.
    pub(crate) fn begin(self: &Rc<Self>, newcomer: Newcomer) {
        let Newcomer { accepted, secure } = newcomer;
        let peer = accepted.peer().clone();
        let stream = match accepted.adopt() {
            Ok(stream) => stream,
            Err(err) => {
                tracing::warn!(%peer, "a connection could not be taken over: {err}");
                return;
            }
        };
        self.note_fullness(&peer);
        self.control.count_accepted();
        match secure {
            None if stream.can_park() => {
                let info = ConnectInfo::of(&stream, peer);
                self.parking.admit(stream, info);
            }
            None => self.serve(stream, peer, self.control.join()),
            Some(secure) => {
                let member = self.control.join();
                spawn_callback(Rc::clone(self).secure(stream, peer, member, secure));
            }
        }
    }

    /// Tells the log when the connection that is about to begin is the last one for now; once, until a tenth of them
    /// have left, so that a server at its limit does not fill the log.
    fn note_fullness(&self, peer: &Address) {
        let most = self.config.max_connections.max(1) as u64;
        let open = self.control.counts().open + 1;
        let full = self.full.get();
        if open >= most && !full {
            let others = match self.config.when_full {
                WhenFull::Refuse => "are refused",
                WhenFull::Wait => "wait",
            };
            tracing::warn!(%peer, "{most} connections are open (max_connections), newcomers {others} until one leaves");
        }
        self.full
            .set(open >= most || (full && open > most - most / 10));
    }

    /// Sends away a newcomer for whom there is no room.
    fn refuse(self: &Rc<Self>, newcomer: Newcomer) {
        let Newcomer { accepted, secure } = newcomer;
        let most = self.config.max_connections;
        let peer = accepted.peer();
        tracing::debug!(%peer, "connection refused, there are {most} already (max_connections)");
        // Securing it first would be what there is no room for.
        if secure.is_some() || self.refusing.get() >= MOST_REFUSED {
            return;
        }
        let Ok(stream) = accepted.adopt() else { return };
        self.refusing.set(self.refusing.get() + 1);
        let this = Rc::clone(self);
        spawn_callback(async move {
            refuse::no_room(stream).await;
            this.refusing.set(this.refusing.get() - 1);
        });
    }

    fn serve(&self, stream: IoStream, peer: Address, member: Member) {
        let info = ConnectInfo::of(&stream, peer);
        let (service, config) = (Rc::clone(&self.service), Rc::clone(&self.config));
        spawn_callback(serve_member(stream, info, service, config, member));
    }

    /// Serves a connection once it is secured.
    async fn secure(
        self: Rc<Self>,
        stream: IoStream,
        peer: Address,
        mut member: Member,
        secure: Arc<dyn Secure>,
    ) {
        member.sit_down();
        let limit = self.config.handshake_timeout;
        let securing = self.handshakes.run(&member, secure.secure(stream));
        match with_timeout(limit, securing).await {
            Ok(Some(Ok(stream))) => self.serve(stream, peer, member),
            Ok(Some(Err(err))) if err.is_plain() => {
                tracing::info!(%peer, "connection refused: {err}");
                if let Some(stream) = err.into_plain() {
                    refuse::bad_scheme(stream).await;
                }
            }
            Ok(Some(Err(err))) if err.is_closed() => {
                tracing::debug!(%peer, "no TLS handshake: {err}");
            }
            Ok(Some(Err(err))) => tracing::info!(%peer, "no TLS handshake: {err}"),
            Ok(None) => {
                let most = self.config.max_handshakes;
                tracing::info!(%peer, "TLS handshake cut, it was the oldest of {most} (max_handshakes) or the server stops");
            }
            Err(TimeoutError { .. }) => {
                tracing::info!(%peer, "no TLS handshake within {limit:?} (handshake_timeout)");
            }
        }
    }
}

/// Gives a newcomer to loop `to`, and sees to it that it is not left lying there; returns it if that loop is about to end.
///
/// `own` is the loop of the caller, if that serves.
pub(crate) fn hand(
    balance: &Arc<Balance>,
    own: Option<&Rc<Intake>>,
    to: usize,
    newcomer: Newcomer,
) -> Option<Newcomer> {
    match balance.give(to, newcomer) {
        Given::Left => None,
        Given::Refused(newcomer) => Some(newcomer),
        Given::Unwatched => {
            spawn_callback(watch(Arc::clone(balance), own.cloned(), to));
            None
        }
    }
}

/// Takes back what a loop leaves lying, and finds others for it.
async fn watch(balance: Arc<Balance>, own: Option<Rc<Intake>>, number: usize) {
    let mut pause = PATIENCE;
    let back = loop {
        sleep(pause).await;
        match balance.overdue(number) {
            Poll::Ready(back) => break back,
            Poll::Pending => pause = Duration::from_millis(1),
        }
    };
    for newcomer in back {
        match &own {
            Some(own) => own.place(newcomer),
            None => {
                // Back to where it was, if all others are stuck or full: it cannot be worse there.
                let to = balance.choose(None).unwrap_or(number);
                drop(hand(&balance, None, to, newcomer));
            }
        }
    }
}
