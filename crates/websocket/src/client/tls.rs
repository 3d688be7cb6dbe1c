//! `wss://`, behind the feature `tls`.

use std::cell::OnceCell;
use std::rc::Rc;

use squall_net::IoStream;
use squall_net::tls::ClientTls;

use super::WebSocketConnect;
use super::secure::{Secure, Securing};

thread_local! {
    /// Made when it is first needed, once for all connections of a thread: they share sessions that can be resumed.
    static BROWSERS: OnceCell<ClientTls> = const { OnceCell::new() };
}

/// Trusts whom browsers trust.
#[derive(Debug)]
pub(crate) struct Browsers;

impl Secure for Browsers {
    fn secure(&self, host: &str, stream: IoStream) -> Option<Securing> {
        let tls = BROWSERS.with(|made| match made.get() {
            Some(tls) => Ok(tls.clone()),
            None => ClientTls::new().map(|tls| made.get_or_init(|| tls).clone()),
        });
        match tls {
            Ok(tls) => tls.secure(host, stream),
            Err(err) => Some(Box::pin(async { Err(err) })),
        }
    }
}

impl Secure for ClientTls {
    fn secure(&self, host: &str, stream: IoStream) -> Option<Securing> {
        let (tls, host) = (self.clone(), host.to_owned());
        Some(Box::pin(async move { tls.connect(&host, stream).await }))
    }
}

impl WebSocketConnect {
    /// Sets whom `wss://` (and a proxy asked by `https://`) trusts, and which certificate it shows. Default: those whom
    /// browsers trust, and none.
    ///
    /// ```no_run
    /// use squall_net::tls::ClientTls;
    /// use squall_websocket::websocket_connect;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let tls = ClientTls::trusting("company-ca.pem")?;
    /// let connect = websocket_connect("wss://chat.example/room").tls(tls);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.secure = Rc::new(tls);
        self
    }
}
