//! One connection, from the client's side.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::super::ws::frame::Reader;
use super::super::ws::handshake::Handshake;

/// A connection and what it waits for.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// `Some` from `Connecting` on.
    pub(super) socket: Option<OwnedFd>,
    pub(super) stage: Stage,
    /// When it was begun, in nanoseconds.
    pub(super) since: u64,
    /// While it is under way, with what has come of the answer.
    pub(super) opening: Option<Box<Opening>>,
    pub(super) reader: Reader,
    /// What the kernel did not take yet.
    pub(super) unwritten: Vec<u8>,
    /// Texts that were sent and texts that came back, the first one of all included.
    pub(super) sent: u64,
    pub(super) echoed: u64,
    /// When those under way were sent.
    pub(super) times: VecDeque<u64>,
    /// Messages of broadcasts that came.
    pub(super) delivered: u64,
}

/// A handshake.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) handshake: Handshake,
    pub(super) answer: Vec<u8>,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Stage {
    #[default]
    Absent,
    Connecting,
    /// It waits for its first text.
    Greeting,
    Open,
    /// It is open and will never read again; what becomes of it is the server's affair.
    Stalled,
    Upgrading,
}

impl Link {
    /// Texts that were sent and have not come back.
    #[inline]
    pub(super) fn outstanding(&self) -> u64 {
        self.sent - self.echoed
    }

    /// Whether it has been begun and is not ready yet.
    pub(super) fn is_coming(&self) -> bool {
        matches!(
            self.stage,
            Stage::Connecting | Stage::Upgrading | Stage::Greeting
        )
    }

    /// Since when it has waited for what it waits for now.
    pub(super) fn waits_since(&self) -> u64 {
        match self.stage {
            Stage::Open => self.times.front().copied().unwrap_or(u64::MAX),
            _ => self.since,
        }
    }
}
