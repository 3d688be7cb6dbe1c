//! Setting a server up.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::rc::Rc;
use std::thread::available_parallelism;

use squall_net::{Address, BindOptions, ListenSocket, UnixOptions, bind_sockets, bind_unix};

use crate::balance::Own;
use crate::config::Config;
use crate::door::Doors;
use crate::run;
use crate::service::{Service, checked};
use crate::serving::Serving;
use crate::trusted::Trusted;

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
///     let hello = || |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
///     HttpServer::new(hello).listen("127.0.0.1:8888")?.run()
/// }
/// ```
pub struct HttpServer<F> {
    factory: F,
    config: Config,
    loops: usize,
    pub(crate) doors: Doors,
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
            doors: Doors::default(),
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

    /// Says who begins connections with a PROXY header on the addresses that are added from here on, in place of
    /// [`Config::proxy_protocol`]; `None`: nobody does.
    ///
    /// ```no_run
    /// use squall_http::Body;
    /// use squall_net::UnixOptions;
    /// use squall_server::HttpServer;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let hello = || |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
    /// HttpServer::new(hello)
    ///     // For the probes of this machine.
    ///     .listen_unix("/run/app/health.sock", &UnixOptions::default())?
    ///     .proxy_protocol(Some("10.0.0.0/8".parse()?))
    ///     .listen("0.0.0.0:8080")?
    ///     .run()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn proxy_protocol(mut self, proxies: Option<Trusted>) -> Self {
        self.doors.set_proxies(proxies);
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
        let sockets = bind_sockets(address, &BIND)?;
        for socket in sockets {
            self.doors.add(socket, None);
        }
        Ok(self)
    }

    /// Binds a Unix socket at `path` at once; may be called several times.
    ///
    /// The socket file that a killed program left there is replaced, and the file is removed when the server stops.
    ///
    /// ```no_run
    /// use squall_http::Body;
    /// use squall_net::UnixOptions;
    /// use squall_server::HttpServer;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let hello = || |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
    /// // The group of the file, such as that of a proxy in front, may connect.
    /// let options = UnixOptions { mode: Some(0o660), ..UnixOptions::default() };
    /// HttpServer::new(hello).listen_unix("/run/app/http.sock", &options)?.run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The message names the path and the remedy; see [`bind_unix`].
    pub fn listen_unix(
        mut self,
        path: impl AsRef<Path>,
        options: &UnixOptions,
    ) -> io::Result<Self> {
        let socket = ListenSocket::from(bind_unix(path, options)?);
        self.doors.add(socket.remove_file_at_end()?, None);
        Ok(self)
    }

    /// Listens on a socket that is bound already: one of std, or one of
    /// [`inherited_listeners`](squall_net::inherited_listeners); may be called several times.
    ///
    /// ```no_run
    /// use squall_http::Body;
    /// use squall_net::inherited_listeners;
    /// use squall_server::HttpServer;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let hello = || |_request: squall_server::Request| async { http::Response::new(Body::from("hello")) };
    /// let mut server = HttpServer::new(hello);
    /// for inherited in inherited_listeners()? {
    ///     server = server.listen_on(inherited.socket);
    /// }
    /// server.run()
    /// # }
    /// ```
    #[must_use]
    pub fn listen_on(mut self, socket: impl Into<ListenSocket>) -> Self {
        self.doors.add(socket, None);
        self
    }

    /// Returns the first TCP address the server listens on, with the port that the system picked for port 0.
    ///
    /// # Errors
    ///
    /// When it listens on none.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.addresses()?
            .iter()
            .find_map(Address::socket_addr)
            .ok_or_else(listens_nowhere)
    }

    /// Returns all addresses the server listens on, of TCP and of Unix sockets, in the order in which they were given.
    ///
    /// # Errors
    ///
    /// When the system does not know one.
    pub fn addresses(&self) -> io::Result<Vec<Address>> {
        self.doors.sockets().map(ListenSocket::local_addr).collect()
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
        if self.doors.is_empty() {
            return Err(listens_nowhere());
        }
        let service = checked(Rc::new((self.factory)()))?;
        let own = Own::alone(self.config.max_connections);
        let doors = self.doors.finish(self.config.proxy_protocol.as_ref());
        Serving::start(service, Rc::new(self.config), doors, own)
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
        if self.doors.is_empty() {
            return Err(listens_nowhere());
        }
        let factory = self.factory;
        let make = move || Rc::new(factory()) as Rc<dyn Service>;
        let doors = self.doors.finish(self.config.proxy_protocol.as_ref());
        run::run(make, self.config, doors, self.loops)
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
            .field("doors", &self.doors)
            .finish_non_exhaustive()
    }
}
