//! Listeners and streams: everything in Squall that touches a socket.
//!
//! * [`bind_sockets`] makes listening sockets with errors that say what to do; [`bind_sibling`] puts several on a port.
//! * [`TcpListener`] accepts on one loop.
//! * [`IoStream`] is one connection, whatever carries it: TCP, or the in-memory [`duplex`] that tests use.
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

mod address;
mod bind;
mod duplex;
mod listener;
mod resolve;
mod stream;

pub use address::Address;
pub use bind::{BindOptions, bind_sibling, bind_sockets};
pub use duplex::duplex;
pub use listener::TcpListener;
pub use stream::{IoStream, SHARED_BUFFER};
