//! Decoders: bytes in, events out.
//!
//! Invariants they share: an error depends on the bytes alone, never on how they were cut, so every check is made
//! in the order of the bytes; and no byte is looked at again because more arrived.

mod body;
mod chunked;
mod fields;
mod framing;
mod lines;
mod request;
mod request_line;
mod response;
mod status_line;

pub use request::RequestDecoder;
pub use response::ResponseDecoder;
