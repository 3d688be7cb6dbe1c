//! Encoders: heads and bodies in, bytes out.
//!
//! A head that must not go out leaves the buffer as it was: it is written and, on an error, cut off again.

mod body;
mod fields;
mod request;
mod response;
mod usual;

pub use request::{RequestEncoder, RequestStart, TargetForm};
pub use response::{CONTINUE, ResponseEncoder, ResponseStart};
pub use usual::UsualHead;
