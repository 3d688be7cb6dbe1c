//! Responses: what a handler may return.

mod html;
mod json;
mod redirect;

use std::borrow::Cow;
use std::convert::Infallible;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderMap, StatusCode};
use squall_http::{Body, MediaType};

use crate::error::Note;

pub use html::Html;
pub use json::{Json, JsonRejection};
pub use redirect::Redirect;

pub use squall_http::Response;

/// What a handler may return.
///
/// | value | status | content type |
/// |---|---|---|
/// | `&'static str`, `String`, `Cow<'static, str>` | 200 | `text/plain; charset=utf-8` |
/// | `Bytes`, `Vec<u8>`, `&'static [u8]`, [`Body`] | 200 | `application/octet-stream` |
/// | [`Html<T>`] | 200 | `text/html; charset=utf-8` |
/// | [`Json<T>`] | 200 | `application/json` |
/// | [`EventStream`](crate::sse::EventStream) | 200 | `text/event-stream` |
/// | [`Redirect`] | 303, 307 or 308 | |
/// | `()` | 204 | |
/// | `StatusCode` | itself; from 400 with the error's text as the body | |
/// | `(StatusCode, T)` | the given one | of `T` |
/// | `(HeaderMap, T)`, `([(name, value); N], T)` | of `T`, the fields replaced | |
/// | `Result<T, E>` | of `T` or `E` | |
/// | [`HttpError`](crate::HttpError), any [`Failure`](crate::Failure) | its own | text or JSON, see [`crate::error`] |
/// | `http::Response<Body>` | itself | |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a handler",
    label = "not a response",
    note = "responses are `&'static str`, `String`, `Bytes`, `Html<T>`, `Json<T>`, `StatusCode`, `EventStream`, \
            `http::Response<Body>`, `(StatusCode, T)`, `Result<T, E>`, or types that implement `IntoResponse` or, as errors, \
            `Failure`",
    note = "the `E` of `Result<T, E>` can be `HttpError`, which every error becomes through `?`"
)]
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for http::Response<Body> {
    fn into_response(self) -> Response {
        self.into()
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        status(StatusCode::NO_CONTENT)
    }
}

impl IntoResponse for Infallible {
    fn into_response(self) -> Response {
        match self {}
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        if self.is_client_error() || self.is_server_error() {
            return Note::new(Cow::Borrowed(""), None).response(self);
        }
        status(self)
    }
}

fn status(code: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

macro_rules! with_type {
    ($kind:literal: $($type:ty),*) => {$(
        impl IntoResponse for $type {
            fn into_response(self) -> Response {
                Response::with_type(const { MediaType::new($kind) }, self)
            }
        }
    )*};
}

with_type!("text/plain; charset=utf-8": &'static str, String);
with_type!("application/octet-stream": Bytes, Vec<u8>, &'static [u8], Body);

impl IntoResponse for Cow<'static, str> {
    fn into_response(self) -> Response {
        match self {
            Cow::Borrowed(text) => text.into_response(),
            Cow::Owned(text) => text.into_response(),
        }
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

/// The fields replace those of the same names.
impl<T: IntoResponse> IntoResponse for (HeaderMap, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        let headers = response.headers_mut();
        for name in self.0.keys() {
            headers.remove(name);
        }
        for (name, value) in &self.0 {
            headers.append(name, value.clone());
        }
        response
    }
}

/// The fields replace those of the same names; a name or value that HTTP does not allow is status 500.
impl<const N: usize, K, V, T> IntoResponse for ([(K, V); N], T)
where
    K: TryInto<http::HeaderName, Error: Into<http::Error>>,
    V: TryInto<HeaderValue, Error: Into<http::Error>>,
    T: IntoResponse,
{
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        for (name, value) in self.0 {
            let name = name.try_into().map_err(Into::into);
            let value = value.try_into().map_err(Into::into);
            match name.and_then(|name| Ok((name, value?))) {
                Ok((name, value)) => response.headers_mut().insert(name, value),
                Err(error) => return crate::HttpError::from(error).into_response(),
            };
        }
        response
    }
}

impl<const N: usize, K, V, T> IntoResponse for (StatusCode, [(K, V); N], T)
where
    ([(K, V); N], T): IntoResponse,
{
    fn into_response(self) -> Response {
        (self.0, (self.1, self.2)).into_response()
    }
}
