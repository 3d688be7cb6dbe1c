//! WebSockets (RFC 6455) with compression (RFC 7692).
//!
//! * [`proto`] is the protocol alone: bytes in, events and bytes out.

pub mod message;
pub mod proto;

pub use message::Message;
pub use proto::{CloseCode, CloseFrame, ProtocolError};
