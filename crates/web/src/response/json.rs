//! JSON in and out.

use std::borrow::Cow;
use std::cell::Cell;
use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use squall_http::MediaType;

use super::{IntoResponse, Response};
use crate::extract::{BodyRejection, Needs, collect};
use crate::{Context, Failure, FromRequest, HttpError};

/// JSON: as an argument the body of the request, as a result the body of the response.
///
/// The request must say `application/json` or a type with the suffix `+json` (else 415), which also keeps forms of
/// foreign pages out, and hold at most [`Application::body_limit`](crate::Application::body_limit) bytes (default
/// 2 MiB, else 413). What is no JSON is a 400, what does not fit `T` a 422; the peer is told the line and column, the
/// log the reason. Nesting deeper than 128 is refused.
///
/// A value that cannot be written as JSON, such as a map with keys that are no text, is a 500.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use squall_web::Json;
///
/// #[derive(Deserialize)]
/// struct Order { article: u32, count: u32 }
///
/// #[derive(Serialize)]
/// struct Receipt { total: u32 }
///
/// async fn order(Json(order): Json<Order>) -> Json<Receipt> {
///     Json(Receipt { total: order.article * order.count })
/// }
/// # let _ = order;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Rejection = JsonRejection;

    async fn from_request(cx: &mut Context) -> Result<Self, JsonRejection> {
        if !cx.header(&CONTENT_TYPE).is_some_and(is_json) {
            return Err(JsonRejection::ContentType);
        }
        let bytes = collect(cx).await.map_err(JsonRejection::Body)?;
        let value = squall_json::from_slice(&bytes);
        value.map(Self).map_err(JsonRejection::of)
    }

    fn is_ready(cx: &Context) -> bool {
        cx.has_whole_body()
    }

    fn needs(needs: &mut Needs) {
        needs.body::<Self>();
    }
}

const JSON: MediaType = MediaType::new("application/json");

/// Bytes beyond which the memory for writing JSON is not kept.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    /// Taken out while it is used, so that a value that makes a response while it is written gets another one.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut text = SCRATCH.take();
        text.clear();
        let response = match serde_json::to_writer(&mut text, &self.0) {
            // A copy of just the right size is cheaper than to keep what is too large.
            Ok(()) => Response::with_type(JSON, Bytes::copy_from_slice(&text)),
            Err(error) => HttpError::from(error).into_response(),
        };
        if text.capacity() <= SCRATCH_BYTES {
            SCRATCH.set(text);
        }
        response
    }
}

/// Whether a media type is JSON: `application/json` or anything with the suffix (RFC 6839 section 3.1).
fn is_json(kind: &[u8]) -> bool {
    if kind == b"application/json" {
        return true;
    }
    let kind = str::from_utf8(kind).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    let Some((main, sub)) = essence.split_once('/') else {
        return false;
    };
    let suffix = sub.rsplit_once('+').map_or("", |(_, suffix)| suffix);
    main.eq_ignore_ascii_case("application") && sub.eq_ignore_ascii_case("json")
        || !main.is_empty() && suffix.eq_ignore_ascii_case("json")
}

/// The body is not the JSON that the handler asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum JsonRejection {
    /// The body could not be had at all.
    Body(BodyRejection),
    /// The request does not say that it holds JSON: status 415.
    ContentType,
    /// It is JSON, but not of the right shape: status 422.
    Data(serde_json::Error),
    /// It is not JSON: status 400.
    Syntax(serde_json::Error),
}

impl JsonRejection {
    fn of(error: serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::Data(error),
            Category::Eof | Category::Io | Category::Syntax => Self::Syntax(error),
        }
    }
}

impl Failure for JsonRejection {
    fn status(&self) -> StatusCode {
        match self {
            Self::Body(err) => err.status(),
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Data(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Syntax(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        let (what, err) = match self {
            Self::Body(err) => return err.message(),
            Self::ContentType => return Cow::Borrowed("the body must be `application/json`"),
            Self::Data(err) => ("the JSON body does not fit", err),
            Self::Syntax(err) => ("the body is not JSON", err),
        };
        format!("{what} at line {}, column {}", err.line(), err.column()).into()
    }
}

impl fmt::Display for JsonRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body(_) => "the JSON body could not be read",
            Self::ContentType => "the `Content-Type` of the request is not JSON",
            Self::Data(_) => "the JSON body does not fit",
            Self::Syntax(_) => "the body is not JSON",
        })
    }
}

impl Error for JsonRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Body(err) => Some(err),
            Self::ContentType => None,
            Self::Data(err) | Self::Syntax(err) => Some(err),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_json() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON", true),
            ("application/json; charset=utf-8", true),
            ("application/problem+json", true),
            ("model/gltf+JSON", true),
            ("text/json", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
            ("json", false),
            ("+json", false),
            ("", false),
        ] {
            assert_eq!(is_json(kind.as_bytes()), json, "{kind}");
        }
    }
}
