//! A small site to fetch from, on a thread and a loop of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use squall::ioloop::LoopHandle;
use squall::server::Serving;
use squall::{Application, HttpServer, IoLoop, Path, sleep};

/// What a page at `/page/{name}` takes.
const PAGE: Duration = Duration::from_millis(100);
/// The longest that `/slow/{ms}` waits, in milliseconds.
const SLOWEST: u64 = 60_000;
/// What answers in flight get when the site is stopped.
const GRACE: Duration = Duration::from_millis(100);

/// A site on 127.0.0.1 and a free port, on a thread with a loop of its own. Dropping it stops it.
///
/// | path | answer |
/// |---|---|
/// | `/` | a greeting |
/// | `/page/{name}` | a page about `name`, after 100 ms |
/// | `/slow/{ms}` | a line, after so many milliseconds, 60,000 at most |
#[derive(Debug)]
pub struct LocalSite {
    addr: SocketAddr,
    io_loop: LoopHandle,
    /// Taken when the site is dropped.
    thread: Option<JoinHandle<()>>,
}

impl LocalSite {
    /// Starts the site; it listens when this returns.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread, a loop or a port.
    pub fn start() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("local-site".to_owned())
            .spawn(move || run(&sender))?;
        let (addr, io_loop) = receiver
            .recv()
            .map_err(|_| io::Error::other("the thread of the local site died"))??;
        Ok(Self {
            addr,
            io_loop,
            thread: Some(thread),
        })
    }

    /// The address of a page; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

impl Drop for LocalSite {
    fn drop(&mut self) {
        self.io_loop.stop();
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; there is nobody here to tell.
            let _ = thread.join();
        }
    }
}

/// The life of the thread: tells where the site listens, serves until the loop is stopped, stops the server.
fn run(started: &mpsc::Sender<io::Result<(SocketAddr, LoopHandle)>>) {
    let (io_loop, serving) = match serve() {
        Ok(site) => site,
        Err(err) => {
            // Who waits for it cannot have gone away.
            let _ = started.send(Err(err));
            return;
        }
    };
    if started
        .send(Ok((serving.local_addr(), io_loop.handle())))
        .is_err()
    {
        return;
    }
    io_loop.start();
    let stopped = IoLoop::run_sync(async {
        serving.stop(GRACE).await;
        Ok::<(), io::Error>(())
    });
    if let Err(err) = stopped {
        tracing::warn!("the local site did not stop: {err}");
    }
}

fn serve() -> io::Result<(IoLoop, Serving)> {
    let io_loop = IoLoop::new()?;
    let server = HttpServer::new(application).listen("127.0.0.1:0")?;
    let serving = io_loop.enter(|| server.serve())?;
    Ok((io_loop, serving))
}

fn application() -> Application {
    Application::new()
        .get("/", home)
        .get("/page/{name}", page)
        .get("/slow/{ms}", slow)
}

async fn home() -> &'static str {
    "Hello from the local site\n"
}

async fn page(Path(name): Path<String>) -> String {
    sleep(PAGE).await;
    format!("A page about {name}\n")
}

async fn slow(Path(ms): Path<u64>) -> String {
    let ms = ms.min(SLOWEST);
    sleep(Duration::from_millis(ms)).await;
    format!("This took {ms} ms\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_are_sound() {
        application().check().unwrap();
    }
}
