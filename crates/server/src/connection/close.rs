//! The end of a connection.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use tokio::io::AsyncWrite;

use super::Connection;
use super::failure::{Failure, Limit};

/// How a connection is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Parting {
    /// After everything that is encoded has been sent.
    Orderly,
    /// So that nobody takes what came for all there was.
    Reset,
    /// At once, for there is nothing to say, or nobody to hear it.
    Silent,
}

/// A connection that takes leave.
pub(super) struct Closing {
    parting: Parting,
    /// Everything is written, but the client may still be sending.
    lingering: bool,
}

impl Connection {
    /// Begins to end the connection the way its last request left it.
    pub(super) fn begin_close(&mut self, ended: Result<(), Failure>) -> Closing {
        Closing {
            parting: ended.map_or_else(|failure| self.say(failure), |()| Parting::Orderly),
            lingering: false,
        }
    }

    /// Sends what is left, then the end; goes on reading for a while if the client may still be sending, for closing
    /// on unread bytes resets the connection and takes the answer with it (RFC 9112 §9.6).
    ///
    /// The value is the parting that remains to be done.
    pub(super) fn poll_close(
        &mut self,
        closing: &mut Closing,
        cx: &mut Context<'_>,
    ) -> Poll<Parting> {
        if closing.parting != Parting::Orderly {
            return Poll::Ready(closing.parting);
        }
        let finished = ready!(self.poll_finish(&mut closing.lingering, cx));
        match finished {
            Err(failure) if self.output.len() > 0 || self.stream().holds_back() => {
                self.say(failure);
                // The end of the stream would say that this was all.
                Poll::Ready(Parting::Reset)
            }
            Ok(()) | Err(_) => Poll::Ready(Parting::Silent),
        }
    }

    fn poll_finish(
        &mut self,
        lingering: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        if !*lingering {
            ready!(self.poll_finish_writing(cx))?;
            if !self.input.is_unread() && !self.stream().has_unread() {
                return Poll::Ready(Ok(()));
            }
            *lingering = true;
            self.lingering.restart();
        }
        self.poll_linger(cx)
    }

    /// Lets go of the connection.
    pub(super) fn part(&mut self, parting: Parting) {
        let stream = self.stream.take();
        if let (Some(stream), Parting::Reset) = (stream, parting) {
            stream.reset();
        }
        self.renew();
    }

    /// Logs why the connection ends, and encodes what the client is told.
    fn say(&mut self, failure: Failure) -> Parting {
        let peer = self.info.peer.clone();
        match failure {
            Failure::Aborted => {
                let limit = self.member.deadline();
                tracing::info!(%peer, "connection cut, it was still open {limit:?} after the stop began (stop_timeout)");
                Parting::Reset
            }
            Failure::Broken => Parting::Orderly,
            Failure::HeadTimeout => {
                let limit = self.config.head_timeout;
                tracing::info!(%peer, "request head incomplete after {limit:?} (head_timeout)");
                self.refuse(StatusCode::REQUEST_TIMEOUT)
            }
            Failure::IdleTimeout => {
                let limit = self.config.keep_alive_timeout;
                tracing::debug!(%peer, "idle connection closed after {limit:?} (keep_alive_timeout)");
                match self.stream().tls() {
                    // It says that this is the end (RFC 8446 §6.1).
                    Some(_) => Parting::Orderly,
                    None => Parting::Silent,
                }
            }
            Failure::Left => {
                tracing::debug!(%peer, "client left early");
                Parting::Silent
            }
            Failure::Lost(err) => {
                tracing::debug!(%peer, "connection lost: {err}");
                Parting::Silent
            }
            Failure::Refused(err) => {
                let status = err.status();
                let limit = Limit(self.config.limits.value(err));
                tracing::info!(%peer, "request refused with {status}: {err}{limit}");
                self.refuse(status)
            }
            Failure::Truncated => Parting::Reset,
            Failure::WriteTimeout => {
                let limit = self.config.write_timeout;
                let bytes = self.output.stalled.bytes();
                tracing::info!(%peer, "client took {bytes} bytes of its answer in {limit:?} (write_timeout)");
                Parting::Reset
            }
        }
    }

    fn refuse(&mut self, status: StatusCode) -> Parting {
        match self.answer_unreadable(status) {
            Ok(()) => Parting::Orderly,
            Err(_) => Parting::Silent,
        }
    }

    fn poll_finish_writing(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if self.poll_flush(cx)?.is_pending()
            // The closing alert of TLS needs room like anything else.
            || Pin::new(self.stream()).poll_shutdown(cx)?.is_pending()
        {
            return self.poll_write_timeout(cx);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        // Before reading: a client that sends without a pause is not lingered for any longer.
        let limit = self.config.linger_timeout;
        if self.lingering.poll(limit, cx).is_ready() {
            let peer = &self.info.peer;
            tracing::info!(%peer, "connection closed, the client has not for {limit:?} after its last answer (linger_timeout)");
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(self.poll_step_allowed(cx));
            let (stream, input) = self.source();
            match ready!(input.poll_discard(stream, cx))? {
                0 => return Poll::Ready(Ok(())),
                count => self.count_bytes(count),
            }
        }
    }
}
