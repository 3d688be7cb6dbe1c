//! A secured stream as a transport of `IoStream`: rustls between the stream and its user.
//!
//! The handshake is over here. What is read is decrypted and lent where rustls has it; what is written is encrypted and
//! goes to the stream underneath at once, all records in one write. What that has no room for is held back: 64 KiB at most,
//! for then rustls takes no more.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::ops::DerefMut;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::{CommonState, ConnectionCommon, HandshakeKind, SideData};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::begun::Begun;
use crate::secured::TlsInfo;
use crate::stream::IoStream;
use crate::transport::Transport;

/// A secured stream; `C` is the session of a client or of a server.
#[derive(Debug)]
pub(super) struct Secured<C> {
    session: C,
    stream: IoStream,
    /// Bytes that the stream has taken of what was to be sent.
    released: u64,
    info: Arc<TlsInfo>,
}

impl<C, S> Secured<C>
where
    C: DerefMut<Target = ConnectionCommon<S>> + fmt::Debug + Unpin + 'static,
    S: SideData + 'static,
{
    /// Makes a stream of what a handshake has left; `server_name` is what the client asked for.
    pub(super) fn stream(begun: Begun, session: C, server_name: Option<String>) -> IoStream {
        let info = Arc::new(info(&session, server_name));
        IoStream::from_transport(Self {
            session,
            stream: begun.stream,
            released: 0,
            info,
        })
    }

    /// Reads and decrypts until there is something for the user, or the end.
    ///
    /// What makes this go round without giving anything (empty records, updates of keys) is counted by rustls, which ends
    /// a session that has too much of it.
    fn fill(&mut self, mut cx: Option<&mut Context<'_>>) -> io::Result<()> {
        while self.session.wants_read() {
            let mut base = Base {
                stream: &mut self.stream,
                cx: cx.as_deref_mut(),
            };
            if self.session.read_tls(&mut base)? == 0 {
                // Whether it is the end as it should be is known to the session.
                break;
            }
            if let Err(err) = self.session.process_new_packets() {
                // The alert that tells the other end why, if it gets through.
                let _ = self.session.write_tls(&mut base);
                return Err(io::Error::new(io::ErrorKind::InvalidData, err));
            }
        }
        Ok(())
    }

    /// Lends what [`fill`](Self::fill) has found.
    fn chunk(&mut self) -> io::Result<&[u8]> {
        self.session
            .reader()
            .into_first_chunk()
            .map_err(explain_end)
    }

    /// Sends what is held back.
    fn send(&mut self, mut cx: Option<&mut Context<'_>>) -> io::Result<()> {
        while self.session.wants_write() {
            let mut base = Base {
                stream: &mut self.stream,
                cx: cx.as_deref_mut(),
            };
            match self.session.write_tls(&mut base)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.released += count as u64,
            }
        }
        Ok(())
    }

    /// Encrypts and sends; answers with how many bytes were taken.
    fn write(&mut self, bytes: &[u8], mut cx: Option<&mut Context<'_>>) -> io::Result<usize> {
        let mut sent = self.has_sent(cx.as_deref_mut())?;
        let mut taken = 0;
        while taken < bytes.len() {
            // A slow reader makes way in small steps, so that it is not taken for one that has stopped.
            let count = self.session.writer().write(&bytes[taken..])?;
            if count == 0 {
                break;
            }
            taken += count;
            sent = self.has_sent(cx.as_deref_mut())?;
            if !sent {
                break;
            }
        }
        match (taken, sent) {
            (0, false) if !bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            // Nobody would say when to try again.
            (0, true) if !bytes.is_empty() => Err(io::ErrorKind::WriteZero.into()),
            _ => Ok(taken),
        }
    }

    /// As [`write`](Self::write), once.
    fn write_vectored(
        &mut self,
        bufs: &[IoSlice<'_>],
        mut cx: Option<&mut Context<'_>>,
    ) -> io::Result<usize> {
        self.has_sent(cx.as_deref_mut())?;
        let taken = self.session.writer().write_vectored(bufs)?;
        if taken == 0 && bufs.iter().any(|buf| !buf.is_empty()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.has_sent(cx)?;
        Ok(taken)
    }

    /// Sends what was taken, and says whether there was room for all of it.
    fn has_sent(&mut self, cx: Option<&mut Context<'_>>) -> io::Result<bool> {
        match self.send(cx) {
            Ok(()) => Ok(true),
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(err) => Err(err),
        }
    }
}

fn info(session: &CommonState, server_name: Option<String>) -> TlsInfo {
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let suite = session.negotiated_cipher_suite();
    TlsInfo {
        version,
        cipher_suite: suite
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("unknown"),
        server_name,
        alpn: session
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
        certificates: session
            .peer_certificates()
            .unwrap_or_default()
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect(),
        resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
    }
}

#[cold]
fn explain_end(err: io::Error) -> io::Error {
    match err.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection ended without the closing alert of TLS, so something may be missing",
        ),
        _ => err,
    }
}

/// Turns the error that says that nothing can be done now into waiting.
fn waiting<T>(outcome: io::Result<T>) -> Poll<io::Result<T>> {
    match outcome {
        Err(err) if err.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        outcome => Poll::Ready(outcome),
    }
}

impl<C, S> Transport for Secured<C>
where
    C: DerefMut<Target = ConnectionCommon<S>> + fmt::Debug + Unpin + 'static,
    S: SideData + 'static,
{
    fn base(&self) -> &IoStream {
        &self.stream
    }

    fn into_base(self: Box<Self>) -> IoStream {
        self.stream
    }

    fn has_buffered(&self) -> bool {
        // Not wanting to read means that there is plain text, or the closing alert.
        !self.session.wants_read()
    }

    fn holds_back(&self) -> bool {
        self.session.wants_write()
    }

    fn released(&self) -> u64 {
        self.released
    }

    fn tls(&self) -> Option<&Arc<TlsInfo>> {
        Some(&self.info)
    }

    fn try_fill(&mut self) -> io::Result<&[u8]> {
        self.fill(None)?;
        self.chunk()
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        ready!(waiting(self.fill(Some(cx))))?;
        Poll::Ready(self.chunk())
    }

    fn consume(&mut self, count: usize) {
        io::BufRead::consume(&mut self.session.reader(), count);
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes, None)
    }

    fn try_flush(&mut self) -> io::Result<()> {
        self.send(None)
    }
}

impl<C, S> AsyncRead for Secured<C>
where
    C: DerefMut<Target = ConnectionCommon<S>> + fmt::Debug + Unpin + 'static,
    S: SideData + 'static,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let chunk = ready!(this.poll_fill(cx))?;
        let count = chunk.len().min(buf.remaining());
        buf.put_slice(&chunk[..count]);
        this.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<C, S> AsyncWrite for Secured<C>
where
    C: DerefMut<Target = ConnectionCommon<S>> + fmt::Debug + Unpin + 'static,
    S: SideData + 'static,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        waiting(self.get_mut().write(buf, Some(cx)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        waiting(self.get_mut().write_vectored(bufs, Some(cx)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(waiting(this.send(Some(cx))))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Does nothing the second time.
        this.session.send_close_notify();
        ready!(waiting(this.send(Some(cx))))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

/// The stream underneath as rustls uses it: what would have to wait is an error, and is waited for if there is a context.
struct Base<'a, 'b, 'c> {
    stream: &'a mut IoStream,
    cx: Option<&'b mut Context<'c>>,
}

fn now<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Read for Base<'_, '_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.cx {
            None => self.stream.try_read(buf),
            Some(cx) => now(self.stream.poll_read_slice(cx, buf)),
        }
    }
}

impl Write for Base<'_, '_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.cx {
            None => self.stream.try_write(buf),
            Some(cx) => now(Pin::new(&mut *self.stream).poll_write(cx, buf)),
        }
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match (bufs, &mut self.cx) {
            // One record, as most answers are.
            ([buf], _) => self.write(buf),
            (bufs, None) => self.stream.try_write_vectored(bufs),
            (bufs, Some(cx)) => now(Pin::new(&mut *self.stream).poll_write_vectored(cx, bufs)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
