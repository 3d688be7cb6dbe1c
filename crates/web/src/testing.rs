//! A client that calls an application in memory: no socket, no port, no thread.
//!
//! What the server adds to a response (`Date`, the framing) is missing; everything else is as a peer sees it. Handlers
//! that use the loop need one: run the test in [`IoLoop::run_sync`](squall_ioloop::IoLoop::run_sync).
//!
//! # Examples
//!
//! ```
//! use squall_ioloop::IoLoop;
//! use squall_web::testing::TestClient;
//! use squall_web::{Application, Path};
//!
//! async fn hello(Path(name): Path<String>) -> String {
//!     format!("Hello, {name}")
//! }
//!
//! let app = Application::new().get("/hello/{name}", hello);
//! # IoLoop::run_sync(async {
//! let response = TestClient::new(app).get("/hello/you").await;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.text(), "Hello, you");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod request;
mod response;
mod websocket;

use std::fmt;
use std::rc::Rc;

use http::Method;
use squall_server::Service;

pub use request::TestRequest;
pub use response::{TestResponse, TestStream};
pub use websocket::TestWebSocket;

/// Calls an application, or any other service, in memory. Clones call the same one.
#[derive(Clone)]
pub struct TestClient {
    service: Rc<dyn Service>,
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {$(
        #[doc = concat!("Begins a `", stringify!($method), "` request.")]
        ///
        /// # Panics
        ///
        /// The target cannot be a URI.
        #[track_caller]
        pub fn $name(&self, target: &str) -> TestRequest {
            self.request(Method::$method, target)
        }
    )*};
}

impl TestClient {
    /// A client of this application.
    pub fn new(service: impl Service) -> Self {
        Self {
            service: Rc::new(service),
        }
    }

    methods! {
        get GET;
        post POST;
        put PUT;
        delete DELETE;
        patch PATCH;
        head HEAD;
        options OPTIONS;
    }

    /// Begins to open a WebSocket at a route, without a socket.
    ///
    /// # Panics
    ///
    /// The target cannot be a URI.
    #[track_caller]
    pub fn websocket(&self, target: &str) -> TestWebSocket {
        TestWebSocket::new(Rc::clone(&self.service), self.request(Method::GET, target))
    }

    /// Begins a request of any method; the target is a path with a query, `*`, or a whole URI.
    ///
    /// # Panics
    ///
    /// The target cannot be a URI.
    #[track_caller]
    pub fn request(&self, method: Method, target: &str) -> TestRequest {
        TestRequest::new(Rc::clone(&self.service), method, target)
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").finish_non_exhaustive()
    }
}
