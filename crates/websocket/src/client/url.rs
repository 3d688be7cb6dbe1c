//! Where a URL leads.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::header::HeaderValue;
use percent_encoding::percent_decode_str;

/// A server, or a proxy, and what to ask it for.
#[derive(Clone, Debug)]
pub(crate) struct Url {
    /// A name in lower case or an IP address, IPv6 in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// It is spoken to by TLS.
    pub(crate) secure: bool,
    /// The user and the password, as they are shown to the server (RFC 7617).
    pub(crate) authorization: Option<HeaderValue>,
    /// Host, port if it is not the usual one, path and query; the scheme is that of HTTP.
    pub(crate) uri: Uri,
}

/// Why a URL cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Unusable {
    /// It is no URL, or one with a part that must not be there; the text says what is wrong.
    Bad(String),
    /// It wants TLS, which is not built in.
    Tls,
}

impl Url {
    /// Parses `ws://[user:password@]host[:port][/path][?query]`, or `wss` alike (RFC 6455 section 3); `http` and `https`
    /// mean the same, as they do in browsers.
    pub(crate) fn of_websocket(text: &str) -> Result<Self, Unusable> {
        let parsed = parse(text, |scheme| match scheme {
            "ws" | "http" => Some(false),
            "wss" | "https" => Some(true),
            _ => None,
        });
        parsed.map_err(|wrong| wrong.expecting("ws://host[:port]/path"))
    }

    /// Parses `http://[user:password@]host[:port]`, or `https` alike.
    pub(crate) fn of_proxy(text: &str) -> Result<Self, Unusable> {
        let expecting = |wrong: Wrong| wrong.expecting("http://[user:password@]host[:port]");
        let parsed = parse(text, |scheme| match scheme {
            "http" => Some(false),
            "https" => Some(true),
            _ => None,
        });
        let url = parsed.map_err(expecting)?;
        match url.uri.path_and_query().map(|path| path.as_str()) {
            None | Some("" | "/") => Ok(url),
            Some(_) => Err(expecting(Wrong::Text("a proxy has no path".into()))),
        }
    }

    /// Returns the host and the port, which a tunnel always names (RFC 9110 section 9.3.6).
    pub(crate) fn tunnel(&self) -> http::Result<Uri> {
        let authority = format!("{}:{}", self.host, self.port);
        Uri::builder().authority(authority).build()
    }
}

/// What is wrong, before it is known what was expected.
enum Wrong {
    Text(Cow<'static, str>),
    Tls,
}

impl Wrong {
    fn expecting(self, form: &str) -> Unusable {
        match self {
            Self::Text(reason) => Unusable::Bad(format!("{reason} (expected {form})")),
            Self::Tls => Unusable::Tls,
        }
    }
}

impl From<&'static str> for Wrong {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

/// `secure` says of a scheme whether it is TLS, or that it is not known.
fn parse(text: &str, secure: impl FnOnce(&str) -> Option<bool>) -> Result<Url, Wrong> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(Wrong::Text(
            format!("{odd:?} must be percent-encoded").into(),
        ));
    }
    // They are without meaning, so whoever writes one means something else (RFC 6455 section 3).
    if text.contains('#') {
        return Err("fragments are not taken, # must be percent-encoded".into());
    }
    let uri: Uri = text
        .parse()
        .map_err(|err| Wrong::Text(format!("{err}").into()))?;
    let scheme = uri.scheme_str().ok_or("the scheme is missing")?;
    let scheme = scheme.to_ascii_lowercase();
    let secure = secure(&scheme)
        .ok_or_else(|| Wrong::Text(format!("the scheme {scheme} is not known").into()))?;
    if secure && !cfg!(feature = "tls") {
        return Err(Wrong::Tls);
    }
    place(&uri, secure)
}

fn place(uri: &Uri, secure: bool) -> Result<Url, Wrong> {
    let authority = uri.authority().ok_or("the host is missing")?;
    let (user, place) = match authority.as_str().rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority.as_str()),
    };
    let host = authority.host().to_ascii_lowercase();
    if host.is_empty() {
        return Err("the host is missing".into());
    }
    let usual = if secure { 443 } else { 80 };
    let port = match place.get(host.len()..) {
        Some("" | ":") => usual,
        _ => authority
            .port_u16()
            .filter(|port| *port > 0)
            .ok_or("the port is no number from 1 to 65535")?,
    };
    let written = match port == usual {
        true => host.clone(),
        false => format!("{host}:{port}"),
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder()
        .scheme(if secure { "https" } else { "http" })
        .authority(written)
        .path_and_query(path)
        .build()
        .map_err(|err| Wrong::Text(err.to_string().into()))?;
    Ok(Url {
        host,
        port,
        secure,
        authorization: user.map(authorization).transpose()?,
        uri,
    })
}

/// The value of `Authorization` of a user and a password, percent-encoded (RFC 7617 section 2).
fn authorization(user: &str) -> Result<HeaderValue, Wrong> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let name: Vec<u8> = percent_decode_str(name).collect();
    if name.contains(&b':') {
        return Err("a user name with a colon cannot be sent".into());
    }
    let mut both = name;
    both.push(b':');
    both.extend(percent_decode_str(password));
    let text = format!("Basic {}", STANDARD.encode(both));
    let mut value = HeaderValue::from_str(&text).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    Ok(value)
}

/// Hides the user name and password of what may be a URL, quotes what is none, and cuts what is long: for messages.
pub(crate) fn label(text: &str) -> String {
    /// Bytes of a URL that tell enough.
    const SHOWN: usize = 200;
    let start = text.find("//").map_or(0, |at| at + 2);
    let end = text[start..]
        .find(['/', '?', '#'])
        .map_or(text.len(), |at| start + at);
    let mut hidden = match text[start..end].rfind('@') {
        Some(at) => format!("{}***{}", &text[..start], &text[start + at..]),
        None => text.to_owned(),
    };
    if hidden.len() > SHOWN {
        hidden.truncate(hidden.floor_char_boundary(SHOWN));
        hidden.push_str("...");
    }
    match hidden.chars().all(|c| c.is_ascii_graphic()) && !hidden.is_empty() {
        true => hidden,
        false => format!("{hidden:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_in_lower_case_and_ports_are_told_where_they_are_unusual() {
        for (text, host, port, uri) in [
            ("ws://Example.COM", "example.com", 80, "http://example.com/"),
            ("WS://h/", "h", 80, "http://h/"),
            ("http://h/", "h", 80, "http://h/"),
            ("ws://h:/a", "h", 80, "http://h/a"),
            ("ws://h:80/a?b=c", "h", 80, "http://h/a?b=c"),
            ("ws://h:443/", "h", 443, "http://h:443/"),
            ("ws://h?b", "h", 80, "http://h/?b"),
            (
                "ws://127.0.0.1:8888/ws",
                "127.0.0.1",
                8888,
                "http://127.0.0.1:8888/ws",
            ),
            ("ws://[::1]:65535/", "[::1]", 65535, "http://[::1]:65535/"),
            ("ws://[::1]/", "[::1]", 80, "http://[::1]/"),
            ("ws://me:you@h:81/", "h", 81, "http://h:81/"),
        ] {
            let url = Url::of_websocket(text).unwrap_or_else(|err| panic!("{text}: {err:?}"));
            assert_eq!(
                (url.host.as_str(), url.port, url.secure),
                (host, port, false),
                "{text}"
            );
            assert_eq!(url.uri, uri, "{text}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_has_its_own_port() {
        for (text, port, uri) in [
            ("wss://h/", 443, "https://h/"),
            ("WSS://h:443/", 443, "https://h/"),
            ("https://h:80/", 80, "https://h:80/"),
        ] {
            let url = Url::of_websocket(text).unwrap_or_else(|err| panic!("{text}: {err:?}"));
            assert_eq!((url.port, url.secure), (port, true), "{text}");
            assert_eq!(url.uri, uri, "{text}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_has_to_be_built_in() {
        for text in ["wss://h/", "https://h:80/"] {
            assert_eq!(Url::of_websocket(text).map(|_| ()), Err(Unusable::Tls));
        }
    }

    #[test]
    fn users_and_passwords_are_decoded_and_encoded() {
        for (user, header) in [
            (
                "Aladdin:open%20sesame",
                "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            ),
            ("me", "Basic bWU6"),
            (":secret", "Basic OnNlY3JldA=="),
            ("me:a:b", "Basic bWU6YTpi"),
        ] {
            let url = Url::of_websocket(&format!("ws://{user}@h/")).expect("a user");
            let value = url.authorization.expect("a user");
            assert_eq!(value, header, "{user}");
            assert!(value.is_sensitive());
        }
        assert!(
            Url::of_websocket("ws://h/a@b")
                .expect("no user")
                .authorization
                .is_none()
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, reason) in [
            ("", "it is empty"),
            ("/only/a/path", "the scheme is missing"),
            ("example.com", "the scheme is missing"),
            ("ftp://example.com/", "the scheme ftp is not known"),
            ("ws://", "(expected ws://host[:port]/path)"),
            ("ws://:80/", "the host is missing"),
            ("ws://h/#top", "fragments are not taken"),
            ("ws://h/?a#", "fragments are not taken"),
            ("ws://h:0/", "the port is no number from 1 to 65535"),
            ("ws://h:99999/", "65535"),
            ("ws://h:port/", "(expected ws://host[:port]/path)"),
            ("ws://a%3Ab:c@h/", "a user name with a colon"),
            ("ws://h/a b", "' ' must be percent-encoded"),
            ("ws://h/\u{fc}", "'\u{fc}' must be percent-encoded"),
            ("ws://h/\r\nX: y", "must be percent-encoded"),
        ] {
            match Url::of_websocket(text) {
                Err(Unusable::Bad(said)) => assert!(said.contains(reason), "{text}: {said}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn proxies_are_places_without_a_path() {
        let url = Url::of_proxy("http://me:you@Proxy:3128").expect("a proxy");
        assert_eq!((url.host.as_str(), url.port), ("proxy", 3128));
        assert!(url.authorization.is_some());
        assert!(Url::of_proxy("http://proxy/").is_ok());
        for text in [
            "http://proxy/path",
            "http://proxy/?x",
            "socks5://proxy",
            "ws://proxy",
            "",
        ] {
            assert!(Url::of_proxy(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tunnels_name_the_port_whatever_it_is() {
        for (text, tunnel) in [("ws://h/a", "h:80"), ("ws://[::1]:81/", "[::1]:81")] {
            let url = Url::of_websocket(text).expect("a url");
            assert_eq!(url.tunnel().expect("a place"), tunnel);
        }
    }

    #[test]
    fn users_and_passwords_are_in_no_message() {
        let long = format!("ws://h/{}", "a".repeat(500));
        for (text, shown) in [
            ("ws://user:secret@h/a@b", "ws://***@h/a@b"),
            ("ws://user:se@cret@h", "ws://***@h"),
            ("user:secret@h", "***@h"),
            ("ws://h/?m=a@b", "ws://h/?m=a@b"),
            ("ws://h/\u{1b}[31m", "\"ws://h/\\u{1b}[31m\""),
            ("", "\"\""),
            (&long, &format!("{}...", &long[..200])),
        ] {
            assert_eq!(label(text), shown);
        }
    }
}
