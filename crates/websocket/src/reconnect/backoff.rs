//! How long to wait before an attempt.

use std::time::Duration;

use super::DisconnectCause;
use crate::proto::CloseCode;

/// How long a [`ReconnectingWebSocket`](crate::ReconnectingWebSocket) waits before it connects again.
///
/// A random time between nothing and a bound ("full jitter"), so that the thousands of clients that a server has lost do
/// not come back all at once. The bound doubles with each failure in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The first bound. Default 1 s.
    pub first: Duration,
    /// The bound is never above this. Default 30 s; it is also the bound after close code 1013, "try again later".
    pub longest: Duration,
    /// The bound after close code 1012, "service restart", is at least this. Default 5 s.
    pub restart: Duration,
    /// How long a connection has to be open for the next wait to be a first one again. Default 30 s. A server that lets
    /// everybody in and throws them out at once is not hammered.
    pub stable: Duration,
    /// What is waited at most because of `Retry-After`, beside the random time. Default 10 minutes.
    pub longest_retry_after: Duration,
    /// Attempts that fail in a row until it gives up; `None`: it never does. Default `None`.
    pub attempts: Option<u32>,
}

impl Backoff {
    /// Returns the time to wait after `before` earlier waits; `random` is anything from 0 to [`u32::MAX`].
    pub(super) fn wait(&self, before: u32, cause: &DisconnectCause, random: u32) -> Duration {
        let bound = self.bound(before, cause);
        // Whole milliseconds are what the loop's timers know.
        let millis = bound.as_millis() * u128::from(random) / u128::from(u32::MAX);
        let jitter = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let told = cause.retry_after().unwrap_or_default();
        told.min(self.longest_retry_after).saturating_add(jitter)
    }

    fn bound(&self, before: u32, cause: &DisconnectCause) -> Duration {
        let doubled = 1_u32
            .checked_shl(before)
            .map_or(Duration::MAX, |times| self.first.saturating_mul(times));
        let bound = doubled.min(self.longest);
        match cause {
            DisconnectCause::Closed(frame) if frame.code == CloseCode::SERVICE_RESTART => {
                bound.max(self.restart)
            }
            DisconnectCause::Closed(frame) if frame.code == CloseCode::TRY_AGAIN_LATER => {
                self.longest
            }
            _ => bound,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            restart: Duration::from_secs(5),
            stable: Duration::from_secs(30),
            longest_retry_after: Duration::from_secs(600),
            attempts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::WebSocketError;
    use crate::proto::CloseFrame;

    fn closed(code: u16) -> DisconnectCause {
        let code = CloseCode::new(code).expect("a code");
        DisconnectCause::Closed(CloseFrame::new(code, ""))
    }

    fn lost() -> DisconnectCause {
        let frame = CloseFrame::new(CloseCode::ABNORMAL, "");
        DisconnectCause::Lost(WebSocketError::Closed(frame))
    }

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let backoff = Backoff::default();
        for (before, seconds) in [
            (0, 1),
            (1, 2),
            (2, 4),
            (4, 16),
            (5, 30),
            (31, 30),
            (32, 30),
            (u32::MAX, 30),
        ] {
            let wait = backoff.wait(before, &lost(), u32::MAX);
            assert_eq!(wait, Duration::from_secs(seconds), "{before}");
        }
        let endless = Backoff {
            first: Duration::MAX,
            longest: Duration::MAX,
            ..backoff
        };
        assert!(endless.wait(3, &lost(), u32::MAX) > Duration::from_secs(1 << 40));
    }

    #[test]
    fn the_wait_is_anything_below_the_bound() {
        let backoff = Backoff::default();
        for (random, millis) in [
            (0, 0),
            (u32::MAX / 4, 999),
            (u32::MAX / 2, 1999),
            (u32::MAX, 4000),
        ] {
            let wait = backoff.wait(2, &lost(), random);
            assert_eq!(wait, Duration::from_millis(millis), "{random}");
        }
    }

    #[test]
    fn a_server_that_says_why_it_goes_is_left_alone_for_longer() {
        let backoff = Backoff::default();
        for (code, before, seconds) in [
            (1001, 0, 1),
            (1012, 0, 5),
            (1012, 4, 16),
            (1013, 0, 30),
            (1013, 9, 30),
            (4000, 0, 1),
        ] {
            let wait = backoff.wait(before, &closed(code), u32::MAX);
            assert_eq!(wait, Duration::from_secs(seconds), "{code}");
        }
    }

    #[test]
    fn some_codes_are_the_end() {
        for (code, last) in [
            (1000, true),
            (1001, false),
            (1002, true),
            (1003, true),
            (1007, true),
            (1008, true),
            (1009, true),
            (1010, true),
            (1011, false),
            (1012, false),
            (1013, false),
            (1014, false),
            (3000, true),
            (3003, true),
            (3008, false),
            (4000, false),
            (4999, false),
        ] {
            assert_eq!(closed(code).is_final(), last, "{code}");
        }
        assert!(!DisconnectCause::of_close(None).is_final());
        assert!(!lost().is_final());
    }
}
