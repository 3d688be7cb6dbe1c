//! A message on its way through a handler.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::handler::WebSocketHandler;
use crate::message::Message;
use crate::proto::MessageKind;
use crate::reader::{self, Decoding};
use crate::session::Session;

/// A message, and the session that it came to.
pub(crate) struct Job<H> {
    pub(crate) session: Box<Session<H>>,
    pub(crate) decoding: Box<Decoding>,
    pub(crate) kind: MessageKind,
}

/// The memory in which a handler's future is polled; it can be used for one message after the other.
pub(crate) trait Delivery<H> {
    /// Hands the message to the handler.
    fn begin(self: Pin<&mut Self>, job: Job<H>);

    /// Goes on with it; gives the job back when the handler is done, and is free for the next then.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Job<H>>;
}

pin_project_lite::pin_project! {
    struct Delivering<F, M> {
        make: M,
        #[pin]
        future: Option<F>,
    }
}

impl<H, F, M> Delivery<H> for Delivering<F, M>
where
    F: Future<Output = Job<H>>,
    M: Fn(Job<H>) -> F,
{
    fn begin(self: Pin<&mut Self>, job: Job<H>) {
        let mut this = self.project();
        let future = (this.make)(job);
        this.future.set(Some(future));
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Job<H>> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

/// Makes the memory for one message at a time.
pub(crate) fn delivery<H: WebSocketHandler>() -> Pin<Box<dyn Delivery<H>>> {
    Box::pin(Delivering {
        make: deliver,
        future: None,
    })
}

async fn deliver<H: WebSocketHandler>(mut job: Job<H>) -> Job<H> {
    let Session { ws, handler, .. } = &mut *job.session;
    let message = match job.kind {
        MessageKind::Binary => Message::Binary(Cow::Borrowed(&job.decoding.scratch.message[..])),
        MessageKind::Text => match job.decoding.scratch.text() {
            Ok(text) => Message::Text(Cow::Borrowed(text)),
            Err(error) => {
                reader::fail(&ws.link, error);
                return job;
            }
        },
    };
    if let Err(error) = handler.message(ws, message).await {
        ws.link.fail_with(&*error);
    }
    job
}
