//! Elsewhere.

use http::header::{HeaderValue, LOCATION};
use http::{StatusCode, Uri};

use super::{IntoResponse, Response, status};

/// Sends the peer elsewhere (RFC 9110 section 15.4).
///
/// The target is a [`Uri`], so a text that a peer chose cannot add header fields; it can still lead to any host.
///
/// # Examples
///
/// ```
/// use http::Uri;
/// use squall_web::Redirect;
///
/// async fn saved() -> Redirect {
///     Redirect::to(Uri::from_static("/articles"))
/// }
/// # let _ = saved;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    status: StatusCode,
    target: Uri,
}

impl Redirect {
    /// 303 See Other: the peer fetches the target with GET, as after a form.
    pub fn to(target: Uri) -> Self {
        let status = StatusCode::SEE_OTHER;
        Self { status, target }
    }

    /// 307 Temporary Redirect: the peer repeats the request, with its method and body, at the target.
    pub fn temporary(target: Uri) -> Self {
        let status = StatusCode::TEMPORARY_REDIRECT;
        Self { status, target }
    }

    /// 308 Permanent Redirect: as temporary, and for the future.
    pub fn permanent(target: Uri) -> Self {
        let status = StatusCode::PERMANENT_REDIRECT;
        Self { status, target }
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let target = match HeaderValue::try_from(self.target.to_string()) {
            Ok(target) => target,
            Err(error) => return crate::HttpError::from(error).into_response(),
        };
        let mut response = status(self.status);
        response.headers_mut().insert(LOCATION, target);
        response
    }
}
