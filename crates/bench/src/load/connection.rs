//! One connection, from the side that asks.

use std::ops::Range;
use std::os::fd::OwnedFd;

use super::judge::Progress;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// One request, and then it stays open.
    Idle,
    /// Carries the load.
    Load,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Absent,
    Connecting,
    /// The server has announced its end; only that may follow.
    Ending,
    Open,
}

/// A place for a connection; sockets come and go in it.
///
/// At a fixed rate each place has requests of its own, numbered from 0: those before `answered` are
/// over, `outstanding` are under way, `pending` more are due and wait.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) role: Role,
    pub(crate) state: State,
    /// `Some` unless `Absent`.
    pub(crate) socket: Option<OwnedFd>,
    /// Counts the sockets, so that an event of an earlier one is not taken for the present one's.
    pub(crate) generation: u32,
    /// The setup need not wait for this one any more.
    pub(crate) settled: bool,
    /// When what is being waited for began: the connection, or the oldest request. Nanoseconds.
    pub(crate) since: u64,
    /// Path of the next answer.
    pub(crate) answer_path: usize,
    /// Path of the next request.
    pub(crate) next_path: usize,
    pub(crate) outstanding: u32,
    pub(crate) pending: u32,
    pub(crate) answered: u64,
    /// What of the script is still to be written.
    pub(crate) unwritten: Range<usize>,
    pub(crate) progress: Progress,
}

impl Connection {
    pub(crate) fn new(role: Role, path: usize) -> Self {
        Self {
            role,
            state: State::Absent,
            socket: None,
            generation: 0,
            settled: false,
            since: 0,
            answer_path: path,
            next_path: path,
            outstanding: 0,
            pending: 0,
            answered: 0,
            unwritten: 0..0,
            progress: Progress::default(),
        }
    }

    /// Whether nothing is being sent or waited for on the open connection.
    #[inline]
    pub(crate) fn is_free(&self) -> bool {
        self.state == State::Open && self.unwritten.is_empty()
    }

    /// Whether the connection waits for the server, so that its patience may run out.
    pub(crate) fn waits(&self) -> bool {
        match self.state {
            State::Absent => false,
            State::Connecting | State::Ending => true,
            State::Open => self.outstanding > 0,
        }
    }

    /// Ends the socket; requests under way are asked again on the next one.
    pub(crate) fn clear(&mut self) {
        self.state = State::Absent;
        self.socket = None;
        self.generation = self.generation.wrapping_add(1);
        self.retract();
    }

    /// Takes requests under way back, as if they had never been sent.
    pub(crate) fn retract(&mut self) {
        self.next_path = self.answer_path;
        self.outstanding = 0;
        self.unwritten = 0..0;
        self.progress = Progress::default();
    }
}
