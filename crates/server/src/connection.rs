//! One HTTP/1 connection: its requests in, the service's answers out.
//!
//! Rules of the driver:
//!
//! * Requests are answered one after another, in their order (RFC 9112 §9.3.2); the next one is not decoded before the
//!   last answer is encoded.
//! * Everything waits in one future, the [`driver`]'s: the service's future, the body of its answer, the socket both ways,
//!   and the time limits. Whatever wakes it, it looks at all of them.
//! * Between two requests a connection on a socket needs no future: it is parked.
//! * A client that always has more to do for the connection does not keep it busy for ever: after [`TURN`] steps the loop
//!   turns first.
//! * Each thing that waits for the client has a time limit, and each thing that the client can make grow has a size.

mod close;
mod driver;
mod exchange;
mod failure;
mod file;
mod input;
mod label;
mod output;
mod respond;
mod upload;
mod usual;

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use squall_http::h1::{Exchange, RequestHead, ResponseEncoder};
use squall_ioloop::Resolver;
use squall_net::{Address, IoStream};
use tokio::task::coop;

use crate::config::Config;
use crate::control::{Control, Member};
use crate::deadline::Deadline;
use crate::service::{ConnectInfo, Service};
use crate::upgrade::Upgraded;
pub(crate) use driver::{Driver, Rest};
use exchange::Exchanging;
use failure::Failure;
use input::{Input, Step};
use output::Output;

/// Steps that a connection takes before everything else on the loop has a turn. Enough to share one write among many
/// pipelined answers, and well under a millisecond. A request takes about five.
const TURN: u32 = 256;

/// Bytes of a body that are as much work as a step.
const STEP_BYTES: usize = 4096;

/// Why a stream can be taken for granted.
const ATTACHED: &str = "a connection that is polled has a stream";

/// Serves one connection until it ends, on the current loop.
///
/// This is what [`HttpServer`](crate::HttpServer) does with every connection it accepts. With one end of a
/// [`duplex`](squall_net::duplex) it serves a test, without a port:
///
/// ```
/// use std::rc::Rc;
/// use squall_http::Body;
/// use squall_ioloop::{IoLoop, spawn};
/// use squall_server::{Config, serve_connection};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hello = |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
/// IoLoop::run_sync(async move {
///     let (mut client, stream) = squall_net::duplex(1024);
///     let served = spawn(serve_connection(stream, Rc::new(hello), Rc::new(Config::default())));
///     client.write_all(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer).await?;
///     assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
///     assert!(answer.ends_with("\r\n\r\nhello"));
///     drop(client);
///     served.await?;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })
/// # }
/// ```
///
/// What goes wrong is answered to the client, if it still can be, and logged with its address.
///
/// # Panics
///
/// Off a loop. A panic of the service is caught: see [`Service`].
///
/// # Cancel safety
///
/// Dropping the future cuts the connection.
pub async fn serve_connection(stream: IoStream, service: Rc<dyn Service>, config: Rc<Config>) {
    let member = Rc::new(Control::default()).join();
    let peer = stream.peer_addr().unwrap_or(Address::Memory);
    let info = ConnectInfo::of(&stream, peer);
    serve_member(stream, info, service, config, member).await;
}

/// Serves a connection that counts as `member` of a server, in a task of its own.
pub(crate) async fn serve_member(
    stream: IoStream,
    info: ConnectInfo,
    service: Rc<dyn Service>,
    config: Rc<Config>,
    member: Member,
) {
    let mut driver = Box::new(Driver::new(service, config, member));
    driver.attach(stream, Rc::new(info), false);
    driver.run().await;
}

/// What a connection works with, whatever it is doing.
struct Connection {
    /// `None` while no connection is attached.
    stream: Option<IoStream>,
    /// Whether it rests between two requests, for somebody to park it.
    parks: bool,
    input: Input,
    output: Output,
    encoder: ResponseEncoder,
    /// The request at hand.
    exchanging: Exchanging,
    /// Runs while the connection waits for a request, or for the rest of its head.
    reading: Deadline,
    /// Runs while the client may be sending after its last answer.
    lingering: Deadline,
    info: Rc<ConnectInfo>,
    config: Rc<Config>,
    member: Member,
    service: Rc<dyn Service>,
    /// Steps taken since the loop last turned.
    steps: u32,
}

/// What a connection waits for between two answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Waiting {
    ForHead,
    ForRequest,
}

/// What became of the waiting.
enum Waited {
    /// There will be no other request.
    Over,
    /// Nothing of a request has come, nothing is left to send, and the connection may be parked.
    Idle,
    Request(RequestHead),
}

impl Connection {
    /// The stream and the input, to read from the one into the other.
    fn source(&mut self) -> (&mut IoStream, &mut Input) {
        (self.stream.as_mut().expect(ATTACHED), &mut self.input)
    }

    fn stream(&mut self) -> &mut IoStream {
        self.stream.as_mut().expect(ATTACHED)
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, Failure>> {
        let (stream, input) = self.source();
        input.poll_step(stream, cx)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let stream = self.stream.as_mut().expect(ATTACHED);
        self.output.poll_flush(stream, cx)
    }

    /// Waits for the next request.
    fn poll_request(
        &mut self,
        waiting: &mut Waiting,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Waited, Failure>> {
        ready!(self.poll_step_allowed(cx));
        let polled = if self.is_read_out() {
            Poll::Pending
        } else {
            self.poll_step(cx)
        };
        match polled {
            Poll::Ready(Ok(Step::Head(head))) => return Poll::Ready(Ok(Waited::Request(head))),
            Poll::Ready(Ok(_)) => return Poll::Ready(Ok(Waited::Over)),
            Poll::Ready(Err(Failure::Left)) => {
                // Half a request is nobody's loss, but answers to those before it may still be on their way.
                tracing::debug!(peer = %self.info.peer, "client left amid a request's head");
                return Poll::Ready(Ok(Waited::Over));
            }
            Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
            Poll::Pending => {}
        }
        // Nothing more to answer for now, so what was answered leaves.
        if self.poll_flush(cx)?.is_pending() {
            return self.poll_write_timeout(cx);
        }
        self.member.end_request();
        let now = if self.input.is_idle() {
            Waiting::ForRequest
        } else {
            Waiting::ForHead
        };
        if *waiting != now {
            *waiting = now;
            self.reading.restart();
        }
        match now {
            Waiting::ForRequest if self.member.is_stopping() && !self.stream().has_unread() => {
                Poll::Ready(Ok(Waited::Over))
            }
            Waiting::ForRequest if self.parks => Poll::Ready(Ok(Waited::Idle)),
            Waiting::ForRequest => {
                let limit = self.config.keep_alive_timeout;
                self.reading
                    .poll(limit, cx)
                    .map(|()| Err(Failure::IdleTimeout))
            }
            Waiting::ForHead => {
                let limit = self.config.head_timeout;
                self.reading
                    .poll(limit, cx)
                    .map(|()| Err(Failure::HeadTimeout))
            }
        }
    }

    /// Says whether a connection that is to be parked has nothing to read, so that nobody need wait for it here.
    fn is_read_out(&mut self) -> bool {
        self.parks && self.input.is_idle() && !self.stream().is_readable()
    }

    /// Gives the connection, and what was read ahead, to whoever waits for it.
    fn hand_over(&mut self, upgrade: Resolver<Upgraded>) {
        let unread = self.input.take_unread();
        if let Some(stream) = self.stream.take() {
            stream.unpark();
            let presence = self.member.upgrade();
            upgrade.resolve(Upgraded {
                stream,
                unread,
                presence,
            });
        }
        self.renew();
    }

    /// Forgets all of the last connection.
    fn renew(&mut self) {
        self.input = Input::new(self.config.limits);
        self.output = Output::new(self.config.enough(self.config.write_timeout));
        self.encoder = ResponseEncoder::new();
        self.member.leave();
    }

    fn poll_write_timeout<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        let limit = self.config.write_timeout;
        self.output
            .stalled
            .poll(limit, cx)
            .map(|()| Err(Failure::WriteTimeout))
    }

    /// Takes a step; pending, and woken once the loop has looked after everything else, if it was one too many.
    fn poll_step_allowed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.steps += 1;
        if self.steps <= TURN {
            return Poll::Ready(());
        }
        // The next turn of the loop alone is not enough: many turns pass before it looks at its sockets again, unless the
        // budget is used up. The last try wakes the task.
        while let Poll::Ready(taken) = coop::poll_proceed(cx) {
            taken.made_progress();
        }
        Poll::Pending
    }

    /// Counts the work that bytes of a body make.
    fn count_bytes(&mut self, bytes: usize) {
        self.steps += u32::try_from(bytes / STEP_BYTES).unwrap_or(TURN).min(TURN);
    }

    /// Returns `exchange`, or its closing form if this answer has to be the connection's last.
    fn last_if(&self, last: bool, exchange: Exchange) -> Exchange {
        if last || self.member.is_stopping() {
            exchange.closing()
        } else {
            exchange
        }
    }
}
