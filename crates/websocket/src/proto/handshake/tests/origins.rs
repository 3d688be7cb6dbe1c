//! Who may open a WebSocket: the pages that the origin names.

use http::{HeaderName, StatusCode};

use super::fields;
use crate::proto::handshake::{HandshakeError, Origins};

#[test]
fn pages_are_let_in_by_where_they_come_from() {
    let list =
        |entries: &[&str]| Origins::List(entries.iter().map(|&entry| entry.into()).collect());
    let listed = list(&[
        "https://Example.com",
        "http://dev.example:3000",
        "https://[::1]:9",
    ]);
    let odd_port = list(&["https://example.com:8080"]);
    let with_null = list(&["null"]);
    for (origins, lines, passes) in [
        // No browser, or one from the time before either field.
        (&Origins::Same, "Host: a.example", true),
        (&listed, "Host: a.example", true),
        // The same host and port, whatever a proxy makes of the scheme.
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example",
            true,
        ),
        (
            &Origins::Same,
            "Host: A.example\nOrigin: https://a.EXAMPLE",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example:443\nOrigin: https://a.example",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: https://a.example:443",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example:80\nOrigin: http://a.example",
            true,
        ),
        (
            &Origins::Same,
            "Host: a.example:8888\nOrigin: http://a.example:8888",
            true,
        ),
        (
            &Origins::Same,
            "Host: [::1]:8888\nOrigin: http://[::1]:8888",
            true,
        ),
        (&Origins::Same, "Host: [::1]\nOrigin: http://[::1]", true),
        (&listed, "Host: a.example\nOrigin: http://a.example", true),
        // Another port, host or kind of page.
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example:8080",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example:80\nOrigin: https://a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example:8888\nOrigin: http://a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://b.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://x.a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example.evil.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example@evil.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://evil.example#a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example/",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example:http",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example:99999",
            false,
        ),
        (&Origins::Same, "Host: a.example\nOrigin: http://", false),
        (&Origins::Same, "Host: a.example\nOrigin: a.example", false),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: app://a.example",
            false,
        ),
        (&Origins::Same, "Host: a.example\nOrigin: null", false),
        (&Origins::Same, "Host: null\nOrigin: null", false),
        (&Origins::Same, "Host: a.example\nOrigin:", false),
        (&Origins::Same, "Origin: http://a.example", false),
        (&Origins::Same, "Host: [::1\nOrigin: http://[::1", false),
        (
            &Origins::Same,
            "Host: a.example\nHost: a.example\nOrigin: http://a.example",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example \u{e4}",
            false,
        ),
        // Newer browsers say it themselves, and are believed in front of any proxy.
        (
            &Origins::Same,
            "Host: inner\nOrigin: https://a.example\nSec-Fetch-Site: same-origin",
            true,
        ),
        (&Origins::Same, "Host: inner\nSec-Fetch-Site: none", true),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example\nSec-Fetch-Site: same-site",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example\nSec-Fetch-Site: cross-site",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nOrigin: http://a.example\nSec-Fetch-Site: what",
            false,
        ),
        (
            &Origins::Same,
            "Host: a.example\nSec-Fetch-Site: cross-site",
            false,
        ),
        // Lists.
        (
            &listed,
            "Host: a.example\nOrigin: https://example.com",
            true,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: https://example.com:443",
            true,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: https://example.com\nSec-Fetch-Site: cross-site",
            true,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: http://dev.example:3000\nSec-Fetch-Site: same-site",
            true,
        ),
        (&listed, "Host: a.example\nOrigin: https://[::1]:9", true),
        (
            &listed,
            "Host: a.example\nOrigin: http://example.com",
            false,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: http://dev.example",
            false,
        ),
        (
            &listed,
            "Host: a.example\nOrigin: https://sub.example.com",
            false,
        ),
        (&listed, "Host: a.example\nOrigin: null", false),
        (
            &listed,
            "Host: a.example\nSec-Fetch-Site: cross-site",
            false,
        ),
        (
            &with_null,
            "Host: a.example\nOrigin: null\nSec-Fetch-Site: cross-site",
            true,
        ),
        (
            &odd_port,
            "Host: a.example\nOrigin: https://example.com:8080",
            true,
        ),
        (
            &odd_port,
            "Host: a.example\nOrigin: http://example.com:8080",
            false,
        ),
        (
            &odd_port,
            "Host: a.example\nOrigin: https://example.com",
            false,
        ),
        // Everybody.
        (
            &Origins::Any,
            "Host: a.example\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site",
            true,
        ),
        (&Origins::Any, "Host: a.example\nOrigin: null", true),
    ] {
        let checked = origins.check(&fields(lines));
        assert_eq!(checked.is_ok(), passes, "{origins:?}\n{lines}\n{checked:?}");
        if let Err(err) = checked {
            assert_eq!(err.status(), StatusCode::FORBIDDEN, "{lines}");
        }
    }
}

#[test]
fn a_page_that_comes_from_two_places_is_refused() {
    for (lines, name) in [
        ("Host: a\nOrigin: http://a\nOrigin: http://a", "origin"),
        (
            "Host: a\nSec-Fetch-Site: same-origin\nSec-Fetch-Site: same-origin",
            "sec-fetch-site",
        ),
    ] {
        let repeated = HandshakeError::Repeated(HeaderName::from_static(name));
        assert_eq!(Origins::Same.check(&fields(lines)), Err(repeated.clone()));
        assert_eq!(repeated.status(), StatusCode::BAD_REQUEST);
    }
}
