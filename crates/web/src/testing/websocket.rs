//! A WebSocket in the making.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use http::StatusCode;
use http::header::SEC_WEBSOCKET_EXTENSIONS;

use squall_server::{Presence, Service, Upgraded};
use squall_websocket::proto::Role;
use squall_websocket::proto::handshake::ClientHandshake;
use squall_websocket::{Agreed, Connection, WebSocketOptions, WebSocketStream, duplex};

use super::{TestRequest, TestResponse, TestStream};

/// Bytes that are under way in each direction at most, in memory as in a network.
const PIPE: usize = 64 * 1024;

/// A WebSocket in the making; awaiting it opens it, and gives the client's end.
///
/// Both ends are on the loop of the test, with no socket between them: under a
/// [paused clock](squall_ioloop::IoLoop::with_paused_clock) pings and time limits take no time.
///
/// ```
/// use squall_ioloop::IoLoop;
/// use squall_web::Application;
/// use squall_web::testing::TestClient;
/// use squall_websocket::{Message, Result, WebSocket, WebSocketHandler};
///
/// struct Echo;
///
/// impl WebSocketHandler for Echo {
///     async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
///         ws.send(message)?;
///         Ok(())
///     }
/// }
///
/// # IoLoop::run_sync(async {
/// let app = Application::new().websocket("/echo", |_| Echo);
/// let mut ws = TestClient::new(app).websocket("/echo").await.expect("an open WebSocket");
/// ws.send("hello")?;
/// assert_eq!(ws.next().await?, Some(Message::from("hello")));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "a WebSocket is opened when it is awaited"]
pub struct TestWebSocket {
    service: Rc<dyn Service>,
    request: TestRequest,
    options: WebSocketOptions,
}

impl TestWebSocket {
    pub(super) fn new(service: Rc<dyn Service>, request: TestRequest) -> Self {
        Self {
            service,
            request,
            options: WebSocketOptions {
                // Tests of silence want the server's pings alone.
                ping_interval: None,
                ..WebSocketOptions::default()
            },
        }
    }

    /// Adds a header field, such as `Origin`; those of the handshake are there already.
    ///
    /// # Panics
    ///
    /// HTTP does not allow the name or the value.
    #[track_caller]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sets the options of the client's end: its subprotocols and its compression are offered. It sends no pings by default.
    pub fn options(mut self, options: WebSocketOptions) -> Self {
        self.options = options;
        self
    }

    async fn open(self) -> Result<WebSocketStream, TestResponse> {
        let mut handshake =
            ClientHandshake::new([0; 16]).subprotocols(self.options.subprotocols.iter().cloned());
        if let Some(compression) = &self.options.compression {
            handshake = handshake.extensions(compression.offer());
        }
        let mut request = self.request.into_request();
        let fields = match handshake.headers(request.headers()) {
            Ok(fields) => fields,
            Err(error) => panic!("the handshake cannot be sent: {error}"),
        };
        *request.headers_mut() = fields;
        let (head, body) = squall_server::Request::from(request).into_parts();
        let (request, upgrade) = squall_server::Request::upgradable(head, body);
        let response = self.service.call(request).await;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(TestStream::new(response).collect().await);
        }
        let headers = response.headers();
        let agreed = match handshake.check(response.status(), headers) {
            Ok(agreed) => agreed,
            Err(error) => panic!("the server's handshake is wrong: {error}"),
        };
        let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
        let compression = match &self.options.compression {
            Some(wanted) => wanted.read_response(lines),
            None => Ok(None),
        };
        let compression = match compression {
            Ok(compression) => compression,
            Err(error) => panic!("the server's answer about compression is wrong: {error}"),
        };
        let known = self.options.subprotocols.iter();
        let subprotocol = agreed.subprotocol.and_then(|name| {
            let mut known = known;
            known.position(|known| *known == name)
        });
        let (near, far) = duplex(PIPE);
        upgrade.resolve(Upgraded {
            stream: far,
            unread: Bytes::new(),
            presence: Presence::default(),
        });
        let agreed = Agreed {
            compression,
            subprotocol,
        };
        let options = Rc::new(self.options);
        let connection = Connection::new(near, Bytes::new(), Role::Client, &options, agreed);
        Ok(WebSocketStream::new(connection))
    }
}

/// The error is the response of a server that does not open it.
impl IntoFuture for TestWebSocket {
    type Output = Result<WebSocketStream, TestResponse>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl fmt::Debug for TestWebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestWebSocket")
            .field("request", &self.request)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
