//! JSON (RFC 8259) into values with serde: usual documents on a short way, all others by [`serde_json`].
//!
//! What clients send is nearly always the same few things: objects, texts, integers, `true`. [`from_slice`] reads those
//! with a small reader that looks at many bytes of a text at once. Whatever it does not know (an integer beyond 18
//! digits, a number that an untyped value would hold as a fraction, a `RawValue`, nesting beyond 127) and whatever is
//! wrong it leaves alone, and `serde_json` reads the document from its beginning. So that crate alone says what is
//! JSON and what an error is called; the short way only has to be right where it succeeds.
//!
//! # Examples
//!
//! ```
//! let numbers: Vec<u32> = squall_json::from_slice(b"[1, 2, 3]")?;
//! assert_eq!(numbers, [1, 2, 3]);
//!
//! let err = squall_json::from_slice::<Vec<u32>>(b"[1, 2,").unwrap_err();
//! assert!(err.is_eof());
//! assert_eq!((err.line(), err.column()), (1, 6));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod usual;

use serde::de::DeserializeOwned;

/// Reads a value from JSON.
///
/// The same value as [`serde_json::from_slice`] gives, but for fractions: a number asked for as `f64` is the nearest
/// one to its digits, where `serde_json` by default may be off by a little. A document that is not read on the short
/// way is read twice, so implementations of `Deserialize` should have no effect but their value. With the feature
/// `arbitrary_precision` of `serde_json`, integers of up to 18 digits still come as integers where anything is asked for.
///
/// # Errors
///
/// Those of [`serde_json::from_slice`]: the document is no JSON, ends too early, nests deeper than 127, or does
/// not fit `T`.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    // One look at all of the text is cheaper than one at each string in it.
    match simdutf8::basic::from_utf8(json) {
        Ok(text) => usual::read(text).or_else(|_| serde_json::from_str(text)),
        // Says where the text stops being one.
        Err(_) => serde_json::from_slice(json),
    }
}
