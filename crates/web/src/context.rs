//! One request on its way to its handler.

use std::any::{Any, TypeId, type_name};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use http::{HeaderMap, HeaderName, Method, Uri};
use percent_encoding::percent_decode_str;
use squall_http::Body;
use squall_server::{OnUpgrade, Request};
use squall_websocket::{Acceptor, WebSocketHandler, WebSocketOptions};

use crate::extract::{BodyRejection, MissingState, PathRejection};
use crate::router::{Pattern, Spans};
use crate::websocket::Place;

/// A request, the parameters of its route, and what its application shares: what extractors read.
pub struct Context {
    request: Request,
    /// An extractor has taken the body.
    body_taken: bool,
    route: Rc<Label>,
    spans: Spans,
    shared: Rc<Shared>,
}

impl Context {
    pub(crate) fn new(
        request: Request,
        route: Rc<Label>,
        spans: Spans,
        shared: Rc<Shared>,
    ) -> Self {
        Self {
            request,
            body_taken: false,
            route,
            spans,
            shared,
        }
    }

    /// The request's method; `HEAD` also where the handler was added for `GET`.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The request's target.
    pub fn uri(&self) -> &Uri {
        self.request.uri()
    }

    /// The request's header fields; where one of them is enough, [`header`](Self::header) is cheaper.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The value of the first header field with this name.
    pub fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        self.request.header(name)
    }

    /// The request as it came, though its body may have been taken.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Whether all of the body is here, so that collecting it need not wait; also when it was taken.
    pub(crate) fn has_whole_body(&self) -> bool {
        matches!(self.request.body(), Body::Full(_))
    }

    /// What the application shares.
    pub(crate) fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// Takes the right to the connection after a change of the protocol; `None` if the client does not offer one.
    pub fn on_upgrade(&mut self) -> Option<OnUpgrade> {
        self.request.on_upgrade()
    }

    /// The route's path as it was added, such as `/hello/{name}`; `(fallback)` in the fallback.
    pub fn route(&self) -> &str {
        self.route.text()
    }

    /// The route itself, kept for the log after the context is gone.
    pub(crate) fn label(&self) -> &Rc<Label> {
        &self.route
    }

    /// The decoded value of one of the route's parameters.
    ///
    /// # Errors
    ///
    /// The value is not UTF-8 once decoded (status 400), or the route has no such parameter (status 500).
    pub fn path(&self, name: &str) -> Result<Cow<'_, str>, PathRejection> {
        let found = self.path_parameters().find(|(known, _)| *known == name);
        match found {
            Some((_, value)) => value,
            None => Err(PathRejection::no_parameter(name)),
        }
    }

    /// The route's parameters in the order of its path, each with its decoded value.
    pub(crate) fn path_parameters(
        &self,
    ) -> impl ExactSizeIterator<Item = (&str, Result<Cow<'_, str>, PathRejection>)> {
        self.route.names().iter().enumerate().map(|(index, name)| {
            // The spans came out of the tree together with the route, so there is one for every name.
            let text = self.spans.slice(self.request.path(), index).unwrap_or("");
            let value = percent_decode_str(text).decode_utf8();
            (&**name, value.map_err(|_| PathRejection::not_utf8(name)))
        })
    }

    /// The value of this type that was given to [`Application::state`](crate::Application::state).
    ///
    /// # Errors
    ///
    /// There is none; the error, status 500, names the type.
    pub fn state<T: 'static>(&self) -> Result<Rc<T>, MissingState> {
        self.shared.state().ok_or(MissingState::of::<T>())
    }

    /// Takes the body, which can be done once.
    ///
    /// # Errors
    ///
    /// It has been taken before, which is the application's mistake: status 500.
    pub fn take_body(&mut self) -> Result<Body, BodyRejection> {
        if std::mem::replace(&mut self.body_taken, true) {
            return Err(BodyRejection::Taken);
        }
        Ok(std::mem::take(self.request.body_mut()))
    }

    /// The most bytes of a body that an extractor may hold in memory; see
    /// [`Application::body_limit`](crate::Application::body_limit).
    pub fn body_limit(&self) -> usize {
        self.shared.body_limit
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("method", self.method())
            .field("uri", self.uri())
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}

/// What a request's log lines call the route.
#[derive(Debug)]
pub(crate) enum Label {
    Fallback,
    Pattern(Pattern),
}

impl Label {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Fallback => "(fallback)",
            Self::Pattern(pattern) => pattern.text(),
        }
    }

    fn names(&self) -> &[Box<str>] {
        match self {
            Self::Fallback => &[],
            Self::Pattern(pattern) => pattern.names(),
        }
    }
}

/// What all requests of one application, that is of one loop, share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// Keyed by the type of the value inside the `Rc`.
    states: HashMap<TypeId, Rc<dyn Any>>,
    /// In bytes.
    pub(crate) body_limit: usize,
    /// What the WebSockets of handlers that decide for themselves have in common.
    websockets: Rc<Place>,
    /// Look after those of them that have a handler, by its type.
    acceptors: Rc<RefCell<HashMap<TypeId, Rc<dyn Any>>>>,
}

impl Shared {
    pub(crate) fn new(body_limit: usize) -> Self {
        Self {
            states: HashMap::new(),
            body_limit,
            websockets: Place::new(WebSocketOptions::default()),
            acceptors: Rc::default(),
        }
    }

    pub(crate) fn add_state<T: 'static>(&mut self, value: Rc<T>) -> Option<&'static str> {
        let before = self.states.insert(TypeId::of::<T>(), value);
        before.map(|_| type_name::<T>())
    }

    pub(crate) fn has_state(&self, id: TypeId) -> bool {
        self.states.contains_key(&id)
    }

    pub(crate) fn websockets(&self) -> &Rc<Place> {
        &self.websockets
    }

    pub(crate) fn acceptor<H: WebSocketHandler>(&self) -> Rc<Acceptor<H>> {
        let mut acceptors = self.acceptors.borrow_mut();
        let acceptor = acceptors
            .entry(TypeId::of::<H>())
            .or_insert_with(|| Rc::new(Acceptor::<H>::new()));
        let acceptor = Rc::clone(acceptor).downcast();
        acceptor.expect("each is kept under its type")
    }

    /// Sets the options of those WebSockets.
    pub(crate) fn set_websockets(&mut self, options: WebSocketOptions) {
        self.websockets = Place::new(options);
    }

    fn state<T: 'static>(&self) -> Option<Rc<T>> {
        let value = self.states.get(&TypeId::of::<T>())?;
        Rc::clone(value).downcast().ok()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("states", &self.states.len())
            .field("body_limit", &self.body_limit)
            .finish()
    }
}
