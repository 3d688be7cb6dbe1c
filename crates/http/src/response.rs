//! A response as a service makes it.

use std::cell::OnceCell;
use std::fmt;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Extensions, HeaderMap, StatusCode};

use crate::Body;

/// A response: a status, header fields, a body.
///
/// Most responses have no field but `Content-Type`, so that one is kept apart, and a map of fields is made only when
/// somebody asks for it. Turns into the `http` crate's type, and is made of it:
///
/// ```
/// use squall_http::{Body, Response};
///
/// let response = http::Response::builder().status(404).header("x-tries", "3").body(Body::from("not here"))?;
/// let mut response = Response::from(response);
/// response.headers_mut().remove("x-tries");
/// assert_eq!(response.status(), 404);
///
/// let response = Response::with_type("text/html; charset=utf-8", "<h1>Hello");
/// assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
/// # Ok::<(), http::Error>(())
/// ```
pub struct Response {
    status: StatusCode,
    /// The only field, for as long as there is no `more`.
    content_type: Option<MediaType>,
    more: OnceCell<Box<More>>,
    body: Body,
}

/// What few responses have.
#[derive(Default)]
struct More {
    headers: HeaderMap,
    extensions: Extensions,
}

/// The value of a `Content-Type` that a program knows beforehand (RFC 9110 §8.3.1); as a constant it is checked by the
/// compiler.
///
/// ```
/// use squall_http::{MediaType, Response};
///
/// const SVG: MediaType = MediaType::new("image/svg+xml");
/// let response = Response::with_type(SVG, "<svg/>");
/// # let _ = response;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MediaType(&'static str);

impl MediaType {
    /// Takes a text.
    ///
    /// # Panics
    ///
    /// When it has other characters than visible ASCII and spaces.
    pub const fn new(text: &'static str) -> Self {
        let mut rest = text.as_bytes();
        while let [byte, after @ ..] = rest {
            assert!(matches!(byte, b' '..=b'~'), "a media type is visible ASCII");
            rest = after;
        }
        Self(text)
    }
}

impl From<&'static str> for MediaType {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

impl Response {
    /// Makes a response with status 200 and no fields.
    pub fn new(body: impl Into<Body>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: None,
            more: OnceCell::new(),
            body: body.into(),
        }
    }

    /// Makes a response with status 200 and this `Content-Type`.
    ///
    /// # Panics
    ///
    /// When the type is a text that [`MediaType::new`] does not take.
    pub fn with_type(content_type: impl Into<MediaType>, body: impl Into<Body>) -> Self {
        Self {
            content_type: Some(content_type.into()),
            ..Self::new(body)
        }
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the status, to change it.
    pub fn status_mut(&mut self) -> &mut StatusCode {
        &mut self.status
    }

    /// Returns the header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.more().headers
    }

    /// Returns the header fields, to change them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.more_mut().headers
    }

    /// Returns the map of the fields, if there is one, else the `Content-Type`, if that is there.
    pub(crate) fn fields(&self) -> (Option<&HeaderMap>, Option<&'static str>) {
        match self.more.get() {
            Some(more) => (Some(&more.headers), None),
            None => (None, self.content_type.map(|kind| kind.0)),
        }
    }

    /// Returns what others have attached to the response, to attach more.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.more_mut().extensions
    }

    /// Returns what others have attached to the response.
    pub fn extensions(&self) -> &Extensions {
        &self.more().extensions
    }

    /// Says whether there is no field but perhaps `Content-Type`, and nothing attached, which most responses can say at no
    /// cost; false also where a map was made in vain.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.more.get().is_none()
    }

    /// Takes off something that was attached to the response.
    pub fn take_extension<T: Clone + Send + Sync + 'static>(&mut self) -> Option<T> {
        self.more.get_mut()?.extensions.remove()
    }

    /// Returns the body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Returns the body, to change it.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Leaves nothing of the response but its body.
    pub fn into_body(self) -> Body {
        self.body
    }

    fn more(&self) -> &More {
        self.more.get_or_init(|| {
            let mut more = Box::<More>::default();
            if let Some(kind) = self.content_type {
                // Checked when it was set.
                let kind = HeaderValue::from_static(kind.0);
                more.headers.insert(CONTENT_TYPE, kind);
            }
            more
        })
    }

    fn more_mut(&mut self) -> &mut More {
        self.more();
        self.more.get_mut().expect("made a line above")
    }
}

impl Default for Response {
    fn default() -> Self {
        Self::new(Body::empty())
    }
}

impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        let more = More {
            headers: parts.headers,
            extensions: parts.extensions,
        };
        Self {
            status: parts.status,
            content_type: None,
            more: OnceCell::from(Box::new(more)),
            body: body.into(),
        }
    }
}

impl From<Response> for http::Response<Body> {
    fn from(response: Response) -> Self {
        response.more();
        let more = response.more.into_inner().unwrap_or_default();
        let mut result = Self::new(response.body);
        *result.status_mut() = response.status;
        *result.headers_mut() = more.headers;
        *result.extensions_mut() = more.extensions;
        result
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", self.headers())
            .field("body", &self.body)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_a_field_like_any_other() {
        let mut response = Response::with_type("text/plain", "a");
        assert_eq!(response.fields(), (None, Some("text/plain")));
        response
            .headers_mut()
            .insert("x", HeaderValue::from_static("y"));
        let (headers, kind) = response.fields();
        assert_eq!((headers.map(HeaderMap::len), kind), (Some(2), None));
        let response = http::Response::<Body>::from(response);
        assert_eq!(response.headers()["content-type"], "text/plain");
        let response = Response::from(response);
        assert_eq!(response.headers()["x"], "y");
    }

    #[test]
    fn what_is_attached_comes_back() {
        let mut response = Response::new("a");
        assert_eq!(response.take_extension::<u8>(), None);
        response.extensions_mut().insert(7u8);
        let mut response = Response::from(http::Response::<Body>::from(response));
        assert_eq!(response.take_extension::<u8>(), Some(7));
        assert_eq!(response.take_extension::<u8>(), None);
    }

    #[test]
    fn a_response_is_small_enough_to_be_moved() {
        assert!(size_of::<Response>() <= 64, "{}", size_of::<Response>());
    }
}
