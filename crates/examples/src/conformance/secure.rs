//! Listening for TLS, where this build can.

use squall::HttpServer;
use squall::server::Service;

use super::options::Tls;

/// Adds the port for TLS to a server.
///
/// # Errors
///
/// When the port is taken, or a file is not what it should be.
#[cfg(feature = "tls")]
pub(super) fn listen<F, S>(server: HttpServer<F>, tls: &Tls) -> squall::Result<HttpServer<F>>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Service,
{
    let identity = squall::net::tls::ServerTls::new(tls.cert.clone(), tls.key.clone())?;
    Ok(server.listen_tls(("127.0.0.1", tls.port), identity)?)
}

/// Says that this build has no TLS.
///
/// # Errors
///
/// Always.
#[cfg(not(feature = "tls"))]
pub(super) fn listen<F, S>(_server: HttpServer<F>, tls: &Tls) -> squall::Result<HttpServer<F>>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Service,
{
    let Tls { port, cert, key } = tls;
    let files = format!("{} and {}", cert.display(), key.display());
    let words = "cannot serve over TLS in this build, which is without the feature `tls`";
    Err(crate::Failure::new(format!("{words} (port {port}, {files})")).into())
}
