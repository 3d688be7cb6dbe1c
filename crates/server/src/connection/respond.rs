//! The head and the end of an answer.

use std::error::Error;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use squall_http::Body;
use squall_http::h1::{Exchange, ResponseStart, WriteError};

use super::Connection;
use super::exchange::{Exchanging, Stage};
use super::failure::{Failure, OneLine};
use crate::date;

impl Connection {
    /// Encodes the head of the service's answer, or of a 500 if it is one that must not be sent.
    pub(super) fn begin_answer(
        &mut self,
        exchanging: &mut Exchanging,
        response: Response<Body>,
    ) -> Result<(), Failure> {
        let last = self.input.is_exhausted()
            || !exchanging.upload.can_be_skipped(self.config.unread_bytes);
        let exchange = self.last_if(last, exchanging.exchange);
        exchanging.until_close = exchanging.http10 && response.body().length().is_none();
        if let Err((err, response)) = self.encode_head(exchange, response, &mut exchanging.stage) {
            let (label, status) = (&exchanging.label, response.status());
            tracing::error!(peer = %self.info.peer, "the answer {status} to {label} cannot be sent: {err}");
            let instead = plain(StatusCode::INTERNAL_SERVER_ERROR);
            return self
                .encode_head(exchange, instead, &mut exchanging.stage)
                .map_err(|_| Failure::Broken);
        }
        if matches!(exchanging.stage, Stage::Sending { .. }) && !self.encoder.wants_body() {
            self.end_answer(exchanging)?;
        }
        Ok(())
    }

    /// Encodes an answer of the server's own to something that could not be understood.
    pub(super) fn answer_unreadable(&mut self, status: StatusCode) -> Result<(), Failure> {
        let mut stage = Stage::Done;
        self.encode_head(Exchange::UNREADABLE, plain(status), &mut stage)
            .map_err(|_| Failure::Broken)?;
        if let Stage::Sending { piece, .. } = stage {
            let buffer = self.output.buffer();
            let written = self
                .encoder
                .data(buffer, &piece)
                .and_then(|()| self.encoder.end(buffer));
            written.map_err(|_| Failure::Broken)?;
        }
        Ok(())
    }

    /// Ends an answer whose body is complete.
    pub(super) fn end_answer(&mut self, exchanging: &mut Exchanging) -> Result<(), Failure> {
        let trailers = match &mut exchanging.stage {
            Stage::Sending {
                stream: Some(stream),
                ..
            } => stream.as_mut().take_trailers(),
            _ => None,
        };
        let ended = self
            .encoder
            .end_with(self.output.buffer(), trailers.as_ref());
        ended.map_err(|err| self.broken(exchanging, &err))?;
        exchanging.stage = Stage::Done;
        Ok(())
    }

    /// Logs why an answer cannot go on.
    pub(super) fn broken(&self, exchanging: &Exchanging, err: &dyn Error) -> Failure {
        let label = &exchanging.label;
        let cause = err
            .source()
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        tracing::error!(peer = %self.info.peer, "the answer to {label} is cut off: {err}{}", OneLine(&cause));
        exchanging.failure()
    }

    /// Encodes a head and moves `stage` on to the body; gives the response back if it must not be sent.
    #[expect(
        clippy::result_large_err,
        reason = "moved once, and only when the service has a bug"
    )]
    fn encode_head(
        &mut self,
        exchange: Exchange,
        response: Response<Body>,
        stage: &mut Stage,
    ) -> Result<(), (WriteError, Response<Body>)> {
        let date = date::now();
        let start = ResponseStart {
            date: date.as_ref(),
            ..ResponseStart::of(&response, response.body().length())
        };
        if let Err(err) = self.encoder.head(self.output.buffer(), exchange, &start) {
            return Err((err, response));
        }
        *stage = match response.into_body() {
            Body::Full(piece) => Stage::Sending {
                piece,
                stream: None,
            },
            Body::Stream(stream) => Stage::Sending {
                piece: Bytes::new(),
                stream: Some(stream),
            },
        };
        Ok(())
    }
}

/// Makes an answer that is a status and its name.
pub(super) fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{status}\n")));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
