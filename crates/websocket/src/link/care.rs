//! Being looked after: pings, and time limits.

use std::rc::Rc;
use std::time::Duration;

use super::{Link, Phase, Ping};
use crate::common::{self, Common};
use crate::options::WebSocketOptions;
use crate::proto::{CloseCode, CloseFrame, OpCode};

impl Link {
    /// Notes that the other end is alive.
    #[inline]
    pub(crate) fn hear(&self, now: u32) {
        if self.phase.get() == Phase::Open {
            self.heard.set(now);
            self.ping.set(Ping::None);
        }
    }

    /// Notes that what has come so far is whole.
    #[inline]
    pub(crate) fn note_whole(&self) {
        self.partial.set(false);
    }

    /// Notes that something is under way, of which `bytes` have come; `counted` of them had when its time began.
    pub(crate) fn note_partial(&self, bytes: usize, counted: &mut usize) {
        let begins = !self.partial.replace(true);
        if begins || bytes.saturating_sub(*counted) >= self.options.enough() {
            *counted = bytes;
            self.progressed.set(common::now());
        }
    }

    /// Whether a message takes too long to come.
    fn trickles(&self, now: u32) -> bool {
        let limit = millis(self.options.message_timeout);
        self.partial.get()
            && self.phase.get() == Phase::Open
            && now.wrapping_sub(self.progressed.get()) >= limit
    }

    /// Whether it is time to do something about it.
    pub(crate) fn is_due(&self, now: u32) -> bool {
        let silent = now.wrapping_sub(self.heard.get());
        let options = &self.options;
        if self.stalled(now) || self.trickles(now) {
            return true;
        }
        match self.phase.get() {
            Phase::Open if self.busy.get() => false,
            Phase::Open => options
                .ping_interval
                .is_some_and(|interval| silent >= self.patience(millis(interval))),
            Phase::Closing | Phase::Ending => silent >= millis(self.farewell()),
            Phase::Over => false,
        }
    }

    /// How long it may take to end; longer while something that was sent before has not left.
    fn farewell(&self) -> Duration {
        let WebSocketOptions {
            close_timeout,
            write_timeout,
            ..
        } = *self.options;
        if self.has_outbox() {
            close_timeout.max(write_timeout)
        } else {
            close_timeout
        }
    }

    fn stalled(&self, now: u32) -> bool {
        let moved = self.with_outbox(|outbox| outbox.as_ref().map(|outbox| outbox.moved));
        moved.is_some_and(|moved| now.wrapping_sub(moved) >= millis(self.options.write_timeout))
    }

    /// How long it may be silent, different for each so that pings are spread.
    fn patience(&self, interval: u32) -> u32 {
        let spread = interval / 8;
        let part = self.key.get().wrapping_mul(0x9e37_79b9) >> 24;
        interval - (u64::from(spread) * u64::from(part) / 256) as u32
    }

    /// Does what is due.
    pub(crate) fn remind(self: &Rc<Self>) {
        let now = common::with(Common::now);
        let silent = now.wrapping_sub(self.heard.get());
        let options = &self.options;
        if self.stalled(now) {
            let why = "it took nothing of what it was sent";
            return self.give_up(why, "write_timeout", options.write_timeout);
        }
        if self.phase.get() != Phase::Open {
            let why = "it did not end";
            return self.give_up(why, "close_timeout", options.close_timeout);
        }
        if self.trickles(now) {
            return self.refuse_trickle();
        }
        let Some(interval) = options.ping_interval else {
            return;
        };
        if self.ping.get() == Ping::None {
            // This is nobody's turn, so there is a queue now, if only until the end of the loop's.
            self.ping.set(Ping::Queued);
            return self.send_control(OpCode::Ping, &[]);
        }
        if self.ping.get() == Ping::Queued && self.has_outbox() {
            // Who is slow cannot answer yet; whether it takes anything is the affair of another limit.
            return;
        }
        let most = self
            .patience(millis(interval))
            .saturating_add(millis(options.ping_timeout));
        if silent >= most {
            let why = "it did not answer a ping";
            self.give_up(why, "ping_timeout", options.ping_timeout);
        }
    }

    fn give_up(self: &Rc<Self>, why: &str, name: &str, limit: Duration) {
        let peer = self.peer();
        tracing::debug!(%peer, "WebSocket cut: {why} for {limit:?} ({name})");
        self.break_off();
    }

    /// Tells the other end that its message has taken too long.
    fn refuse_trickle(self: &Rc<Self>) {
        let (peer, limit) = (self.peer(), self.options.message_timeout);
        tracing::debug!(%peer, "WebSocket closed: a message was incomplete after {limit:?} (message_timeout)");
        let frame = CloseFrame::new(CloseCode::POLICY, "a message took too long");
        self.end(Some(&frame), frame.clone(), true);
        self.notify();
    }

    /// Notes that a ping has left, if one was queued: only now can it be answered.
    pub(super) fn note_ping_left(&self) {
        if self.ping.get() == Ping::Queued {
            self.ping.set(Ping::Sent);
            let interval = self.options.ping_interval.map_or(0, millis);
            let begun = common::now().wrapping_sub(self.patience(interval));
            self.heard.set(begun);
        }
    }

    pub(crate) fn peer(&self) -> String {
        let addr = self.with_stream(|stream| stream.peer_addr());
        match addr {
            Some(Ok(addr)) => addr.to_string(),
            _ => "a peer that is gone".to_owned(),
        }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
