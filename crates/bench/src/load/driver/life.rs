//! How connections come and go.

use std::io;

use super::super::connection::{Role, State};
use super::{Driver, Phase};

/// Connections being made at the same time; servers listen with backlogs from 100 on.
const CONNECTING: usize = 64;
/// How long a connection that failed is left alone, in nanoseconds.
const PAUSE: u64 = 10_000_000;

impl Driver {
    /// Begins the connections that are to be made, a few at a time.
    pub(super) fn open_queued(&mut self, now: u64) {
        while let Some((at, slot)) = self.opening.later.front().copied() {
            if at > now {
                break;
            }
            self.opening.later.pop_front();
            self.opening.soon.push_back(slot);
        }
        while self.opening.connecting < CONNECTING
            && let Some(slot) = self.opening.soon.pop_front()
        {
            let slot = slot as usize;
            if let Err(err) = self.open(slot, now) {
                self.cannot_connect(slot, &err, now);
            }
        }
    }

    fn open(&mut self, slot: usize, now: u64) -> io::Result<()> {
        let socket = self.dialer.begin()?;
        let connection = &mut self.connections[slot];
        let token = u64::from(connection.generation) << 32 | slot as u64;
        self.poller.add(&socket, token)?;
        connection.socket = Some(socket);
        connection.state = State::Connecting;
        connection.since = now;
        self.opening.connecting += 1;
        Ok(())
    }

    /// The socket has become writable, or failed.
    pub(super) fn connected(&mut self, slot: usize, now: u64) {
        self.opening.connecting -= 1;
        let connection = &mut self.connections[slot];
        let there = match &connection.socket {
            Some(socket) => self.dialer.finish(socket),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        if let Err(err) = there {
            connection.clear();
            self.cannot_connect(slot, &err, now);
            return;
        }
        connection.state = State::Open;
        let load = connection.role == Role::Load;
        self.report.connects += 1;
        if load {
            self.settle(slot, now);
        }
        self.ask(slot, now);
    }

    fn cannot_connect(&mut self, slot: usize, err: &io::Error, now: u64) {
        self.report.connect_errors += 1;
        self.opening.last_error = err.to_string();
        let addr = self.options.addr;
        self.report
            .error(1, || format!("cannot connect to {addr}: {err}"));
        self.opening.later.push_back((now + PAUSE, slot as u32));
    }

    /// The setup need not wait for this connection any more.
    pub(super) fn settle(&mut self, slot: usize, now: u64) {
        let connection = &mut self.connections[slot];
        if !connection.settled && self.phase == Phase::Setup {
            connection.settled = true;
            self.opening.last_settled = now;
            // Those of `--close` are never waited for.
            self.opening.unsettled = self.opening.unsettled.saturating_sub(1);
        }
    }

    /// The connection has ended in peace; requests that it still had are asked on the next one.
    pub(super) fn part(&mut self, slot: usize, now: u64) {
        let connection = &mut self.connections[slot];
        if self.schedule.is_some() {
            connection.pending += connection.outstanding;
        }
        connection.clear();
        self.replace(slot, now, now);
    }

    /// The connection has failed or is of no use any more; its requests are lost, and counted here
    /// as errors if `why` says why.
    pub(super) fn fail(&mut self, slot: usize, now: u64, why: Option<String>) {
        let connection = &mut self.connections[slot];
        if connection.state == State::Connecting {
            self.opening.connecting -= 1;
        }
        let lost = connection.outstanding;
        connection.answered += u64::from(lost);
        connection.answer_path = connection.next_path;
        connection.clear();
        if let Some(why) = why {
            self.report.error(u64::from(lost.max(1)), || why);
        }
        self.replace(slot, now, now + PAUSE);
    }

    /// Sees to it that the place gets a new connection if it needs one.
    fn replace(&mut self, slot: usize, now: u64, at: u64) {
        let connection = &self.connections[slot];
        if connection.role == Role::Idle && connection.settled {
            self.report.idle_closed += 1;
            return;
        }
        let one_each = self.options.close && connection.role == Role::Load;
        if one_each && self.schedule.is_some() && connection.pending == 0 {
            return;
        }
        match at > now {
            true => self.opening.later.push_back((at, slot as u32)),
            false => self.opening.soon.push_back(slot as u32),
        }
    }

    /// The server has taken longer than it may.
    pub(super) fn time_out(&mut self, slot: usize, now: u64) {
        let connection = &self.connections[slot];
        let waited = now - connection.since;
        let lost = connection.outstanding;
        let limit = self.options.timeout;
        let (count, what) = match connection.state {
            State::Connecting => (1, "no connection"),
            State::Ending => (1, "no end of a connection that was announced to close"),
            _ => (lost.max(1), "no answer"),
        };
        if connection.state == State::Connecting {
            self.report.connect_errors += 1;
            self.opening.last_error = format!("no connection within {limit:?}");
        }
        self.report.timeouts += u64::from(count);
        self.record_lost(slot, waited);
        self.fail(slot, now, Some(format!("{what} within {limit:?}")));
    }

    /// Requests that never got an answer have waited at least this long; at a fixed rate since they were
    /// due, which is no later.
    pub(super) fn record_lost(&mut self, slot: usize, waited: u64) {
        let connection = &self.connections[slot];
        let lost = u64::from(connection.outstanding);
        let now = connection.since + waited;
        match self.schedule {
            None if now >= self.window.start && lost > 0 => {
                self.report.latency.record(waited, lost);
            }
            None => {}
            Some(schedule) => {
                for turn in connection.answered..connection.answered + lost {
                    self.record_due(schedule.due_on(slot, turn), now);
                }
            }
        }
    }

    /// Records that a request which was due at `due` was not answered until `now`.
    pub(super) fn record_due(&mut self, due: u64, now: u64) {
        if self.window.contains(&due) {
            self.report.latency.record(now.saturating_sub(due), 1);
        }
    }
}
