//! A request in the making.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Uri};
use serde::Serialize;
use squall_http::Body;
use squall_server::Service;

use super::{TestResponse, TestStream};
use crate::Request;

/// A request in the making; awaiting it sends it and reads the whole response.
#[must_use = "a request is sent when it is awaited"]
pub struct TestRequest {
    service: Rc<dyn Service>,
    request: Request,
}

impl TestRequest {
    #[track_caller]
    pub(super) fn new(service: Rc<dyn Service>, method: Method, target: &str) -> Self {
        let uri = match target.parse::<Uri>() {
            Ok(uri) => uri,
            Err(err) => panic!("`{target}` cannot be the target of a request: {err}"),
        };
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        Self { service, request }
    }

    /// Adds a header field.
    ///
    /// # Panics
    ///
    /// HTTP does not allow the name or the value.
    #[track_caller]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        match (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => self.request.headers_mut().append(name, value),
            _ => panic!("`{name}: {}` is no header field", value.escape_ascii()),
        };
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Sets the body to a value as JSON, and the content type.
    ///
    /// # Panics
    ///
    /// The value cannot be written as JSON.
    #[track_caller]
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let text = match serde_json::to_vec(value) {
            Ok(text) => text,
            Err(err) => panic!("the body cannot be JSON: {err}"),
        };
        let kind = HeaderValue::from_static("application/json");
        self.request.headers_mut().insert(CONTENT_TYPE, kind);
        self.body(text)
    }

    /// Adds what a server would add, such as [`ConnectInfo::new`](squall_server::ConnectInfo::new) of a peer.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.request.extensions_mut().insert(value);
        self
    }

    /// The request as it is so far.
    pub(super) fn into_request(self) -> Request {
        self.request
    }

    /// Sends the request and returns as soon as the response has begun, for bodies that go on for long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is what a peer does that leaves before the response.
    pub async fn stream(self) -> TestStream {
        let head = self.request.method() == Method::HEAD;
        let response = self.service.call(self.request.into()).await;
        TestStream::new(if head {
            without_body(response)
        } else {
            response
        })
    }
}

/// What a server makes of the response to HEAD: the length stays, the bytes do not (RFC 9110 section 9.3.2).
fn without_body(mut response: crate::Response) -> crate::Response {
    let length = response.body().length();
    if let Some(length) = length.filter(|_| !response.headers().contains_key(CONTENT_LENGTH)) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = Body::empty();
    response
}

impl IntoFuture for TestRequest {
    type Output = TestResponse;
    type IntoFuture = Pin<Box<dyn Future<Output = TestResponse>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.stream().await.collect().await })
    }
}

impl fmt::Debug for TestRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}
