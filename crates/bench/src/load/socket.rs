//! Sockets, epoll and the clock, without `unsafe`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How long the loop polls before it sleeps, in nanoseconds. Longer than an answer takes on
/// loopback, shorter than anybody would notice.
const SPIN: u64 = 50_000;
/// How much earlier than needed the loop wakes up for a deadline, in nanoseconds: what is left, it
/// polls. A sleeping core needs about this long.
const HEADSTART: u64 = 80_000;
/// Events taken in one call.
const EVENTS: usize = 512;
/// Connections from one source address; there are 28,232 ports for all programs together.
const PORTS_A_SOURCE: usize = 8_000;
/// Bytes of a segment of a connection that is not read; the least that every network carries.
const SEGMENT: u32 = 536;
/// Descriptors besides connections: standard streams, epoll, files.
const OTHER_DESCRIPTORS: u64 = 16;

/// Nanoseconds since the program began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    #[inline]
    pub(crate) fn now(self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }
}

/// An epoll with its events.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    spin: u64,
    headstart: u64,
}

/// Events of one wait.
pub(crate) type Events = Vec<epoll::Event>;

impl Poller {
    pub(crate) fn new(spin: bool) -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            spin: if spin { SPIN } else { 0 },
            headstart: if spin { HEADSTART } else { 0 },
        })
    }

    /// Room for the events of a wait.
    pub(crate) fn events() -> Events {
        Vec::with_capacity(EVENTS)
    }

    /// Watches a socket for everything, edge-triggered, once and for all.
    pub(crate) fn add(&self, socket: &OwnedFd, token: u64) -> io::Result<()> {
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        epoll::add(&self.epoll, socket, epoll::EventData::new_u64(token), flags)?;
        Ok(())
    }

    /// Waits for events, at most until `until`; returns the nanoseconds in which there was nothing.
    pub(crate) fn wait(&self, events: &mut Events, clock: Clock, until: u64) -> io::Result<u64> {
        if self.poll(events, Duration::ZERO)? {
            return Ok(0);
        }
        let began = clock.now();
        let mut now = began;
        while now < until {
            let left = until - now;
            let sleep = match now - began < self.spin || left <= self.headstart {
                true => 0,
                false => left - self.headstart,
            };
            if self.poll(events, Duration::from_nanos(sleep))? {
                now = clock.now();
                break;
            }
            now = clock.now();
        }
        Ok(now - began)
    }

    fn poll(&self, events: &mut Events, sleep: Duration) -> io::Result<bool> {
        events.clear();
        let timeout = Timespec {
            tv_sec: sleep.as_secs() as i64,
            tv_nsec: i64::from(sleep.subsec_nanos()),
        };
        match epoll::wait(&self.epoll, spare_capacity(events), Some(&timeout)) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(false),
            Err(err) => Err(err.into()),
        }
    }
}

/// Begins connections to one address.
#[derive(Debug)]
pub(crate) struct Dialer {
    addr: SocketAddr,
    /// The last byte of the source address 127.0.0.x, at least 2; `None` leaves the choice to the
    /// kernel.
    source: Option<u8>,
    /// Connections begun from this source.
    begun: usize,
    /// Whether the next connection has room for little more than a message.
    narrow: bool,
}

impl Dialer {
    /// A dialer that will have up to `connections` open at once.
    pub(crate) fn new(addr: SocketAddr, connections: usize) -> Self {
        let many = connections > PORTS_A_SOURCE && addr.is_ipv4();
        Self {
            addr,
            // Several processes that hold thousands of connections each begin at different sources.
            source: many.then(|| 2 + (std::process::id() % 31 * 8) as u8),
            begun: 0,
            narrow: false,
        }
    }

    /// As [`Self::begin`], for a connection that will not be read: with the least buffer there is, and small
    /// segments, by which the server's side is told to buffer some 50 KB instead of megabytes. So a server notices
    /// within seconds that nobody reads, as it would on a real network.
    ///
    /// # Errors
    ///
    /// As [`Self::begin`].
    pub(crate) fn begin_narrow(&mut self) -> io::Result<OwnedFd> {
        self.narrow = true;
        let socket = self.begin();
        self.narrow = false;
        socket
    }

    /// Begins a connection; it is there once the socket is writable and [`Self::finish`] agrees.
    ///
    /// # Errors
    ///
    /// What the kernel says; an address without free ports is left for the next one first.
    pub(crate) fn begin(&mut self) -> io::Result<OwnedFd> {
        if self.begun >= PORTS_A_SOURCE && self.source.is_some() {
            self.next_source();
        }
        // As many as there can be sources; more than one is hardly ever needed.
        for _ in 0..8 {
            match self.begin_here() {
                Err(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) if self.addr.is_ipv4() => {
                    self.next_source();
                }
                other => return Ok(other?),
            }
        }
        Err(Errno::ADDRNOTAVAIL.into())
    }

    fn next_source(&mut self) {
        self.begun = 0;
        // From 2 to 251 and round again.
        self.source = Some(self.source.map_or(2, |source| (source - 1) % 250 + 2));
    }

    fn begin_here(&mut self) -> Result<OwnedFd, Errno> {
        let family = match self.addr {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        // Loopback is never congested, and the system's choice may be one that paces: its timers would
        // show in the latencies. Every Linux has this one; without it the run is as good, but dearer.
        let _ = sockopt::set_tcp_congestion(&socket, "reno");
        if self.narrow {
            sockopt::set_socket_recv_buffer_size(&socket, 1)?;
            nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::TcpMaxSeg, &SEGMENT)
                .map_err(|err| Errno::from_raw_os_error(err as i32))?;
        }
        if let Some(source) = self.source {
            let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, source));
            rustix::net::bind(&socket, &SocketAddr::new(source, 0))?;
        }
        self.begun += 1;
        match rustix::net::connect(&socket, &self.addr) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(err) => Err(err),
        }
    }

    /// Whether the connection that was begun is there.
    ///
    /// # Errors
    ///
    /// Why it is not. Where nobody listens, TCP can connect a socket with itself if its own port
    /// happens to be the one it asked for; that counts as refused.
    pub(crate) fn finish(&self, socket: &OwnedFd) -> io::Result<()> {
        sockopt::socket_error(socket)??;
        let own = SocketAddr::try_from(rustix::net::getsockname(socket)?)?;
        if own == self.addr {
            return Err(Errno::CONNREFUSED.into());
        }
        Ok(())
    }
}

/// Makes sure that the process may open `connections` connections.
///
/// # Errors
///
/// A sentence when the hard limit is lower.
pub(crate) fn allow_descriptors(connections: usize) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    let needed = connections as u64 + OTHER_DESCRIPTORS;
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|most| most < needed) {
        return Err(format!(
            "{connections} connections need {needed} descriptors, and this process may have {}",
            limit.maximum.unwrap_or_default()
        ));
    }
    let raised = Rlimit {
        current: Some(needed),
        ..limit
    };
    setrlimit(Resource::Nofile, raised)
        .map_err(|err| format!("cannot raise the limit of descriptors to {needed}: {err}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_go_round() {
        let mut dialer = Dialer::new(SocketAddr::from(([127, 0, 0, 1], 80)), PORTS_A_SOURCE + 1);
        let first = dialer.source.unwrap();
        for turn in 1..=250u32 {
            dialer.next_source();
            let expected = (u32::from(first) - 2 + turn) % 250 + 2;
            assert_eq!(dialer.source.map(u32::from), Some(expected));
        }
        assert_eq!(dialer.source, Some(first));
        let few = Dialer::new(SocketAddr::from(([127, 0, 0, 1], 80)), PORTS_A_SOURCE);
        assert_eq!(few.source, None);
    }

    #[test]
    fn a_socket_that_met_itself_is_refused() {
        use rustix::net::{bind, connect};
        let addr = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &addr).unwrap();
        connect(&socket, &addr).unwrap();
        let err = Dialer::new(addr, 1).finish(&socket).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::ConnectionRefused);
    }
}
