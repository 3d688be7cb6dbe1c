//! One connection to a server, and one request on it.
//!
//! The request is written and the answer read at the same time, for a server may answer before it has read everything.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::Method;
use squall_http::Body;
use squall_http::h1::{
    BodyKind, Eof, Event, Limits, RequestEncoder, RequestStart, ResponseDecoder, ResponseHead,
};
use squall_net::IoStream;
use tokio::io::AsyncWrite;

use crate::error::Kind;

/// Bytes of a request that may wait to be written before more of its body is asked for.
const HIGH_WATER: usize = 64 * 1024;

/// Reads after which everything else on the loop has a turn, however fast the server is.
const TURN: usize = 16;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: IoStream,
    encoder: RequestEncoder,
    /// It was used before, so it may have died meanwhile.
    pub(crate) reused: bool,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: ResponseHead,
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) fn new(stream: IoStream) -> Self {
        Self {
            stream,
            encoder: RequestEncoder::new(),
            reused: false,
        }
    }

    /// Says whether nothing has come that nobody asked for, the end included.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.stream.has_unread()
    }

    /// Sends one request and reads its answer; gives the connection back if it can be used again.
    ///
    /// # Cancel safety
    ///
    /// The connection is closed when the future is dropped.
    pub(crate) async fn exchange(
        mut self,
        start: &RequestStart<'_>,
        body: Body,
        limits: Limits,
    ) -> Result<(Answer, Option<Self>), Kind> {
        let mut out = Vec::new();
        self.encoder.head(&mut out, start).map_err(Kind::write)?;
        let mut upload = Upload {
            out,
            written: 0,
            body: Some(body),
            piece: Bytes::new(),
            lost: None,
        };
        let mut download = Download::new(start.method, limits);
        let connection = &mut self;
        let answer = poll_fn(|cx| connection.poll_exchange(&mut upload, &mut download, cx)).await?;
        let reusable = answer.head.keep_alive && upload.is_done() && download.tail.is_empty();
        self.reused = true;
        Ok((answer, reusable.then_some(self)))
    }

    fn poll_exchange(
        &mut self,
        upload: &mut Upload,
        download: &mut Download,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answer, Kind>> {
        if upload.lost.is_none() {
            match upload.poll(&mut self.encoder, &mut self.stream, cx) {
                // The server may have said why before it closed, so what has come is read to its end.
                Poll::Ready(Err(Kind::Lost(err))) => upload.lost = Some(err),
                Poll::Ready(Err(kind)) => return Poll::Ready(Err(kind)),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        let answer = ready!(download.poll(&mut self.stream, cx));
        Poll::Ready(match upload.lost.take() {
            Some(err) if answer.is_err() && !download.answered => Err(Kind::Lost(err)),
            _ => answer,
        })
    }
}

/// A request on its way out.
#[derive(Debug)]
struct Upload {
    /// Encoded; the first `written` bytes have left.
    out: Vec<u8>,
    written: usize,
    /// The rest of the body; `None` once its end is encoded.
    body: Option<Body>,
    /// A piece of the body that is only partly encoded.
    piece: Bytes,
    /// Why no more can be written.
    lost: Option<io::Error>,
}

impl Upload {
    fn is_done(&self) -> bool {
        self.body.is_none() && self.out.is_empty()
    }

    /// Writes until everything has left.
    fn poll(
        &mut self,
        encoder: &mut RequestEncoder,
        stream: &mut IoStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Kind>> {
        loop {
            let source = self.encode(encoder, cx)?;
            while self.written < self.out.len() {
                let rest = &self.out[self.written..];
                match ready!(Pin::new(&mut *stream).poll_write(cx, rest)) {
                    Ok(0) => return Poll::Ready(Err(Kind::Lost(io::ErrorKind::WriteZero.into()))),
                    Ok(count) => self.written += count,
                    Err(err) => return Poll::Ready(Err(Kind::Lost(err))),
                }
            }
            // A secured stream may hold back some of what it took.
            ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(Kind::Lost)?;
            self.out.clear();
            self.written = 0;
            if self.body.is_none() || source.is_pending() {
                return source.map(Ok);
            }
        }
    }

    /// Encodes what there is of the body, as far as there is room; pending if the body has no more for now.
    fn encode(
        &mut self,
        encoder: &mut RequestEncoder,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Kind> {
        while let Some(body) = &mut self.body
            && self.out.len() < HIGH_WATER
        {
            if !self.piece.is_empty() {
                let slice = self.piece.split_to(self.piece.len().min(HIGH_WATER));
                encoder.data(&mut self.out, &slice).map_err(Kind::write)?;
                continue;
            }
            match body.poll_next(cx) {
                Poll::Ready(Some(Ok(piece))) => self.piece = piece,
                Poll::Ready(Some(Err(err))) => return Err(Kind::Body(err.to_string())),
                Poll::Ready(None) => {
                    let trailers = body.take_trailers();
                    encoder
                        .end_with(&mut self.out, trailers.as_ref())
                        .map_err(Kind::write)?;
                    self.body = None;
                }
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        Ok(Poll::Ready(()))
    }
}

/// An answer on its way in.
#[derive(Debug)]
struct Download {
    decoder: ResponseDecoder,
    /// Read and not yet decoded.
    tail: BytesMut,
    /// The final head, once it has come.
    head: Option<ResponseHead>,
    body: BytesMut,
    /// Anything at all has come.
    answered: bool,
}

impl Download {
    fn new(method: &Method, limits: Limits) -> Self {
        let mut decoder = ResponseDecoder::new(limits);
        decoder.expect(method);
        Self {
            decoder,
            tail: BytesMut::new(),
            head: None,
            body: BytesMut::new(),
            answered: false,
        }
    }

    /// Reads until the answer is complete.
    fn poll(&mut self, stream: &mut IoStream, cx: &mut Context<'_>) -> Poll<Result<Answer, Kind>> {
        for _ in 0..TURN {
            let read = stream.poll_read_with(cx, |bytes| self.take(bytes));
            match ready!(read) {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(answer))) => return Poll::Ready(Ok(answer)),
                Ok(Err(kind)) => return Poll::Ready(Err(kind)),
                Err(_) if self.answered => {
                    return Poll::Ready(Err(Kind::Closed { answered: true }));
                }
                Err(err) => return Poll::Ready(Err(Kind::Lost(err))),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Decodes freshly read bytes; none are the end of the stream.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Answer>, Kind> {
        if bytes.is_empty() {
            return self.take_end();
        }
        self.answered = true;
        if self.tail.is_empty() {
            let (used, answer) = self.decode(bytes)?;
            self.tail.extend_from_slice(&bytes[used..]);
            return Ok(answer);
        }
        let mut tail = std::mem::take(&mut self.tail);
        tail.extend_from_slice(bytes);
        let (used, answer) = self.decode(&tail)?;
        tail.advance(used);
        self.tail = tail;
        Ok(answer)
    }

    /// Decodes as much as there is, but not beyond the end of the answer.
    fn decode(&mut self, bytes: &[u8]) -> Result<(usize, Option<Answer>), Kind> {
        let mut used = 0;
        loop {
            let (count, event) = self
                .decoder
                .decode(&bytes[used..])
                .map_err(Kind::Malformed)?;
            used += count;
            match event {
                None => return Ok((used, None)),
                Some(Event::Data(piece)) => self.body.extend_from_slice(piece),
                Some(Event::End(_)) => return Ok((used, self.complete())),
                Some(Event::Head(head)) if head.body == BodyKind::Upgrade => {
                    return Err(Kind::Upgraded);
                }
                Some(Event::Head(head)) if head.is_interim() => {}
                Some(Event::Head(head)) => self.head = Some(head),
            }
        }
    }

    fn take_end(&mut self) -> Result<Option<Answer>, Kind> {
        let closed = Kind::Closed {
            answered: self.answered,
        };
        match self.decoder.finish() {
            Ok(Eof::EndOfBody) => self.complete().map(Some).ok_or(closed),
            Ok(Eof::Clean) | Err(_) => Err(closed),
        }
    }

    fn complete(&mut self) -> Option<Answer> {
        let body = std::mem::take(&mut self.body).freeze();
        self.head.take().map(|head| Answer { head, body })
    }
}
