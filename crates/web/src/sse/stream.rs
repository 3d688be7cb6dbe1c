//! The response that events travel in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use squall_http::{Body, BodyError, BodyStream};
use squall_ioloop::{IoLoop, sleep_until};

use super::queue::{EventSender, Receiver, SendError, queue};
use crate::response::{IntoResponse, Response};
use crate::{HttpError, Result};

/// How many bytes wait for a slow peer unless the stream says otherwise.
const BUFFER: usize = 64 * 1024;
/// How long a stream is silent unless it says otherwise; WHATWG HTML section 9.2.7 advises 15 seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A comment without text.
const SIGN_OF_LIFE: Bytes = Bytes::from_static(b":\n\n");

/// A response that sends events for as long as anybody sends some: `text/event-stream`.
///
/// It ends early when the server is asked to stop, unless it is [`finite`](Self::finite).
///
/// It is not cached, and asks proxies that know `X-Accel-Buffering` not to hold it back.
pub struct EventStream {
    receiver: Receiver,
    /// Fills the stream from inside; none: somebody else holds the sender.
    producer: Option<Producer>,
    keep_alive: Option<Duration>,
    /// A stop of the server waits for the end.
    finite: bool,
}

type Producer = Pin<Box<dyn Future<Output = Result<()>>>>;

impl EventStream {
    /// A stream filled by a closure, which runs as part of the response: it is dropped when the peer has gone.
    ///
    /// The stream ends when the closure returns, and what it sent has been delivered. An error is logged; that the
    /// peer has gone ([`SendError::Closed`]) is none.
    pub fn new(produce: impl AsyncFnOnce(EventSender) -> Result<()> + 'static) -> Self {
        let (sender, stream) = Self::channel();
        Self {
            producer: Some(Box::pin(async move { produce(sender).await })),
            ..stream
        }
    }

    /// A stream and the sender that fills it, for events that come from elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use squall_ioloop::spawn_callback;
    /// use squall_web::sse::{EventStream, SendError};
    ///
    /// async fn report() -> EventStream {
    ///     let (events, stream) = EventStream::channel();
    ///     spawn_callback(async move {
    ///         events.send("begun").await?;
    ///         // what goes on here goes on after the peer has gone
    ///         events.send("done").await
    ///     });
    ///     stream
    /// }
    /// # let _ = report;
    /// ```
    pub fn channel() -> (EventSender, Self) {
        let (sender, receiver) = queue(BUFFER);
        let stream = Self {
            receiver,
            producer: None,
            keep_alive: Some(KEEP_ALIVE),
            finite: false,
        };
        (sender, stream)
    }

    /// Sets how long the stream may be silent before it sends a comment; `None` or zero: for ever. Default 15 seconds.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = interval.into().filter(|interval| !interval.is_zero());
        self
    }

    /// Sets how many bytes may wait for a slow peer before senders wait. Default 64 KiB. A larger event passes alone.
    pub fn buffer(self, bytes: usize) -> Self {
        self.receiver.limit(bytes);
        self
    }

    /// Says that the stream ends by itself before long: a server that stops waits for it, until its deadline.
    ///
    /// Otherwise a stop ends the stream after what was sent so far. Its senders learn that the peer has gone, and the page
    /// connects again, to the server's successor, with the id of the last event it got.
    pub fn finite(self) -> Self {
        Self {
            finite: true,
            ..self
        }
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let events = Events {
            receiver: self.receiver,
            producer: self.producer,
            keep_alive: self.keep_alive.map(KeepAlive::new),
            finite: self.finite,
        };
        let mut response = Response::with_type("text/event-stream", Body::stream(events));
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        );
        response
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

/// The body.
struct Events {
    receiver: Receiver,
    producer: Option<Producer>,
    keep_alive: Option<KeepAlive>,
    finite: bool,
}

impl BodyStream for Events {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.run_producer(cx);
        let polled = self.receiver.poll_text(cx);
        let Some(keep_alive) = &mut self.keep_alive else {
            return polled.map(|text| text.map(|text| Ok(text.into())));
        };
        match polled {
            Poll::Ready(text) => {
                keep_alive.heard();
                Poll::Ready(text.map(|text| Ok(text.into())))
            }
            Poll::Pending => keep_alive.poll(cx).map(|()| Some(Ok(SIGN_OF_LIFE))),
        }
    }

    fn stop(self: Pin<&mut Self>) {
        if !self.finite {
            self.receiver.close();
        }
    }
}

impl Events {
    fn run_producer(&mut self, cx: &mut Context<'_>) {
        let Some(producer) = &mut self.producer else {
            return;
        };
        if let Poll::Ready(result) = producer.as_mut().poll(cx) {
            self.producer = None;
            if let Err(error) = result {
                log(error);
            }
        }
    }
}

fn log(error: HttpError) {
    let cause = error.source();
    let closed = cause.and_then(|cause| cause.downcast_ref()) == Some(&SendError::Closed);
    if !closed {
        let cause = cause.map(crate::error::chain).unwrap_or_default();
        tracing::error!(target: "squall::web", "event stream ended: {error}: {cause}");
    }
}

/// Says when the stream has been silent for too long.
///
/// One timer an interval: an event only notes its time, and the timer, when it rings, sets itself to the rest.
struct KeepAlive {
    interval: Duration,
    /// When the peer was last sent something; none before the first poll.
    last: Option<Instant>,
    timer: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl KeepAlive {
    fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
            timer: None,
        }
    }

    fn heard(&mut self) {
        self.last = IoLoop::try_current().ok().map(|io_loop| io_loop.time());
    }

    /// Ready when the interval has passed in silence; never off a loop, where there is no time.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Ok(io_loop) = IoLoop::try_current() else {
            return Poll::Pending;
        };
        loop {
            let last = *self.last.get_or_insert_with(|| io_loop.time());
            let Some(due) = last.checked_add(self.interval) else {
                return Poll::Pending;
            };
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(cx));
                self.timer = None;
                if io_loop.time() >= due {
                    self.last = Some(io_loop.time());
                    return Poll::Ready(());
                }
            }
            self.timer = Some(Box::pin(sleep_until(due)));
        }
    }
}
