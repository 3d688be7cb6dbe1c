//! The client's end of TLS.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::begun::Begun;
use super::pem::{Identity, Pem};
use super::stream::Secured;
use crate::stream::IoStream;

/// Secures streams to servers, whose certificates it verifies; clones share sessions that can be resumed.
///
/// Offers `http/1.1` (ALPN).
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Trusts the authorities that browsers trust (Mozilla's list, as built in: it is as old as the build).
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to give.
    pub fn new() -> io::Result<Self> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::with_roots(roots, None)
    }

    /// Trusts these authorities alone, those of a company or a test.
    ///
    /// # Errors
    ///
    /// The message names the file and what is wrong with it.
    pub fn trusting(authorities: impl Into<Pem>) -> io::Result<Self> {
        Self::with_roots(authorities.into().authorities()?, None)
    }

    /// Trusts these authorities alone, and shows a certificate of its own to servers that ask for one.
    ///
    /// # Errors
    ///
    /// The message names the file and what is wrong with it.
    pub fn with_certificate(
        authorities: impl Into<Pem>,
        chain: impl Into<Pem>,
        key: impl Into<Pem>,
    ) -> io::Result<Self> {
        let (chain, key) = (chain.into(), key.into());
        let identity = Identity { chain, key };
        Self::with_roots(authorities.into().authorities()?, Some(&identity))
    }

    fn with_roots(roots: RootCertStore, identity: Option<&Identity>) -> io::Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let key = Arc::new(identity.load()?);
                config
                    .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)))
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// Secures a connected stream to the server that `host` names, a name or an IP address (`::1` and `[::1]` alike). There
    /// is no time limit here: wrap the call.
    ///
    /// # Errors
    ///
    /// When the certificate is not for `host` or not of a trusted authority, or the handshake fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the connection.
    pub async fn connect(&self, host: &str, stream: IoStream) -> io::Result<IoStream> {
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            let text = format!("{host:?} is no name that a certificate could be for");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        let begun = Begun {
            first: None,
            stream,
        };
        let secured = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, begun)
            .await
            .map_err(|err| explain(host, err))?;
        let (begun, session) = secured.into_inner();
        Ok(Secured::stream(begun, session, None))
    }
}

impl IoStream {
    /// Connects to a host name or IP address and secures the stream; see [`connect`](Self::connect) and
    /// [`ClientTls::connect`].
    ///
    /// # Errors
    ///
    /// Those of both.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_tls(host: &str, port: u16, tls: &ClientTls) -> io::Result<Self> {
        let stream = Self::connect(host, port).await?;
        tls.connect(host, stream).await
    }
}

fn explain(host: &str, err: io::Error) -> io::Error {
    let reason = match err.get_ref().and_then(|err| err.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            format!("the certificate of {host} is not accepted: {reason}")
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("{host} refused with the alert {alert:?}")
        }
        Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
            format!("{host} speaks no TLS on this port")
        }
        Some(other) => format!("no TLS with {host}: {other}"),
        None if err.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{host} closed the connection amid the handshake")
        }
        None => return err,
    };
    io::Error::new(err.kind(), reason)
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}
