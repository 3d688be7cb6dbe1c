//! Fetching `https://`, behind the feature `tls`.

use std::rc::Rc;

use squall_net::tls::ClientTls;

use crate::client::HttpClient;
use crate::config::ClientConfig;

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
