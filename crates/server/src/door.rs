//! Where newcomers come in, and what they are until a loop serves them.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use squall_net::{Accepted, HandshakeError, IoStream, ListenSocket};

use crate::trusted::Trusted;

/// A stream that is being secured.
pub(crate) type Securing = Pin<Box<dyn Future<Output = Result<IoStream, HandshakeError>>>>;

/// Secures connections before HTTP is spoken on them.
pub(crate) trait Secure: fmt::Debug + Send + Sync {
    fn secure(&self, stream: IoStream) -> Securing;
}

/// What comes before HTTP on a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preface {
    /// How it is secured.
    pub(crate) secure: Option<Arc<dyn Secure>>,
    /// Who has to begin it with a PROXY header.
    pub(crate) proxies: Option<Arc<Trusted>>,
}

impl Preface {
    /// Whether nothing comes before HTTP.
    pub(crate) fn is_empty(&self) -> bool {
        self.secure.is_none() && self.proxies.is_none()
    }
}

/// A listening socket, and what its connections begin with.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) socket: ListenSocket,
    pub(crate) preface: Preface,
}

impl Door {
    /// The same door with another socket.
    pub(crate) fn with(&self, socket: ListenSocket) -> Self {
        let preface = self.preface.clone();
        Self { socket, preface }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.socket.try_clone().map(|socket| self.with(socket))
    }
}

/// The addresses of a server that is being set up.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    doors: Vec<Door>,
    /// Those whose PROXY headers are the affair of [`Config::proxy_protocol`](crate::Config::proxy_protocol).
    usual: Vec<bool>,
    /// What was said of those that come next, if anything was.
    proxies: Option<Option<Arc<Trusted>>>,
}

impl Doors {
    pub(crate) fn add(&mut self, socket: impl Into<ListenSocket>, secure: Option<Arc<dyn Secure>>) {
        let proxies = self.proxies.clone();
        self.usual.push(proxies.is_none());
        self.doors.push(Door {
            socket: socket.into(),
            preface: Preface {
                secure,
                proxies: proxies.flatten(),
            },
        });
    }

    /// Says who begins the connections of those that come next with a PROXY header.
    pub(crate) fn set_proxies(&mut self, proxies: Option<Trusted>) {
        self.proxies = Some(proxies.map(Arc::new));
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = &ListenSocket> {
        self.doors.iter().map(|door| &door.socket)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.doors.is_empty()
    }

    /// Gives them, with these proxies where nothing else was said.
    pub(crate) fn finish(mut self, usual: Option<&Trusted>) -> Vec<Door> {
        let usual = usual.cloned().map(Arc::new);
        for (door, is_usual) in self.doors.iter_mut().zip(self.usual) {
            if is_usual {
                door.preface.proxies.clone_from(&usual);
            }
        }
        self.doors
    }
}

/// A connection that was accepted and that no loop serves yet.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) accepted: Accepted,
    pub(crate) preface: Preface,
}
