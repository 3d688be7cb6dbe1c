//! What the connections of one route, or one client, have in common.

use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{IoLoop, sleep_until, spawn_callback};

use crate::common;
use crate::proto::deflate::DeflateOptions;
use crate::proto::handshake::Origins;
use crate::proto::{CloseCode, CloseFrame, Limits};

/// Limits, time limits and choices of WebSockets; every limit is on by default.
///
/// ```
/// use std::time::Duration;
/// use squall_websocket::WebSocketOptions;
///
/// let options = WebSocketOptions {
///     max_message: 64 * 1024,
///     ping_interval: Some(Duration::from_secs(10)),
///     ..WebSocketOptions::default()
/// };
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
pub struct WebSocketOptions {
    /// Most bytes in a frame that comes; more is close code 1009. Default 1 MiB.
    pub max_frame: usize,
    /// Most bytes in a message that comes, inflated; more is close code 1009. Default 1 MiB.
    pub max_message: usize,
    /// Most frames in a message that comes; more is close code 1009. Default 16,384.
    pub max_fragments: usize,
    /// How long a message may be under way while less of it comes than [`min_rate`](Self::min_rate) asks for: from the first
    /// byte of its first frame on, and for any other frame alike. More is close code 1008. It runs on while a
    /// [`WebSocketStream`](crate::WebSocketStream) in the middle of a message is not asked for it. Default 30 seconds.
    pub message_timeout: Duration,
    /// Bytes of a message that the other end must bring for each second of [`message_timeout`](Self::message_timeout), as
    /// they come and without those of pings: with the defaults 7,200 bytes start its 30 seconds over. Zero lets every byte do
    /// so. Default 240, which any modem can do.
    pub min_rate: u32,
    /// Most bytes that wait for a slow reader, beside a message that passes alone; see [`slow`](Self::slow). Default 1 MiB.
    pub max_queued: usize,
    /// What happens to a message that `max_queued` has no room for. Default: the connection is closed.
    pub slow: SlowReader,
    /// How long the other end may be silent before it is sent a ping, give or take an eighth so that pings do not come
    /// all at once; `None`: never. Default 25 seconds.
    pub ping_interval: Option<Duration>,
    /// How long the other end may be silent after a ping before the connection is cut; it does not run while the ping waits
    /// behind what has not been taken by the system, for which there is [`write_timeout`](Self::write_timeout). Default 20
    /// seconds.
    pub ping_timeout: Duration,
    /// How long what is queued may make no way before the connection is cut. Default 30 seconds.
    pub write_timeout: Duration,
    /// How long the other end may take to answer a close frame once it has left, and to end the stream; for what waits
    /// before it there is [`write_timeout`](Self::write_timeout) in all. Default 5 seconds.
    pub close_timeout: Duration,
    /// Compression of messages (RFC 7692); `None`: none is agreed to. Default `None`.
    pub compression: Option<DeflateOptions>,
    /// The pages whose scripts may connect; a server's. Default: those of the same origin.
    pub origins: Origins,
    /// The subprotocols that this end speaks, best first. Default none.
    pub subprotocols: Vec<String>,
    /// The code that says goodbye when a server stops: [`CloseCode::GOING_AWAY`], the default, or
    /// [`CloseCode::SERVICE_RESTART`] for clients who know it as a request to come back soon.
    pub goodbye: CloseCode,
    /// Over how long a server that stops spreads its goodbyes, so that not everybody comes back at once. Default zero.
    pub drain: Duration,
}

/// What happens to a message when a slow reader has more waiting than it may ([`WebSocketOptions::max_queued`]).
///
/// Where messages may be thrown away, each is compressed on its own, whatever contexts were agreed on: the other end could
/// not follow references to what it never got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SlowReader {
    /// The connection is closed with code 1008, for it would miss something.
    #[default]
    Disconnect,
    /// The new message is not taken.
    DropNewest,
    /// The oldest messages that have not begun to be sent go, until there is room; pings and pongs stay.
    DropOldest,
}

impl WebSocketOptions {
    /// Bytes of a message after which its time limit starts over.
    pub(crate) fn enough(&self) -> usize {
        let bytes = self.message_timeout.as_millis() * u128::from(self.min_rate) / 1000;
        usize::try_from(bytes).unwrap_or(usize::MAX).max(1)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_frame: self.max_frame,
            max_message: self.max_message,
            max_fragments: self.max_fragments,
        }
    }

    /// The shortest of the time limits, which says how often somebody must look.
    pub(crate) fn shortest(&self) -> Duration {
        let limits = [
            self.message_timeout,
            self.ping_timeout,
            self.write_timeout,
            self.close_timeout,
        ];
        let shortest = limits.into_iter().chain(self.ping_interval).min();
        shortest.unwrap_or(Duration::MAX)
    }
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self {
            max_frame: 1 << 20,
            max_message: 1 << 20,
            max_fragments: 1 << 14,
            message_timeout: Duration::from_secs(30),
            min_rate: 240,
            max_queued: 1 << 20,
            slow: SlowReader::default(),
            ping_interval: Some(Duration::from_secs(25)),
            ping_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            compression: None,
            origins: Origins::default(),
            subprotocols: Vec::new(),
            goodbye: CloseCode::GOING_AWAY,
            drain: Duration::ZERO,
        }
    }
}

/// Closes all connections of this thread that were made with this `options` value, the same and not an equal one, over
/// the time that is in [`drain`](WebSocketOptions::drain).
///
/// # Panics
///
/// Off a loop.
pub fn close_all(options: &Rc<WebSocketOptions>, frame: &CloseFrame) {
    let links = common::with(|common| common.links_of(options));
    if options.drain.is_zero() {
        links.iter().for_each(|link| link.close(Some(frame)));
        return;
    }
    let (drain, frame) = (options.drain, frame.clone());
    spawn_callback(async move {
        let count = u32::try_from(links.len()).unwrap_or(u32::MAX).max(1);
        let begin = IoLoop::current().time();
        for (link, number) in links.into_iter().zip(0u32..) {
            // Times too large for the clock come never; whatever does not close a connection before ends it with its loop.
            let part = Duration::try_from_secs_f64(
                drain.as_secs_f64() * f64::from(number) / f64::from(count),
            );
            let Some(at) = part.ok().and_then(|part| begin.checked_add(part)) else {
                break;
            };
            sleep_until(at).await;
            link.close(Some(&frame));
        }
    });
}
