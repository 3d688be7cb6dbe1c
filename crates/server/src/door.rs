//! Where newcomers come in, and what they are until a loop serves them.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use squall_net::{Accepted, HandshakeError, IoStream, ListenSocket};

/// A stream that is being secured.
pub(crate) type Securing = Pin<Box<dyn Future<Output = Result<IoStream, HandshakeError>>>>;

/// Secures connections before HTTP is spoken on them.
pub(crate) trait Secure: fmt::Debug + Send + Sync {
    fn secure(&self, stream: IoStream) -> Securing;
}

/// A listening socket, and how its connections are secured.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) socket: ListenSocket,
    pub(crate) secure: Option<Arc<dyn Secure>>,
}

impl Door {
    /// A door that is not secured.
    pub(crate) fn plain(socket: impl Into<ListenSocket>) -> Self {
        Self {
            socket: socket.into(),
            secure: None,
        }
    }

    /// The same door with another socket.
    pub(crate) fn with(&self, socket: ListenSocket) -> Self {
        let secure = self.secure.clone();
        Self { socket, secure }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.socket.try_clone().map(|socket| self.with(socket))
    }
}

/// A connection that was accepted and that no loop serves yet.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) accepted: Accepted,
    pub(crate) secure: Option<Arc<dyn Secure>>,
}
