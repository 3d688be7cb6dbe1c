//! Which pages may open WebSockets.

use http::HeaderMap;
use http::HeaderName;
use http::header::{HOST, ORIGIN};

use super::{HandshakeError, shown, single};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The pages whose scripts may open a WebSocket (RFC 6455 section 10.2).
///
/// Browsers send cookies along with a handshake from any page, and no rule of theirs keeps that page from reading the
/// answers. So a server that knows its users by cookies must know the pages, too. Clients other than browsers mostly send no
/// `Origin`; they are let in, for they could claim whatever they like.
///
/// * A browser that says `Sec-Fetch-Site: same-origin`, or `none` (the user has typed the address), is let in; one that says
///   anything else is let in if its origin is listed.
/// * Without that field: no `Origin` is let in, and so is one with the host and the port of `Host`; others if they are listed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Origins {
    /// All pages. For services that know nobody by cookies, addresses or certificates.
    Any,
    /// Pages of the same origin, and those of the origins in this list, such as `https://example.com` or
    /// `http://localhost:3000`: scheme, host, and port where it is not the usual one. `null` stands for pages without an
    /// origin, such as files and sandboxed frames, which is to say anybody's.
    List(Vec<String>),
    /// Pages of the same origin only.
    #[default]
    Same,
}

impl Origins {
    /// Says whether a request may be answered.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Origin`] if it may not; [`HandshakeError::Repeated`] if it says twice where it comes from.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), HandshakeError> {
        if *self == Self::Any {
            return Ok(());
        }
        let origin = single(headers, &ORIGIN)?.map(|origin| origin.as_bytes());
        let passes = match (single(headers, &SEC_FETCH_SITE)?, origin) {
            (Some(site), _) if site == "same-origin" || site == "none" => true,
            (None, None) => true,
            (None, Some(origin)) if is_same(origin, headers) => true,
            (_, Some(origin)) => self.lists(origin),
            (Some(_), None) => false,
        };
        match passes {
            true => Ok(()),
            false => Err(HandshakeError::Origin(shown(origin.unwrap_or_default()))),
        }
    }

    fn lists(&self, origin: &[u8]) -> bool {
        let Self::List(listed) = self else {
            return false;
        };
        let parsed = Origin::parse(origin);
        listed
            .iter()
            .map(String::as_bytes)
            .any(|entry| entry == origin || (parsed.is_some() && parsed == Origin::parse(entry)))
    }
}

/// Says whether a page was served under the name that it asks now. The scheme is not looked at but for the usual port,
/// since this server does not see what a proxy in front of it speaks.
fn is_same(origin: &[u8], headers: &HeaderMap) -> bool {
    let (Some(origin), Ok(Some(host))) = (Origin::parse(origin), single(headers, &HOST)) else {
        return false;
    };
    let usual = origin.usual_port();
    let host = Place::parse(host.as_bytes());
    host.is_some_and(|host| {
        host.name.eq_ignore_ascii_case(origin.place.name)
            && host.port.unwrap_or(usual) == origin.place.port.unwrap_or(usual)
    })
}

/// An origin as browsers write it: scheme, host, and port if it is not the usual one (RFC 6454 section 6.2).
#[derive(Clone, Copy, Debug)]
struct Origin<'a> {
    secure: bool,
    place: Place<'a>,
}

impl<'a> Origin<'a> {
    /// `None` of what is none, and of schemes by which no page is served over the network.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let colon = text.iter().position(|byte| *byte == b':')?;
        let (scheme, rest) = text.split_at(colon);
        let secure = match scheme {
            scheme if scheme.eq_ignore_ascii_case(b"https") => true,
            scheme if scheme.eq_ignore_ascii_case(b"http") => false,
            _ => return None,
        };
        let place = Place::parse(rest.strip_prefix(b"://")?)?;
        Some(Self { secure, place })
    }

    fn usual_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        let port = |origin: &Self| origin.place.port.unwrap_or(origin.usual_port());
        self.secure == other.secure
            && self.place.name.eq_ignore_ascii_case(other.place.name)
            && port(self) == port(other)
    }
}

/// A host and a port.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    name: &'a [u8],
    port: Option<u16>,
}

impl<'a> Place<'a> {
    /// `None` of what has a user, a path or something else that makes it no bare host.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let end = match text.first()? {
            b'[' => text.iter().position(|byte| *byte == b']')? + 1,
            _ => text
                .iter()
                .position(|byte| *byte == b':')
                .unwrap_or(text.len()),
        };
        let (name, rest) = text.split_at(end);
        let odd = |byte: &u8| b"/?#@\\ \t".contains(byte);
        if name.is_empty() || name.iter().any(odd) {
            return None;
        }
        let port = match rest {
            b"" | b":" => None,
            [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
                Some(std::str::from_utf8(digits).ok()?.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self { name, port })
    }
}
