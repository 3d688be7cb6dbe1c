//! WebSockets (RFC 6455) with compression (RFC 7692).
//!
//! * [`proto`] is the protocol alone: bytes in, events and bytes out.
//! * [`WebSocketHandler`] answers messages; an idle connection with one costs a few hundred bytes and no task.
//! * [`WebSocketStream`] is a connection whose messages are asked for, in a task of its own.
//! * [`WebSocket`] sends, from anywhere on its loop; [`WebSocketRemote`] does so from other threads, and a [`Group`] to
//!   many connections at once.
//! * [`websocket_connect`] is the client; a [`ReconnectingWebSocket`] connects again when the connection is lost.

mod acceptor;
mod client;
mod common;
mod connection;
mod delivery;
mod error;
mod group;
mod handler;
mod link;
mod masks;
mod message;
mod options;
mod outbox;
mod packer;
pub mod proto;
mod reader;
mod reconnect;
mod remote;
mod session;
mod stream;
mod websocket;

pub use acceptor::Acceptor;
pub use client::{ConnectError, Connecting, WebSocketConnect, websocket_connect};
pub use connection::{Agreed, Connection};
pub use error::{SendError, Sent, WebSocketError};
pub use group::Group;
pub use handler::{Result, WebSocketHandler};
pub use message::Message;
pub use options::{SlowReader, WebSocketOptions, close_all};
pub use proto::{CloseCode, CloseFrame, ProtocolError};
pub use reconnect::{
    Backoff, DisconnectCause, ReconnectEvent, ReconnectingHandle, ReconnectingWebSocket,
};
pub use remote::WebSocketRemote;
pub use stream::WebSocketStream;
pub use websocket::WebSocket;

#[doc(inline)]
pub use squall_net::duplex;
