//! The content of a message: [`Body`], and the trait of those that arrive over time.
//!
//! Nothing here is `Send` and nothing needs a runtime: a body lives on the loop of its connection.

mod channel;
mod error;
mod file;

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

pub use channel::{BodySender, Closed, TrySendError};
pub use error::BodyError;
pub use file::FileSlice;

/// The content of a request or a response.
///
/// # Examples
///
/// ```
/// use squall_http::Body;
/// assert_eq!(Body::from("Hello").length(), Some(5));
/// assert_eq!(Body::from_chunks(["a", "b"]).length(), None);
/// ```
pub enum Body {
    /// All of it is here.
    Full(Bytes),
    /// It comes in pieces.
    Stream(Pin<Box<dyn BodyStream>>),
}

/// A body that comes in pieces.
pub trait BodyStream {
    /// Returns the next piece, `None` after the last one.
    ///
    /// Must not be polled again after `None` or an error. Empty pieces are allowed and mean nothing.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the poller goes away after `Pending`.
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>>;

    /// Returns the exact number of bytes still to come, if it is known; it becomes the message's
    /// `Content-Length` and is held to.
    fn size_hint(&self) -> Option<u64> {
        None
    }

    /// Takes the trailer fields; they are there, if at all, once `poll_chunk` has returned `None`.
    fn take_trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        None
    }

    /// Gives away the bytes still to come, if they are a part of a file, so that whoever sends them can leave that to the
    /// system. The stream is over then; it must not be polled.
    ///
    /// The default has no file. What passes a stream on, unchanged, passes this on as well.
    fn take_file(self: Pin<&mut Self>) -> Option<FileSlice> {
        None
    }

    /// Asks a stream that has no end of its own to end soon, because its server stops; told at most once, and
    /// `poll_chunk` is polled after it.
    ///
    /// The default does nothing, which is right for streams that end by themselves: a stop waits for them.
    fn stop(self: Pin<&mut Self>) {}
}

impl Body {
    /// Returns a body of no bytes.
    pub const fn empty() -> Self {
        Self::Full(Bytes::new())
    }

    /// Makes a body of `stream`.
    pub fn stream(stream: impl BodyStream + 'static) -> Self {
        Self::Stream(Box::pin(stream))
    }

    /// Makes a body that pulls its pieces from an iterator, one at a time, and does not know its length beforehand.
    pub fn from_chunks<I>(chunks: I) -> Self
    where
        I: IntoIterator,
        I::IntoIter: Unpin + 'static,
        I::Item: Into<Bytes>,
    {
        Self::stream(Chunks(chunks.into_iter()))
    }

    /// Makes a body and the sender that fills it, on the same thread, without a runtime.
    ///
    /// At most `limit` bytes wait in between (a single larger piece passes alone). `length` is the exact length of
    /// the whole body if it is known; it is only told to the reader, not enforced.
    ///
    /// # Examples
    ///
    /// ```
    /// use squall_http::Body;
    /// let (mut sender, body) = Body::channel(1024, None);
    /// sender.try_send("Hello, ".into())?;
    /// sender.try_send("world".into())?;
    /// sender.finish();
    /// # let mut collect = std::pin::pin!(body.collect(1024));
    /// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// # let std::task::Poll::Ready(Ok(all)) = collect.as_mut().poll(&mut cx) else { panic!("finished") };
    /// # assert_eq!(all, "Hello, world");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn channel(limit: usize, length: Option<u64>) -> (BodySender, Self) {
        let (sender, receiver) = channel::channel(limit, length);
        (sender, Self::stream(receiver))
    }

    /// Returns the exact number of bytes still to come, if it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }

    /// Says whether the body is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.length() == Some(0)
    }

    /// Waits for the next piece, never an empty one; `None` after the last.
    ///
    /// # Errors
    ///
    /// Whatever the stream reports; nothing may be asked of it afterwards.
    ///
    /// # Cancel safety
    ///
    /// Safe: a piece that was not returned is still to come.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for the next piece, never an empty one; `None` after the last.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match self {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(mem::take(bytes)))),
            Self::Stream(stream) => loop {
                match stream.as_mut().poll_chunk(cx) {
                    Poll::Ready(Some(Ok(piece))) if piece.is_empty() => {}
                    polled => return polled,
                }
            },
        }
    }

    /// Takes the trailer fields, once the last piece has come.
    pub fn take_trailers(&mut self) -> Option<HeaderMap> {
        match self {
            Self::Full(_) => None,
            Self::Stream(stream) => stream.as_mut().take_trailers(),
        }
    }

    /// Asks a stream that has no end of its own to end soon; see [`BodyStream::stop`].
    pub fn stop(&mut self) {
        if let Self::Stream(stream) = self {
            stream.as_mut().stop();
        }
    }

    /// Waits for the whole body, of at most `limit` bytes. A body of one piece is not copied.
    ///
    /// # Errors
    ///
    /// [`BodyError::TooLarge`] as soon as it is clear that there are more bytes than `limit`; whatever the stream
    /// reports.
    ///
    /// # Cancel safety
    ///
    /// Not safe: what was read is lost with the future.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, BodyError> {
        if self.length().is_some_and(|length| length > limit as u64) {
            return Err(BodyError::TooLarge { limit });
        }
        let first = match self.chunk().await {
            None => return Ok(Bytes::new()),
            Some(piece) => within(limit, 0, piece?)?,
        };
        let Some(second) = self.chunk().await else {
            return Ok(first);
        };
        let second = within(limit, first.len(), second?)?;
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.chunk().await {
            let piece = within(limit, all.len(), piece?)?;
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

/// Passes `piece` on if it fits into `limit` after `have` bytes.
fn within(limit: usize, have: usize, piece: Bytes) -> Result<Bytes, BodyError> {
    if piece.len() > limit - have {
        return Err(BodyError::TooLarge { limit });
    }
    Ok(piece)
}

impl BodyStream for Body {
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.get_mut().poll_next(cx)
    }

    fn size_hint(&self) -> Option<u64> {
        self.length()
    }

    fn take_trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        Body::take_trailers(self.get_mut())
    }

    fn take_file(self: Pin<&mut Self>) -> Option<FileSlice> {
        match self.get_mut() {
            Self::Full(_) => None,
            Self::Stream(stream) => stream.as_mut().take_file(),
        }
    }

    fn stop(self: Pin<&mut Self>) {
        Body::stop(self.get_mut());
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => f.debug_tuple("Full").field(bytes).finish(),
            Self::Stream(stream) => f
                .debug_struct("Stream")
                .field("length", &stream.size_hint())
                .finish_non_exhaustive(),
        }
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Full(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Full(Bytes::from_static(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Full(text.into())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Full(bytes.into())
    }
}

/// The stream behind [`Body::from_chunks`].
struct Chunks<I>(I);

impl<I> BodyStream for Chunks<I>
where
    I: Iterator<Item: Into<Bytes>> + Unpin,
{
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(piece.into())))
    }
}
