//! What came back.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::error::{Error, Kind};
use crate::request::HttpRequest;

/// A complete answer. Cloning it is cheap.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// What was asked. A body that was a stream has been used up and is empty here.
    pub request: Rc<HttpRequest>,
    /// The status, 200 to 999. One of 400 and more is no error by itself: see [`rethrow`](Self::rethrow). What is beyond 599
    /// is none of HTTP's, comes as it was sent, and is to be taken for an error of the server (RFC 9110 §15).
    pub code: u16,
    /// The reason phrase as the server sent it, or the usual one of the status if it sent none.
    pub reason: String,
    /// The fields of the head.
    pub headers: HeaderMap,
    /// The whole body; empty in the answer to a HEAD.
    pub body: Bytes,
    /// Time from the first poll of the fetch to the last byte of the answer, by the loop's clock.
    pub request_time: Duration,
    /// The URL that answered. Redirects are not followed yet, so it is the one that was asked.
    pub effective_url: String,
}

impl Response {
    /// Says whether the status is one of success, 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Returns the body as text; bytes that are no UTF-8 become `U+FFFD`.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Makes an error of a status of 400 and more.
    ///
    /// # Errors
    ///
    /// One whose [`status`](Error::status) is this one's.
    pub fn rethrow(&self) -> Result<(), Error> {
        if self.code < 400 {
            return Ok(());
        }
        let kind = Kind::Status(self.code, self.reason.clone());
        Err(Error::new(kind, self.request.label(), false))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("request", &format_args!("{}", self.request.label()))
            .field("code", &self.code)
            .field("reason", &self.reason)
            .field("headers", &self.headers)
            // The whole body would bury everything else.
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("request_time", &self.request_time)
            .finish_non_exhaustive()
    }
}
