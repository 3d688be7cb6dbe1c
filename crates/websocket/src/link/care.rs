//! Being looked after: pings, and time limits.

use std::rc::Rc;
use std::time::Duration;

use super::{Link, Phase};
use crate::common::{self, Common};
use crate::options::WebSocketOptions;
use crate::proto::OpCode;

impl Link {
    /// Notes that the other end is alive.
    #[inline]
    pub(crate) fn hear(&self, now: u32) {
        if self.phase.get() == Phase::Open {
            self.heard.set(now);
            self.pinged.set(false);
        }
    }

    /// Whether it is time to do something about it.
    pub(crate) fn is_due(&self, now: u32) -> bool {
        let silent = now.wrapping_sub(self.heard.get());
        let options = &self.options;
        if self.stalled(now) {
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
        if self.stalled(now) {
            return self.give_up("nothing it was sent made way (write_timeout)");
        }
        if self.phase.get() != Phase::Open {
            return self.give_up("its end took too long (close_timeout)");
        }
        let Some(interval) = self.options.ping_interval else {
            return;
        };
        if !self.pinged.replace(true) {
            return self.send_control(OpCode::Ping, &[]);
        }
        let most = self
            .patience(millis(interval))
            .saturating_add(millis(self.options.ping_timeout));
        if silent >= most {
            self.give_up("it was silent for too long (ping_timeout)");
        }
    }

    fn give_up(self: &Rc<Self>, why: &str) {
        let peer = self.peer();
        tracing::debug!(%peer, "WebSocket cut: {why}");
        self.break_off();
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
