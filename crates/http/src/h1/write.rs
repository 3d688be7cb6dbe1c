//! Encoders: heads and bodies in, bytes out.

mod request;
mod response;

pub use request::{RequestEncoder, RequestStart, TargetForm};
pub use response::{CONTINUE, ResponseEncoder, ResponseStart};
