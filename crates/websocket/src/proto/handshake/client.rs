//! The client's end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, StatusCode};

use super::{
    AnswerError, RequestError, VERSION, WEBSOCKET, accept_value, is_token, lists, shown, single,
};

/// The fields that are the handshake's, or would give the request a body.
const OURS: [HeaderName; 12] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A request for a WebSocket, and what its answer is held against.
#[derive(Clone, Debug)]
pub struct ClientHandshake {
    /// In base64.
    key: String,
    subprotocols: Vec<String>,
    extensions: Option<HeaderValue>,
}

/// What a server has agreed to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Agreed {
    /// The subprotocol that it has chosen; a server may choose none, whatever was offered.
    pub subprotocol: Option<String>,
    /// The values of `Sec-WebSocket-Extensions`: extensions that were offered, with parameters that are not checked yet.
    pub extensions: Vec<HeaderValue>,
}

impl ClientHandshake {
    /// Makes a request that offers nothing. The key is for this connection alone, and random (RFC 6455 section 4.1, step 7).
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            key: STANDARD.encode(key),
            subprotocols: Vec::new(),
            extensions: None,
        }
    }

    /// Offers subprotocols, in place of those before, the ones it likes better first.
    #[must_use]
    pub fn subprotocols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Offers extensions: the value of `Sec-WebSocket-Extensions`.
    #[must_use]
    pub fn extensions(mut self, offer: HeaderValue) -> Self {
        self.extensions = Some(offer);
        self
    }

    /// Makes the fields of the request, which is a GET, with those in `others` beside its own. `Host` is only among them if
    /// it is in `others`.
    ///
    /// # Errors
    ///
    /// The first thing that must not be sent.
    pub fn headers(&self, others: &HeaderMap) -> Result<HeaderMap, RequestError> {
        if let Some(clash) = OURS.iter().find(|name| others.contains_key(*name)) {
            return Err(RequestError::Header(clash.clone()));
        }
        let mut headers = others.clone();
        headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        let key = HeaderValue::from_str(&self.key).expect("base64 is visible ASCII");
        headers.insert(SEC_WEBSOCKET_KEY, key);
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        if let Some(offer) = self.subprotocol_offer()? {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, offer);
        }
        if let Some(offer) = &self.extensions {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, offer.clone());
        }
        Ok(headers)
    }

    fn subprotocol_offer(&self) -> Result<Option<HeaderValue>, RequestError> {
        for (at, name) in self.subprotocols.iter().enumerate() {
            if !is_token(name.as_bytes()) {
                return Err(RequestError::Subprotocol(name.clone()));
            }
            if self.subprotocols[..at].contains(name) {
                return Err(RequestError::SubprotocolRepeated(name.clone()));
            }
        }
        if self.subprotocols.is_empty() {
            return Ok(None);
        }
        let list = self.subprotocols.join(", ");
        Ok(Some(
            HeaderValue::from_str(&list).expect("tokens are visible ASCII"),
        ))
    }

    /// Checks the head of an answer.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks. The connection is no WebSocket then, and must be closed.
    pub fn check(&self, status: StatusCode, headers: &HeaderMap) -> Result<Agreed, AnswerError> {
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(AnswerError::Status(status));
        }
        let upgrade = single(headers, &UPGRADE)?;
        if !upgrade.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes())) {
            return Err(AnswerError::Upgrade);
        }
        if !lists(headers, CONNECTION, "upgrade") {
            return Err(AnswerError::Connection);
        }
        let accept = single(headers, &SEC_WEBSOCKET_ACCEPT)?.ok_or(AnswerError::AcceptMissing)?;
        if *accept != accept_value(self.key.as_bytes()) {
            return Err(AnswerError::Accept);
        }
        Ok(Agreed {
            subprotocol: self.chosen_subprotocol(headers)?,
            extensions: self.agreed_extensions(headers)?,
        })
    }

    fn chosen_subprotocol(&self, headers: &HeaderMap) -> Result<Option<String>, AnswerError> {
        let Some(chosen) = single(headers, &SEC_WEBSOCKET_PROTOCOL)? else {
            return Ok(None);
        };
        let mut offered = self.subprotocols.iter();
        match offered.find(|name| name.as_bytes() == chosen.as_bytes()) {
            Some(name) => Ok(Some(name.clone())),
            None => Err(AnswerError::Subprotocol(shown(chosen.as_bytes()))),
        }
    }

    fn agreed_extensions(&self, headers: &HeaderMap) -> Result<Vec<HeaderValue>, AnswerError> {
        let offer = self
            .extensions
            .as_ref()
            .map_or(&b""[..], |offer| offer.as_bytes());
        let offered: Vec<&[u8]> = extension_names(offer).collect();
        let values: Vec<_> = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().collect();
        let named = values
            .iter()
            .flat_map(|value| extension_names(value.as_bytes()));
        for (count, name) in named.enumerate() {
            // An offer is one of several wordings of an extension, so the answer has no more members than the offer.
            if count >= offered.len() || !offered.contains(&name) {
                return Err(AnswerError::Extension(shown(name)));
            }
        }
        Ok(values.into_iter().cloned().collect())
    }
}

/// Returns the names in a value of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1). Commas in quotes part nothing.
fn extension_names(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    value
        .split(move |byte| {
            let parts = !quoted && *byte == b',';
            if *byte == b'"' && !escaped {
                quoted = !quoted;
            }
            escaped = quoted && *byte == b'\\' && !escaped;
            parts
        })
        .map(|member| {
            member
                .split(|byte| *byte == b';')
                .next()
                .unwrap_or_default()
        })
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
}
