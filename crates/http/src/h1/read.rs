//! Decoders: bytes in, events out.

mod request;
mod response;

pub use request::RequestDecoder;
pub use response::ResponseDecoder;
