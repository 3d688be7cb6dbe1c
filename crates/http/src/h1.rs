//! HTTP/1.0 and HTTP/1.1 on the wire (RFC 9112), both directions.
//!
//! | side | reads with | writes with |
//! |---|---|---|
//! | server | [`RequestDecoder`] | [`ResponseEncoder`] |
//! | client | [`ResponseDecoder`] | [`RequestEncoder`] |
//!
//! # Reading
//!
//! A decoder is handed a slice and says how many of its bytes it consumed and, at most, one [`Event`]. The
//! caller repeats that with the rest until there is no event, then keeps the unconsumed rest in front of what
//! it reads next. A decoder holds no bytes of its own: what it keeps of an incomplete head is how far it has
//! looked, so the work is linear in the bytes however they are cut.
//!
//! Each message yields [`Event::Head`], any number of [`Event::Data`], and [`Event::End`] (also when there is no
//! body); interim responses (1xx other than 101) yield the head alone.
//!
//! What cannot be framed without a doubt is refused (RFC 9112 §6.3, §11.2): each broken rule is a variant of
//! [`ParseError`] and knows the status that answers it. After an error the decoder returns the same error for
//! ever, because nobody can tell where the next message starts.
//!
//! # Writing
//!
//! Encoders append to a `Vec<u8>` and decide the framing themselves: `Content-Length` where the length is known,
//! `chunked` where it is not, the end of the connection towards HTTP/1.0. They hold a body to its announced
//! length and leave out bodies that the RFC forbids. An error leaves the buffer as it was.

mod error;
mod event;
mod head;
mod limits;
mod read;
mod syntax;
mod write;

pub use error::{ParseError, WriteError};
pub use event::{BodyKind, Eof, Event, Trailers};
pub use head::{Exchange, Fields, RequestHead, ResponseHead};
pub use limits::Limits;
pub use read::{RequestDecoder, ResponseDecoder};
pub use write::{
    CONTINUE, RequestEncoder, RequestStart, ResponseEncoder, ResponseStart, TargetForm, UsualHead,
};
