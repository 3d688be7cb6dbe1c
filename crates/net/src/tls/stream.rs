//! A secured stream as a transport of `IoStream`.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::{CommonState, HandshakeKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::secured::TlsInfo;
use crate::stream::{IoStream, Transport};

/// A stream whose first byte was read already, to see what it is.
#[derive(Debug)]
pub(super) struct Begun {
    /// Given back by the first read.
    pub(super) first: Option<u8>,
    pub(super) stream: IoStream,
}

#[derive(Debug)]
pub(super) struct Secured {
    inner: TlsStream<Begun>,
    info: Arc<TlsInfo>,
}

impl Secured {
    pub(super) fn new(inner: TlsStream<Begun>) -> Self {
        let (_, session) = inner.get_ref();
        let server_name = match &inner {
            TlsStream::Client(_) => None,
            TlsStream::Server(stream) => stream.get_ref().1.server_name().map(str::to_owned),
        };
        let info = Arc::new(info(session, server_name));
        Self { inner, info }
    }

    fn stream(&self) -> &IoStream {
        &self.inner.get_ref().0.stream
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

impl Transport for Secured {
    fn base(&self) -> &IoStream {
        self.stream()
    }

    fn into_base(self: Box<Self>) -> IoStream {
        match self.inner {
            TlsStream::Client(stream) => stream.into_inner().0.stream,
            TlsStream::Server(stream) => stream.into_inner().0.stream,
        }
    }

    fn has_unread(&self) -> bool {
        // Not wanting to read means that there is plain text, or the closing alert.
        !self.inner.get_ref().1.wants_read() || self.stream().has_unread()
    }

    fn tls(&self) -> Option<&Arc<TlsInfo>> {
        Some(&self.info)
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buf));
        Poll::Ready(read.map_err(|err| match err.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection ended without the closing alert of TLS, so something may be missing",
            ),
            _ => err,
        }))
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl AsyncRead for Begun {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() > 0
            && let Some(first) = self.first.take()
        {
            buf.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Begun {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
