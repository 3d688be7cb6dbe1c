//! Connecting.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use squall_ioloop::{Sleep, sleep};

use super::IoStream;
use crate::resolve::resolve;

impl IoStream {
    /// Connects to a host name or IP address (`::1` and `[::1]` alike), with `TCP_NODELAY` on.
    ///
    /// The addresses of a name are tried in the order in which the system lists them, but IPv6 and IPv4 in turn. One that has
    /// not answered after a quarter of a second gets company by the next, and the first that answers is taken (RFC 8305), so
    /// a network that swallows one family costs no more than that. There is no time limit here but the system's; wrap the
    /// call where one is needed.
    ///
    /// # Errors
    ///
    /// When the name does not resolve, or else the error of the last address that failed, with that address in its message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons all attempts; nothing stays open.
    pub async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let addrs = resolve(host, port).await?;
        match addrs[..] {
            [addr] => Self::connect_addr(addr).await,
            _ => race(in_turn(addrs), Self::connect_addr).await,
        }
    }

    /// Connects to one address, with `TCP_NODELAY` on.
    ///
    /// # Errors
    ///
    /// What the system says, with the address in the message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_addr(addr: SocketAddr) -> io::Result<Self> {
        let connected = tokio::net::TcpStream::connect(addr).await;
        connected
            .and_then(Self::from_tcp)
            .map_err(|err| io::Error::new(err.kind(), format!("{addr}: {err}")))
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    ///
    /// What the system says, with the path in the message.
    ///
    /// # Panics
    ///
    /// Off a loop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; nothing stays open.
    pub async fn connect_unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let connected = tokio::net::UnixStream::connect(path).await;
        connected
            .and_then(Self::from_unix)
            .map_err(|err| io::Error::new(err.kind(), format!("unix:{}: {err}", path.display())))
    }
}

/// How long an attempt is alone before the next begins (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Puts the addresses of both families in turn, beginning with that of the first (RFC 8305 section 4).
fn in_turn(addrs: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addrs.first().map(SocketAddr::is_ipv6);
    let (ours, others): (Vec<_>, Vec<_>) = addrs
        .into_iter()
        .partition(|addr| Some(addr.is_ipv6()) == first);
    let (mut ours, mut others) = (ours.into_iter(), others.into_iter());
    let mut all = Vec::new();
    while ours.len() + others.len() > 0 {
        all.extend(ours.next());
        all.extend(others.next());
    }
    all
}

/// Connects to the addresses, each a while after the one before or as soon as one fails, and takes the first that answers.
async fn race<F, T>(addrs: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut addrs = addrs.into_iter();
    let mut attempts = Vec::new();
    let mut alone: Option<Sleep> = None;
    let mut failure = None;
    poll_fn(|cx| {
        loop {
            let (before, mut connected) = (attempts.len(), None);
            attempts.retain_mut(
                |attempt: &mut Pin<Box<F>>| match attempt.as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => {
                        connected.get_or_insert(stream);
                        false
                    }
                    Poll::Ready(Err(err)) => {
                        failure = Some(err);
                        false
                    }
                    Poll::Pending => true,
                },
            );
            if let Some(stream) = connected {
                return Poll::Ready(Ok(stream));
            }
            if attempts.len() == before
                && let Some(alone) = &mut alone
            {
                ready!(Pin::new(alone).poll(cx));
            }
            alone = None;
            match addrs.next() {
                Some(addr) => {
                    attempts.push(Box::pin(connect(addr)));
                    alone = Some(sleep(ATTEMPT_DELAY));
                }
                None if attempts.is_empty() => {
                    let nowhere = || io::ErrorKind::AddrNotAvailable.into();
                    return Poll::Ready(Err(failure.take().unwrap_or_else(nowhere)));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use squall_ioloop::{IoLoop, with_timeout};

    use super::*;

    fn addrs(texts: &[&str]) -> Vec<SocketAddr> {
        let addrs = texts.iter().map(|text| text.parse().expect("an address"));
        addrs.collect()
    }

    #[test]
    fn the_families_take_turns_and_keep_their_order() {
        for (listed, tried) in [
            (
                &["[::1]:1", "[::1]:2", "1.1.1.1:3"][..],
                &["[::1]:1", "1.1.1.1:3", "[::1]:2"][..],
            ),
            (
                &["1.1.1.1:1", "1.1.1.1:2", "[::1]:3"],
                &["1.1.1.1:1", "[::1]:3", "1.1.1.1:2"],
            ),
            (&["1.1.1.1:1", "1.1.1.1:2"], &["1.1.1.1:1", "1.1.1.1:2"]),
            (&[], &[]),
        ] {
            assert_eq!(in_turn(addrs(listed)), addrs(tried));
        }
    }

    /// What becomes of an attempt after so many milliseconds.
    #[derive(Clone, Copy)]
    enum Fate {
        Fails(u64),
        Hangs,
        Opens(u64),
    }
    use Fate::{Fails, Hangs, Opens};

    /// Races attempts with these fates; the ports are their numbers. Gives the winner or the error, when that was known, and
    /// when each began, in milliseconds.
    fn race_of(fates: &[Fate]) -> (Option<Result<u16, String>>, u128, Vec<u128>) {
        let io_loop = IoLoop::with_paused_clock().expect("a loop");
        let addr = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let all = (0..fates.len()).map(|number| addr(number as u16)).collect();
        let begun = RefCell::new(Vec::new());
        let outcome = IoLoop::run_sync(async {
            let begin = IoLoop::current().time();
            let passed = || (IoLoop::current().time() - begin).as_millis();
            let attempt = |addr: SocketAddr| {
                begun.borrow_mut().push(passed());
                let fate = fates[usize::from(addr.port())];
                async move {
                    match fate {
                        Fails(after) => {
                            sleep(Duration::from_millis(after)).await;
                            Err(io::Error::other(format!("{} failed", addr.port())))
                        }
                        Hangs => std::future::pending().await,
                        Opens(after) => {
                            sleep(Duration::from_millis(after)).await;
                            Ok(addr.port())
                        }
                    }
                }
            };
            let limit = Duration::from_secs(60);
            let raced = with_timeout(limit, race(all, attempt)).await.ok();
            let raced = raced.map(|won| won.map_err(|err| err.to_string()));
            Ok::<_, io::Error>((raced, passed()))
        });
        io_loop.close();
        let (raced, passed) = outcome.expect("nothing fails");
        (raced, passed, begun.into_inner())
    }

    #[test]
    fn an_address_that_does_not_answer_gets_company() {
        let (won, after, begun) = race_of(&[Hangs, Opens(30), Hangs]);
        assert_eq!((won, after), (Some(Ok(1)), 280));
        assert_eq!(begun, [0, 250], "nobody asks the third");
    }

    #[test]
    fn the_first_to_answer_wins_whoever_was_first_to_be_asked() {
        let (won, after, begun) = race_of(&[Opens(400), Opens(300), Opens(100)]);
        assert_eq!((won, after), (Some(Ok(0)), 400));
        assert_eq!(begun, [0, 250]);
        let (won, after, _) = race_of(&[Opens(900), Opens(800), Opens(100)]);
        assert_eq!((won, after), (Some(Ok(2)), 600));
    }

    #[test]
    fn a_failure_is_followed_by_the_next_at_once() {
        let (won, after, begun) = race_of(&[Fails(0), Fails(10), Opens(5)]);
        assert_eq!((won, after), (Some(Ok(2)), 15));
        assert_eq!(begun, [0, 0, 10]);
    }

    #[test]
    fn when_all_fail_the_last_failure_is_told() {
        let (won, after, _) = race_of(&[Fails(300), Fails(10), Fails(0)]);
        assert_eq!((won, after), (Some(Err("0 failed".to_owned())), 300));
        let (won, ..) = race_of(&[]);
        assert!(won.is_some_and(|won| won.is_err()));
    }

    #[test]
    fn one_that_hangs_is_waited_for_like_before() {
        let (won, ..) = race_of(&[Fails(0), Hangs]);
        assert_eq!(won, None);
    }
}
