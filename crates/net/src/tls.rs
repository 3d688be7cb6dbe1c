//! TLS by rustls, both ends of it.
//!
//! * [`ServerTls`] makes secured streams of accepted ones. Its certificates can be exchanged while it works.
//! * [`ClientTls`] connects, and verifies the server.
//!
//! ```no_run
//! use squall_ioloop::IoLoop;
//! use squall_net::TcpListener;
//! use squall_net::tls::ServerTls;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! IoLoop::run_sync(async {
//!     let tls = ServerTls::new("cert.pem", "key.pem")?;
//!     let listener = TcpListener::bind("127.0.0.1:8443")?;
//!     let (stream, peer) = listener.accept().await?;
//!     let secured = tls.accept(stream).await?;
//!     println!("{peer}: {:?}", secured.tls());
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })
//! # }
//! ```
//!
//! # What is spoken
//!
//! TLS 1.2 and 1.3 (RFC 8446), with the cipher suites that rustls holds for safe; nothing older, no compression, no
//! renegotiation, no early data. Shutting a stream down sends the closing alert. The end of the transport without that alert is an
//! error of the reading side ([`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof), RFC 8446 §6.1): what has come may not be
//! all there was.

mod begun;
mod client;
mod names;
mod pem;
mod server;
mod stream;

pub use client::ClientTls;
pub use pem::Pem;
pub use server::{ServerTls, ServerTlsBuilder};
