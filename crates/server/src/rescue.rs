//! Accepting for loops that are stuck.
//!
//! The thread that called `run` serves nothing, so no handler can block it. It learns that clients have come to a socket,
//! and looks again a little later: if the socket's loop has accepted nobody meanwhile, and somebody still waits, the thread
//! accepts in its place and gives the newcomers to loops that are well. While it waits it does not watch the socket, so a
//! storm of clients costs it a look every [`PAUSE`], and an idle server nothing.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use squall_ioloop::sleep;
use squall_net::Listener;

use crate::balance::Balance;
use crate::door::{Door, Newcomer};
use crate::intake::hand;

/// Time that a loop has for clients that have come. A loop that is well takes a fraction of it.
const PAUSE: Duration = Duration::from_millis(5);

/// Time to the next look when nobody has room.
const LONG_PAUSE: Duration = Duration::from_millis(100);

/// Accepts from `doors`, each with the number of the loop that it belongs to, whenever their loops do not, until `until`
/// is ready. What it watches is closed then.
pub(crate) async fn rescue(
    doors: Vec<(usize, Door)>,
    balance: Arc<Balance>,
    mut until: impl FnMut(&mut Context<'_>) -> Poll<()>,
) {
    let mut all: Vec<Pin<Box<dyn Future<Output = ()>>>> = doors
        .into_iter()
        .map(|(owner, door)| Box::pin(look_after(owner, door, Arc::clone(&balance))) as _)
        .collect();
    poll_fn(|cx| {
        all.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        until(cx)
    })
    .await;
}

/// Ends only when the system does not let it watch the socket.
async fn look_after(owner: usize, door: Door, balance: Arc<Balance>) {
    loop {
        let before = balance.accepted(owner);
        let listener = match door.socket.try_clone().and_then(Listener::adopt) {
            Ok(listener) => listener,
            Err(err) => {
                tracing::debug!("cannot look after a socket for a while: {err}");
                sleep(LONG_PAUSE).await;
                continue;
            }
        };
        if poll_fn(|cx| listener.poll_waiting(cx)).await.is_err() {
            return;
        }
        drop(listener);
        sleep(PAUSE).await;
        if balance.accepted(owner) == before {
            let rest = accept_all(owner, &door, &balance).unwrap_or(LONG_PAUSE);
            sleep(rest).await;
        }
    }
}

/// Gives whoever waits to loops that have room; the value is how long to leave the others alone.
fn accept_all(owner: usize, door: &Door, balance: &Arc<Balance>) -> io::Result<Duration> {
    let mut rescued = 0_u32;
    loop {
        let Some(to) = balance.choose(None) else {
            return Ok(LONG_PAUSE);
        };
        let accepted = match door.socket.try_accept() {
            Ok(accepted) => accepted,
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
            Err(err) => return Err(err),
        };
        let preface = door.preface.clone();
        // A loop that is about to end has its server end with it.
        drop(hand(balance, None, to, Newcomer { accepted, preface }));
        rescued += 1;
    }
    if rescued > 0 {
        tracing::debug!(
            "loop {owner} is stuck: others got {rescued} connections that waited for it"
        );
    }
    Ok(Duration::ZERO)
}
