//! Two connected streams in memory.
//!
//! Invariants: a pipe never holds more than its limit; a side that waits has left its waker, and whoever changes what it
//! waits for takes that waker and wakes it after the borrow has ended.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;

use crate::stream::IoStream;

/// Makes two connected streams in memory, each direction holding at most `limit` bytes (at least 1).
///
/// They behave as a TCP connection does: writing waits while the other side does not read, shutting down one side lets
/// the other read what is left and then the end, dropping one side makes writing at the other a
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe). Unlike TCP there is no delay, no port, and nothing outside the process.
///
/// ```
/// use squall_ioloop::IoLoop;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// IoLoop::run_sync(async {
///     let (mut near, mut far) = squall_net::duplex(1024);
///     near.write_all(b"hello").await?;
///     near.shutdown().await?;
///     let mut text = String::new();
///     far.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })
/// # }
/// ```
pub fn duplex(limit: usize) -> (IoStream, IoStream) {
    let there = Pipe::shared(limit);
    let back = Pipe::shared(limit);
    let near = DuplexEnd {
        incoming: Rc::clone(&back),
        outgoing: Rc::clone(&there),
    };
    let far = DuplexEnd {
        incoming: there,
        outgoing: back,
    };
    (IoStream::from_duplex(near), IoStream::from_duplex(far))
}

/// One direction.
#[derive(Debug)]
struct Pipe {
    /// Written and not yet read.
    bytes: VecDeque<u8>,
    /// Most bytes that `bytes` may hold; at least 1.
    limit: usize,
    /// The reading side waits for bytes or the end.
    reader: Option<Waker>,
    /// No more will be read: the reading side is gone.
    reader_gone: bool,
    /// The writing side cut the connection off.
    reset: bool,
    /// The writing side waits for room.
    writer: Option<Waker>,
    /// No more will be written: shut down or gone.
    writer_done: bool,
}

impl Pipe {
    fn shared(limit: usize) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            bytes: VecDeque::new(),
            limit: limit.max(1),
            reader: None,
            reader_gone: false,
            reset: false,
            writer: None,
            writer_done: false,
        }))
    }

    fn room(&self) -> usize {
        self.limit - self.bytes.len()
    }
}

#[derive(Debug)]
pub(crate) struct DuplexEnd {
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
}

impl DuplexEnd {
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.try_read(buf) {
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                self.incoming.borrow_mut().reader = Some(cx.waker().clone());
                Poll::Pending
            }
            read => Poll::Ready(read.map(|_| ())),
        }
    }

    /// Reads without waiting, and answers with the number of bytes; none are the end.
    pub(crate) fn try_read(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
        let (count, writer) = {
            let mut pipe = self.incoming.borrow_mut();
            if pipe.reset {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if pipe.bytes.is_empty() && buf.remaining() > 0 {
                return match pipe.writer_done {
                    true => Ok(0),
                    false => Err(io::ErrorKind::WouldBlock.into()),
                };
            }
            let count = buf.remaining().min(pipe.bytes.len());
            let (first, second) = pipe.bytes.as_slices();
            let split = count.min(first.len());
            buf.put_slice(&first[..split]);
            buf.put_slice(&second[..count - split]);
            pipe.bytes.drain(..count);
            (count, pipe.writer.take())
        };
        wake(writer);
        Ok(count)
    }

    pub(crate) fn has_unread(&self) -> bool {
        let pipe = self.incoming.borrow();
        !pipe.bytes.is_empty() || pipe.writer_done
    }

    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.try_write(bufs) {
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                self.outgoing.borrow_mut().writer = Some(cx.waker().clone());
                Poll::Pending
            }
            written => Poll::Ready(written),
        }
    }

    /// Writes without waiting, and answers with the number of bytes.
    pub(crate) fn try_write(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let wanted: usize = bufs.iter().map(|buf| buf.len()).sum();
        let (count, reader) = {
            let mut pipe = self.outgoing.borrow_mut();
            if pipe.writer_done || pipe.reader_gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let count = wanted.min(pipe.room());
            if count == 0 && wanted > 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let mut left = count;
            for buf in bufs {
                let part = left.min(buf.len());
                pipe.bytes.extend(&buf[..part]);
                left -= part;
            }
            (count, pipe.reader.take())
        };
        wake(reader);
        Ok(count)
    }

    pub(crate) fn reset(&self) {
        self.outgoing.borrow_mut().reset = true;
    }

    pub(crate) fn shutdown(&mut self) {
        let reader = {
            let mut pipe = self.outgoing.borrow_mut();
            pipe.writer_done = true;
            pipe.reader.take()
        };
        wake(reader);
    }
}

impl Drop for DuplexEnd {
    fn drop(&mut self) {
        self.shutdown();
        let writer = {
            let mut pipe = self.incoming.borrow_mut();
            pipe.reader_gone = true;
            pipe.bytes = VecDeque::new();
            pipe.writer.take()
        };
        wake(writer);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
