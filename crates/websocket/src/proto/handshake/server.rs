//! The server's end.

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Method, Version};

use super::{HandshakeError, VERSION, WEBSOCKET, accept_value, is_token, lists, shown, single};

/// A request that asks for a WebSocket as it should, and what it offers.
///
/// It borrows the fields of the request and copies none.
#[derive(Clone, Debug)]
pub struct Offer<'h> {
    headers: &'h HeaderMap,
    accept: HeaderValue,
}

impl<'h> Offer<'h> {
    /// Reads the head of a request (RFC 6455 section 4.2.1).
    ///
    /// Where the request comes from is for [`Origins::check`](super::Origins::check) to say, which fields have to be there
    /// besides for the application.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks; the error knows the status and the fields of the answer.
    pub fn read(
        method: &Method,
        version: Version,
        headers: &'h HeaderMap,
    ) -> Result<Self, HandshakeError> {
        if method != Method::GET {
            return Err(HandshakeError::Method);
        }
        // Such a request cannot ask for another protocol (RFC 9110 section 7.8).
        if version < Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        if !lists(headers, UPGRADE, WEBSOCKET) {
            return Err(HandshakeError::Upgrade);
        }
        if !lists(headers, CONNECTION, "upgrade") {
            return Err(HandshakeError::Connection);
        }
        if has_body(headers) {
            return Err(HandshakeError::Body);
        }
        match single(headers, &SEC_WEBSOCKET_VERSION)? {
            Some(version) if version == VERSION => {}
            version => {
                let version = version.map(|version| shown(version.as_bytes()));
                return Err(HandshakeError::Version(version));
            }
        }
        let key = single(headers, &SEC_WEBSOCKET_KEY)?.ok_or(HandshakeError::KeyMissing)?;
        if !is_key(key.as_bytes()) {
            return Err(HandshakeError::Key);
        }
        let offer = Self {
            headers,
            accept: accept_value(key.as_bytes()),
        };
        match offer.members().find(|name| !is_token(name)) {
            Some(name) => Err(HandshakeError::Subprotocol(shown(name))),
            None => Ok(offer),
        }
    }

    /// Returns the subprotocols that the client speaks, the ones it likes better first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &'h str> + use<'h> {
        // Tokens are ASCII, and nothing else was let in.
        self.members()
            .filter_map(|name| std::str::from_utf8(name).ok())
    }

    /// Returns the first one of the client's subprotocols that is among `supported`, so that the client's order decides.
    ///
    /// `None` if there is none: the connection then has no subprotocol, and a client that cannot do without one will close it.
    pub fn select_subprotocol(&self, supported: &[impl AsRef<str>]) -> Option<&'h str> {
        self.subprotocols()
            .find(|name| supported.iter().any(|known| known.as_ref() == *name))
    }

    /// Returns the first one of `supported` that the client offers, so that the order of `supported` decides.
    pub fn prefer_subprotocol(&self, supported: &[impl AsRef<str>]) -> Option<&'h str> {
        supported
            .iter()
            .find_map(|known| self.subprotocols().find(|name| *name == known.as_ref()))
    }

    /// Returns the values of `Sec-WebSocket-Extensions`, each a list of offers, as they came.
    pub fn extensions(&self) -> impl Iterator<Item = &'h HeaderValue> + use<'h> {
        self.headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter()
    }

    /// Makes the fields of the answer (RFC 6455 section 4.2.2), whose status is 101.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::NotOffered`] if the client has not offered that subprotocol: it would close the connection.
    pub fn response(
        &self,
        subprotocol: Option<&str>,
        extensions: Option<HeaderValue>,
    ) -> Result<HeaderMap, HandshakeError> {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if let Some(chosen) = subprotocol {
            let not_offered = || HandshakeError::NotOffered(chosen.to_owned());
            if !self.subprotocols().any(|name| name == chosen) {
                return Err(not_offered());
            }
            let value = HeaderValue::from_str(chosen).map_err(|_| not_offered())?;
            headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        if let Some(extensions) = extensions {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
        }
        Ok(headers)
    }

    /// The members of `Sec-WebSocket-Protocol`, which may come several times (RFC 6455 section 11.3.4). Names that come
    /// twice are against the rules, but do no harm.
    fn members(&self) -> impl Iterator<Item = &'h [u8]> + use<'h> {
        self.headers
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty())
    }
}

/// A body would be taken for frames.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get_all(CONTENT_LENGTH)
            .iter()
            .any(|length| !length.as_bytes().iter().all(|digit| *digit == b'0'))
}

/// Says whether it is sixteen bytes in base64: 22 digits and the padding (RFC 6455 section 4.2.1, step 5). What the bits
/// of the last digit that stand for nothing are is of no interest, for nobody decodes it.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24
        && key.ends_with(b"==")
        && key[..22]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
