//! The client, against peers that say exactly what the test wants.

mod errors;
pub(crate) mod peer;
mod proxy;
mod request;
pub(crate) mod talk;
#[cfg(feature = "tls")]
mod tls;
