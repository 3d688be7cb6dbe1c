//! Where a URL leads.

use std::borrow::Cow;

use http::Uri;

/// A server: what connections to it have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Origin {
    /// A name in lower case or an IP address, IPv6 in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// It is asked by `https`.
    pub(crate) secure: bool,
}

/// Why a URL cannot be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Unusable {
    /// It is no URL, or one with a part that must not be there; the text says what is wrong.
    Bad(String),
    /// It is `https`, and TLS is not built in.
    Tls,
}

/// Parses a URL of the form `http://host[:port][/path][?query]`, or `https` alike.
pub(crate) fn parse(text: &str) -> Result<(Uri, Origin), Unusable> {
    let bad =
        |reason: String| Unusable::Bad(format!("{reason} (expected http://host[:port]/path)"));
    if text.is_empty() {
        return Err(bad("it is empty".into()));
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(bad(format!("{odd:?} must be percent-encoded")));
    }
    let uri: Uri = text.parse().map_err(|err| bad(format!("{err}")))?;
    let origin = match uri.scheme_str() {
        Some("https") if !cfg!(feature = "tls") => return Err(Unusable::Tls),
        Some(scheme @ ("http" | "https")) => {
            origin(&uri, scheme == "https").map_err(|reason| bad(reason.into()))?
        }
        Some(scheme) => return Err(bad(format!("the scheme {scheme} is not known"))),
        None => return Err(bad("the scheme is missing".into())),
    };
    Ok((uri, origin))
}

/// Hides the user name and password of what may be a URL.
pub(crate) fn without_user(text: &str) -> Cow<'_, str> {
    let start = text.find("//").map_or(0, |at| at + 2);
    let end = text[start..]
        .find(['/', '?', '#'])
        .map_or(text.len(), |at| start + at);
    match text[start..end].rfind('@') {
        Some(at) => format!("{}***{}", &text[..start], &text[start + at..]).into(),
        None => text.into(),
    }
}

fn origin(uri: &Uri, secure: bool) -> Result<Origin, &'static str> {
    let authority = uri.authority().ok_or("the host is missing")?;
    if authority.as_str().contains('@') {
        return Err("user names in URLs are not taken, set an Authorization header");
    }
    let host = authority.host();
    if host.is_empty() {
        return Err("the host is missing");
    }
    let port = match &authority.as_str()[host.len()..] {
        "" | ":" if secure => 443,
        "" | ":" => 80,
        _ => authority
            .port_u16()
            .ok_or("the port is no number up to 65535")?,
    };
    Ok(Origin {
        host: host.to_ascii_lowercase(),
        port,
        secure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_in_lower_case_and_has_a_port() {
        for (url, host, port) in [
            ("http://Example.COM", "example.com", 80),
            ("http://example.com:8080/a?b#c", "example.com", 8080),
            ("http://127.0.0.1:1/", "127.0.0.1", 1),
            ("http://[::1]:65535/", "[::1]", 65535),
            ("HTTP://h/", "h", 80),
        ] {
            let (_, origin) = parse(url).unwrap_or_else(|err| panic!("{url}: {err:?}"));
            assert_eq!(
                origin,
                Origin {
                    host: host.into(),
                    port,
                    secure: false,
                },
                "{url}"
            );
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn https_is_another_origin_with_another_port() {
        for (url, port) in [("https://h/", 443), ("https://h:80/", 80)] {
            let (_, origin) = parse(url).unwrap_or_else(|err| panic!("{url}: {err:?}"));
            let host = "h".into();
            assert_eq!(
                origin,
                Origin {
                    host,
                    port,
                    secure: true
                }
            );
        }
    }

    #[test]
    fn user_names_and_passwords_are_hidden() {
        for (text, shown) in [
            ("http://user:secret@h/a@b", "http://***@h/a@b"),
            ("http://user:se@cret@h", "http://***@h"),
            ("user:secret@h", "***@h"),
            ("http://h/?m=a@b", "http://h/?m=a@b"),
            ("", ""),
            ("//", "//"),
        ] {
            assert_eq!(without_user(text), shown);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, reason) in [
            ("", "it is empty"),
            ("/only/a/path", "the scheme is missing"),
            ("example.com", "the scheme is missing"),
            ("ftp://example.com/", "the scheme ftp is not known"),
            ("http://", "(expected http://host[:port]/path)"),
            ("http://:80/", "the host is missing"),
            ("http://user:secret@example.com/", "user names in URLs"),
            ("http://example.com:99999/", "65535"),
            (
                "http://example.com:port/",
                "(expected http://host[:port]/path)",
            ),
            ("http://example.com/a b", "' ' must be percent-encoded"),
            ("http://example.com/ü", "'ü' must be percent-encoded"),
            ("http://example.com/\r\nX: y", "must be percent-encoded"),
        ] {
            match parse(url) {
                Err(Unusable::Bad(text)) => assert!(text.contains(reason), "{url}: {text}"),
                other => panic!("{url}: {other:?}"),
            }
        }
        if !cfg!(feature = "tls") {
            assert_eq!(parse("https://example.com/"), Err(Unusable::Tls));
        }
    }
}
