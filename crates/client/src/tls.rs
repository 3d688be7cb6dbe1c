//! Fetching `https://`, behind the feature `tls`.

use std::cell::OnceCell;
use std::rc::Rc;

use squall_net::IoStream;
use squall_net::tls::ClientTls;

use crate::client::HttpClient;
use crate::config::ClientConfig;
use crate::secure::{Secure, Securing};

/// Trusts whom browsers trust; made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Browsers(OnceCell<ClientTls>);

impl Browsers {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

impl Secure for Browsers {
    fn secure(&self, host: &str, stream: IoStream) -> Option<Securing> {
        let tls = match self.0.get() {
            Some(tls) => tls,
            None => match ClientTls::new() {
                Ok(tls) => self.0.get_or_init(|| tls),
                Err(err) => return Some(Box::pin(async { Err(err) })),
            },
        };
        tls.secure(host, stream)
    }
}

impl Secure for ClientTls {
    fn secure(&self, host: &str, stream: IoStream) -> Option<Securing> {
        let (tls, host) = (self.clone(), host.to_owned());
        Some(Box::pin(async move { tls.connect(&host, stream).await }))
    }
}

impl HttpClient {
    /// Makes a client whose `https://` trusts, and shows the certificate, that `tls` says. Other clients trust whom browsers
    /// trust.
    ///
    /// ```no_run
    /// use squall_client::{ClientConfig, HttpClient};
    /// use squall_net::tls::ClientTls;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let tls = ClientTls::trusting("company-ca.pem")?;
    /// let client = HttpClient::with_tls(ClientConfig::default(), tls);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_tls(config: ClientConfig, tls: ClientTls) -> Self {
        Self::with_secure(config, Rc::new(tls))
    }
}
