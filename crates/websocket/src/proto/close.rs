//! Why a connection ends (RFC 6455 section 7.4).

use std::borrow::Cow;
use std::fmt;

/// The number that says why a connection ends.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: it has done what it was for.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes down, or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the other end broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that this end has no use for.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005, never sent: the other end's close frame had no code.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006, never sent: the connection ended without a close frame.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: text that is not UTF-8, or compressed data that is not.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: against the rules of this end, which no other code names.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message longer than this end takes.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree to an extension that the client needs.
    pub const MISSING_EXTENSION: Self = Self(1010);
    /// 1011: this end failed.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the server starts again; come back after a moment of a random length.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the server has too much to do; come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// Makes a code that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455 section 7.4.2 and the registry
    /// it made); `None` for other numbers.
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(number)),
            _ => None,
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether it may stand in a close frame: [`NO_STATUS`](Self::NO_STATUS) and [`ABNORMAL`](Self::ABNORMAL) may not.
    pub const fn may_be_sent(self) -> bool {
        Self::new(self.0).is_some()
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a close frame says, or would say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CloseFrame {
    /// Why.
    pub code: CloseCode,
    /// The same for people who read logs; at most 123 bytes, and often empty.
    pub reason: Cow<'static, str>,
}

impl CloseFrame {
    /// Makes one. A reason of more than 123 bytes is cut between characters.
    pub fn new(code: CloseCode, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON {
            let end = reason.floor_char_boundary(MAX_REASON);
            reason.to_mut().truncate(end);
        }
        Self { code, reason }
    }
}

/// A control frame has at most 125 bytes, of which two are the code.
const MAX_REASON: usize = 123;

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        if !self.reason.is_empty() {
            write!(f, " ({})", self.reason.escape_debug())?;
        }
        Ok(())
    }
}
