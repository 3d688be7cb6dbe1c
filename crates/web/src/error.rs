//! Failures: what the peer is told, and what the log is told.
//!
//! A [`Failure`] knows its status and a text for the peer; its `Display` and its sources go to the log and never to
//! the peer. The application writes the body of the response, as text or as JSON, whichever the request prefers:
//!
//! ```text
//! 404 Not Found
//! ```
//! ```json
//! {"status":422,"title":"Unprocessable Entity","detail":"the JSON body does not fit at line 1, column 14"}
//! ```
//!
//! [`HttpError`] is the failure to use when no type of one's own is worth it: any error becomes one through `?`.

mod http_error;
mod page;

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;

use http::StatusCode;
use squall_http::Body;

use crate::{IntoResponse, Response};

pub use http_error::{HttpError, Result};
pub(crate) use page::fill;

/// An error that knows what to tell the peer; each one is a response.
///
/// # Examples
///
/// ```
/// use std::borrow::Cow;
/// use std::fmt;
///
/// use http::StatusCode;
/// use squall_web::{Failure, Html};
///
/// #[derive(Debug)]
/// enum ShopError {
///     SoldOut { article: u32 },
/// }
///
/// impl fmt::Display for ShopError {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         let Self::SoldOut { article } = self;
///         write!(f, "article {article} is sold out")
///     }
/// }
///
/// impl std::error::Error for ShopError {}
///
/// impl Failure for ShopError {
///     fn status(&self) -> StatusCode {
///         StatusCode::CONFLICT
///     }
///
///     fn message(&self) -> Cow<'static, str> {
///         "sold out, come back tomorrow".into()
///     }
/// }
///
/// async fn buy() -> Result<Html<&'static str>, ShopError> {
///     Err(ShopError::SoldOut { article: 7 })
/// }
/// # let _ = buy;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a response nor a failure",
    label = "cannot be returned from a handler",
    note = "responses are `&'static str`, `String`, `Bytes`, `Html<T>`, `Json<T>`, `StatusCode`, `EventStream`, \
            `http::Response<Body>`, `(StatusCode, T)`, `Result<T, E>`, or types that implement `IntoResponse`",
    note = "errors are `HttpError`, which every error becomes through `?`, or types that implement `Failure`"
)]
pub trait Failure: Error {
    /// The status of the response.
    fn status(&self) -> StatusCode;

    /// What the peer may read; nothing, which is the default, leaves it at the name of the status.
    fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }
}

impl<F: Failure> IntoResponse for F {
    fn into_response(self) -> Response {
        Note::new(self.message(), Some(chain(&self))).response(self.status())
    }
}

/// Travels in a response's extensions from a failure to the application, which writes the body and the log line.
///
/// The body is written there and not at the failure, because only the application still knows what the request accepts
/// and which route failed; a body that somebody else filled in meanwhile stays.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    /// For the peer; empty: the name of the status says it all.
    pub(crate) message: Cow<'static, str>,
    /// For the log.
    pub(crate) cause: Option<String>,
}

impl Note {
    pub(crate) fn new(message: Cow<'static, str>, cause: Option<String>) -> Self {
        Self { message, cause }
    }

    pub(crate) fn response(self, status: StatusCode) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response.extensions_mut().insert(self);
        response
    }

    pub(crate) fn take(response: &mut Response) -> Option<Self> {
        response.take_extension()
    }
}

/// An error and all its sources on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    match one_line(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    }
}

/// Text for the log with its control characters escaped.
///
/// It may quote what a peer sent, which must not forge lines of the log or steer the terminal that shows it.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        return Cow::Owned(text.chars().fold(String::new(), printable));
    }
    Cow::Borrowed(text)
}

fn printable(mut text: String, char: char) -> String {
    if char.is_control() {
        text.extend(char.escape_default());
    } else {
        text.push(char);
    }
    text
}
