//! Keeps strangers out: the tour runs programs for whoever asks, and that must be the person at this machine.
//!
//! It listens on 127.0.0.1 only, but pages of other sites run in that person's browser, on this machine too. So:
//!
//! * a request must name this machine as its host. A page of a site whose name was bound to 127.0.0.1 after it was loaded
//!   (DNS rebinding) names that site;
//! * a request that does something must not come from a page of another site: browsers say where it comes from, in
//!   `Sec-Fetch-Site` and in `Origin`, and a page cannot change either.
//!
//! Every answer carries a policy under which the page loads nothing from elsewhere.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode, Uri};
use squall::server::{Answer, Request, Service};
use squall::web::{IntoResponse as _, Response};

/// Nothing but what this server serves, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A service behind the guard.
#[derive(Debug)]
pub(crate) struct Guard<S>(pub(crate) S);

impl<S: Service> Service for Guard<S> {
    fn call(&self, request: Request) -> Answer {
        match refusal(request.method(), request.uri(), request.headers()) {
            Some((status, reason)) => Answer::Ready(sealed((status, reason).into_response())),
            None => {
                let answer = self.0.call(request);
                Box::pin(async { sealed(answer.await) }).into()
            }
        }
    }
}

/// Why a request is not answered, if it is not.
fn refusal(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    // A target in absolute form overrides the field (RFC 9112 section 3.2.2).
    let host = uri.authority().map(|authority| authority.as_str());
    let host = host.or(text(&HOST)).unwrap_or_default();
    if !is_here(host) {
        let reason = "the tour answers only to 127.0.0.1, localhost and [::1]\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, reason));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    let same_site = text(&SEC_FETCH_SITE).is_none_or(|site| matches!(site, "same-origin" | "none"));
    let same_origin =
        text(&ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    if same_site && same_origin {
        return None;
    }
    let reason = "the tour runs patterns for its own page only\n";
    Some((StatusCode::FORBIDDEN, reason))
}

/// Whether `host`, with or without a port, is this machine by a name that nobody else can have.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "[::1]") || name.eq_ignore_ascii_case("localhost")
}

fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (RESOURCE_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A rebuilt tour on the same port must not be shown with old pieces.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, fields: &[(&'static str, &'static str)]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let uri = Uri::from_static("/run/promise");
        refusal(&method, &uri, &headers).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for (host, status) in [
            ("127.0.0.1:8888", None),
            ("127.0.0.1", None),
            ("localhost:8888", None),
            ("LocalHost:8888", None),
            ("[::1]:8888", None),
            ("squall.example:8888", Some(421)),
            ("127.0.0.1.example:8888", Some(421)),
            ("localhost.example", Some(421)),
            ("::1", Some(421)),
            ("", Some(421)),
        ] {
            assert_eq!(refused(Method::GET, &[("host", host)]), status, "{host}");
        }
        assert_eq!(refused(Method::GET, &[]), Some(421));
    }

    #[test]
    fn the_host_of_the_target_counts_before_the_field() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1"));
        let uri = Uri::from_static("http://squall.example/");
        assert!(refusal(&Method::GET, &uri, &headers).is_some());
    }

    #[test]
    fn only_the_own_page_and_no_page_at_all_may_run() {
        let host = ("host", "127.0.0.1:8888");
        for (fields, status) in [
            (vec![], None),
            (vec![("origin", "http://127.0.0.1:8888")], None),
            (vec![("sec-fetch-site", "same-origin")], None),
            (vec![("sec-fetch-site", "cross-site")], Some(403)),
            (vec![("sec-fetch-site", "same-site")], Some(403)),
            (vec![("origin", "http://127.0.0.1:9999")], Some(403)),
            (vec![("origin", "https://127.0.0.1:8888")], Some(403)),
            (vec![("origin", "http://squall.example")], Some(403)),
            (vec![("origin", "null")], Some(403)),
            (
                vec![
                    ("origin", "http://127.0.0.1:8888"),
                    ("sec-fetch-site", "cross-site"),
                ],
                Some(403),
            ),
        ] {
            let all: Vec<_> = fields.iter().copied().chain([host]).collect();
            assert_eq!(refused(Method::POST, &all), status, "{fields:?}");
        }
    }

    #[test]
    fn links_from_elsewhere_may_show_the_page() {
        let fields = [("host", "127.0.0.1:8888"), ("sec-fetch-site", "cross-site")];
        assert_eq!(refused(Method::GET, &fields), None);
    }

    #[test]
    fn an_answer_keeps_its_own_word_on_caching() {
        let response = sealed(([("cache-control", "no-cache")], "a").into_response());
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        let response = sealed("a".into_response());
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
    }
}
