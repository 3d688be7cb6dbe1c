//! A handler's future, watched: its panic and its failure become a response and a log line.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use http::header::ACCEPT;
use http::{Method, StatusCode};
use pin_project_lite::pin_project;
use squall_server::{Answer, ConnectInfo, Request};
use tracing::field::{DisplayValue, display};

use crate::context::{Context, Label};
use crate::error::{Note, fill, one_line};
use crate::extract::Needs;
use crate::handler::Handler;
use crate::response::{IntoResponse, Response};

/// A handler whose type has been forgotten.
///
/// What answers a route by other means than a function, such as a type with a method for each HTTP method, is another
/// endpoint.
pub(super) trait Endpoint {
    fn call(&self, cx: Context) -> Answer;
}

pub(super) struct HandlerEndpoint<H: Handler<Args>, Args> {
    handler: Rc<H>,
    arguments: PhantomData<fn(Args)>,
    /// The memory of the last future that had an answer at once, for the next one.
    spare: Cell<Option<Slot<H::Begun>>>,
}

/// Memory for a future, which is pinned there; empty between two of them.
type Slot<F> = Pin<Box<Option<F>>>;

impl<H: Handler<Args>, Args: 'static> HandlerEndpoint<H, Args> {
    pub(super) fn boxed(handler: H) -> (Box<dyn Endpoint>, Needs) {
        let mut needs = Needs::default();
        H::needs(&mut needs);
        let endpoint = Self {
            handler: Rc::new(handler),
            arguments: PhantomData,
            spare: Cell::new(None),
        };
        (Box::new(endpoint), needs)
    }
}

impl<H: Handler<Args>, Args: 'static> Endpoint for HandlerEndpoint<H, Args> {
    /// Most handlers have an answer at once, so they are polled before anything is kept of their request.
    fn call(&self, mut cx: Context) -> Answer {
        let start = catch_unwind(AssertUnwindSafe(|| self.start(&mut cx)));
        let report = |cx: &Context| Report::new(cx.request(), Some(Rc::clone(cx.label())));
        match start {
            Ok(Start::Done(response)) if response.is_plain() => Answer::Ready(response),
            Ok(Start::Done(response)) => Answer::Ready(report(&cx).finish(response)),
            Ok(Start::Waits(slot)) => {
                let (future, report) = (Waiting(slot), report(&cx));
                Answer::Later(Box::pin(Guarded { future, report }))
            }
            Ok(Start::NotYet) => {
                let report = report(&cx);
                let future = Rc::clone(&self.handler).call(cx);
                Answer::Later(Box::pin(Guarded { future, report }))
            }
            Err(panic) => Answer::Ready(report(&cx).panicked(&*panic)),
        }
    }
}

/// How far a handler comes without waiting.
enum Start<F> {
    /// To its end, or to an argument that cannot be made.
    Done(Response),
    /// Nowhere: an argument is not here yet.
    NotYet,
    /// To a point at which it waits for something.
    Waits(Slot<F>),
}

impl<H: Handler<Args>, Args: 'static> HandlerEndpoint<H, Args> {
    fn start(&self, cx: &mut Context) -> Start<H::Begun> {
        let future = match self.handler.begin(cx) {
            None => return Start::NotYet,
            Some(Err(rejection)) => return Start::Done(rejection),
            Some(Ok(future)) => future,
        };
        let mut slot = self.spare.take().unwrap_or_else(|| Box::pin(None));
        slot.set(Some(future));
        // Whoever gets the future polls it again without being woken, so the waker of this poll need not wake anybody.
        match poll_slot(&mut slot, &mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(response) => {
                slot.set(None);
                self.spare.set(Some(slot));
                Start::Done(response)
            }
            Poll::Pending => Start::Waits(slot),
        }
    }
}

fn poll_slot<F: Future>(slot: &mut Slot<F>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
    let future = slot.as_mut().as_pin_mut();
    future.expect("a slot that is polled has a future").poll(cx)
}

/// A future in its slot.
struct Waiting<F>(Slot<F>);

impl<F: Future> Future for Waiting<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        poll_slot(&mut self.0, cx)
    }
}

pin_project! {
    /// A future that ends in a response whatever happens in it.
    struct Guarded<F> {
        #[pin]
        future: F,
        report: Report,
    }
}

impl<F: Future<Output = Response>> Future for Guarded<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Response> {
        let this = self.project();
        // The future is not polled again after a panic, so nobody sees what the panic left behind in it.
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.poll(cx)));
        Poll::Ready(match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(response)) => this.report.finish(response),
            Err(panic) => this.report.panicked(&*panic),
        })
    }
}

/// What is kept of a request to report on its response.
pub(super) struct Report {
    method: Method,
    /// What the peer would like to read.
    accept: Option<Box<[u8]>>,
    /// Who the connection belongs to; none in requests that did not come over one.
    connection: Option<Rc<ConnectInfo>>,
    /// None: no route was found.
    route: Option<Rc<Label>>,
}

impl Report {
    pub(super) fn new(request: &Request, route: Option<Rc<Label>>) -> Self {
        let accept = request.header(&ACCEPT);
        Self {
            method: request.method().clone(),
            accept: accept.map(Box::from),
            connection: request.shared_connect_info(),
            route,
        }
    }

    /// Writes the body and the log line of a response to a failure; others pass.
    pub(super) fn finish(&self, mut response: Response) -> Response {
        match Note::take(&mut response) {
            Some(note) => self.fill(response, &note),
            None => response,
        }
    }

    fn fill(&self, mut response: Response, note: &Note) -> Response {
        self.log(response.status(), note);
        fill(&mut response, note, self.accept.as_deref());
        response
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Response {
        let (method, route, peer) = (&self.method, self.route(), self.peer());
        let message = one_line(message(panic));
        tracing::error!(target: "squall::web", peer, "{method} {route}: handler panicked: {message}");
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        if let Some(note) = Note::take(&mut response) {
            fill(&mut response, &note, self.accept.as_deref());
        }
        response
    }

    /// What the application did wrong is an error; what a peer did wrong would fill the log at the peer's wish.
    fn log(&self, status: StatusCode, note: &Note) {
        let (method, route, peer) = (&self.method, self.route(), self.peer());
        let cause = one_line(note.cause.as_deref().unwrap_or(&note.message));
        // That nobody knows the method.
        let of_peer = status == StatusCode::NOT_IMPLEMENTED && self.route.is_none();
        if status.is_server_error() && !of_peer {
            tracing::error!(target: "squall::web", peer, "{method} {route}: {status}: {cause}");
        } else {
            tracing::debug!(target: "squall::web", peer, "{method} {route}: {status}: {cause}");
        }
    }

    /// The end of the connection that the socket tells, as in the lines of the server.
    fn peer(&self) -> Option<DisplayValue<impl fmt::Display + '_>> {
        let connection = self.connection.as_deref();
        connection.map(|connection| display(&connection.peer))
    }

    fn route(&self) -> &str {
        self.route.as_deref().map_or("(no route)", Label::text)
    }
}

/// The text of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "(a value that is no text)"
    }
}
