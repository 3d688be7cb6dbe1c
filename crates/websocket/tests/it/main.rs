//! WebSockets: the protocol alone, then connections.

mod proto;
