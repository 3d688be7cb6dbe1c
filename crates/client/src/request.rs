//! What to fetch.

use std::fmt;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use squall_http::Body;

use crate::error::Kind;
use crate::url::{self, Origin};

/// A request: method, URL, headers, body, and limits of its own.
///
/// ```
/// use std::time::Duration;
/// use squall_client::HttpRequest;
///
/// let request = HttpRequest::post("http://127.0.0.1:8888/notes", r#"{"text":"rain"}"#)
///     .header("Content-Type", "application/json")
///     .request_timeout(Duration::from_secs(5));
/// assert_eq!(request.url(), "http://127.0.0.1:8888/notes");
/// ```
///
/// A URL or header that is not one is no panic here, but an error of the fetch.
#[derive(Debug)]
pub struct HttpRequest {
    pub(crate) method: Method,
    /// As given.
    url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) max_body_size: Option<u64>,
    /// The first thing that was wrong.
    problem: Option<Kind>,
}

impl HttpRequest {
    /// Makes a request without a body.
    ///
    /// `url` is text or an [`http::Uri`] of the form `http://host[:port]/path?query`, percent-encoded; a fragment is left out.
    pub fn new(method: Method, url: impl fmt::Display) -> Self {
        Self {
            method,
            url: url.to_string(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            connect_timeout: None,
            request_timeout: None,
            max_body_size: None,
            problem: None,
        }
    }

    /// Makes a GET.
    pub fn get(url: impl fmt::Display) -> Self {
        Self::new(Method::GET, url)
    }

    /// Makes a HEAD: the answer has no body.
    pub fn head(url: impl fmt::Display) -> Self {
        Self::new(Method::HEAD, url)
    }

    /// Makes a POST of `body`.
    pub fn post(url: impl fmt::Display, body: impl Into<Body>) -> Self {
        Self::new(Method::POST, url).body(body)
    }

    /// Adds a header. The client adds `Host`, `User-Agent`, and the body's framing where they are missing.
    #[must_use]
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName> + fmt::Debug + Clone,
        V: TryInto<HeaderValue>,
    {
        match (name.clone().try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            (Err(_), _) => self.blame(format!("{name:?} is no header name")),
            (_, Err(_)) => self.blame(format!(
                "the value of the header {name:?} has bytes that must not be there"
            )),
        }
        self
    }

    /// Sets the body. One that is whole is sent with its length, a stream of unknown length in chunks.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets this request's own [`connect_timeout`](crate::ClientConfig::connect_timeout); zero means no limit.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Sets this request's own [`request_timeout`](crate::ClientConfig::request_timeout); zero means no limit.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = Some(limit);
        self
    }

    /// Sets how many bytes the body of the answer may have at most.
    #[must_use]
    pub fn max_body_size(mut self, bytes: u64) -> Self {
        self.max_body_size = Some(bytes);
        self
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the URL as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the headers that were set.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Method and URL, for messages.
    pub(crate) fn label(&self) -> String {
        // What is no URL may be anything, so it is quoted and cut, and passwords are for nobody's log.
        if url::parse(&self.url).is_err() {
            let start: String = url::without_user(&self.url).chars().take(200).collect();
            return format!("{} {start:?}", self.method);
        }
        format!("{} {}", self.method, self.url)
    }

    /// Returns the parsed URL and the server it names, if everything is as it should be.
    pub(crate) fn check(&mut self) -> Result<(Uri, Origin), Kind> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        if self.method == Method::CONNECT {
            return Err(Kind::BadRequest("CONNECT is for proxies".into()));
        }
        url::parse(&self.url).map_err(Kind::unusable)
    }

    fn blame(&mut self, reason: String) {
        self.problem.get_or_insert(Kind::BadRequest(reason));
    }
}

/// What [`HttpClient::fetch`](crate::HttpClient::fetch) accepts: a URL as text or [`Uri`], which means GET, or a whole
/// [`HttpRequest`].
pub trait IntoRequest {
    /// Makes the request. It need not be a good one: the fetch checks that.
    fn into_request(self) -> HttpRequest;
}

impl IntoRequest for HttpRequest {
    fn into_request(self) -> HttpRequest {
        self
    }
}

impl IntoRequest for &str {
    fn into_request(self) -> HttpRequest {
        HttpRequest::get(self)
    }
}

impl IntoRequest for String {
    fn into_request(self) -> HttpRequest {
        HttpRequest::get(self)
    }
}

impl IntoRequest for &String {
    fn into_request(self) -> HttpRequest {
        HttpRequest::get(self)
    }
}

impl IntoRequest for Uri {
    fn into_request(self) -> HttpRequest {
        HttpRequest::get(self)
    }
}

impl IntoRequest for &Uri {
    fn into_request(self) -> HttpRequest {
        HttpRequest::get(self)
    }
}
