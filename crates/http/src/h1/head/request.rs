//! The head of a request.

use std::fmt;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};

use super::Exchange;
use super::block::{Block, Kept};
use super::name::is_name;
use crate::Body;
use crate::h1::BodyKind;

/// The head of a request.
///
/// It is one pointer to the bytes that came and to where the parts are in them; a [`Uri`] and a [`HeaderMap`] are made
/// when somebody asks for them. Asking for single fields with [`header`](Self::header) is cheaper than making the map.
#[derive(Clone)]
pub struct RequestHead {
    block: Kept,
}

impl RequestHead {
    pub(in crate::h1) fn new(block: Box<Block>) -> Self {
        Self {
            block: Kept::new(block),
        }
    }

    /// Returns the method, case as sent. Any token that starts with a letter and has at most 32 bytes; whether it is
    /// implemented (501) or allowed (405) is for the router to say.
    pub fn method(&self) -> &Method {
        &self.block.get().method
    }

    /// Returns the target as it was sent (RFC 9112 §3.2): origin-form (path and query), absolute-form (scheme and
    /// authority too), authority-form (CONNECT), or `*` (OPTIONS).
    pub fn target(&self) -> &str {
        text(self.block.get().target())
    }

    /// Returns [`target`](Self::target) as bytes, all of them ASCII, which costs nothing.
    pub fn target_bytes(&self) -> &[u8] {
        self.block.get().target()
    }

    /// Returns the head as it came, to its empty line; of a head that did not come over the wire, method and target.
    pub fn as_bytes(&self) -> &[u8] {
        &self.block.get().bytes
    }

    /// Returns method and target as they were sent, with a space between them.
    pub fn asked(&self) -> &[u8] {
        let block = self.block.get();
        &block.bytes[..block.target.1 as usize]
    }

    /// Returns the target, taken apart. A `#`, and a `"` in a query, which a [`Uri`] cannot have, are percent-encoded in it;
    /// user information is left out.
    pub fn uri(&self) -> &Uri {
        self.block.get().uri()
    }

    /// Returns the path of the target, percent-encoded as it was sent; `*` for `OPTIONS *`, empty for CONNECT.
    pub fn path(&self) -> &str {
        text(self.path_bytes())
    }

    /// Returns [`path`](Self::path) as bytes, all of them ASCII, which costs nothing.
    #[inline]
    pub fn path_bytes(&self) -> &[u8] {
        let block = self.block.get();
        match block.path_end {
            Some(end) => &block.bytes[block.target.0 as usize..end as usize],
            None => block.uri().path().as_bytes(),
        }
    }

    /// Returns what follows the first `?` of the target.
    pub fn query(&self) -> Option<&str> {
        let block = self.block.get();
        let Some(end) = block.path_end else {
            return block.uri().query();
        };
        let query = block.bytes.get(end as usize + 1..block.target.1 as usize);
        query.map(text)
    }

    /// Returns the version, HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.block.get().version
    }

    /// Returns all fields, values without surrounding white space.
    pub fn headers(&self) -> &HeaderMap {
        self.block.get().headers()
    }

    /// Returns all fields, to change them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        let block = self.block.get_mut();
        block.headers();
        block.headers.get_mut().expect("made a line above")
    }

    /// Returns the value of the first field with this name.
    pub fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        let block = self.block.get();
        if let Some(map) = block.headers.get() {
            return map.get(name).map(HeaderValue::as_bytes);
        }
        let wanted = name.as_str().as_bytes();
        // Most fields have a name of another length, which is all that is looked at then.
        let found = block.fields.iter().find(|field| {
            field.name_length() == wanted.len() && is_name(block.name(field), wanted)
        });
        found.map(|field| block.value(field))
    }

    /// Returns the values of all fields with this name, in their order.
    pub fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let wanted = name.as_str().as_bytes();
        self.fields()
            .filter(move |(name, _)| name.len() == wanted.len() && is_name(name, wanted))
            .map(|(_, value)| value)
    }

    /// Returns names, case as sent, and values of all fields in the order in which they came.
    ///
    /// After [`headers_mut`](Self::headers_mut) names are in lower case, and the order is that of the map.
    pub fn fields(&self) -> Fields<'_> {
        let block = self.block.get();
        Fields(match block.headers.get() {
            Some(map) => Source::Map(map.iter()),
            None => Source::Block(block, block.fields.iter()),
        })
    }

    /// Returns how the body is delimited; never `UntilClose` or `Upgrade`.
    pub fn body(&self) -> BodyKind {
        self.block.get().body.unwrap_or(BodyKind::Empty)
    }

    /// Says whether the connection can serve another request after this one (RFC 9112 §9.3).
    pub fn keep_alive(&self) -> bool {
        self.exchange().keep_alive()
    }

    /// Says whether the peer waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). Only with HTTP/1.1
    /// and only if there is a body.
    pub fn expects_continue(&self) -> bool {
        self.block.get().expects_continue
    }

    /// Says whether the peer offers to change the protocol: HTTP/1.1 with `Connection: upgrade` and an `Upgrade` field
    /// (RFC 9110 §7.8), or CONNECT. Nothing changes until the server answers 101, or 2xx to CONNECT, so do not
    /// decode past this message's end before that is decided.
    pub fn offers_upgrade(&self) -> bool {
        self.exchange().offers_upgrade()
    }

    /// Returns the authority the request is for: the target's own, else the `Host` field (RFC 9112 §3.2.2, §3.3).
    ///
    /// `None` only in HTTP/1.0; may be empty, as `Host` may be.
    pub fn host(&self) -> Option<&str> {
        if self.block.get().path_end.is_none()
            && let Some(authority) = self.uri().authority()
        {
            return Some(authority.as_str());
        }
        str::from_utf8(self.header(&header::HOST)?).ok()
    }

    /// Returns what the response's encoder has to know of this request.
    pub fn exchange(&self) -> Exchange {
        self.block.get().exchange
    }

    /// Returns the number that was left with [`set_mark`](Self::set_mark) in this head, or in one with the very same bytes
    /// that was at work on this thread just before; 0 if there is none.
    ///
    /// What follows from the bytes alone, such as the route of a request, need not be found again then.
    pub fn mark(&self) -> u64 {
        self.block.get().mark.get()
    }

    /// Leaves a number for [`mark`](Self::mark).
    pub fn set_mark(&self, mark: u64) {
        self.block.get().mark.set(mark);
    }

    /// Turns the head into the parts that the `http` crate knows.
    pub fn into_parts(mut self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        let block = self.block.get_mut();
        parts.uri = block.take_uri();
        parts.headers = block.take_headers();
        parts.version = block.version;
        parts.method = block.method.clone();
        parts
    }

    /// Turns the head into a request with `body`.
    pub fn into_request(self, body: Body) -> Request<Body> {
        Request::from_parts(self.into_parts(), body)
    }
}

/// For tests and for hosts other than our own server. What framing needs to know is not in there: the body counts as
/// absent, and the connection as kept.
impl From<Parts> for RequestHead {
    fn from(parts: Parts) -> Self {
        let mut block = Block::take();
        block.exchange = Exchange::new(&parts.method, parts.version, true, false);
        block.method = parts.method;
        block.version = parts.version;
        let line = format!("{} {}", block.method, parts.uri);
        let start = block.method.as_str().len() + 1;
        // A `Uri` holds less than 64 KiB.
        block.target = (start as u32, line.len() as u32);
        block.path_end = None;
        block.bytes = line.into();
        block.body = None;
        block.expects_continue = false;
        // Filled by whoever takes a block out of the store, which empties it.
        let _ = block.uri.set(parts.uri);
        let _ = block.headers.set(parts.headers);
        Self::new(block)
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method())
            .field("target", &self.target())
            .field("version", &self.version())
            .field("headers", self.headers())
            .field("body", &self.body())
            .field("keep_alive", &self.keep_alive())
            .field("expects_continue", &self.expects_continue())
            .field("offers_upgrade", &self.offers_upgrade())
            .finish()
    }
}

/// Equal are heads that mean the same: the case of names and the order of different fields do not count.
impl PartialEq for RequestHead {
    fn eq(&self, other: &Self) -> bool {
        self.exchange() == other.exchange()
            && self.method() == other.method()
            && self.target() == other.target()
            && self.body() == other.body()
            && self.expects_continue() == other.expects_continue()
            && self.headers() == other.headers()
    }
}

/// A part of a target: ASCII, as its check saw to.
fn text(part: &[u8]) -> &str {
    str::from_utf8(part).unwrap_or_default()
}

/// The fields of a head: names and values. See [`RequestHead::fields`].
#[derive(Debug)]
pub struct Fields<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    Block(&'a Block, std::slice::Iter<'a, super::Field>),
    Map(http::header::Iter<'a, http::HeaderValue>),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Block(block, fields) => {
                let field = fields.next()?;
                Some((block.name(field), block.value(field)))
            }
            Source::Map(fields) => {
                let (name, value) = fields.next()?;
                Some((name.as_str().as_bytes(), value.as_bytes()))
            }
        }
    }
}
