//! Certificates and keys from PEM files (RFC 7468), with errors for whoever has to find the right file.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// Where a certificate chain or a key comes from: a file that is read now and at each reload, or bytes.
///
/// A path turns into it by itself.
#[derive(Clone)]
pub struct Pem(Source);

#[derive(Clone)]
enum Source {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

impl Pem {
    /// Takes the text of a PEM file itself, which a reload will find unchanged.
    pub fn bytes(text: impl AsRef<[u8]>) -> Self {
        Self(Source::Bytes(text.as_ref().into()))
    }

    /// Names a PEM file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        match &self.0 {
            Source::Bytes(text) => Ok(text.to_vec()),
            Source::File(path) => fs::read(path).map_err(|err| {
                let reason = match err.kind() {
                    io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    io::ErrorKind::PermissionDenied => {
                        "permission denied; the user of this process must be able to read it"
                            .to_owned()
                    }
                    _ => err.to_string(),
                };
                io::Error::new(err.kind(), format!("cannot read {self}: {reason}"))
            }),
        }
    }

    fn bad(&self, reason: impl fmt::Display) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{self} {reason}"))
    }

    fn certificates(&self) -> io::Result<Vec<CertificateDer<'static>>> {
        let text = self.read()?;
        let certificates = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|err| self.bad(format_args!("is not a PEM file: {err}")))?;
        if certificates.is_empty() {
            return Err(self.bad("has no certificate in it (-----BEGIN CERTIFICATE-----)"));
        }
        Ok(certificates)
    }

    fn key(&self) -> io::Result<PrivateKeyDer<'static>> {
        let text = self.read()?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|err| match err {
            PemError::NoItemsFound if contains(&text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") => {
                self.bad("has a key that is encrypted; decrypt it first (openssl pkey)")
            }
            PemError::NoItemsFound => {
                self.bad("has no private key in it (-----BEGIN PRIVATE KEY-----)")
            }
            err => self.bad(format_args!("is not a PEM file: {err}")),
        })
    }

    /// The authorities that these certificates are.
    pub(super) fn authorities(&self) -> io::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|err| {
                self.bad(format_args!("has an authority that cannot be used: {err}"))
            })?;
        }
        Ok(roots)
    }
}

/// A certificate chain, the server's or client's own certificate first, and its key.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) chain: Pem,
    pub(super) key: Pem,
}

impl Identity {
    pub(super) fn load(&self) -> io::Result<CertifiedKey> {
        let chain = self.chain.certificates()?;
        let key = self.key.key()?;
        let loaded = CertifiedKey::from_der(chain, key, &default_provider());
        loaded.map_err(|err| match err {
            rustls::Error::InconsistentKeys(_) => self.key.bad(format_args!(
                "has a key that does not fit the first certificate of {}",
                self.chain
            )),
            rustls::Error::InvalidCertificate(reason) => self.chain.bad(format_args!(
                "has a certificate that cannot be used: {reason:?}"
            )),
            err => self
                .key
                .bad(format_args!("has a key that cannot be used: {err}")),
        })
    }
}

fn contains(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}

impl From<&str> for Pem {
    fn from(path: &str) -> Self {
        Self::file(path)
    }
}

impl From<String> for Pem {
    fn from(path: String) -> Self {
        Self::file(path)
    }
}

impl From<&Path> for Pem {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<&PathBuf> for Pem {
    fn from(path: &PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for Pem {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(_) => f.write_str("the given PEM text"),
            Source::File(path) => path.display().fmt(f),
        }
    }
}

/// Does not show what may be a private key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({self})")
    }
}
