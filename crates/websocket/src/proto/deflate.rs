//! Compression of messages: permessage-deflate (RFC 7692).
//!
//! The two ends agree on it in the opening handshake: [`DeflateOptions`] says what an end wants,
//! [`accept`](DeflateOptions::accept) is a server's side, [`offer`](DeflateOptions::offer) and
//! [`read_response`](DeflateOptions::read_response) are a client's, and [`DeflateParams`] is what came out. Then whole
//! messages go through a [`Deflater`] and an [`Inflater`].
//!
//! These two are machines, not contexts: one of each serves all connections of a loop. What a connection remembers
//! when its context is taken over from one message to the next is a [`History`], the last bytes that went through; it
//! is handed to the machine for the time of a message. Where both ends have agreed on no takeover
//! ([`DeflateMode::Shared`], the default) there is none, and a compressed connection takes no memory of its own.
//!
//! # Costs
//!
//! A deflater takes 245 KiB at windows of 9 bits and 371 KiB at 15, an inflater 46 KiB: once for each loop, and for each
//! size of window that its clients agreed on. A message allocates nothing but the output. What a connection takes, and
//! what it gets for that: JSON at level 1, rows of a feed with other numbers each time, on connections that take turns.
//!
//! | window | bytes a connection and direction | 1 KiB becomes | 100 bytes become | time to deflate 1 KiB |
//! | --- | --- | --- | --- | --- |
//! | none | 0 | 418 | 86 | 1 |
//! | 9 | 512 | 419 | 38 | 1.5 |
//! | 10 | 1,024 | 368 | 38 | 1.5 |
//! | 12 | 4,096 | 320 | 38 | 1.5 |
//! | 13 | 8,192 | 308 | 38 | 2 |
//! | 15 | 32,768 | 291 | 38 | 6 |
//!
//! The time grows with what has to be put into the hash table again; where the same connection sends twice in a row it
//! is there already. To inflate takes about the same time with all of them, a third of the time to deflate or less. So
//! 10 to 12 bits are the windows to use; at level 6, 1 KiB becomes 310 bytes without a window and takes twice the time.
//!
//! # Examples
//!
//! ```
//! use squall_websocket::proto::deflate::{Deflater, History, Inflater};
//!
//! let text = "the same again, the same again, the same again".as_bytes();
//! let (mut deflater, mut inflater) = (Deflater::new(12, 6), Inflater::new());
//!
//! // Each message for itself.
//! let mut payload = Vec::new();
//! assert!(deflater.deflate(text, &mut payload, None));
//! let mut message = Vec::new();
//! inflater.inflate(&payload, &mut message, 1000, None)?;
//! assert_eq!(message, text);
//!
//! // With a context, the second message refers to the first.
//! let (mut sent, mut received) = (History::new(12), History::new(12));
//! for _ in 0..2 {
//!     payload.clear();
//!     message.clear();
//!     assert!(deflater.deflate(text, &mut payload, Some(&mut sent)));
//!     inflater.inflate(&payload, &mut message, 1000, Some(&mut received))?;
//!     assert_eq!(message, text);
//! }
//! assert!(payload.len() < 10);
//! # Ok::<(), squall_websocket::ProtocolError>(())
//! ```

mod deflater;
mod extension;
mod history;
mod inflater;
mod negotiation;
mod options;
mod params;
#[cfg(test)]
mod tests;

pub use deflater::Deflater;
pub use extension::ExtensionError;
pub use history::History;
pub use inflater::Inflater;
pub use options::{DeflateMode, DeflateOptions};
pub use params::{DeflateParams, Flow};

/// What a flush ends with, and what is not sent (RFC 7692 section 7.2.1): the length of a stored block without bytes.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The binary logarithms of the sizes that a window can have (RFC 7692 section 7.1.2).
const WINDOW_BITS: std::ops::RangeInclusive<u8> = 8..=15;

/// The window that an end has where nothing is said.
const LARGEST_WINDOW: u8 = 15;

/// The smallest window that is made here. It serves for one of 8 bits, too: see [`Deflater::new`].
const SMALLEST_WINDOW: u8 = 9;
