//! Several loops, each on a thread of its own, and the signals that end them.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use squall_ioloop::{IoLoop, Signal, Task};
use squall_net::IoStream;

use crate::balance::{Balance, Own};
use crate::config::Config;
use crate::control::StopReport;
use crate::door::Door;
use crate::rescue::rescue;
use crate::server::BIND;
use crate::service::{Service, checked};
use crate::serving::Serving;

type Loop = JoinHandle<io::Result<StopReport>>;

/// Serves until the process is asked to stop; see [`HttpServer::run`](crate::HttpServer::run).
pub(crate) fn run<M>(make: M, config: Config, doors: Vec<Door>, loops: usize) -> io::Result<()>
where
    M: Fn() -> Rc<dyn Service> + Clone + Send + 'static,
{
    let addrs: Vec<String> = doors
        .iter()
        .flat_map(|door| door.socket.local_addr().ok())
        .map(|addr| addr.to_string())
        .collect();
    let ending = Arc::new(Ending::default());
    let shares = share(doors, loops)?;
    let balance = Balance::new(loops, config.max_connections);
    let watched = if loops > 1 {
        watched(&shares)?
    } else {
        Vec::new()
    };
    let deadline = config.stop_timeout;
    IoLoop::run_sync(async move {
        let signals = catch_signals(&ending, deadline)?;
        // All are counted before the first one looks at the count.
        let alive: Vec<Alive> = shares.iter().map(|_| Alive::new(&ending)).collect();
        let mut threads = Vec::with_capacity(loops);
        for (number, (share, alive)) in shares.into_iter().zip(alive).enumerate() {
            if number == 1 && !poll_fn(|cx| ending.poll_first(cx)).await {
                // What is wrong with one service is wrong with all: once is enough to say it.
                break;
            }
            let balance = Arc::clone(&balance);
            let own = Own { balance, number };
            threads.push(start(own, make.clone(), config.clone(), share, alive)?);
        }
        if poll_fn(|cx| ending.poll_ready(cx)).await {
            tracing::info!("serving on {} with {loops} loops", addrs.join(", "));
        }
        let rescuing = Rescuing::begin(&ending);
        rescue(watched, balance, |cx| ending.poll_stopping(cx)).await;
        drop(rescuing);
        let over = poll_fn(|cx| ending.poll_over(cx)).await;
        for signal in signals {
            signal.cancel();
        }
        over?;
        report(threads)
    })
}

/// Gives each loop a socket of its own for each address. Of a socket that the kernel does not spread over several, such as
/// a Unix or an inherited one, one loop is in charge, each loop of another one.
fn share(doors: Vec<Door>, loops: usize) -> io::Result<Vec<Vec<Door>>> {
    let mut shares: Vec<Vec<Door>> = Vec::new();
    shares.resize_with(loops, Vec::new);
    let mut alone = 0;
    for door in doors {
        let siblings = (1..loops)
            .map(|_| Ok(door.socket.sibling(&BIND)?.map(|socket| door.with(socket))))
            .collect::<io::Result<Option<Vec<_>>>>()?;
        match siblings {
            Some(siblings) => {
                let all = std::iter::once(door).chain(siblings);
                shares
                    .iter_mut()
                    .zip(all)
                    .for_each(|(share, one)| share.push(one));
            }
            None => {
                shares[alone % loops].push(door);
                alone += 1;
            }
        }
    }
    Ok(shares)
}

/// Second handles of all sockets, with the numbers of the loops that have the first.
fn watched(shares: &[Vec<Door>]) -> io::Result<Vec<(usize, Door)>> {
    let doors = shares
        .iter()
        .enumerate()
        .flat_map(|(number, share)| share.iter().map(move |door| (number, door)));
    doors
        .map(|(number, door)| Ok((number, door.try_clone()?)))
        .collect()
}

fn start<M>(own: Own, make: M, config: Config, doors: Vec<Door>, alive: Alive) -> io::Result<Loop>
where
    M: Fn() -> Rc<dyn Service> + Clone + Send + 'static,
{
    thread::Builder::new()
        .name(format!("squall-loop-{}", own.number))
        .spawn(move || {
            let io_loop = IoLoop::new()?;
            let report = IoLoop::run_sync(async {
                let deadline = config.stop_timeout;
                let service = checked(make())?;
                IoStream::prepare()?;
                alive.0.count_ready();
                poll_fn(|cx| alive.0.poll_ready(cx)).await;
                let serving = Serving::start(service, Rc::new(config), doors, own)?;
                poll_fn(|cx| alive.0.poll_closing(cx)).await;
                Ok(serving.stop(deadline).await)
            });
            io_loop.close();
            report
        })
}

/// Has the first signal begin the end and the second one finish it.
fn catch_signals(ending: &Arc<Ending>, deadline: Duration) -> io::Result<Vec<Task<()>>> {
    let catch = |signal| {
        let ending = Arc::clone(ending);
        IoLoop::current().add_signal_callback(signal, move || {
            if ending.signal() == 1 {
                tracing::info!(
                    "stopping; requests in flight have {deadline:?}, a second signal ends them now"
                );
            }
        })
    };
    [Signal::Interrupt, Signal::Terminate]
        .into_iter()
        .map(catch)
        .collect()
}

/// Adds up what the loops say, once they are all over.
fn report(threads: Vec<Loop>) -> io::Result<()> {
    let mut total = StopReport::default();
    let mut failure = None;
    for thread in threads {
        match thread.join() {
            Ok(Ok(report)) => total += report,
            Ok(Err(err)) => failure = Some(err),
            Err(_) => failure = Some(io::Error::other("a serving thread panicked")),
        }
    }
    if let Some(err) = failure {
        return Err(err);
    }
    tracing::info!("stopped: {total}");
    Ok(())
}

/// What the threads of one server tell each other.
#[derive(Debug, Default)]
struct Ending {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Signals that came.
    signals: u32,
    /// A signal came, or a loop ended by itself.
    stopping: bool,
    /// The sockets have second handles, by which clients would still come after their loops have closed the first.
    rescuing: bool,
    /// Loops that have not ended.
    alive: usize,
    /// Loops that could begin to accept.
    ready: usize,
    /// Everybody who waits for any of this.
    waiters: Vec<Waker>,
}

impl Ending {
    /// Counts a signal and returns how many there were.
    fn signal(&self) -> u32 {
        self.change(|state| {
            state.stopping = true;
            state.signals += 1;
            state.signals
        })
    }

    fn count_ready(&self) {
        self.change(|state| state.ready += 1);
    }

    /// Waits until the first loop is ready; false if it has ended instead, or a signal came.
    fn poll_first(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.poll(cx, |state| {
            (state.stopping || state.ready > 0).then_some(!state.stopping)
        })
    }

    /// Waits until all loops are ready; false if one has ended instead, or a signal came. Clients that come earlier stay
    /// queued, so that they take no descriptors which a loop needs to begin.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.poll(cx, |state| {
            (state.stopping || state.ready >= state.alive).then_some(!state.stopping)
        })
    }

    fn poll_stopping(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx, |state| state.stopping.then_some(()))
    }

    /// Waits until a loop may close its sockets.
    fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx, |state| {
            (state.stopping && !state.rescuing).then_some(())
        })
    }

    /// Waits for the last loop to end, or for the second signal, which is an error.
    fn poll_over(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |state| match state {
            State { signals: 2.., .. } => Some(Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "ended by a second signal before all requests were answered",
            ))),
            State { alive: 0, .. } => Some(Ok(())),
            _ => None,
        })
    }

    fn poll<T>(&self, cx: &mut Context<'_>, look: impl FnOnce(&State) -> Option<T>) -> Poll<T> {
        let mut state = self.lock();
        if let Some(seen) = look(&state) {
            return Poll::Ready(seen);
        }
        state.waiters.retain(|waker| !waker.will_wake(cx.waker()));
        state.waiters.push(cx.waker().clone());
        Poll::Pending
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let changed = change(&mut state);
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);
        waiters.into_iter().for_each(Waker::wake);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked; if something did, the counts would still be right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody accepts for loops that are stuck.
#[derive(Debug)]
struct Rescuing(Arc<Ending>);

impl Rescuing {
    fn begin(ending: &Arc<Ending>) -> Self {
        ending.change(|state| state.rescuing = true);
        Self(Arc::clone(ending))
    }
}

impl Drop for Rescuing {
    fn drop(&mut self) {
        self.0.change(|state| state.rescuing = false);
    }
}

/// One loop; counts it as ended when dropped, also by a panic.
#[derive(Debug)]
struct Alive(Arc<Ending>);

impl Alive {
    fn new(ending: &Arc<Ending>) -> Self {
        ending.change(|state| state.alive += 1);
        Self(Arc::clone(ending))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.alive -= 1;
            state.stopping = true;
        });
    }
}
