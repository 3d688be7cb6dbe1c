//! `wss://`, behind the feature `tls`.

use std::rc::Rc;

use squall_net::tls::ClientTls;

use super::WebSocketConnect;

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
