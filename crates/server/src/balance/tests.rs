use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicUsize;
use std::task::Wake;
use std::thread;

use squall_ioloop::IoLoop;
use squall_net::Listener;

use super::*;
use crate::door::Preface;

fn newcomer() -> Newcomer {
    let accepted = IoLoop::run_sync(async {
        let socket = TcpListener::bind("127.0.0.1:0")?;
        let _client = TcpStream::connect(socket.local_addr()?)?;
        Listener::adopt(socket)?.accept().await
    });
    Newcomer {
        accepted: accepted.expect("a connection"),
        preface: Preface::default(),
    }
}

fn own(balance: &Arc<Balance>, number: usize) -> Own {
    let balance = Arc::clone(balance);
    Own { balance, number }
}

fn with_open<const N: usize>(open: [u64; N]) -> Arc<Balance> {
    let balance = Balance::new(N, 10_000);
    for (number, open) in open.into_iter().enumerate() {
        own(&balance, number).publish(open);
    }
    balance
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn looks(own: &Own) -> Poll<VecDeque<Newcomer>> {
    own.poll_take(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_loop_keeps_its_newcomers_unless_it_is_ahead() {
    for (open, chosen) in [
        ([0, 0, 0], 0),
        ([2, 0, 0], 0),
        ([3, 0, 1], 1),
        ([3, 1, 0], 2),
        ([0, 5, 5], 0),
        ([67, 64, 70], 0),
        ([68, 64, 70], 1),
        ([6_500, 6_400, 6_400], 0),
        ([6_503, 6_400, 6_401], 1),
    ] {
        assert_eq!(with_open(open).choose(Some(0)), Some(chosen), "{open:?}");
    }
}

#[test]
fn who_has_no_loop_of_its_own_gives_to_the_least_loaded() {
    assert_eq!(with_open([3, 1, 2]).choose(None), Some(1));
}

#[test]
fn the_full_are_passed_over_and_when_all_are_nobody_is_chosen() {
    let balance = Balance::new(2, 3);
    let (first, second) = (own(&balance, 0), own(&balance, 1));
    first.publish(3);
    assert_eq!(balance.choose(Some(0)), Some(1));
    assert_eq!(balance.choose(None), Some(1));
    second.publish(2);
    assert!(matches!(balance.give(1, newcomer()), Given::Unwatched));
    assert_eq!(balance.choose(Some(0)), None, "the mailbox counts");
    assert_eq!(balance.choose(None), None);
    first.publish(2);
    assert_eq!(balance.choose(Some(1)), Some(0));
}

#[test]
fn what_is_given_wakes_the_loop_and_is_taken_once() {
    let balance = with_open([9, 0]);
    let second = own(&balance, 1);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(
        second
            .poll_take(&mut Context::from_waker(&waker))
            .is_pending()
    );
    assert!(matches!(balance.give(1, newcomer()), Given::Unwatched));
    assert!(matches!(balance.give(1, newcomer()), Given::Left));
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    let Poll::Ready(taken) = looks(&second) else {
        panic!("two are there");
    };
    assert_eq!(taken.len(), 2);
    assert!(looks(&second).is_pending());
}

#[test]
fn a_loop_that_does_not_look_gets_no_more_until_it_does() {
    let balance = with_open([9, 0]);
    let second = own(&balance, 1);
    assert!(matches!(balance.give(1, newcomer()), Given::Unwatched));
    assert!(balance.overdue(1).is_pending(), "it has time yet");
    thread::sleep(PATIENCE);
    let Poll::Ready(back) = balance.overdue(1) else {
        panic!("it is overdue");
    };
    assert_eq!(back.len(), 1);
    assert_eq!(balance.choose(Some(0)), Some(0));
    assert_eq!(balance.choose(None), Some(0));
    assert!(looks(&second).is_pending(), "it was too late");
    assert_eq!(balance.choose(Some(0)), Some(1));
}

#[test]
fn a_loop_that_has_looked_in_time_is_not_stuck() {
    let balance = with_open([9, 0]);
    assert!(matches!(balance.give(1, newcomer()), Given::Unwatched));
    assert!(looks(&own(&balance, 1)).is_ready());
    thread::sleep(PATIENCE);
    assert!(matches!(balance.overdue(1), Poll::Ready(back) if back.is_empty()));
    assert_eq!(balance.choose(Some(0)), Some(1));
    assert!(matches!(balance.give(1, newcomer()), Given::Unwatched));
}

#[test]
fn a_closed_mailbox_gives_the_newcomer_back() {
    let balance = with_open([9, 0]);
    assert!(matches!(balance.give(1, newcomer()), Given::Unwatched));
    assert_eq!(own(&balance, 1).close().len(), 1);
    assert!(matches!(balance.give(1, newcomer()), Given::Refused(_)));
}
