//! The server's end of TLS.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};

use rustls::ServerConfig;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::server::WebPkiClientVerifier;
use tokio::io::AsyncReadExt;
use tokio::task::coop;
use tokio_rustls::TlsAcceptor;

use super::begun::Begun;
use super::names::ByName;
use super::pem::{Identity, Pem};
use super::stream::Secured;
use crate::secured::HandshakeError;
use crate::stream::IoStream;

/// The first byte of every TLS connection: a record of type handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// Secures accepted streams; clones share the certificates, and may be on several threads.
///
/// A client that names its server (SNI) gets the certificate that is for that name, any other the first one. Clients that
/// offer protocols (ALPN) get `http/1.1` if they offer it, and are refused otherwise (RFC 7301 §3.2).
#[derive(Clone)]
pub struct ServerTls {
    shared: Arc<Shared>,
}

struct Shared {
    parts: ServerTlsBuilder,
    /// What new handshakes use; exchanged as a whole.
    current: RwLock<Arc<ServerConfig>>,
}

impl ServerTls {
    /// Takes one certificate chain, the server's own certificate first, and its key, both PEM files.
    ///
    /// # Errors
    ///
    /// Those of [`ServerTlsBuilder::build`].
    pub fn new(chain: impl Into<Pem>, key: impl Into<Pem>) -> io::Result<Self> {
        Self::builder(chain, key).build()
    }

    /// Begins with one certificate chain, the server's own certificate first, and its key.
    pub fn builder(chain: impl Into<Pem>, key: impl Into<Pem>) -> ServerTlsBuilder {
        let (chain, key) = (chain.into(), key.into());
        ServerTlsBuilder {
            first: Identity { chain, key },
            others: Vec::new(),
            clients: None,
            alpn: vec![b"http/1.1".to_vec()],
        }
    }

    /// Reads all files again: from now on handshakes use what they say, while streams that exist go on as they are.
    ///
    /// Sessions cannot be resumed across it, so clients prove again who they are. Reads files on the calling thread, which
    /// is quick with local ones.
    ///
    /// # Errors
    ///
    /// Those of [`ServerTlsBuilder::build`]; everything stays as it was then.
    pub fn reload(&self) -> io::Result<()> {
        let config = self.shared.parts.load()?;
        // Nothing can panic while it is locked.
        let mut current = self
            .shared
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = config;
        Ok(())
    }

    /// Secures a stream that was just accepted. There is no time limit here: wrap the call.
    ///
    /// # Errors
    ///
    /// What the client did wrong, or what it did not like. A client that begins with something else than TLS gets nothing
    /// at all; [`HandshakeError::into_plain`] has its stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the connection.
    pub async fn accept(&self, mut stream: IoStream) -> Result<IoStream, HandshakeError> {
        let first = stream.read_u8().await.map_err(HandshakeError::new)?;
        if first != HANDSHAKE {
            return Err(HandshakeError::plain(stream));
        }
        let config = {
            let current = self.shared.current.read();
            Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
        };
        let first = Some(first);
        let mut handshake = pin!(TlsAcceptor::from(config).accept(Begun { first, stream }));
        let secured = poll_fn(|cx| {
            let polled = handshake.as_mut().poll(cx);
            give_way();
            polled
        })
        .await
        .map_err(|err| HandshakeError::new(explain(err)))?;
        let (begun, session) = secured.into_inner();
        let server_name = session.server_name().map(str::to_owned);
        Ok(Secured::stream(begun, session, server_name))
    }
}

impl HandshakeError {
    fn new(source: io::Error) -> Self {
        let plain = None;
        Self { source, plain }
    }

    /// The stream, whose client began with something else than TLS.
    fn plain(stream: IoStream) -> Self {
        let text = "the client speaks no TLS, as one does that was given http instead of https";
        Self {
            source: io::Error::new(io::ErrorKind::InvalidData, text),
            plain: Some(stream),
        }
    }
}

/// Has the loop look at its sockets next. A step of a handshake takes up to a millisecond of the processor's time, and a
/// flood of them must not hold up the streams that are there already.
fn give_way() {
    let mut nobody = Context::from_waker(Waker::noop());
    while let Poll::Ready(taken) = coop::poll_proceed(&mut nobody) {
        taken.made_progress();
    }
}

fn explain(err: io::Error) -> io::Error {
    let reason = match rustls_error(&err) {
        Some(rustls::Error::NoCertificatesPresented) => {
            "the client has shown no certificate, and one is required".to_owned()
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("the client refused with the alert {alert:?}")
        }
        Some(rustls::Error::NoApplicationProtocol) => {
            "the client offers no protocol that is spoken here (ALPN)".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(reason)) => {
            format!("the client's certificate is not accepted: {reason}")
        }
        Some(other) => other.to_string(),
        None if err.kind() == io::ErrorKind::UnexpectedEof => {
            "the client left amid the handshake".to_owned()
        }
        None => return err,
    };
    io::Error::new(err.kind(), reason)
}

fn rustls_error(err: &io::Error) -> Option<&rustls::Error> {
    err.get_ref()?.downcast_ref()
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.parts.fmt(f)
    }
}

/// What a [`ServerTls`] is made of, and made of again by a reload.
#[derive(Clone, Debug)]
#[must_use = "`build` makes the `ServerTls`"]
pub struct ServerTlsBuilder {
    first: Identity,
    others: Vec<Identity>,
    clients: Option<(Clients, Pem)>,
    alpn: Vec<Vec<u8>>,
}

/// Whether clients need certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Clients {
    Asked,
    Required,
}

impl ServerTlsBuilder {
    /// Adds a certificate chain and its key for the names that the certificate says.
    ///
    /// Of two certificates for one name the one that was added first is used.
    pub fn certificate(mut self, chain: impl Into<Pem>, key: impl Into<Pem>) -> Self {
        let (chain, key) = (chain.into(), key.into());
        self.others.push(Identity { chain, key });
        self
    }

    /// Asks clients for a certificate of one of these authorities; those who have none are let in without. Default: clients
    /// are not asked.
    ///
    /// A certificate of somebody else is refused. [`IoStream::tls`] has the one that was accepted.
    pub fn ask_for_client_certificates(mut self, authorities: impl Into<Pem>) -> Self {
        self.clients = Some((Clients::Asked, authorities.into()));
        self
    }

    /// Lets in only clients that have a certificate of one of these authorities.
    pub fn require_client_certificates(mut self, authorities: impl Into<Pem>) -> Self {
        self.clients = Some((Clients::Required, authorities.into()));
        self
    }

    /// Sets the protocols that are spoken on the streams, the preferred one first. Default: `http/1.1`. None means that
    /// clients' offers are not looked at.
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        let protocols = protocols.into_iter();
        self.alpn = protocols.map(|name| name.as_ref().to_vec()).collect();
        self
    }

    /// Reads the certificates and keys.
    ///
    /// # Errors
    ///
    /// The message names the file and what is wrong with it: it is missing or cannot be read, there is no certificate or key
    /// in it, the key is encrypted or does not fit the certificate.
    pub fn build(self) -> io::Result<ServerTls> {
        let current = RwLock::new(self.load()?);
        let shared = Arc::new(Shared {
            parts: self,
            current,
        });
        Ok(ServerTls { shared })
    }

    fn load(&self) -> io::Result<Arc<ServerConfig>> {
        let first = self.first.load()?;
        let others = self
            .others
            .iter()
            .map(Identity::load)
            .collect::<io::Result<_>>()?;
        let provider = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let config = match &self.clients {
            None => config.with_no_client_auth(),
            Some((clients, authorities)) => {
                let roots = Arc::new(authorities.authorities()?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = match clients {
                    Clients::Asked => verifier.allow_unauthenticated(),
                    Clients::Required => verifier,
                };
                config.with_client_cert_verifier(verifier.build().map_err(io::Error::other)?)
            }
        };
        let mut config = config.with_cert_resolver(Arc::new(ByName::new(first, others)));
        config.alpn_protocols.clone_from(&self.alpn);
        // Sessions are kept by the clients, so they cost no memory here and can be resumed on every loop.
        config.ticketer = Ticketer::new().map_err(io::Error::other)?;
        Ok(Arc::new(config))
    }
}
