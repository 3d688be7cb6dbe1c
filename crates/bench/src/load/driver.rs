//! The run: its phases and its loop.
//!
//! 1. *Setup*: all connections are opened, and the idle ones do their request. Nothing is measured.
//!    With `--close` there is nothing to open yet.
//! 2. *Loading*: first the warm-up, then the measured time. What counts without a rate is an answer
//!    that arrives in the measured time; at a fixed rate it is a request that is due in it.
//! 3. *Draining*: no more requests begin or fall due, but those that did are still sent and waited for,
//!    up to 2 s. What is not answered then is an error, and counted with the time it has waited.
//!
//! A connection that fails is made again after 10 ms, one that ends in peace at once. Every wait has
//! a limit: [`Options::timeout`] for a connection and for an answer, 1 s for a server that refuses
//! every connection, the measured time for everything else.

mod life;
mod traffic;

use std::collections::VecDeque;
use std::time::Duration;

use super::connection::{Connection, Role, State};
use super::judge::Judge;
use super::options::Options;
use super::report::{Report, say};
use super::schedule::Schedule;
use super::script::Script;
use super::socket::{Clock, Dialer, Events, Poller};

/// Bytes of one read, whatever the connection.
const READ_BYTES: usize = 256 * 1024;
/// How often limits are looked at, in nanoseconds.
const TICK: u64 = 20_000_000;
/// Connections whose limits are looked at in a tick: a look at 19,000 at once would delay an answer
/// visibly.
const CHECKED_A_TICK: usize = 1024;
/// How long a server that refuses every connection is asked again: it may be starting.
const PATIENCE: u64 = 1_000_000_000;
/// How long requests may be late at the end.
const DRAIN: u64 = 2_000_000_000;
/// How long connections are held by `--idle-only`.
const LONGEST_HOLD: u64 = 3600 * 1_000_000_000;

/// A run.
#[derive(Debug)]
pub(crate) struct Driver {
    options: Options,
    script: Script,
    judge: Judge,
    clock: Clock,
    poller: Poller,
    dialer: Dialer,
    /// The ones that carry the load first, then the idle ones.
    connections: Vec<Connection>,
    input: Vec<u8>,
    report: Report,
    phase: Phase,
    /// When the phase ends at the latest, unless it is the setup.
    phase_ends: u64,
    /// The measured time.
    window: std::ops::Range<u64>,
    /// What is to be said about it next.
    announcement: Announcement,
    /// At a fixed rate, from the start on.
    schedule: Option<Schedule>,
    /// The next request of the schedule.
    next_due: u64,
    opening: Opening,
    /// `Options::timeout` in nanoseconds.
    timeout: u64,
    next_tick: u64,
    /// The connection whose limit was looked at last.
    last_checked: usize,
}

/// Connections that are to be made.
#[derive(Debug, Default)]
struct Opening {
    soon: VecDeque<u32>,
    /// With the time before which it is no use, in ascending order.
    later: VecDeque<(u64, u32)>,
    /// Being made.
    connecting: usize,
    /// Places the setup still waits for.
    unsettled: usize,
    /// When the last of them settled.
    last_settled: u64,
    last_error: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Announcement {
    Begin,
    End,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Done,
    Draining,
    Loading,
    Setup,
}

impl Driver {
    pub(crate) fn new(options: Options, script: Script) -> std::io::Result<Self> {
        let clock = Clock::new();
        let all = options.connections + options.idle;
        let place = |index: usize| {
            let (role, turn, of) = match index.checked_sub(options.connections) {
                None => (Role::Load, index, options.connections),
                Some(turn) => (Role::Idle, turn, options.idle),
            };
            // Neighbours begin at different paths, spread over all of them.
            Connection::new(role, turn * script.paths() / of)
        };
        Ok(Self {
            connections: (0..all).map(place).collect(),
            judge: Judge::new(&options),
            poller: Poller::new(options.spin)?,
            dialer: Dialer::new(options.addr, all),
            clock,
            script,
            input: vec![0; READ_BYTES],
            report: Report::new(),
            phase: Phase::Setup,
            phase_ends: u64::MAX,
            window: u64::MAX..u64::MAX,
            announcement: match options.announce {
                true => Announcement::Begin,
                false => Announcement::Nothing,
            },
            schedule: None,
            next_due: 0,
            opening: Opening::default(),
            timeout: options.timeout.as_nanos() as u64,
            next_tick: 0,
            last_checked: 0,
            options,
        })
    }

    /// Sets up, loads and reports.
    ///
    /// # Errors
    ///
    /// A sentence when no connection could be made at all, or epoll fails.
    pub(crate) fn run(mut self) -> Result<Report, String> {
        self.begin_setup();
        let mut events = Poller::events();
        while self.phase != Phase::Done {
            self.turn(&mut events)?;
        }
        self.finish();
        Ok(self.report)
    }

    /// Opens the idle connections.
    ///
    /// # Errors
    ///
    /// A sentence when not all of them could be opened, or not all answers were right.
    pub(crate) fn open_idle(&mut self) -> Result<(), String> {
        self.begin_setup();
        let mut events = Poller::events();
        while self.phase == Phase::Setup {
            self.turn(&mut events)?;
        }
        if self.report.wrong > 0 {
            return Err(format!("a wrong answer: {}", self.report.first_wrong));
        }
        if self.opening.unsettled > 0 || self.report.idle_closed > 0 {
            return Err(format!(
                "only {} of {} connections stay open: {}",
                self.report.idle - self.report.idle_closed,
                self.options.idle,
                self.report.first_error
            ));
        }
        Ok(())
    }

    /// Holds the idle connections until `over`, at most an hour.
    ///
    /// # Errors
    ///
    /// A sentence when epoll fails.
    pub(crate) fn hold(mut self, mut over: impl FnMut() -> bool) -> Result<Report, String> {
        let began = self.clock.now();
        self.phase = Phase::Loading;
        self.phase_ends = began + LONGEST_HOLD;
        self.window = began..self.phase_ends;
        let mut events = Poller::events();
        while !over() && self.phase != Phase::Done {
            self.turn(&mut events)?;
        }
        self.finish();
        Ok(self.report)
    }

    /// One turn of the loop.
    fn turn(&mut self, events: &mut Events) -> Result<(), String> {
        let now = self.clock.now();
        if now >= self.next_tick {
            self.tick(now)?;
        }
        self.advance(now);
        if self.announcement != Announcement::Nothing {
            self.announce(now)?;
        }
        self.send_due(now);
        self.open_queued(now);
        let until = self.next_deadline();
        let waited = self
            .poller
            .wait(events, self.clock, until)
            .map_err(|err| format!("cannot wait for events: {err}"))?;
        if waited > 0 && self.window.contains(&now) {
            self.report.waited += Duration::from_nanos(waited);
        }
        for event in &*events {
            self.handle(event.data.u64(), event.flags);
        }
        Ok(())
    }

    fn begin_setup(&mut self) {
        let now = self.clock.now();
        self.opening.last_settled = now;
        let first = match self.options.close {
            // Each request will bring its own.
            true => self.options.connections,
            false => 0,
        };
        self.opening
            .soon
            .extend(first as u32..self.connections.len() as u32);
        self.opening.unsettled = self.opening.soon.len();
    }

    /// Looks at what has taken too long.
    fn tick(&mut self, now: u64) -> Result<(), String> {
        self.next_tick = now + TICK;
        for _ in 0..self.connections.len().min(CHECKED_A_TICK) {
            self.last_checked = (self.last_checked + 1) % self.connections.len();
            let connection = &self.connections[self.last_checked];
            if connection.waits() && now.saturating_sub(connection.since) > self.timeout {
                self.time_out(self.last_checked, now);
            }
        }
        let patience = match self.opening.connecting {
            0 if self.report.connects == 0 => PATIENCE,
            _ => self.timeout + 2 * TICK,
        };
        if now.saturating_sub(self.opening.last_settled) <= patience {
            return Ok(());
        }
        if self.report.connects == 0 && self.report.connect_errors > 0 {
            return Err(format!(
                "cannot connect to {}: {}",
                self.options.addr, self.opening.last_error
            ));
        }
        if self.phase == Phase::Setup {
            // Whoever is still missing will not come; the load shows what that means.
            self.start(now);
        }
        Ok(())
    }

    /// Goes on to the next phase when it is time.
    fn advance(&mut self, now: u64) {
        let enough = self.options.requests.unwrap_or(u64::MAX);
        match self.phase {
            Phase::Setup if self.opening.unsettled == 0 => self.start(now),
            Phase::Loading if now >= self.phase_ends || self.report.requests >= enough => {
                self.window.end = self.window.end.min(now);
                self.phase = Phase::Draining;
                self.phase_ends = now + DRAIN.min(self.timeout);
            }
            Phase::Draining if now >= self.phase_ends || self.is_drained() => {
                self.phase = Phase::Done;
            }
            _ => {}
        }
    }

    /// Says when the measured time begins and when it has ended, to whoever measures beside.
    fn announce(&mut self, now: u64) -> Result<(), String> {
        match self.announcement {
            Announcement::Begin if self.window.start <= now => {
                self.announcement = Announcement::End;
                say("begin")
            }
            Announcement::End if self.window.end <= now => {
                self.announcement = Announcement::Nothing;
                say("end")
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, now: u64) {
        self.phase = Phase::Loading;
        // From here on, only a server that refuses everybody is given up before the end.
        self.opening.last_settled = now;
        let from = now + self.options.warmup.as_nanos() as u64;
        self.window = from..from + self.options.seconds.as_nanos() as u64;
        self.phase_ends = self.window.end;
        let load = self.options.connections;
        match self.options.rate {
            Some(rate) => self.schedule = Some(Schedule::new(now, rate, load as u64)),
            None if self.options.close => self.opening.soon.extend(0..load as u32),
            None => (0..load).for_each(|slot| self.ask(slot, now)),
        }
    }

    /// Hands out the requests that have fallen due.
    fn send_due(&mut self, now: u64) {
        let (Some(schedule), Phase::Loading | Phase::Draining) = (self.schedule, self.phase) else {
            return;
        };
        loop {
            let due = schedule.due(self.next_due);
            if due > now || due >= self.window.end {
                return;
            }
            let slot = schedule.connection(self.next_due);
            self.next_due += 1;
            self.connections[slot].pending += 1;
            match self.connections[slot].state {
                State::Open => self.ask(slot, now),
                State::Absent if self.options.close && self.connections[slot].pending == 1 => {
                    self.opening.soon.push_back(slot as u32);
                }
                _ => {}
            }
        }
    }

    /// Whether nothing is under way or due any more.
    fn is_drained(&self) -> bool {
        let idle = |connection: &Connection| connection.outstanding == 0 && connection.pending == 0;
        self.connections[..self.options.connections]
            .iter()
            .all(idle)
    }

    /// When something is to be done even if nothing happens.
    fn next_deadline(&self) -> u64 {
        let mut until = self.next_tick.min(self.phase_ends);
        if let Some((at, _)) = self.opening.later.front() {
            until = until.min(*at);
        }
        match self.schedule {
            Some(schedule) if self.phase == Phase::Loading => {
                until.min(schedule.due(self.next_due))
            }
            _ if self.phase == Phase::Draining => until.min(self.clock.now() + TICK / 20),
            _ => until,
        }
    }

    /// Counts what is still open when the time is over.
    fn finish(&mut self) {
        let now = self.clock.now();
        self.report.seconds = Duration::from_nanos(
            self.window
                .end
                .min(now)
                .saturating_sub(self.window.start.min(now)),
        )
        .as_secs_f64();
        for slot in 0..self.connections.len() {
            self.count_unanswered(slot, now);
        }
    }

    fn count_unanswered(&mut self, slot: usize, now: u64) {
        let connection = &self.connections[slot];
        let (asked, unsent) = (connection.outstanding, u64::from(connection.pending));
        let came = connection.progress.length();
        let began = connection.answered + u64::from(asked);
        self.record_lost(slot, now.saturating_sub(connection.since));
        if let Some(schedule) = self.schedule {
            for turn in began..began + unsent {
                self.record_due(schedule.due_on(slot, turn), now);
            }
        }
        self.report.unsent += unsent;
        self.report.timeouts += u64::from(asked);
        self.report.error(u64::from(asked), || {
            format!("no whole answer until the end of the run, but {came} bytes")
        });
    }
}
