//! A run over WebSockets: its phases and its loop.
//!
//! 1. *Setup*: connections are opened, 64 at a time; each does its handshake and has one text echoed, which also
//!    shows that the server has put it on its list. Nothing is measured.
//! 2. *Loading*: first the warm-up, then the measured time. What counts is a message that arrives in the measured
//!    time. Of broadcasts that time consists of whole ones, from asking to the last delivery, so that what a server
//!    spends in it was spent on what is counted.
//! 3. *Draining*: echoes that are under way are still waited for, up to 2 s.
//!
//! The first thing that is wrong ends the run, for nothing that follows could be trusted: a byte, a message too many,
//! one in the wrong order, a connection that closes. A message that does not come within [`Options::timeout`], or
//! until the end of draining, is an error.
//!
//! - [`link`]: one connection
//! - [`life`]: how connections come to be
//! - [`traffic`]: bytes out and in
//! - [`echo`], [`broadcast`]: what is said, and what must come back
//! - [`inflate`]: compressed messages

mod broadcast;
mod echo;
mod inflate;
mod life;
mod link;
mod traffic;

use std::ops::Range;
use std::time::Duration;

use super::options::{Kind, Options};
use super::report::{Report, say};
use super::socket::{Clock, Dialer, Events, Poller};
use super::ws::random::Random;
use broadcast::Broadcast;
use inflate::Inflater;
use link::Link;

/// Bytes of one read, whatever the connection.
const READ_BYTES: usize = 256 * 1024;
/// How often limits are looked at, in nanoseconds.
const TICK: u64 = 20_000_000;
/// How long messages may be late at the end.
const DRAIN: u64 = 2_000_000_000;
/// How long connections are held by `--idle-only`.
const LONGEST_HOLD: u64 = 3600 * 1_000_000_000;
/// Masks and keys are the same in every run.
const SEED: u64 = 6455;

/// A run.
#[derive(Debug)]
pub(crate) struct Driver {
    options: Options,
    clock: Clock,
    poller: Poller,
    dialer: Dialer,
    links: Vec<Link>,
    /// How many of them are ready, and the next that is to be begun.
    ready: usize,
    next: usize,
    random: Random,
    input: Vec<u8>,
    /// Frames of one turn of a connection.
    output: Vec<u8>,
    inflater: Inflater,
    broadcast: Broadcast,
    report: Report,
    phase: Phase,
    /// When the phase ends at the latest, unless it is the setup.
    phase_ends: u64,
    /// The measured time.
    window: Range<u64>,
    announced: usize,
    /// When the warm-up is over.
    warm_at: u64,
    /// `Options::timeout` in nanoseconds.
    timeout: u64,
    next_tick: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Done,
    Draining,
    Holding,
    Loading,
    Setup,
}

/// Why a run ends before its time.
#[derive(Debug, PartialEq)]
enum Failure {
    /// A connection is gone, or could not be made.
    Broken(String),
    /// So many messages did not come.
    Late(u64, String),
    /// What came was not what should have come.
    Wrong(String),
}

impl Driver {
    pub(crate) fn new(options: Options) -> std::io::Result<Self> {
        let count = options.connections + options.idle;
        Ok(Self {
            clock: Clock::new(),
            poller: Poller::new(options.spin)?,
            dialer: Dialer::new(options.addr, count),
            links: (0..count).map(|_| Link::default()).collect(),
            ready: 0,
            next: 0,
            random: Random::new(SEED),
            input: vec![0; READ_BYTES],
            output: Vec::new(),
            inflater: Inflater::new(),
            broadcast: Broadcast::new(&options),
            report: Report::new(),
            phase: Phase::Setup,
            phase_ends: u64::MAX,
            window: u64::MAX..u64::MAX,
            announced: 0,
            warm_at: u64::MAX,
            timeout: options.timeout.as_nanos() as u64,
            next_tick: 0,
            options,
        })
    }

    /// Sets up, loads and reports.
    ///
    /// # Errors
    ///
    /// A sentence when nobody listens, or epoll fails.
    pub(crate) fn run(mut self) -> Result<Report, String> {
        let mut events = Poller::events();
        while self.phase != Phase::Done {
            self.turn(&mut events)?;
        }
        if self.report.connects == 0 && self.report.connect_errors > 0 {
            return Err(self.report.first_error);
        }
        let end = self.window.end.min(self.clock.now());
        let time = end.saturating_sub(self.window.start.min(end));
        self.report.seconds = Duration::from_nanos(time).as_secs_f64();
        Ok(self.report)
    }

    /// Opens the connections that are to be held.
    ///
    /// # Errors
    ///
    /// A sentence when not all of them could be opened, or an answer was wrong.
    pub(crate) fn open(&mut self) -> Result<(), String> {
        let mut events = Poller::events();
        while self.phase == Phase::Setup {
            self.turn(&mut events)?;
        }
        let report = &self.report;
        if report.wrong > 0 {
            return Err(report.first_wrong.clone());
        }
        if report.errors > 0 {
            return Err(report.first_error.clone());
        }
        Ok(())
    }

    /// Holds them until `over`, at most an hour. The server may ping them.
    ///
    /// # Errors
    ///
    /// A sentence when epoll fails.
    pub(crate) fn hold(mut self, mut over: impl FnMut() -> bool) -> Result<Report, String> {
        let mut events = Poller::events();
        while !over() && self.phase != Phase::Done {
            self.turn(&mut events)?;
        }
        Ok(self.report)
    }

    /// One turn of the loop.
    fn turn(&mut self, events: &mut Events) -> Result<(), String> {
        let now = self.clock.now();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.check_patience(now);
        }
        self.advance(now);
        self.announce(now)?;
        if self.phase == Phase::Done {
            return Ok(());
        }
        self.open_some(now);
        let until = self.next_tick.min(self.phase_ends);
        let waited = self
            .poller
            .wait(events, self.clock, until)
            .map_err(|err| format!("cannot wait for events: {err}"))?;
        if waited > 0 && self.window.contains(&now) {
            self.report.waited += Duration::from_nanos(waited);
        }
        for event in &*events {
            if self.phase == Phase::Done {
                break;
            }
            if let Err(failure) = self.handle(event.data.u64() as usize, event.flags) {
                self.fail(failure);
            }
        }
        Ok(())
    }

    /// Goes on to the next phase when it is time.
    fn advance(&mut self, now: u64) {
        let enough = self.options.requests.unwrap_or(u64::MAX);
        match self.phase {
            Phase::Setup if self.ready == self.links.len() => self.start(now),
            Phase::Loading if self.options.websockets.kind == Kind::Broadcast => {
                if let Err(failure) = self.go_round(now, enough) {
                    self.fail(failure);
                }
            }
            Phase::Loading if now >= self.phase_ends || self.report.requests >= enough => {
                self.window.end = self.window.end.min(now);
                self.phase = Phase::Draining;
                self.phase_ends = now + DRAIN.min(self.timeout);
            }
            Phase::Draining if self.under_way() == 0 => self.phase = Phase::Done,
            Phase::Draining if now >= self.phase_ends => {
                let why = "not everything came until the end of the run".to_owned();
                self.fail(Failure::Late(self.under_way(), why));
            }
            Phase::Holding if now >= self.phase_ends => self.phase = Phase::Done,
            _ => {}
        }
    }

    fn start(&mut self, now: u64) {
        if self.options.idle_only {
            self.phase = Phase::Holding;
            self.phase_ends = now + LONGEST_HOLD;
            return;
        }
        self.phase = Phase::Loading;
        self.warm_at = now + self.options.warmup.as_nanos() as u64;
        if self.options.websockets.kind == Kind::Echo {
            self.window = self.warm_at..self.warm_at + self.measured();
            self.phase_ends = self.window.end;
            if let Err(failure) = self.begin_echo(now) {
                self.fail(failure);
            }
        }
    }

    /// The least time that is measured, in nanoseconds.
    fn measured(&self) -> u64 {
        self.options.seconds.as_nanos() as u64
    }

    /// Says when the measured time begins and when it has ended, to whoever measures beside.
    fn announce(&mut self, now: u64) -> Result<(), String> {
        let moments = [("begin", self.window.start), ("end", self.window.end)];
        match moments.get(self.announced) {
            Some((word, at)) if self.options.announce && *at <= now => {
                self.announced += 1;
                say(word)
            }
            _ => Ok(()),
        }
    }

    /// Messages that were asked for and have not come.
    fn under_way(&self) -> u64 {
        match self.options.websockets.kind {
            Kind::Broadcast => self.broadcast.missing(),
            Kind::Echo => self.links.iter().map(Link::outstanding).sum(),
        }
    }

    /// Whether the server has kept somebody waiting too long.
    fn check_patience(&mut self, now: u64) {
        let late = |since: u64| now.saturating_sub(since) > self.timeout;
        let limit = self.options.timeout;
        let waiting = match self.phase {
            Phase::Setup => self.links.iter().find(|link| link.is_coming()),
            Phase::Loading if self.options.websockets.kind == Kind::Echo => {
                let oldest = self.links.iter().min_by_key(|link| link.waits_since());
                oldest.filter(|link| link.outstanding() > 0)
            }
            Phase::Loading if self.broadcast.missing() > 0 => {
                if late(self.broadcast.asked_at()) {
                    let missing = self.broadcast.missing();
                    let why = format!("{missing} messages did not come within {limit:?}");
                    self.fail(Failure::Late(missing, why));
                }
                return;
            }
            _ => return,
        };
        if waiting.is_some_and(|link| late(link.waits_since())) {
            let why = match self.phase {
                Phase::Setup => format!("no handshake and first message within {limit:?}"),
                _ => format!("a message did not come back within {limit:?}"),
            };
            self.fail(Failure::Late(self.under_way().max(1), why));
        }
    }

    /// Ends the run.
    fn fail(&mut self, failure: Failure) {
        self.phase = Phase::Done;
        match failure {
            Failure::Broken(why) => self.report.error(1, || why),
            Failure::Late(count, why) => {
                self.report.timeouts += count;
                self.report.error(count, || why);
            }
            Failure::Wrong(why) => self.report.wrong(|| why),
        }
    }
}
