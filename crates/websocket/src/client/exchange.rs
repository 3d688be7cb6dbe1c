//! One request and its answer, at the beginning of a connection.

use std::future::poll_fn;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use squall_http::h1::{
    BodyKind, Event, Limits, RequestEncoder, RequestStart, ResponseDecoder, ResponseHead,
};
use squall_ioloop::with_timeout;
use squall_net::IoStream;
use tokio::io::AsyncWriteExt;

use super::error::Kind;

/// Bytes that are kept of the body of an answer that opens nothing.
pub(super) const BODY: usize = 4096;

/// How long the rest of such a body is waited for: the status alone says enough.
const BODY_WAIT: Duration = Duration::from_secs(2);

/// The answer to a request that wants another protocol.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) head: ResponseHead,
    /// The beginning of the body; nothing if the protocol is switched.
    pub(super) body: Bytes,
    /// What was read behind the head; only if the protocol is switched.
    pub(super) unread: Bytes,
}

impl Answer {
    /// Whether HTTP is over: 101, or 2xx to CONNECT.
    pub(super) fn is_switch(&self) -> bool {
        self.head.body == BodyKind::Upgrade
    }
}

/// Sends a request without a body and reads its answer: the head, and of the body of one that switches nothing as much as
/// comes soon.
pub(super) async fn exchange(
    stream: &mut IoStream,
    start: &RequestStart<'_>,
) -> Result<Answer, Kind> {
    let mut out = Vec::new();
    let mut encoder = RequestEncoder::new();
    encoder
        .head(&mut out, start)
        .and_then(|()| encoder.end(&mut out))
        .map_err(|err| Kind::BadRequest(err.to_string()))?;
    let written = async {
        stream.write_all(&out).await?;
        stream.flush().await
    };
    // A server may have said why before it closed, so what has come is read to its end.
    let lost = written.await.err();
    let mut reading = Reading::new(start);
    let head = match (reading.head(stream).await, lost) {
        (Err(Kind::Closed { answered: false } | Kind::Lost(_)), Some(err)) => {
            return Err(Kind::Lost(err));
        }
        (head, _) => head?,
    };
    let mut answer = Answer {
        head,
        body: Bytes::new(),
        unread: Bytes::new(),
    };
    if answer.is_switch() {
        answer.unread = reading.tail.freeze();
    } else {
        // Whatever goes wrong now is of no interest: the answer is no.
        let _ = with_timeout(BODY_WAIT, reading.body(stream)).await;
        answer.body = reading.body.freeze();
    }
    Ok(answer)
}

/// An answer on its way in.
struct Reading {
    decoder: ResponseDecoder,
    /// Read and not yet decoded.
    tail: BytesMut,
    body: BytesMut,
}

impl Reading {
    fn new(start: &RequestStart<'_>) -> Self {
        let mut decoder = ResponseDecoder::new(Limits {
            // It is not read to its end.
            body_bytes: u64::MAX,
            ..Limits::default()
        });
        decoder.expect(start.method);
        Self {
            decoder,
            tail: BytesMut::new(),
            body: BytesMut::new(),
        }
    }

    /// Reads the final head.
    async fn head(&mut self, stream: &mut IoStream) -> Result<ResponseHead, Kind> {
        let mut answered = false;
        loop {
            let (used, event) = self.decoder.decode(&self.tail).map_err(Kind::Malformed)?;
            let head = match event {
                Some(Event::Head(head)) if !head.is_interim() => Some(head),
                _ => None,
            };
            let waits = used == 0 && head.is_none();
            self.tail.advance(used);
            if let Some(head) = head {
                return Ok(head);
            }
            if waits {
                match self.read(stream).await {
                    Ok(0) => return Err(Kind::Closed { answered }),
                    Ok(_) => answered = true,
                    Err(_) if answered => return Err(Kind::Closed { answered }),
                    Err(err) => return Err(Kind::Lost(err)),
                }
            }
        }
    }

    /// Reads the beginning of the body.
    async fn body(&mut self, stream: &mut IoStream) -> Result<(), Kind> {
        while self.body.len() < BODY {
            let (used, event) = self.decoder.decode(&self.tail).map_err(Kind::Malformed)?;
            let waits = used == 0 && event.is_none();
            match event {
                Some(Event::Data(piece)) => {
                    let room = BODY - self.body.len();
                    self.body.extend_from_slice(&piece[..piece.len().min(room)]);
                }
                Some(Event::End(_)) => return Ok(()),
                Some(Event::Head(_)) | None => {}
            }
            self.tail.advance(used);
            if waits && self.read(stream).await.map_err(Kind::Lost)? == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn read(&mut self, stream: &mut IoStream) -> std::io::Result<usize> {
        let tail = &mut self.tail;
        poll_fn(|cx| {
            stream.poll_read_with(cx, |bytes| {
                tail.extend_from_slice(bytes);
                bytes.len()
            })
        })
        .await
    }
}
