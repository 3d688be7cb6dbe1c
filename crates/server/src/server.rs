//! Setting a server up.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::thread::available_parallelism;

use squall_net::{BindOptions, bind_sockets};

use crate::config::Config;
use crate::run;
use crate::service::{Service, checked};
use crate::serving::Serving;

/// How the server's sockets are bound: each loop may add its own.
pub(crate) const BIND: BindOptions = BindOptions {
    backlog: 4096,
    shared: true,
};

/// An HTTP/1.1 server on one event loop or several.
///
/// The factory makes the service, once on every loop, so what a service holds need not be `Send`.
///
/// ```no_run
/// use squall_http::Body;
/// use squall_server::HttpServer;
///
/// fn main() -> std::io::Result<()> {
///     let hello = || |_request: http::Request<Body>| async { http::Response::new(Body::from("hello")) };
///     HttpServer::new(hello).listen("127.0.0.1:8888")?.run()
/// }
/// ```
pub struct HttpServer<F> {
    factory: F,
    config: Config,
    loops: usize,
    sockets: Vec<std::net::TcpListener>,
}

impl<F, S> HttpServer<F>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Service,
{
    /// Makes a server that listens nowhere yet.
    pub fn new(factory: F) -> Self {
        Self {
            factory,
            config: Config::default(),
            loops: available_parallelism().map_or(1, usize::from),
            sockets: Vec::new(),
        }
    }

    /// Sets on how many loops, each a thread of its own, [`run`](Self::run) serves. Default: one for each core that the
    /// process may use. None means one.
    #[must_use]
    pub fn loops(mut self, loops: usize) -> Self {
        self.loops = loops.max(1);
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Binds `address` at once, so that a port in use is known before anything runs; may be called several times.
    ///
    /// Clients that connect from here on wait until the server runs.
    ///
    /// # Errors
    ///
    /// The message names the address and the remedy; see [`bind_sockets`].
    pub fn listen<A: ToSocketAddrs + fmt::Debug>(mut self, address: A) -> io::Result<Self> {
        self.sockets.extend(bind_sockets(address, &BIND)?);
        Ok(self)
    }

    /// Returns the first address the server listens on, with the port that the system picked for port 0.
    ///
    /// # Errors
    ///
    /// When [`listen`](Self::listen) was not called.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.sockets
            .first()
            .ok_or_else(listens_nowhere)?
            .local_addr()
    }

    /// Serves on the current loop, beginning with its next turn, and returns a handle to stop it.
    ///
    /// Other threads and signals are not involved; [`loops`](Self::loops) means nothing here.
    ///
    /// # Errors
    ///
    /// When [`listen`](Self::listen) was not called, the service's [`check`](Service::check) finds something wrong
    /// ([`InvalidInput`](io::ErrorKind::InvalidInput)), or the system refuses to watch the sockets.
    ///
    /// # Panics
    ///
    /// Off a loop.
    pub fn serve(self) -> io::Result<Serving> {
        if self.sockets.is_empty() {
            return Err(listens_nowhere());
        }
        let service = checked(Rc::new((self.factory)()))?;
        Serving::start(service, Rc::new(self.config), self.sockets)
    }

    /// Serves on threads of its own, one for each loop, until Ctrl-C or SIGTERM, then stops gracefully as
    /// [`Serving::stop`] does, with [`Config::stop_timeout`] as the deadline, and logs what that did.
    ///
    /// The calling thread runs its own current loop meanwhile, and takes the signals, so that they are heeded also while
    /// every serving loop is busy.
    ///
    /// # Errors
    ///
    /// When [`listen`](Self::listen) was not called, a service's [`check`](Service::check) finds something wrong
    /// ([`InvalidInput`](io::ErrorKind::InvalidInput)), a loop cannot be made, a factory panics, or a loop runs already on
    /// the calling thread. A second signal ends the waiting at once with [`Interrupted`](io::ErrorKind::Interrupted): the threads
    /// end with the process.
    pub fn run(self) -> io::Result<()> {
        if self.sockets.is_empty() {
            return Err(listens_nowhere());
        }
        let factory = self.factory;
        let make = move || Rc::new(factory()) as Rc<dyn Service>;
        run::run(make, self.config, self.sockets, self.loops)
    }
}

fn listens_nowhere() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the server listens nowhere; call listen(\"127.0.0.1:8888\") first",
    )
}

impl<F> fmt::Debug for HttpServer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("loops", &self.loops)
            .field("config", &self.config)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}
