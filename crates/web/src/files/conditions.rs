//! What a request asks of a file: whether it has changed (RFC 9110 §13), and which part of it (§14).

use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{Method, StatusCode};
use squall_http::h1::RequestHead;

use super::facts::Facts;
use super::range::{self, Wanted};

/// The status that a condition asks for instead of the file, in the order of RFC 9110 §13.2.2.
pub(super) fn precondition(head: &RequestHead, facts: &Facts) -> Option<StatusCode> {
    if head.header(&IF_MATCH).is_some() {
        if !lists(head, IF_MATCH, &facts.etag, false) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    } else if date(head, &IF_UNMODIFIED_SINCE).is_some_and(|date| facts.modified > date) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    let known = if head.header(&IF_NONE_MATCH).is_some() {
        lists(head, IF_NONE_MATCH, &facts.etag, true)
    } else {
        date(head, &IF_MODIFIED_SINCE).is_some_and(|date| facts.modified <= date)
    };
    known.then_some(StatusCode::NOT_MODIFIED)
}

/// The part that is asked for: only by a GET, and only while `If-Range` (RFC 9110 §13.1.5) names the file as it is.
pub(super) fn wanted(head: &RequestHead, facts: &Facts) -> Wanted {
    let Some(range) = head.header(&RANGE) else {
        return Wanted::All;
    };
    let current = head.header(&IF_RANGE).is_none_or(|value| {
        value == facts.etag.as_bytes() || value == facts.last_modified().as_bytes()
    });
    let once = || head.headers().get_all(RANGE).iter().count() == 1;
    if current && *head.method() == Method::GET && once() {
        range::wanted(range, facts.length)
    } else {
        Wanted::All
    }
}

/// A date, if there is one; one that is none is passed over, as RFC 9110 §13.1.3 demands.
fn date(head: &RequestHead, name: &HeaderName) -> Option<std::time::SystemTime> {
    let text = str::from_utf8(head.header(name)?).ok()?;
    httpdate::parse_http_date(text).ok()
}

/// Whether a list of tags has `etag`, or is `*`; `weak` passes over the mark of weak ones (RFC 9110 §8.8.3.2).
fn lists(head: &RequestHead, name: HeaderName, etag: &str, weak: bool) -> bool {
    let values = head.headers().get_all(name).into_iter();
    // A tag of ours has no comma, so what is split elsewhere cannot be it.
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|tag| {
        let tag = match tag.strip_prefix("W/") {
            Some(tag) if weak => tag,
            _ => tag,
        };
        tag == "*" || tag == etag
    })
}
