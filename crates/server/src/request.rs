//! A request as a service gets it.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

use http::{Extensions, HeaderMap, HeaderName, Method, Uri, Version};
use squall_http::Body;
use squall_http::h1::RequestHead;
use squall_ioloop::Resolver;

use crate::forwarded::ClientInfo;
use crate::service::ConnectInfo;
use crate::upgrade::{OnUpgrade, Upgraded};

/// A request: its head, its body, and what is known of its connection.
///
/// The head stays what came over the wire until somebody asks for its [`uri`](Self::uri) or its
/// [`headers`](Self::headers), so that a service pays only for what it looks at. It turns into the `http` crate's type,
/// and can be made of it:
///
/// ```
/// use squall_http::Body;
/// use squall_server::Request;
///
/// let request = http::Request::get("/hello?name=World").body(Body::empty())?;
/// let request = Request::from(request);
/// assert_eq!((request.path(), request.query()), ("/hello", Some("name=World")));
/// let request: http::Request<Body> = request.into();
/// # Ok::<(), http::Error>(())
/// ```
pub struct Request {
    head: RequestHead,
    body: Body,
    /// Made when somebody asks for them.
    extensions: OnceCell<Box<Extensions>>,
    /// `None` in requests that were not received.
    info: Option<Rc<ConnectInfo>>,
    /// Where the connection can be asked for, if the client offers to change the protocol.
    upgrade: Option<OnUpgrade>,
}

impl Request {
    /// Makes a request of its parts.
    pub fn new(head: RequestHead, body: Body) -> Self {
        Self {
            head,
            body,
            extensions: OnceCell::new(),
            info: None,
            upgrade: None,
        }
    }

    /// Makes a request whose client offers to change the protocol, for tests in memory: whoever gives a connection to the
    /// resolver plays the server, which has sent the answer.
    pub fn upgradable(head: RequestHead, body: Body) -> (Self, Resolver<Upgraded>) {
        let (resolver, on_upgrade) = OnUpgrade::pair();
        let upgrade = Some(on_upgrade);
        let request = Self {
            upgrade,
            ..Self::new(head, body)
        };
        (request, resolver)
    }

    pub(crate) fn received(
        head: RequestHead,
        body: Body,
        info: Rc<ConnectInfo>,
        upgrade: Option<OnUpgrade>,
    ) -> Self {
        Self {
            head,
            body,
            extensions: OnceCell::new(),
            info: Some(info),
            upgrade,
        }
    }

    /// Returns the head.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        self.head.method()
    }

    /// Returns the target, taken apart.
    pub fn uri(&self) -> &Uri {
        self.head.uri()
    }

    /// Returns the path of the target, percent-encoded as it was sent.
    pub fn path(&self) -> &str {
        self.head.path()
    }

    /// Returns [`path`](Self::path) as bytes, all of them ASCII.
    pub fn path_bytes(&self) -> &[u8] {
        self.head.path_bytes()
    }

    /// Returns what follows the first `?` of the target.
    pub fn query(&self) -> Option<&str> {
        self.head.query()
    }

    /// Returns the version, HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.head.version()
    }

    /// Returns the fields of the head.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Returns the fields of the head, to change them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.head.headers_mut()
    }

    /// Returns the value of the first field with this name; cheaper than making the map.
    pub fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        self.head.header(name)
    }

    /// Returns the body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Returns the body, to read it.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Leaves nothing of the request but its body.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Takes the request apart.
    pub fn into_parts(self) -> (RequestHead, Body) {
        (self.head, self.body)
    }

    /// Returns what others have attached to the request.
    pub fn extensions(&self) -> &Extensions {
        self.extensions.get_or_init(Box::default)
    }

    /// Returns what others have attached to the request, to attach more.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        self.extensions();
        self.extensions.get_mut().expect("made a line above")
    }

    /// Returns the two ends of the connection; `None` in requests that did not come over one.
    pub fn connect_info(&self) -> Option<&ConnectInfo> {
        self.info
            .as_deref()
            .or_else(|| self.extensions.get()?.get::<ConnectInfo>())
    }

    /// Returns [`connect_info`](Self::connect_info) for who needs it longer than the request; for a request that came over
    /// a connection without a copy.
    pub fn shared_connect_info(&self) -> Option<Rc<ConnectInfo>> {
        match &self.info {
            Some(info) => Some(Rc::clone(info)),
            None => self.connect_info().cloned().map(Rc::new),
        }
    }

    /// Returns where the request comes from, its scheme and host, as far as that can be believed: as the connection tells
    /// it, and beyond that as the proxies tell it that
    /// [`Config::forwarding`](crate::Config::forwarding) trusts. `None` in requests that did not come over a connection.
    pub fn client_info(&self) -> Option<ClientInfo> {
        let info = self.connect_info()?;
        Some(ClientInfo::of(&self.head, info))
    }

    /// Takes the right to the connection after a change of the protocol; `None` if the client does not offer one
    /// (RFC 9110 §7.8: `Connection: upgrade` and an `Upgrade` field, or CONNECT), or if it was taken already.
    pub fn on_upgrade(&mut self) -> Option<OnUpgrade> {
        self.upgrade.take()
    }
}

impl From<http::Request<Body>> for Request {
    fn from(request: http::Request<Body>) -> Self {
        let (mut parts, body) = request.into_parts();
        let extensions = std::mem::take(&mut parts.extensions);
        Self {
            extensions: OnceCell::from(Box::new(extensions)),
            ..Self::new(parts.into(), body)
        }
    }
}

/// [`ConnectInfo`] becomes an extension; the right to an upgrade is given up.
impl From<Request> for http::Request<Body> {
    fn from(request: Request) -> Self {
        let info = request.connect_info().cloned();
        let mut result = request.head.into_request(request.body);
        if let Some(extensions) = request.extensions.into_inner() {
            *result.extensions_mut() = *extensions;
        }
        if let Some(info) = info {
            result.extensions_mut().insert(info);
        }
        result
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("head", &self.head)
            .field("body", &self.body)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
