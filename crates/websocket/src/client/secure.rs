//! What `wss` needs, and what there is in its place without the feature `tls`.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

use squall_net::IoStream;

/// A stream that is being secured.
pub(crate) type Securing = Pin<Box<dyn Future<Output = io::Result<IoStream>>>>;

/// Secures streams to servers.
pub(crate) trait Secure: fmt::Debug {
    /// Secures a stream to `host`; `None` where nothing can.
    fn secure(&self, host: &str, stream: IoStream) -> Option<Securing>;
}

/// Stands where TLS is not built in.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
pub(crate) struct Usual;

#[cfg(not(feature = "tls"))]
impl Secure for Usual {
    fn secure(&self, _host: &str, _stream: IoStream) -> Option<Securing> {
        None
    }
}

#[cfg(feature = "tls")]
pub(crate) use super::tls::Browsers as Usual;
