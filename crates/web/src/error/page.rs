//! The body of a response to a failure.

use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use serde_json::json;
use squall_http::Body;

use super::Note;
use crate::Response;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Writes what the note says into the body, unless the body has been filled in by somebody else.
///
/// The members of the JSON form are those of RFC 9457 section 3.1. `nosniff` is set because the text may quote the
/// request.
pub(crate) fn fill(response: &mut Response, note: &Note, accept: Option<&[u8]>) {
    if !matches!(response.body(), Body::Full(bytes) if bytes.is_empty()) {
        return;
    }
    let status = response.status();
    let title = status.canonical_reason().unwrap_or("Error");
    let form = accept.map_or(Form::Text, preferred);
    let (kind, body) = match form {
        Form::Text if note.message.is_empty() => (TEXT, format!("{} {title}\n", status.as_u16())),
        Form::Text => {
            let text = format!("{} {title}: {}\n", status.as_u16(), note.message);
            (TEXT, text)
        }
        Form::Json | Form::Problem => {
            let mut members = json!({ "status": status.as_u16(), "title": title });
            if !note.message.is_empty() {
                members["detail"] = json!(note.message);
            }
            let kind = if form == Form::Json { JSON } else { PROBLEM };
            (kind, members.to_string())
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    *response.body_mut() = Body::from(body);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Json,
    Problem,
    Text,
}

/// The form that an `Accept` field prefers (RFC 9110 section 12.5.1).
///
/// JSON must be named to be sent; a range with a star is answered with text, as a request without the field is.
fn preferred(accept: &[u8]) -> Form {
    let mut best = (Form::Text, 0);
    for range in str::from_utf8(accept).unwrap_or("").split(',') {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts.next().unwrap_or("").to_ascii_lowercase().as_str() {
            "application/json" => Form::Json,
            "application/problem+json" => Form::Problem,
            "text/plain" | "text/html" | "text/*" => Form::Text,
            _ => continue,
        };
        let weight = parts.find_map(weight).unwrap_or(1000);
        if weight > best.1 {
            best = (form, weight);
        }
    }
    best.0
}

/// The weight in thousandths; what is malformed counts as 1 (RFC 9110 section 12.4.2).
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let weight = value.trim().parse::<f32>().ok();
    let weight = weight.filter(|weight| (0.0..=1.0).contains(weight));
    Some((weight.unwrap_or(1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_accept_prefers() {
        for (accept, form) in [
            ("*/*", Form::Text),
            ("", Form::Text),
            ("application/json", Form::Json),
            ("Application/JSON; charset=utf-8", Form::Json),
            ("application/problem+json", Form::Problem),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Form::Text),
            ("text/html, application/json;q=0.9", Form::Text),
            ("text/html;q=0.8, application/json", Form::Json),
            ("application/json, text/plain, */*", Form::Json),
            ("application/json;q=0", Form::Text),
            ("application/json;q=2", Form::Json),
            ("application/json;q=nan", Form::Json),
            ("application/*", Form::Text),
            (";;;,,,=", Form::Text),
        ] {
            let value = HeaderValue::from_static(accept);
            assert_eq!(preferred(value.as_bytes()), form, "{accept}");
        }
        let binary = HeaderValue::from_bytes(b"\xff").expect("an opaque value");
        assert_eq!(preferred(binary.as_bytes()), Form::Text);
    }
}
