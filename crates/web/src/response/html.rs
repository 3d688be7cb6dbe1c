//! Pages.

use squall_http::Body;

use super::{IntoResponse, Response};

/// A page: `text/html; charset=utf-8`.
///
/// The text is sent as it is; what came from a peer must have been escaped.
///
/// # Examples
///
/// ```
/// use squall_web::Html;
///
/// async fn home() -> Html<&'static str> {
///     Html("<!doctype html><title>Home</title><h1>Home</h1>")
/// }
/// # let _ = home;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        Response::with_type("text/html; charset=utf-8", self.0)
    }
}
