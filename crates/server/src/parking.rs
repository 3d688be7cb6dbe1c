//! Connections that wait for a request, without a task, a buffer or a timer each.
//!
//! An idle connection is a few dozen bytes here and a slot of the loop's reactor. When something comes, a [`Driver`] is
//! borrowed for it and polled in place: most requests are read, answered and written within that one call. Only what has
//! to wait for something gets a task, and comes back here when it is idle again.
//!
//! Rules:
//!
//! * a place is free, idle, or in use by the call at hand; the reactor knows it by its number for as long as it is not
//!   free;
//! * nothing here is borrowed while a driver runs, since a service may do anything;
//! * time is counted in ticks of a task that exists while somebody is parked, so that a request costs no look at the
//!   clock and no timer. A connection is closed up to a tick later than its time limit says.

mod eldest;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use squall_ioloop::reactor::{Parked, ParkedOwner, Places};
use squall_ioloop::{sleep, spawn_callback};
use squall_net::IoStream;
use tokio::io::AsyncWrite;

use crate::config::Config;
use crate::connection::{Driver, Rest};
use crate::control::{Control, Phase, remember};
use crate::service::{ConnectInfo, Service};
use eldest::Eldest;

/// Ticks in a keep-alive time limit, unless they would be longer than [`LONGEST_TICK`] or shorter than [`SHORTEST_TICK`].
const TICKS: u32 = 16;
const LONGEST_TICK: Duration = Duration::from_secs(1);
const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// Connections that are asked whether they have something to read before one is closed in spite of that.
const ASKED: usize = 8;

/// The idle connections of one server on one loop.
pub(crate) struct Parking {
    service: Rc<dyn Service>,
    config: Rc<Config>,
    control: Rc<Control>,
    /// The right to be called by the loop; `None` once the server has ended, for it keeps this alive.
    owner: RefCell<Option<ParkedOwner>>,
    places: RefCell<Places<Idle>>,
    /// The driver for the next request. Others are dropped: only answers that have to wait need more than one.
    spare: Cell<Option<Box<Driver>>>,
    /// The time, in ticks.
    now: Cell<u32>,
    /// Somebody counts the ticks.
    ticking: Cell<bool>,
    /// Those to be closed for newcomers.
    eldest: RefCell<Eldest>,
    /// Wait for somebody to be parked.
    waiting: RefCell<Vec<Waker>>,
}

/// A connection that waits for a request.
struct Idle {
    stream: IoStream,
    info: Rc<ConnectInfo>,
    /// The tick in which it began to wait.
    since: u32,
}

impl Idle {
    /// Closes the connection. A secured one says first that this is the end, if there is room for that (RFC 8446 §6.1).
    fn part(mut self) {
        if self.stream.tls().is_some() {
            let nobody = &mut Context::from_waker(Waker::noop());
            let _ = Pin::new(&mut self.stream).poll_shutdown(nobody);
        }
    }
}

impl Parking {
    /// Makes it for a server on the current loop, until that has ended.
    pub(crate) fn new(
        service: Rc<dyn Service>,
        config: Rc<Config>,
        control: Rc<Control>,
    ) -> Rc<Self> {
        let parking = Rc::new(Self {
            service,
            config,
            control,
            owner: RefCell::new(None),
            places: RefCell::new(Places::new()),
            spare: Cell::new(None),
            now: Cell::new(0),
            ticking: Cell::new(false),
            eldest: RefCell::default(),
            waiting: RefCell::default(),
        });
        let owner = ParkedOwner::new(Rc::clone(&parking) as Rc<dyn Parked>);
        parking.owner.replace(Some(owner));
        spawn_callback(Rc::clone(&parking).attend_stop());
        parking
    }

    /// Takes a new connection, which is counted from here on; its stream must be one that can be parked.
    pub(crate) fn admit(self: &Rc<Self>, stream: IoStream, info: ConnectInfo) {
        self.control.enter();
        self.park(stream, Rc::new(info));
    }

    /// Takes a connection that was prepared by a task of its own, and is counted already.
    pub(crate) fn admit_prepared(self: &Rc<Self>, stream: IoStream, info: ConnectInfo) {
        // The server may have been asked to stop meanwhile, and those who were parked then have been told.
        stream.call_again();
        self.park(stream, Rc::new(info));
    }

    fn park(self: &Rc<Self>, stream: IoStream, info: Rc<ConnectInfo>) {
        let since = self.now.get();
        let idle = Idle {
            stream,
            info,
            since,
        };
        if let Some(owner) = &*self.owner.borrow() {
            let mut places = self.places.borrow_mut();
            let key = places.reserve();
            idle.stream.park(owner, key);
            places.put(key, idle);
        } else {
            // The server has ended, and nobody would be called.
            drop(idle);
            return self.control.leave(false);
        }
        if !self.ticking.replace(true) {
            spawn_callback(Rc::clone(self).tick());
        }
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until somebody is parked.
    pub(crate) fn poll_any(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.places.borrow().is_empty() {
            remember(&mut self.waiting.borrow_mut(), cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Closes the connection that has been idle for longest, if there is one.
    pub(crate) fn make_room(&self) {
        let mut asked = None;
        for _ in 0..ASKED {
            let Some(key) = self.next_eldest() else { break };
            let unread = |idle: &Idle| idle.stream.has_unread();
            let speaks = self.places.borrow().get(key).is_some_and(unread);
            if !speaks {
                return self.close(key);
            }
            asked.get_or_insert(key);
        }
        if let Some(key) = asked {
            self.close(key);
        }
    }

    fn next_eldest(&self) -> Option<u32> {
        let places = self.places.borrow();
        let mut eldest = self.eldest.borrow_mut();
        eldest.next(&places, self.now.get(), |idle| idle.since)
    }

    /// Closes an idle connection for a newcomer.
    fn close(&self, key: u32) {
        let idle = self.places.borrow_mut().take(key);
        if let Some(idle) = idle {
            self.places.borrow_mut().free(key);
            let (peer, most) = (&idle.info.peer, self.config.max_connections);
            tracing::debug!(%peer, "idle connection closed for a newcomer, there are {most} already (max_connections)");
            idle.part();
            self.control.leave(false);
        }
    }

    /// Serves what has come on a connection.
    fn serve(self: Rc<Self>, key: u32) {
        let Some(idle) = self.places.borrow_mut().take(key) else {
            return;
        };
        let place = InUse {
            parking: &self,
            key,
        };
        let (since, requests) = (idle.since, self.control.counts().requests);
        let mut driver = self.driver();
        driver.member().take_over();
        driver.attach(idle.stream, idle.info, true);
        match driver.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Rest::Idle) => {
                // Empty lines and the like are no reason to wait for longer.
                let asked = self.control.counts().requests != requests;
                let since = if asked { self.now.get() } else { since };
                place.put_back(&mut driver, since);
                self.keep(driver);
            }
            Poll::Ready(Rest::Over) => {
                drop(place);
                self.keep(driver);
            }
            Poll::Pending => {
                drop(place);
                driver.unpark();
                spawn_callback(self.finish(driver));
            }
        }
    }

    /// Goes on with a connection that has to wait, and parks it when it is idle again.
    async fn finish(self: Rc<Self>, mut driver: Box<Driver>) {
        if driver.run().await == Rest::Idle {
            driver.member().hand_over();
            if let Some((stream, info)) = driver.detach() {
                self.park(stream, info);
            }
        }
        self.keep(driver);
    }

    fn driver(&self) -> Box<Driver> {
        self.spare.take().unwrap_or_else(|| {
            let (service, config) = (Rc::clone(&self.service), Rc::clone(&self.config));
            Box::new(Driver::new(service, config, self.control.stranger()))
        })
    }

    fn keep(&self, driver: Box<Driver>) {
        self.spare.set(Some(driver));
    }

    /// Counts the ticks while connections are parked, and closes those that have waited for too long.
    async fn tick(self: Rc<Self>) {
        let limit = self.config.keep_alive_timeout;
        let tick = (limit / TICKS).clamp(SHORTEST_TICK, LONGEST_TICK);
        let ticks = limit.as_nanos().div_ceil(tick.as_nanos());
        // A time limit beyond years is none.
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        while !self.places.borrow().is_empty() {
            sleep(tick).await;
            let now = self.now.get().wrapping_add(1);
            self.now.set(now);
            let old = |idle: &Idle| now.wrapping_sub(idle.since) > ticks;
            let late = self.places.borrow_mut().remove_if(old);
            for idle in late {
                let peer = &idle.info.peer;
                tracing::debug!(%peer, "idle connection closed (keep_alive_timeout)");
                idle.part();
                self.control.leave(false);
            }
        }
        self.ticking.set(false);
    }

    /// Has idle connections leave when the server stops, and lets go of itself when the last one has.
    async fn attend_stop(self: Rc<Self>) {
        poll_fn(|cx| self.control.poll_phase(Phase::Stopping, cx)).await;
        self.serve_all();
        // Nobody stays parked from now on, but who has sent something that is not told of, and connections that the kernel
        // had queued, which come and go.
        poll_fn(|cx| {
            let over = self.control.poll_over(cx).is_ready();
            let aborting = self.control.poll_phase(Phase::Aborting, cx).is_ready();
            if over || aborting {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        self.serve_all();
        poll_fn(|cx| self.control.poll_over(cx)).await;
        let owner = self.owner.take();
        drop(owner);
    }

    /// Has every parked connection look at how far the server is.
    fn serve_all(self: &Rc<Self>) {
        let keys = self.places.borrow().keys();
        for key in keys {
            Rc::clone(self).serve(key);
        }
    }
}

/// A place whose connection is being served; it is given back also when that panics.
struct InUse<'a> {
    parking: &'a Parking,
    key: u32,
}

impl InUse<'_> {
    /// Leaves the connection where it was parked.
    fn put_back(self, driver: &mut Driver, since: u32) {
        driver.member().hand_over();
        let Some((stream, info)) = driver.detach() else {
            return;
        };
        if stream.is_readable() {
            // It was read enough for one turn.
            stream.call_again();
        }
        let idle = Idle {
            stream,
            info,
            since,
        };
        self.parking.places.borrow_mut().put(self.key, idle);
        std::mem::forget(self);
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.parking.places.borrow_mut().free(self.key);
    }
}

impl Parked for Parking {
    fn ready(self: Rc<Self>, key: u32) {
        self.serve(key);
    }
}
