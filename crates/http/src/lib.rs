//! HTTP/1.1 as pure state machines on the types of the [`http`] crate.
//!
//! Nothing in here does I/O, reads a clock or spawns anything: bytes come in as slices, events and bytes go
//! out. A server, a client and a test drive the same machines.
//!
//! * [`h1`]: decoders and encoders of requests and responses (RFC 9112), with a limit on whatever a peer
//!   could make grow.
//! * [`Response`]: what a service answers.
//! * [`Body`]: the content of a message, whole or streamed; [`BodySender`] is the other end of
//!   [`Body::channel`].
//!
//! # Examples
//!
//! A request decoded and answered, without a socket:
//!
//! ```
//! use squall_http::Response;
//! use squall_http::h1::{Event, Limits, RequestDecoder, ResponseEncoder, ResponseStart};
//!
//! let mut decoder = RequestDecoder::new(Limits::default());
//! let input = b"GET /hello HTTP/1.1\r\nHost: squall.example\r\n\r\n";
//! let (consumed, event) = decoder.decode(input)?;
//! assert_eq!(consumed, input.len());
//! let Some(Event::Head(head)) = event else { panic!("the head is complete") };
//! assert_eq!(head.path(), "/hello");
//!
//! let response = Response::new("Hello");
//! let mut out = Vec::new();
//! let mut encoder = ResponseEncoder::new();
//! encoder.head(&mut out, head.exchange(), &ResponseStart::of(&response))?;
//! encoder.data(&mut out, b"Hello")?;
//! encoder.end(&mut out)?;
//! assert_eq!(out, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod date;
pub mod h1;
mod response;

pub use body::{Body, BodyError, BodySender, BodyStream, Closed, FileSlice, TrySendError};
pub use date::DateLine;
pub use response::{MediaType, Response};
