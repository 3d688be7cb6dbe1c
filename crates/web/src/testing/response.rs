//! What came back.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use squall_http::{Body, BodyError};

use crate::Response;

/// A whole response.
#[derive(Debug)]
pub struct TestResponse {
    parts: Parts,
    body: Bytes,
}

impl TestResponse {
    /// The status; compares with numbers too.
    pub fn status(&self) -> StatusCode {
        self.parts.status
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The first header field of this name, as text; empty if there is none or it is no text.
    pub fn header(&self, name: &str) -> &str {
        header(&self.parts, name)
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// It is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        match str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(err) => panic!("the body is not UTF-8: {err}"),
        }
    }

    /// The body as a value.
    ///
    /// # Panics
    ///
    /// It is not JSON, or does not fit.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(err) => panic!("the body is not the wanted JSON: {err}"),
        }
    }
}

/// A response whose body is still coming; dropping it is what a peer does that leaves.
#[derive(Debug)]
pub struct TestStream {
    parts: Parts,
    body: Body,
}

impl TestStream {
    pub(super) fn new(response: Response) -> Self {
        let (parts, body) = http::Response::from(response).into_parts();
        Self { parts, body }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.parts.status
    }

    /// The first header field of this name, as text; empty if there is none or it is no text.
    pub fn header(&self, name: &str) -> &str {
        header(&self.parts, name)
    }

    /// Waits for the next piece of the body; `None` after the last.
    ///
    /// # Errors
    ///
    /// The body's stream failed.
    ///
    /// # Cancel safety
    ///
    /// Safe: a piece that was not returned is still to come.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        self.body.chunk().await
    }

    /// Reads the rest.
    ///
    /// # Panics
    ///
    /// The body's stream failed.
    pub async fn collect(self) -> TestResponse {
        let body = match self.body.collect(usize::MAX).await {
            Ok(body) => body,
            Err(err) => panic!("the body of the response failed: {err}"),
        };
        let parts = self.parts;
        TestResponse { parts, body }
    }
}

fn header<'p>(parts: &'p Parts, name: &str) -> &'p str {
    let value = parts.headers.get(name);
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}
