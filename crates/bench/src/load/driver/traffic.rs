//! What goes over a connection: requests out, answers in.

use std::io;

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::super::answer::shown;
use super::super::connection::{Role, State};
use super::super::judge::Verdict;
use super::{Driver, Phase};

/// What is to become of a connection after some bytes.
#[derive(Debug)]
enum Next {
    /// The answer was the last one; the server closes if it said so, otherwise it is up to us.
    End {
        announced: bool,
    },
    GoOn,
    /// Nothing that follows could be trusted.
    Leave,
}

impl Driver {
    /// An event of epoll.
    #[inline]
    pub(super) fn handle(&mut self, token: u64, flags: EventFlags) {
        let slot = token as u32 as usize;
        let ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        let connection = &self.connections[slot];
        if connection.generation != (token >> 32) as u32 {
            return;
        }
        if connection.state == State::Connecting && (ended || flags.contains(EventFlags::OUT)) {
            let now = self.clock.now();
            self.connected(slot, now);
        } else if !connection.unwritten.is_empty() && flags.contains(EventFlags::OUT) {
            let now = self.clock.now();
            self.write(slot, now);
            // An answer may have come before its request was written to the end.
            self.ask(slot, now);
        }
        if ended || flags.contains(EventFlags::IN) {
            self.read(slot, (token >> 32) as u32, ended);
        }
    }

    /// Sends what the connection has to ask now, if anything.
    #[inline]
    pub(super) fn ask(&mut self, slot: usize, now: u64) {
        let count = self.wanted(slot);
        if count == 0 {
            return;
        }
        let connection = &mut self.connections[slot];
        let paced = self.schedule.is_some();
        if paced {
            connection.pending -= count;
        }
        // With a connection for each request, latency begins with the connection.
        if !self.options.close && (connection.outstanding == 0 || !paced) {
            connection.since = now;
        }
        connection.unwritten = self.script.range(connection.next_path, count as usize);
        connection.next_path = self.script.after(connection.next_path, count as usize);
        connection.outstanding += count;
        self.write(slot, now);
    }

    #[inline]
    fn wanted(&self, slot: usize) -> u32 {
        let connection = &self.connections[slot];
        if !connection.is_free() {
            return 0;
        }
        let most = self.options.pipeline as u32;
        match (connection.role, self.phase) {
            (Role::Idle, _) => u32::from(!connection.settled && connection.outstanding == 0),
            (Role::Load, Phase::Done | Phase::Setup) => 0,
            (Role::Load, _) if self.schedule.is_some() => {
                connection.pending.min(most - connection.outstanding)
            }
            // A batch goes out when the last one is answered, so that all batches are alike.
            (Role::Load, Phase::Loading) if connection.outstanding == 0 => most,
            (Role::Load, _) => 0,
        }
    }

    fn write(&mut self, slot: usize, now: u64) {
        let connection = &mut self.connections[slot];
        while let Some(socket) = &connection.socket
            && !connection.unwritten.is_empty()
        {
            let bytes = self.script.bytes(connection.unwritten.clone());
            match rustix::net::send(socket, bytes, SendFlags::NOSIGNAL) {
                Ok(length) => connection.unwritten.start += length,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(err) => {
                    let err = io::Error::from(err);
                    self.fail(slot, now, Some(format!("cannot send: {err}")));
                    return;
                }
            }
        }
    }

    /// Reads what has come; to the end of the connection if `ended`.
    fn read(&mut self, slot: usize, generation: u32, ended: bool) {
        loop {
            let connection = &self.connections[slot];
            let Some(socket) = &connection.socket else {
                return;
            };
            if connection.generation != generation {
                return;
            }
            let received = rustix::net::recv(socket, &mut self.input[..], RecvFlags::empty());
            let now = self.clock.now();
            match received {
                Ok((0, _)) => return self.hung_up(slot, now),
                Ok((length, _)) => {
                    self.take(slot, length, now);
                    // A short read has emptied the socket: what comes later is another edge.
                    if length < self.input.len() && !ended {
                        return;
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(err) => return self.broke(slot, &err.into(), now),
            }
        }
    }

    /// Judges the `length` bytes that were read, and does what follows from them.
    #[inline]
    fn take(&mut self, slot: usize, length: usize, now: u64) {
        if self.window.contains(&now) {
            self.report.bytes_read += length as u64;
        }
        match self.judge_input(slot, length, now) {
            Next::GoOn => self.ask(slot, now),
            Next::Leave => self.fail(slot, now, None),
            Next::End { announced: false } => self.part(slot, now),
            Next::End { announced: true } => {
                let connection = &mut self.connections[slot];
                if self.schedule.is_some() {
                    connection.pending += connection.outstanding;
                }
                connection.retract();
                connection.state = State::Ending;
                connection.since = now;
            }
        }
    }

    fn judge_input(&mut self, slot: usize, length: usize, now: u64) -> Next {
        let connection = &mut self.connections[slot];
        let (progress, outstanding) = (&mut connection.progress, connection.outstanding);
        if let Some(count) = self
            .judge
            .take_row(progress, outstanding, &self.input[..length])
        {
            self.right(slot, now, count);
            return Next::GoOn;
        }
        let mut from = 0;
        while from < length {
            let rest = &self.input[from..length];
            let connection = &mut self.connections[slot];
            if connection.outstanding == 0 {
                let stray = rest.len();
                self.report.wrong(|| {
                    format!(
                        "{stray} bytes that nobody asked for, after an answer or before any: {}",
                        shown(rest)
                    )
                });
                return Next::Leave;
            }
            let path = connection.answer_path;
            let verdict = self.judge.take(path, &mut connection.progress, rest);
            let (used, closes) = match verdict {
                Verdict::More => return Next::GoOn,
                Verdict::Right { used, closes } => {
                    self.right(slot, now, 1);
                    (used, closes)
                }
                Verdict::Wrong { used, closes, why } => {
                    self.wrong(slot, now, &why);
                    (used, closes)
                }
                Verdict::Broken { why } => {
                    self.wrong(slot, now, &why);
                    return Next::Leave;
                }
            };
            from += used;
            let last = self.options.close && self.connections[slot].role == Role::Load;
            if closes || last {
                // Whatever follows belongs to no request.
                self.connections[slot].outstanding *= u32::from(from == length);
                if from == length {
                    return Next::End { announced: closes };
                }
            }
        }
        Next::GoOn
    }

    /// Counts `count` right answers.
    #[inline]
    fn right(&mut self, slot: usize, now: u64, count: u32) {
        if count == 0 {
            return;
        }
        let connection = &mut self.connections[slot];
        let turn = connection.answered;
        connection.outstanding -= count;
        connection.answered += u64::from(count);
        connection.answer_path = self.script.after(connection.answer_path, count as usize);
        if connection.role == Role::Idle {
            self.report.idle += 1;
            return self.settle(slot, now);
        }
        match self.schedule {
            None => {
                if self.window.contains(&now) {
                    self.report.requests += u64::from(count);
                    let took = now - connection.since;
                    self.report.latency.record(took, u64::from(count));
                }
            }
            Some(schedule) => {
                connection.since = now;
                for turn in turn..turn + u64::from(count) {
                    let due = schedule.due_on(slot, turn);
                    if self.window.contains(&due) {
                        self.report.requests += 1;
                        self.report.latency.record(now.saturating_sub(due), 1);
                    }
                }
            }
        }
    }

    /// Counts a wrong answer.
    fn wrong(&mut self, slot: usize, now: u64, why: &str) {
        let connection = &mut self.connections[slot];
        let path = &self.options.paths[connection.answer_path];
        let (method, number) = (&self.options.method, connection.answered + 1);
        self.report
            .wrong(|| format!("{method} {path}, answer {number} of connection {slot}: {why}"));
        connection.outstanding -= 1;
        connection.answered += 1;
        connection.answer_path = self.script.after(connection.answer_path, 1);
        if self.schedule.is_some() {
            connection.since = now;
        }
        if connection.role == Role::Idle {
            self.settle(slot, now);
        }
    }

    /// The server has closed its side.
    fn hung_up(&mut self, slot: usize, now: u64) {
        let connection = &mut self.connections[slot];
        if connection.state == State::Ending || connection.outstanding == 0 {
            return match connection.state {
                State::Ending => self.part(slot, now),
                // An idle connection may be closed at any time; one that is closed at once is not
                // made again at once.
                _ => self.fail(slot, now, None),
            };
        }
        let (begun, length) = (connection.progress.begun(), connection.progress.length());
        if !begun {
            let why = "the connection was closed before the answer".to_owned();
            return self.fail(slot, now, Some(why));
        }
        match self
            .judge
            .end(connection.answer_path, &mut connection.progress)
        {
            Some(Verdict::Right { .. }) => {
                self.right(slot, now, 1);
                self.part(slot, now);
            }
            Some(Verdict::Wrong { why, .. } | Verdict::Broken { why }) => {
                self.wrong(slot, now, &why);
                self.fail(slot, now, None);
            }
            _ => {
                let why = format!("cut off after {length} bytes");
                self.wrong(slot, now, &why);
                self.fail(slot, now, None);
            }
        }
    }

    /// The connection has failed; with nothing under way it has just ended.
    fn broke(&mut self, slot: usize, err: &io::Error, now: u64) {
        let connection = &self.connections[slot];
        match (connection.state, connection.outstanding) {
            (State::Ending, _) => self.part(slot, now),
            (_, 0) => self.fail(slot, now, None),
            _ => self.fail(slot, now, Some(format!("cannot receive: {err}"))),
        }
    }
}
