//! A handler's future, watched: its panic and its failure become a response and a log line.

use std::any::Any;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use http::header::ACCEPT;
use http::{Method, StatusCode};
use pin_project_lite::pin_project;
use squall_server::{Answer, Request};

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

pub(super) struct HandlerEndpoint<H, Args> {
    handler: Rc<H>,
    arguments: PhantomData<fn(Args)>,
}

impl<H: Handler<Args>, Args: 'static> HandlerEndpoint<H, Args> {
    pub(super) fn boxed(handler: H) -> (Box<dyn Endpoint>, Needs) {
        let mut needs = Needs::default();
        H::needs(&mut needs);
        let endpoint = Self {
            handler: Rc::new(handler),
            arguments: PhantomData,
        };
        (Box::new(endpoint), needs)
    }
}

impl<H: Handler<Args>, Args: 'static> Endpoint for HandlerEndpoint<H, Args> {
    /// The one allocation that a request needs here, and a small one when the arguments can be made at once.
    fn call(&self, mut cx: Context) -> Answer {
        let label = Rc::clone(cx.label());
        let report = Report::new(cx.request(), Some(label));
        match catch_unwind(AssertUnwindSafe(|| self.handler.begin(&mut cx))) {
            Ok(Some(Ok(future))) => Box::pin(Guarded { future, report }),
            Ok(Some(Err(rejection))) => Box::pin(ready(report.finish(rejection))),
            Ok(None) => {
                let future = Rc::clone(&self.handler).call(cx);
                Box::pin(Guarded { future, report })
            }
            Err(panic) => Box::pin(ready(report.panicked(&*panic))),
        }
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
    /// None: no route was found.
    route: Option<Rc<Label>>,
}

impl Report {
    pub(super) fn new(request: &Request, route: Option<Rc<Label>>) -> Self {
        let accept = request.header(&ACCEPT);
        Self {
            method: request.method().clone(),
            accept: accept.map(Box::from),
            route,
        }
    }

    /// Writes the body and the log line of a response to a failure; others pass.
    pub(super) fn finish(&self, mut response: Response) -> Response {
        if let Some(note) = Note::take(&mut response) {
            self.log(response.status(), &note);
            fill(&mut response, &note, self.accept.as_deref());
        }
        response
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Response {
        let (method, route) = (&self.method, self.route());
        let message = one_line(message(panic));
        tracing::error!(target: "squall::web", "{method} {route}: handler panicked: {message}");
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        if let Some(note) = Note::take(&mut response) {
            fill(&mut response, &note, self.accept.as_deref());
        }
        response
    }

    /// What the application did wrong is an error; what a peer did wrong would fill the log at the peer's wish.
    fn log(&self, status: StatusCode, note: &Note) {
        let (method, route) = (&self.method, self.route());
        let cause = one_line(note.cause.as_deref().unwrap_or(&note.message));
        if status.is_server_error() {
            tracing::error!(target: "squall::web", "{method} {route}: {status}: {cause}");
        } else {
            tracing::debug!(target: "squall::web", "{method} {route}: {status}: {cause}");
        }
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
