//! What a connection does, from one request to the next, as a single future.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use squall_http::h1::ResponseEncoder;
use squall_net::{Address, IoStream};

use super::close::Closing;
use super::exchange::Exchanging;
use super::failure::Failure;
use super::input::Input;
use super::output::Output;
use super::usual::Usual;
use super::{Connection, Waited, Waiting};
use crate::config::Config;
use crate::control::{Member, Phase};
use crate::date;
use crate::deadline::Deadline;
use crate::service::{ConnectInfo, Service};

/// Serves one connection after another; it is used again, for it is much larger than what a parked connection needs.
pub(crate) struct Driver {
    connection: Connection,
    doing: Doing,
}

/// Where a connection is between its first byte and its last.
enum Doing {
    /// Answers a request.
    Exchanging,
    /// Reads what the service did not want of a body, so that the next request can follow.
    Skipping { skipped: u64 },
    /// Waits for a request.
    Waiting(Waiting),
    /// Sends what is left, and takes leave.
    Closing(Closing),
    /// There is no connection any more.
    Over,
}

/// Why a driver has nothing to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rest {
    /// The connection waits for a request and is to be parked.
    Idle,
    /// The connection has ended.
    Over,
}

impl Driver {
    pub(crate) fn new(service: Rc<dyn Service>, config: Rc<Config>, member: Member) -> Self {
        thread_local! {
            static NOBODY: Rc<ConnectInfo> = Rc::new(ConnectInfo::new(Address::Memory, Address::Memory));
        }
        Self {
            connection: Connection {
                stream: None,
                parks: false,
                input: Input::new(config.limits),
                output: Output::new(config.enough(config.write_timeout)),
                encoder: ResponseEncoder::new(),
                exchanging: Exchanging::new(config.enough(config.body_timeout)),
                reading: Deadline::default(),
                lingering: Deadline::default(),
                info: NOBODY.with(Rc::clone),
                config,
                member,
                service,
                steps: 0,
            },
            doing: Doing::Over,
        }
    }

    /// Begins with a connection that waits for a request and is counted for the member already; `parks` says that it is to
    /// rest as [`Rest::Idle`] between two requests instead of waiting here.
    pub(crate) fn attach(&mut self, stream: IoStream, info: Rc<ConnectInfo>, parks: bool) {
        self.connection.parks = parks;
        self.connection.stream = Some(stream);
        self.connection.info = info;
        self.connection.steps = 0;
        self.connection.reading.restart();
        self.doing = Doing::Waiting(Waiting::ForRequest);
    }

    /// Lets go of an idle connection; the driver is as new then.
    pub(crate) fn detach(&mut self) -> Option<(IoStream, Rc<ConnectInfo>)> {
        self.doing = Doing::Over;
        self.connection.input.renew_idle();
        let stream = self.connection.stream.take()?;
        Some((stream, Rc::clone(&self.connection.info)))
    }

    pub(crate) fn member(&mut self) -> &mut Member {
        &mut self.connection.member
    }

    /// Has the connection's events wake the task that polls the driver.
    pub(crate) fn unpark(&self) {
        if let Some(stream) = &self.connection.stream {
            stream.unpark();
        }
    }

    /// Serves the connection in a task of its own until it ends, or until it may be parked.
    pub(crate) async fn run(&mut self) -> Rest {
        self.connection.member.sit_down();
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Goes on with the connection until it waits for something.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Rest> {
        date::refresh();
        let aborting = self.connection.member.poll_phase(cx) == Phase::Aborting;
        if aborting && !matches!(self.doing, Doing::Over) {
            self.end(Err(Failure::Aborted));
        }
        if let Doing::Waiting(_) = self.doing {
            match self.connection.serve_usual(cx) {
                Ok(Usual::Waiting) => {}
                Ok(Usual::Exchanging) => self.doing = Doing::Exchanging,
                Err(failure) => self.end(Err(failure)),
            }
        }
        loop {
            let polled = self.poll_doing(cx);
            match polled {
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(rest))) => return Poll::Ready(rest),
                Poll::Ready(Err(failure)) => self.end(Err(failure)),
                Poll::Pending => {
                    self.connection.steps = 0;
                    return Poll::Pending;
                }
            }
        }
    }

    fn poll_doing(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Rest>, Failure>> {
        let connection = &mut self.connection;
        match &mut self.doing {
            Doing::Waiting(waiting) => match ready!(connection.poll_request(waiting, cx))? {
                Waited::Request(head) => {
                    connection.begin(head)?;
                    self.doing = Doing::Exchanging;
                }
                Waited::Idle => return Poll::Ready(Ok(Some(Rest::Idle))),
                Waited::Over => self.end(Ok(())),
            },
            Doing::Exchanging => {
                ready!(connection.poll_exchange(cx))?;
                self.after_exchange();
            }
            Doing::Skipping { skipped } => {
                let more = ready!(connection.poll_skip(skipped, cx))?;
                self.follow(more);
            }
            Doing::Closing(closing) => {
                let closed = ready!(connection.poll_close(closing, cx));
                connection.part(closed);
                self.doing = Doing::Over;
            }
            Doing::Over => return Poll::Ready(Ok(Some(Rest::Over))),
        }
        Poll::Ready(Ok(None))
    }

    fn after_exchange(&mut self) {
        let connection = &mut self.connection;
        let upload = &mut connection.exchanging.upload;
        if let Some(upgrade) = connection.exchanging.upgrade.take()
            && connection.encoder.is_tunnel()
            && upload.complete
            && !upgrade.is_abandoned()
        {
            self.doing = Doing::Over;
            return connection.hand_over(upgrade);
        }
        let keep_alive = connection.encoder.keep_alive();
        if keep_alive && upload.complete {
            return self.follow(true);
        }
        if !keep_alive || !upload.can_be_skipped(connection.config.unread_bytes) {
            return self.end(Ok(()));
        }
        upload.abandon();
        upload.stalled.restart();
        self.doing = Doing::Skipping { skipped: 0 };
    }

    /// Waits for the next request, if there may be one.
    fn follow(&mut self, more: bool) {
        if more {
            self.connection.reading.restart();
            self.doing = Doing::Waiting(Waiting::ForRequest);
        } else {
            self.end(Ok(()));
        }
    }

    /// Ends the connection the way its last request left it.
    fn end(&mut self, ended: Result<(), Failure>) {
        // What the service still had at work is dropped first.
        self.connection.exchanging.abandon();
        let closing = self.connection.begin_close(ended);
        self.doing = Doing::Closing(closing);
    }
}
