//! What is known of a secured stream, and of one that could not be secured; plain words, so that they are here without TLS.

use std::fmt;
use std::io;

use crate::stream::IoStream;

/// How a stream is secured, and who is at its other end.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The version of the protocol: `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by its registered name, such as `TLS13_AES_128_GCM_SHA256`.
    pub cipher_suite: &'static str,
    /// The name under which the client asked for the server (SNI, RFC 6066 §3); an IP address is never one.
    pub server_name: Option<String>,
    /// The protocol that both ends agreed on (ALPN, RFC 7301), such as `http/1.1`.
    pub alpn: Option<String>,
    /// The certificates that the other end has shown, in DER, its own first. Its own is verified: by the authorities given to
    /// the server for a client, by those given to the client for a server. Empty for a client that has shown none.
    pub certificates: Vec<Vec<u8>>,
    /// Whether this continues an earlier session, so that no certificate was asked for again.
    pub resumed: bool,
}

/// Why a stream could not be secured.
pub struct HandshakeError {
    pub(crate) source: io::Error,
    pub(crate) plain: Option<IoStream>,
}

impl HandshakeError {
    /// Says whether the client spoke no TLS at all.
    pub fn is_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// Says whether the client left, or was lost, before the end.
    pub fn is_closed(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let kinds = [
            BrokenPipe,
            ConnectionAborted,
            ConnectionReset,
            UnexpectedEof,
        ];
        kinds.contains(&self.source.kind())
    }

    /// Returns the stream of a client that spoke no TLS, so that it can be told in its own words. Its first byte is gone.
    pub fn into_plain(self) -> Option<IoStream> {
        self.plain
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl fmt::Debug for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandshakeError({self})")
    }
}

impl std::error::Error for HandshakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

impl From<HandshakeError> for io::Error {
    fn from(err: HandshakeError) -> Self {
        err.source
    }
}
