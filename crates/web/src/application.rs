//! The application: routes, state, and what happens when no route fits.

mod check;
mod guard;
mod methods;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use squall_http::h1::RequestHead;
use squall_server::{Answer, Request, Service};
use squall_websocket::{WebSocketOptions, WebSocketStream};

use crate::context::{Context, Label, Shared};
use crate::error::HttpError;
use crate::handler::Handler;
use crate::response::{IntoResponse, Response};
use crate::router::{Pattern, Spans, Tree};
use crate::websocket::{HandlerRoute, IntoWebSocketHandler, StreamRoute};

use guard::Report;
use methods::{Methods, Route};

pub use check::{ConfigError, Problem};

/// The number of the next application; 0 is nobody's.
static NUMBERS: AtomicU32 = AtomicU32::new(1);

/// How much of a body an extractor may hold in memory unless the application says otherwise, in bytes.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// Routes, the state that their handlers share, and a fallback.
///
/// An application is made once on every loop, so nothing in it must be `Send` and what it shares may be an `Rc`.
///
/// # Paths
///
/// `/hello/{name}` has a parameter: one whole segment, never empty. `/files/{*path}` has a tail: all that is left
/// after the slash, which may be nothing, so `/{*rest}` answers `/` too. Everything else is compared as text, case and
/// final slash included, after percent-decoding. Text beats a parameter, and a parameter beats a tail, in whatever
/// order the routes are added. A lookup costs as much as its path is long, however many routes there are. At most 16
/// parameters; braces cannot be text.
///
/// # Methods
///
/// `HEAD` is answered by `GET`'s handler unless it has one of its own or the route is for WebSockets, `OPTIONS` by the
/// application with `Allow` (RFC 9110 section 9.3.7), also for `OPTIONS *`. A path with routes, but none for the method, is 405 with `Allow`; a
/// method that nothing in the application knows is 501; a path without routes is 404 or the [`fallback`](Self::fallback).
///
/// # Mistakes
///
/// Adding a route never panics. Two routes for one path and method, a path that cannot be one, or state given twice are
/// collected, logged at once with the places in the source that added them, and told by [`check`](Self::check), which
/// a test of the application should call. A server calls it too and does not start: `HttpServer::run` ends with all the
/// mistakes. Asked in spite of a mistake in its routes, an application serves nothing, for it lacks some of what was
/// written: every request is a 500 that repeats the mistakes in the log. A panic would be no louder, but it would tell
/// only the first mistake.
///
/// # Examples
///
/// ```
/// use squall_web::{Application, Path};
///
/// async fn home() -> &'static str {
///     "home"
/// }
///
/// async fn hello(Path(name): Path<String>) -> String {
///     format!("Hello, {name}")
/// }
///
/// let app = Application::new().get("/", home).get("/hello/{name}", hello);
/// app.check()?;
/// # Ok::<(), squall_web::ConfigError>(())
/// ```
pub struct Application {
    routes: Tree<Methods>,
    fallback: Option<Route>,
    /// Copied on write while the application is built, never written once it serves.
    shared: Rc<Shared>,
    /// What went wrong while routes were added.
    problems: Vec<Problem>,
    /// Tells applications of one process apart.
    number: u32,
}

impl Application {
    /// An application without routes.
    pub fn new() -> Self {
        Self {
            routes: Tree::new(),
            fallback: None,
            shared: Rc::new(Shared::new(BODY_LIMIT)),
            problems: Vec::new(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Adds a route for `GET`, and for `HEAD` unless it has one of its own.
    #[track_caller]
    pub fn get<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::GET, path, handler)
    }

    /// Adds a route for `POST`.
    #[track_caller]
    pub fn post<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::POST, path, handler)
    }

    /// Adds a route for `PUT`.
    #[track_caller]
    pub fn put<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::PUT, path, handler)
    }

    /// Adds a route for `DELETE`.
    #[track_caller]
    pub fn delete<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::DELETE, path, handler)
    }

    /// Adds a route for `PATCH`.
    #[track_caller]
    pub fn patch<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::PATCH, path, handler)
    }

    /// Adds a route for `HEAD`.
    #[track_caller]
    pub fn head<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::HEAD, path, handler)
    }

    /// Adds a route for `OPTIONS`.
    #[track_caller]
    pub fn options<Args: 'static>(self, path: &str, handler: impl Handler<Args>) -> Self {
        self.route(Method::OPTIONS, path, handler)
    }

    /// Adds a route for any one method.
    #[track_caller]
    pub fn route<Args: 'static>(
        mut self,
        method: Method,
        path: &str,
        handler: impl Handler<Args>,
    ) -> Self {
        let place = Location::caller();
        let pattern = match Pattern::parse(path) {
            Ok(pattern) => pattern,
            Err(error) => {
                let route = methods::describe(&method, path, place);
                return self.problem(Problem::Path { route, error });
            }
        };
        let methods = self.routes.entry(&pattern);
        let label = Rc::new(Label::Pattern(pattern));
        let route = Route::new(method, label, handler, place);
        match methods.add(route) {
            Ok(()) => self,
            Err(problem) => self.problem(problem),
        }
    }

    /// Adds a route for WebSockets: the closure is called for each opening handshake, and makes the handler that answers
    /// its messages. It gets the request, and may refuse by returning an error.
    ///
    /// ```
    /// use squall_web::{Application, Context, HttpError, Result};
    /// use squall_websocket::{Message, WebSocket, WebSocketHandler};
    ///
    /// struct Guest {
    ///     name: String,
    /// }
    ///
    /// impl WebSocketHandler for Guest {
    ///     async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> squall_websocket::Result {
    ///         ws.send(format!("{} said {} bytes", self.name, message.len()))?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// fn guest(cx: &mut Context) -> Result<Guest> {
    ///     let name = cx.path("name")?.into_owned();
    ///     if name == "nobody" {
    ///         return Err(HttpError::forbidden("somebody has to come"));
    ///     }
    ///     Ok(Guest { name })
    /// }
    ///
    /// let app = Application::new().websocket("/guests/{name}", guest);
    /// # app.check().unwrap();
    /// ```
    #[track_caller]
    pub fn websocket<R, Kind>(self, path: &str, make: impl Fn(&mut Context) -> R + 'static) -> Self
    where
        R: IntoWebSocketHandler<Kind> + 'static,
        Kind: 'static,
    {
        self.websocket_with(path, WebSocketOptions::default(), make)
    }

    /// Adds a route for WebSockets with options of its own; see [`websocket`](Self::websocket).
    #[track_caller]
    pub fn websocket_with<R, Kind>(
        self,
        path: &str,
        options: WebSocketOptions,
        make: impl Fn(&mut Context) -> R + 'static,
    ) -> Self
    where
        R: IntoWebSocketHandler<Kind> + 'static,
        Kind: 'static,
    {
        self.route(Method::GET, path, HandlerRoute::new(options, make))
    }

    /// Adds a route for WebSockets that a function talks on: it runs in a task of its own for each connection, and an error
    /// of it is logged. Where it wants arguments from the request, write a handler with a
    /// [`WebSocketUpgrade`](crate::WebSocketUpgrade).
    #[track_caller]
    pub fn websocket_stream<Fut>(
        self,
        path: &str,
        function: impl Fn(WebSocketStream) -> Fut + 'static,
    ) -> Self
    where
        Fut: Future<Output = squall_websocket::Result> + 'static,
    {
        self.websocket_stream_with(path, WebSocketOptions::default(), function)
    }

    /// Adds such a route with options of its own; see [`websocket_stream`](Self::websocket_stream).
    #[track_caller]
    pub fn websocket_stream_with<Fut>(
        self,
        path: &str,
        options: WebSocketOptions,
        function: impl Fn(WebSocketStream) -> Fut + 'static,
    ) -> Self
    where
        Fut: Future<Output = squall_websocket::Result> + 'static,
    {
        self.route(Method::GET, path, StreamRoute::new(options, function))
    }

    /// Sets the options of WebSockets that handlers open by a [`WebSocketUpgrade`](crate::WebSocketUpgrade).
    pub fn websocket_options(mut self, options: WebSocketOptions) -> Self {
        Rc::make_mut(&mut self.shared).set_websockets(options);
        self
    }

    /// Adds a handler for the paths that no route has; without it they are 404.
    #[track_caller]
    pub fn fallback<Args: 'static>(mut self, handler: impl Handler<Args>) -> Self {
        let place = Location::caller();
        let label = Rc::new(Label::Fallback);
        let route = Route::new(Method::GET, label, handler, place);
        if let Some(first) = &self.fallback {
            let (added, first) = (place.to_string(), first.place().to_string());
            return self.problem(Problem::FallbackTwice { added, first });
        }
        self.fallback = Some(route);
        self
    }

    /// Shares a value with all handlers on this loop, which get it as [`State<T>`](crate::State).
    ///
    /// One value a type; a handler that asks for a type which was not given is a 500 whose log line names the type.
    pub fn state<T: 'static>(self, value: T) -> Self {
        self.shared_state(Rc::new(value))
    }

    /// Shares a value that is already shared: handlers ask for `State<T>`, not for `State<Rc<T>>`.
    pub fn shared_state<T: 'static>(mut self, value: Rc<T>) -> Self {
        match Rc::make_mut(&mut self.shared).add_state(value) {
            None => self,
            Some(type_name) => self.problem(Problem::StateTwice { type_name }),
        }
    }

    /// Sets how many bytes of a body [`Json`](crate::Json), `String` and `Bytes` take; more is a 413. Default 2 MiB.
    ///
    /// A handler that takes the whole request reads its body without this limit.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        Rc::make_mut(&mut self.shared).body_limit = bytes;
        self
    }

    /// Tells every mistake that can be found before the first request.
    ///
    /// # Errors
    ///
    /// Paths that cannot be, routes in conflict, state given twice or not at all, and handlers that take the body
    /// twice, each with the place in the source that added it.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = self.problems.clone();
        let routes = self.routes.values().flat_map(Methods::routes);
        for route in routes.chain(&self.fallback) {
            route.check(&self.shared, &mut problems);
        }
        ConfigError::of(problems)
    }

    pub(crate) fn problem(mut self, problem: Problem) -> Self {
        tracing::error!(target: "squall::web", "{problem}");
        self.problems.push(problem);
        self
    }

    fn dispatch(&self, request: Request) -> Answer {
        if !self.problems.is_empty() {
            return self.refuse(&request);
        }
        match self.whole_path(request.head()) {
            Some(methods) => self.call(request, methods, Spans::default()),
            None => self.search(request),
        }
    }

    /// Finds what most requests ask for: a path that is a route's as it stands.
    ///
    /// The node is noted in the head, since the next one is often the same.
    fn whole_path(&self, head: &RequestHead) -> Option<&Methods> {
        let (number, node) = ((head.mark() >> 32) as u32, head.mark() as u32);
        if number == self.number {
            return self.routes.value(node);
        }
        let node = self.routes.find_whole(head.path_bytes())?;
        head.set_mark(u64::from(self.number) << 32 | u64::from(node));
        self.routes.value(node)
    }

    #[inline(never)]
    fn search(&self, request: Request) -> Answer {
        match self.routes.find(request.path_bytes()) {
            Some((methods, spans)) => self.call(request, methods, spans),
            None => self.no_route(request),
        }
    }

    // Where it is called, so that the request is moved once only.
    #[inline(always)]
    fn call(&self, request: Request, methods: &Methods, spans: Spans) -> Answer {
        match methods.of(request.method()) {
            Some(route) => {
                let shared = Rc::clone(&self.shared);
                route.call(Context::new(request, route.label(), spans, shared))
            }
            None => self.no_method(&request, methods),
        }
    }

    #[inline(never)]
    fn no_route(&self, request: Request) -> Answer {
        if request.path() == "*" && request.method() == Method::OPTIONS {
            let response = StatusCode::NO_CONTENT.into_response();
            return finished(&request, allowing(response, &self.all_methods()));
        }
        match &self.fallback {
            None => finished(&request, StatusCode::NOT_FOUND.into_response()),
            Some(route) => {
                let shared = Rc::clone(&self.shared);
                route.call(Context::new(
                    request,
                    route.label(),
                    Spans::default(),
                    shared,
                ))
            }
        }
    }

    #[inline(never)]
    fn no_method(&self, request: &Request, methods: &Methods) -> Answer {
        let method = request.method();
        let status = if method == Method::OPTIONS {
            StatusCode::NO_CONTENT
        } else if methods::is_standard(method) || self.all_methods().contains(method) {
            StatusCode::METHOD_NOT_ALLOWED
        } else {
            // RFC 9110 section 9.1: 405 is for methods that the server knows.
            return finished(request, StatusCode::NOT_IMPLEMENTED.into_response());
        };
        finished(
            request,
            allowing(status.into_response(), &methods.allowed()),
        )
    }

    #[inline(never)]
    fn refuse(&self, request: &Request) -> Answer {
        let refused = ConfigError::of(self.problems.clone()).map_err(HttpError::from);
        finished(request, refused.into_response())
    }

    /// Every method that some route answers.
    fn all_methods(&self) -> Vec<Method> {
        let mut all = Vec::new();
        for method in self.routes.values().flat_map(Methods::allowed) {
            if !all.contains(&method) {
                all.push(method);
            }
        }
        all
    }
}

impl Default for Application {
    fn default() -> Self {
        Self::new()
    }
}

impl Service for Application {
    fn call(&self, request: Request) -> Answer {
        self.dispatch(request)
    }

    /// Keeps a server from starting with an application that has mistakes.
    fn check(&self) -> Result<(), Box<dyn Error>> {
        Ok(Self::check(self)?)
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("routes", &self.routes)
            .field("fallback", &self.fallback)
            .field("shared", &self.shared)
            .field("problems", &self.problems)
            .finish()
    }
}

/// An answer that no handler gave.
fn finished(request: &Request, response: Response) -> Answer {
    let report = Report::new(request, None);
    Answer::Ready(report.finish(response))
}

/// Adds the `Allow` field (RFC 9110 section 10.2.1).
fn allowing(mut response: Response, methods: &[Method]) -> Response {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    // A method is a token, so a list of them is a field value.
    if let Ok(value) = HeaderValue::try_from(names.join(", ")) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
