//! A server at work on one loop.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{spawn_callback, with_timeout};
use squall_net::{Address, IoStream, Listener};

use crate::accept::{Acceptor, take_given};
use crate::balance::Own;
use crate::config::Config;
use crate::control::{Control, Counts, Phase, StopReport};
use crate::door::Door;
use crate::handshakes::Handshakes;
use crate::intake::Intake;
use crate::parking::Parking;
use crate::service::Service;

/// The handle of a server that runs on the current loop; see [`HttpServer::serve`](crate::HttpServer::serve).
///
/// Clones name the same server. Dropping them all lets the server go on.
#[derive(Clone)]
pub struct Serving {
    control: Rc<Control>,
    addrs: Rc<[SocketAddr]>,
    addresses: Rc<[Address]>,
}

impl Serving {
    /// Serves at `doors` as the loop `own`; the service is checked already.
    pub(crate) fn start(
        service: Rc<dyn Service>,
        config: Rc<Config>,
        doors: Vec<Door>,
        own: Own,
    ) -> io::Result<Self> {
        IoStream::prepare()?;
        let control = Rc::new(Control::publishing(own.clone()));
        let listeners = doors
            .into_iter()
            .map(|door| Ok((Listener::adopt(door.socket)?, door.preface)))
            .collect::<io::Result<Vec<_>>>()?;
        let addresses = listeners
            .iter()
            .map(|(listener, _)| listener.local_addr())
            .collect::<io::Result<Rc<[Address]>>>()?;
        let addrs = addresses.iter().filter_map(Address::socket_addr).collect();
        let parking = Parking::new(Rc::clone(&service), Rc::clone(&config), Rc::clone(&control));
        let handshakes = Rc::new(Handshakes::new(config.max_handshakes));
        let intake = Rc::new(Intake {
            service,
            config,
            control: Rc::clone(&control),
            own,
            parking,
            handshakes,
            refusing: Cell::new(0),
            full: Cell::new(false),
        });
        for (listener, preface) in listeners {
            let intake = Rc::clone(&intake);
            let acceptor = Acceptor { intake, preface };
            spawn_callback(acceptor.run(listener, control.listen()));
        }
        spawn_callback(take_given(intake, control.listen()));
        Ok(Self {
            control,
            addrs,
            addresses,
        })
    }

    /// Returns the first TCP address the server listens on, with the port that the system picked for port 0.
    ///
    /// # Panics
    ///
    /// When the server listens on Unix sockets alone; [`addresses`](Self::addresses) has those.
    pub fn local_addr(&self) -> SocketAddr {
        *self
            .addrs
            .first()
            .expect("the server listens on a TCP address")
    }

    /// Returns all TCP addresses the server listens on, in the order in which they were given.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// Returns all addresses the server listens on, of TCP and of Unix sockets, in the order in which they were given; at
    /// least one.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Returns what the server has counted so far.
    pub fn counts(&self) -> Counts {
        self.control.counts()
    }

    /// Stops the server gracefully and waits for the end.
    ///
    /// New connections are refused (those that the kernel has queued already are still served), idle ones are closed at
    /// once, answers in flight are finished with `Connection: close`; bodies without an end of their own are asked to end
    /// ([`BodyStream::stop`](squall_http::BodyStream::stop)). What is not done after `deadline` is cut. Stopping
    /// begins with this call, not with the first poll; a second call may shorten the deadline.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the deadline: the server goes on stopping, and waits for its last request as long as that
    /// takes.
    pub fn stop(&self, deadline: Duration) -> impl Future<Output = StopReport> + use<> {
        let control = Rc::clone(&self.control);
        control.advance(Phase::Stopping);
        async move {
            if with_timeout(deadline, all_left(&control)).await.is_err() {
                control.abort(deadline);
                all_left(&control).await;
            }
            control.report()
        }
    }
}

async fn all_left(control: &Control) {
    poll_fn(|cx| control.poll_over(cx)).await;
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("addresses", &self.addresses)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
