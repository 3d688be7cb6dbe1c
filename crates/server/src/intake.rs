//! What one loop does with a newcomer: it serves it, or gives it to a loop that has less to do.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use squall_ioloop::{TimeoutError, sleep, spawn_callback, with_timeout};
use squall_net::{Address, IoStream};
use tokio::io::AsyncReadExt;

use crate::balance::{Balance, Given, Own, PATIENCE};
use crate::config::{Config, WhenFull};
use crate::connection::serve_member;
use crate::control::{Control, Member};
use crate::door::{Newcomer, Preface, Secure};
use crate::handshakes::{Cut, Handshakes};
use crate::parking::Parking;
use crate::proxy_protocol::{self, Header, Parsed};
use crate::refuse;
use crate::service::{ConnectInfo, Proxied, Service};
use crate::trusted::Trusted;

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
            None if self.config.when_full == WhenFull::CloseIdle => {
                self.parking.make_room();
                Some(newcomer)
            }
            _ => Some(newcomer),
        };
        if let Some(newcomer) = left {
            self.begin(newcomer);
        }
    }

    /// Serves a newcomer on this loop.
    pub(crate) fn begin(self: &Rc<Self>, newcomer: Newcomer) {
        let Newcomer { accepted, preface } = newcomer;
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
        let info = ConnectInfo {
            forwarding: self.config.forwarding.clone(),
            ..ConnectInfo::of(&stream, peer)
        };
        if !preface.is_empty() {
            let member = self.control.join();
            spawn_callback(Rc::clone(self).prepare(stream, info, member, preface));
        } else if stream.can_park() {
            self.parking.admit(stream, info);
        } else {
            self.serve(stream, info, self.control.join());
        }
    }

    fn serve(&self, stream: IoStream, info: ConnectInfo, member: Member) {
        let (service, config) = (Rc::clone(&self.service), Rc::clone(&self.config));
        spawn_callback(serve_member(stream, info, service, config, member));
    }

    /// Does what comes before HTTP, and serves the connection then.
    async fn prepare(
        self: Rc<Self>,
        mut stream: IoStream,
        mut info: ConnectInfo,
        mut member: Member,
        preface: Preface,
    ) {
        let Preface { secure, proxies } = preface;
        member.sit_down();
        if let Some(proxies) = proxies {
            match self
                .proxied(&proxies, &mut stream, &info.peer, &member)
                .await
            {
                Ok(proxied) => info.proxied = proxied.map(Arc::new),
                Err(reason) => {
                    let peer = &info.peer;
                    tracing::info!(%peer, "connection refused: {reason}");
                    return;
                }
            }
        }
        if let Some(secure) = secure {
            match self.secured(stream, &info.peer, &member, secure).await {
                Some(secured) => stream = secured,
                None => return,
            }
            info.tls = stream.tls().cloned();
        }
        if stream.can_park() {
            member.hand_over();
            self.parking.admit_prepared(stream, info);
        } else {
            self.serve(stream, info, member);
        }
    }

    /// Reads the PROXY header; what follows it stays unread.
    async fn proxied(
        &self,
        trusted: &Trusted,
        stream: &mut IoStream,
        peer: &Address,
        member: &Member,
    ) -> Result<Option<Proxied>, String> {
        if !trusted.has(peer) {
            return Err("it is not from a proxy that is trusted (proxy_protocol)".to_owned());
        }
        let limit = self.config.handshake_timeout;
        let reading = self.handshakes.run(member, read_header(stream));
        match with_timeout(limit, reading).await {
            Ok(Ok(read)) => read.map_err(|reason| format!("{reason} (proxy_protocol)")),
            Ok(Err(Cut::Oldest)) => Err(format!(
                "it was the oldest of {} without their PROXY header (max_handshakes)",
                self.config.max_handshakes
            )),
            Ok(Err(Cut::Stopped)) => Err(format!(
                "no PROXY header {:?} after the stop began (stop_timeout)",
                member.deadline()
            )),
            Err(TimeoutError { .. }) => Err(format!(
                "no PROXY header within {limit:?} (handshake_timeout)"
            )),
        }
    }

    /// Secures a connection; `None`, and the log has the reason, if that cannot be done.
    async fn secured(
        &self,
        stream: IoStream,
        peer: &Address,
        member: &Member,
        secure: Arc<dyn Secure>,
    ) -> Option<IoStream> {
        let limit = self.config.handshake_timeout;
        let securing = self.handshakes.run(member, secure.secure(stream));
        match with_timeout(limit, securing).await {
            Ok(Ok(Ok(stream))) => return Some(stream),
            Ok(Ok(Err(err))) if err.is_plain() => {
                tracing::info!(%peer, "connection refused: {err}");
                if let Some(stream) = err.into_plain() {
                    refuse::bad_scheme(stream).await;
                }
            }
            Ok(Ok(Err(err))) if err.is_closed() => {
                tracing::debug!(%peer, "no TLS handshake: {err}");
            }
            Ok(Ok(Err(err))) => tracing::info!(%peer, "no TLS handshake: {err}"),
            Ok(Err(Cut::Oldest)) => {
                let most = self.config.max_handshakes;
                tracing::info!(%peer, "TLS handshake cut, it was the oldest of {most} (max_handshakes)");
            }
            Ok(Err(Cut::Stopped)) => {
                let limit = member.deadline();
                tracing::info!(%peer, "no TLS handshake {limit:?} after the stop began (stop_timeout)");
            }
            Err(TimeoutError { .. }) => {
                tracing::info!(%peer, "no TLS handshake within {limit:?} (handshake_timeout)");
            }
        }
        None
    }

    /// Tells the log when the connection that is about to begin is the last one for now; once, until a tenth of them
    /// have left, so that a server at its limit does not fill the log.
    fn note_fullness(&self, peer: &Address) {
        let most = self.config.max_connections.max(1) as u64;
        let open = self.control.counts().open + 1;
        let full = self.full.get();
        if open >= most && !full {
            let others = match self.config.when_full {
                WhenFull::CloseIdle => "take the places of idle ones",
                WhenFull::Refuse => "are refused until one leaves",
                WhenFull::Wait => "wait until one leaves",
            };
            tracing::warn!(%peer, "{most} connections are open (max_connections), newcomers {others}");
        }
        self.full
            .set(open >= most || (full && open > most - most / 10));
    }

    /// Sends away a newcomer for whom there is no room.
    fn refuse(self: &Rc<Self>, newcomer: Newcomer) {
        let Newcomer { accepted, preface } = newcomer;
        let most = self.config.max_connections;
        let peer = accepted.peer();
        tracing::debug!(%peer, "connection refused, there are {most} already (max_connections)");
        // Securing it first would be what there is no room for.
        if preface.secure.is_some() || self.refusing.get() >= MOST_REFUSED {
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
}

async fn read_header(stream: &mut IoStream) -> Result<Option<Proxied>, String> {
    let mut header = Vec::new();
    loop {
        match proxy_protocol::parse(&header).map_err(|err| err.to_string())? {
            Parsed::Header(Header::Local) => return Ok(None),
            Parsed::Header(Header::Forwarded(source, destination)) => {
                return Ok(Some(Proxied {
                    source,
                    destination,
                }));
            }
            Parsed::More(more) => {
                let known = header.len();
                header.resize(known + more, 0);
                match stream.read(&mut header[known..]).await {
                    Ok(0) => return Err("it ended before its header".to_owned()),
                    Ok(count) => header.truncate(known + count),
                    Err(err) => return Err(err.to_string()),
                }
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
