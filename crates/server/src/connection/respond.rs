//! The head and the end of an answer.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http::StatusCode;
use squall_http::h1::{Exchange, ResponseStart, WriteError};
use squall_http::{Body, BodyStream, Response};

use super::Connection;
use super::exchange::{SLICE, Stage};
use super::failure::{Failure, OneLine};
use super::file::Sending;
use crate::date;
use crate::file::FileBody;

impl Connection {
    /// Encodes the service's answer in one go if it is of the usual kind and small; says whether it was.
    // In the middle of the usual course, where a call would cost more than what it does.
    #[inline(always)]
    pub(super) fn answer_usual(&mut self, response: &Response) -> bool {
        if !matches!(response.body(), Body::Full(body) if body.len() <= SLICE) {
            return false;
        }
        let exchange = self.exchange();
        let (out, encoder) = (self.output.buffer(), &mut self.encoder);
        let usual = date::with_head(|head| {
            head.is_some_and(|head| encoder.usual(out, exchange, response, head))
        });
        if usual && !matches!(self.exchanging.stage, Stage::Done) {
            self.exchanging.stage = Stage::Done;
        }
        usual
    }

    /// Returns what the answer has to know, the last one of the connection if nothing can follow it.
    #[inline(always)]
    fn exchange(&self) -> Exchange {
        let upload = &self.exchanging.upload;
        let last = self.input.is_exhausted() || !upload.can_be_skipped(self.config.unread_bytes);
        self.last_if(last, self.exchanging.exchange)
    }

    /// Encodes the head of the service's answer, or of a 500 if it is one that must not be sent.
    pub(super) fn begin_answer(&mut self, response: Response) -> Result<(), Failure> {
        if self.answer_usual(&response) {
            return Ok(());
        }
        let unread_bytes = self.config.unread_bytes;
        if let Some(left) = self.exchanging.upload.left_beyond(unread_bytes) {
            self.note_unread(format_args!("{left} bytes"));
        }
        let exchange = self.exchange();
        self.exchanging.until_close = exchange.is_http10() && response.body().length().is_none();
        if let Err(err) = self.encode_head(exchange, &response) {
            let (label, status) = (&self.exchanging.label, response.status());
            tracing::error!(peer = %self.info.peer, "the answer {status} to {label} cannot be sent: {err}");
            let instead = plain(StatusCode::INTERNAL_SERVER_ERROR);
            self.encode_head(exchange, &instead)
                .map_err(|_| Failure::Broken)?;
            return self.begin_body(instead.into_body());
        }
        self.begin_body(response.into_body())
    }

    /// Encodes an answer of the server's own to something that could not be understood.
    pub(super) fn answer_unreadable(&mut self, status: StatusCode) -> Result<(), Failure> {
        let response = plain(status);
        self.encode_head(Exchange::UNREADABLE, &response)
            .map_err(|_| Failure::Broken)?;
        self.begin_body(response.into_body())
    }

    /// Encodes a small body at once, and leaves others to [`advance`](Self::advance).
    fn begin_body(&mut self, body: Body) -> Result<(), Failure> {
        let wanted = self.encoder.wants_body();
        self.exchanging.stage = match body {
            Body::Full(piece) if wanted && piece.len() <= SLICE => {
                let encoded = self.encoder.data(self.output.buffer(), &piece);
                encoded.map_err(|err| self.broken(&err))?;
                return self.end_answer();
            }
            Body::Full(piece) => Stage::Sending {
                piece,
                stream: None,
            },
            Body::Stream(stream) if wanted => self.begin_stream(stream),
            Body::Stream(stream) => Stage::Sending {
                piece: Bytes::new(),
                stream: Some(stream),
            },
        };
        if !wanted {
            self.end_answer()?;
        }
        Ok(())
    }

    /// Leaves a file to the system, if the connection can do that.
    fn begin_stream(&mut self, mut stream: Pin<Box<dyn BodyStream>>) -> Stage {
        let length = stream.size_hint();
        if self.stream().can_send_file()
            && let Some(slice) = stream.as_mut().take_file()
        {
            if length == Some(slice.length) {
                return Stage::File(Box::new(Sending::new(slice)));
            }
            // Framed for another length, it is held to that piece by piece.
            stream = Box::pin(FileBody::of(slice));
        }
        Stage::Sending {
            piece: Bytes::new(),
            stream: Some(stream),
        }
    }

    /// Ends an answer whose body is complete.
    pub(super) fn end_answer(&mut self) -> Result<(), Failure> {
        let trailers = match &mut self.exchanging.stage {
            Stage::Sending {
                stream: Some(stream),
                ..
            } => stream.as_mut().take_trailers(),
            _ => None,
        };
        let ended = self
            .encoder
            .end_with(self.output.buffer(), trailers.as_ref());
        ended.map_err(|err| self.broken(&err))?;
        self.exchanging.stage = Stage::Done;
        Ok(())
    }

    /// Logs that the service has left more of a body than is read in vain.
    pub(super) fn note_unread(&self, left: fmt::Arguments<'_>) {
        let (peer, limit) = (&self.info.peer, self.config.unread_bytes);
        let label = &self.exchanging.label;
        tracing::info!(%peer, "connection closed after {label}, whose body has {left} that nobody reads, over the limit unread_bytes ({limit})");
    }

    /// Logs why an answer cannot go on.
    pub(super) fn broken(&self, err: &dyn Error) -> Failure {
        let label = &self.exchanging.label;
        let cause = err
            .source()
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        tracing::error!(peer = %self.info.peer, "the answer to {label} is cut off: {err}{}", OneLine(&cause));
        self.exchanging.failure()
    }

    /// Encodes a head; nothing is changed if it must not be sent.
    fn encode_head(&mut self, exchange: Exchange, response: &Response) -> Result<(), WriteError> {
        let (out, encoder) = (self.output.buffer(), &mut self.encoder);
        date::with_head(|head| {
            let start = ResponseStart {
                date: head.as_ref().map(|head| head.date()),
                ..ResponseStart::of(response)
            };
            encoder.head(out, exchange, &start)
        })
    }
}

/// Makes an answer that is a status and its name.
pub(super) fn plain(status: StatusCode) -> Response {
    let mut response = Response::with_type("text/plain; charset=utf-8", format!("{status}\n"));
    *response.status_mut() = status;
    response
}
