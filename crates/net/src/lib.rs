//! Listeners and streams: everything in Squall that touches a socket.
//!
//! * [`bind_sockets`] makes listening sockets with errors that say what to do; [`bind_sibling`] puts several on a port.
//! * [`bind_unix`] makes a listening Unix socket; [`inherited_listeners`] are those that systemd has made.
//! * [`TcpListener`] accepts on one loop; [`Listener`] does so on sockets of any kind ([`ListenSocket`]), and its
//!   connections may be given to other loops.
//! * With the feature `tls`, `tls` secures streams by rustls, both ends of it.
//! * [`IoStream`] is one connection, whatever carries it: TCP, a Unix socket, or the in-memory [`duplex`] that tests use.
//!
//! ```
//! use squall_ioloop::IoLoop;
//! use squall_net::{IoStream, TcpListener};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! IoLoop::run_sync(async {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let mut client = IoStream::connect("127.0.0.1", listener.local_addr()?.port()).await?;
//!     let (mut server, _peer) = listener.accept().await?;
//!
//!     client.write_all(b"ping").await?;
//!     let mut word = [0; 4];
//!     server.read_exact(&mut word).await?;
//!     assert_eq!(&word, b"ping");
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })
//! # }
//! ```
//!
//! Sockets belong to the loop on which they were made or adopted: a [`std::net::TcpListener`] may cross threads, a
//! [`TcpListener`] and an [`IoStream`] may not.

mod accept;
mod address;
mod bind;
mod connected;
mod duplex;
mod inherited;
mod listener;
mod portable;
mod resolve;
mod secure;
mod secured;
mod socket;
mod stream;
#[cfg(feature = "tls")]
pub mod tls;
mod transport;
mod unix;
mod watched;

pub use accept::{Accepted, Listener};
pub use address::Address;
pub use bind::{BindOptions, bind_sibling, bind_sockets};
pub use duplex::duplex;
pub use inherited::{InheritedListener, inherited_listeners};
pub use listener::TcpListener;
pub use secure::{Secure, Securing, usual_security};
pub use secured::{HandshakeError, TlsInfo};
pub use socket::ListenSocket;
pub use stream::{IoStream, SHARED_BUFFER};
pub use unix::{UnixOptions, bind_unix};
