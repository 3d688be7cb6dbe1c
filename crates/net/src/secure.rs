//! Securing streams to servers, for clients that are built with TLS or without it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use crate::stream::IoStream;

/// A stream that is being secured.
pub type Securing = Pin<Box<dyn Future<Output = io::Result<IoStream>>>>;

/// Secures streams to servers, or knows that nothing can: so a client need not know whether TLS is built in.
pub trait Secure: fmt::Debug {
    /// Secures a stream to `host`; `None` where nothing can. The future's errors are those of
    /// `ClientTls::connect`; dropping it closes the stream.
    fn secure(&self, host: &str, stream: IoStream) -> Option<Securing>;
}

/// Returns what secures streams where nothing else was said: whom browsers trust is trusted, and no certificate is shown.
/// Without the feature `tls` it secures nothing.
pub fn usual_security() -> Rc<dyn Secure> {
    Rc::new(Usual)
}

#[derive(Debug)]
struct Usual;

#[cfg(not(feature = "tls"))]
impl Secure for Usual {
    fn secure(&self, _host: &str, _stream: IoStream) -> Option<Securing> {
        None
    }
}

#[cfg(feature = "tls")]
mod secured {
    use std::cell::OnceCell;

    use super::{IoStream, Secure, Securing, Usual};
    use crate::tls::ClientTls;

    thread_local! {
        /// Made when it is first needed, once for all connections of a thread: they share sessions that can be resumed.
        static BROWSERS: OnceCell<ClientTls> = const { OnceCell::new() };
    }

    impl Secure for Usual {
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
}
