//! The opening handshake (RFC 6455 section 4), both ends of it, on the types of the [`http`] crate.
//!
//! | end | writes | reads |
//! |---|---|---|
//! | server | [`Offer::response`] | [`Offer::read`], [`Origins::check`] |
//! | client | [`ClientHandshake::headers`] | [`ClientHandshake::check`] |
//!
//! # Examples
//!
//! Both ends of one handshake, without a socket:
//!
//! ```
//! use http::{HeaderMap, Method, StatusCode, Version};
//! use squall_websocket::proto::handshake::{ClientHandshake, Offer, Origins};
//!
//! // The sixteen bytes have to be random where it matters.
//! let client = ClientHandshake::new([7; 16]).subprotocols(["chat.v2", "chat.v1"]);
//! let request = client.headers(&HeaderMap::new())?;
//!
//! let offer = Offer::read(&Method::GET, Version::HTTP_11, &request)?;
//! Origins::Same.check(&request)?;
//! let chosen = offer.select_subprotocol(&["chat.v1"]);
//! let response = offer.response(chosen, None)?;
//!
//! let agreed = client.check(StatusCode::SWITCHING_PROTOCOLS, &response)?;
//! assert_eq!(agreed.subprotocol.as_deref(), Some("chat.v1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod error;
mod origin;
mod server;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AsHeaderName, HeaderValue};
use http::{HeaderMap, HeaderName};
use sha1_smol::Sha1;

pub use client::{Agreed, ClientHandshake};
pub use error::{AnswerError, HandshakeError, RequestError};
pub use origin::Origins;
pub use server::Offer;

/// What both ends append to the key before they hash it (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The only version of the protocol that is spoken (RFC 6455 section 4.1).
const VERSION: &str = "13";

/// `websocket`, the name of the protocol in `Upgrade`.
const WEBSOCKET: &str = "websocket";

/// Returns the value that proves that a server has read the key (RFC 6455 section 4.2.2, step 5.4).
fn accept_value(key: &[u8]) -> HeaderValue {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let text = STANDARD.encode(hash.digest().bytes());
    HeaderValue::from_str(&text).expect("base64 is visible ASCII")
}

/// Says whether one of the members of a field, a list of names (RFC 9110 section 5.6.1), is `name` in any case.
fn lists(headers: &HeaderMap, field: impl AsHeaderName, name: &str) -> bool {
    headers
        .get_all(field)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|member| member.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

/// Returns the value of a field that must not come twice.
///
/// # Errors
///
/// The name of a field that does.
fn single<'h>(
    headers: &'h HeaderMap,
    field: &HeaderName,
) -> Result<Option<&'h HeaderValue>, HeaderName> {
    let mut values = headers.get_all(field).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(field.clone()),
        (value, None) => Ok(value),
    }
}

/// Says whether a text is a token (RFC 9110 section 5.6.2), as the names of subprotocols and extensions are.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(is_token_byte)
}

/// Says whether a byte may stand in a token.
pub(super) fn is_token_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// Returns the beginning of what a peer has sent, fit to be shown.
fn shown(text: &[u8]) -> String {
    /// Longer than any name that is meant.
    const SHOWN: usize = 100;
    let cut = &text[..text.len().min(SHOWN)];
    let mut shown = cut.escape_ascii().to_string();
    if cut.len() < text.len() {
        shown.push_str("...");
    }
    shown
}
