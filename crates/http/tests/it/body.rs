//! Bodies and their channel, polled by hand: no runtime anywhere.

use std::error::Error;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use squall_http::h1::ParseError;
use squall_http::{Body, BodyError, BodySender, BodyStream, Closed, TrySendError};

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn times(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that does not have to wait.
fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

fn is_pending<F: Future>(future: F) -> bool {
    poll(pin!(future)).is_pending()
}

fn next(body: &mut Body) -> Option<Result<Bytes, BodyError>> {
    ready(body.chunk())
}

fn next_bytes(body: &mut Body) -> Bytes {
    next(body).expect("a piece").expect("no error")
}

#[test]
fn full_bodies_are_one_piece() {
    let rows: [(Body, &str); 7] = [
        (Body::empty(), ""),
        (Body::default(), ""),
        (().into(), ""),
        ("text".into(), "text"),
        (String::from("string").into(), "string"),
        (vec![b'v'].into(), "v"),
        (Bytes::from_static(b"bytes").into(), "bytes"),
    ];
    for (mut body, expected) in rows {
        assert_eq!(body.length(), Some(expected.len() as u64));
        assert_eq!(body.is_empty(), expected.is_empty());
        if !expected.is_empty() {
            assert_eq!(next_bytes(&mut body), expected);
        }
        assert!(next(&mut body).is_none());
        assert!(next(&mut body).is_none(), "the end stays");
        assert!(body.take_trailers().is_none());
    }
    assert_eq!(
        ready(Body::from(&b"slice"[..]).collect(5)).expect("fits"),
        "slice"
    );
}

#[test]
fn collecting_keeps_to_its_limit() {
    let rows: [(&[&str], usize, Option<&str>); 9] = [
        (&[], 0, Some("")),
        (&["", ""], 0, Some("")),
        (&["abc"], 3, Some("abc")),
        (&["abc"], 2, None),
        (&["a", "", "bc"], 3, Some("abc")),
        (&["a", "bc"], 2, None),
        (&["a", "b", "c"], 3, Some("abc")),
        (&["a", "b", "c"], 2, None),
        (&["", "a", ""], usize::MAX, Some("a")),
    ];
    for (pieces, limit, expected) in rows {
        let body = Body::from_chunks(pieces.to_vec());
        match (ready(body.collect(limit)), expected) {
            (Ok(all), Some(expected)) => assert_eq!(all, expected),
            (Err(BodyError::TooLarge { limit: told }), None) => assert_eq!(told, limit),
            (got, _) => panic!("{pieces:?} {limit}: {got:?}"),
        }
        let whole = pieces.concat();
        assert_eq!(
            ready(Body::from(whole).collect(limit)).is_ok(),
            expected.is_some()
        );
    }
}

#[test]
fn one_piece_is_not_copied() {
    let piece = Bytes::from(vec![b'x'; 100]);
    let body = Body::from_chunks([piece.clone()]);
    let all = ready(body.collect(100)).expect("fits");
    assert_eq!(all.as_ptr(), piece.as_ptr());
}

#[test]
fn an_announced_length_is_refused_before_anything_is_read() {
    let (_sender, body) = Body::channel(10, Some(11));
    assert!(matches!(
        ready(body.collect(10)),
        Err(BodyError::TooLarge { limit: 10 })
    ));
}

#[test]
fn pieces_go_through_in_order() {
    let (mut sender, mut body) = Body::channel(100, None);
    ready(sender.send("a")).expect("room");
    ready(sender.send(Bytes::new())).expect("nothing to do");
    ready(sender.send(String::from("b"))).expect("room");
    assert_eq!(sender.capacity(), 98);
    assert_eq!(next_bytes(&mut body), "a");
    assert_eq!(next_bytes(&mut body), "b");
    assert_eq!(sender.capacity(), 100);
    assert!(is_pending(body.chunk()));
    sender.finish();
    assert!(next(&mut body).is_none());
    assert!(next(&mut body).is_none(), "the end stays");
}

#[test]
fn the_length_counts_down() {
    let (mut sender, mut body) = Body::channel(100, Some(5));
    assert_eq!(body.length(), Some(5));
    ready(sender.send("abc")).expect("room");
    assert_eq!(body.length(), Some(5));
    next_bytes(&mut body);
    assert_eq!(body.length(), Some(2));
    ready(sender.send("more than announced")).expect("not enforced here");
    next_bytes(&mut body);
    assert_eq!(body.length(), Some(0));
}

#[test]
fn a_full_queue_makes_the_sender_wait() {
    let (mut sender, mut body) = Body::channel(4, None);
    sender.try_send("abc".into()).expect("room");
    assert_eq!(
        sender.try_send("de".into()),
        Err(TrySendError::Full("de".into()))
    );
    sender.try_send("d".into()).expect("room for one");
    assert!(is_pending(sender.ready()));
    assert!(is_pending(sender.send("e")));

    let (woken, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    let mut send = Box::pin(sender.send("ef"));
    assert!(send.as_mut().poll(&mut cx).is_pending());
    assert_eq!(next_bytes(&mut body), "abc");
    assert_eq!(woken.times(), 1);
    assert_eq!(send.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    drop(send);
    assert_eq!(next_bytes(&mut body), "d");
    assert_eq!(next_bytes(&mut body), "ef");
    ready(sender.ready()).expect("room");
}

#[test]
fn a_piece_over_the_limit_passes_alone() {
    let (mut sender, mut body) = Body::channel(2, None);
    sender.try_send("large".into()).expect("the queue is empty");
    assert_eq!(sender.capacity(), 0);
    assert!(is_pending(sender.send("large")));
    assert_eq!(next_bytes(&mut body), "large");
    let (mut sender, _body) = Body::channel(0, None);
    sender
        .try_send("x".into())
        .expect("a limit of nothing is one piece");
    assert_eq!(
        sender.try_send("x".into()),
        Err(TrySendError::Full("x".into()))
    );
}

#[test]
fn a_waiting_reader_is_woken_by_data_and_by_the_end() {
    let endings: [fn(BodySender); 4] = [
        BodySender::finish,
        |sender| sender.finish_with(HeaderMap::new()),
        |sender| sender.fail(BodyError::TimedOut),
        drop,
    ];
    for ending in endings {
        let (woken, waker) = Count::new();
        let mut cx = Context::from_waker(&waker);
        let (mut sender, mut body) = Body::channel(10, None);
        assert!(body.poll_next(&mut cx).is_pending());
        sender.try_send("x".into()).expect("room");
        assert_eq!(woken.times(), 1);
        sender.try_send("y".into()).expect("room");
        assert_eq!(woken.times(), 1, "once is enough");
        assert!(body.poll_next(&mut cx).is_ready());
        assert!(body.poll_next(&mut cx).is_ready());
        assert!(body.poll_next(&mut cx).is_pending());
        ending(sender);
        assert_eq!(woken.times(), 2);
        assert!(body.poll_next(&mut cx).is_ready());
    }
}

#[test]
fn a_dropped_sender_is_an_error_after_what_was_sent() {
    let (mut sender, mut body) = Body::channel(10, Some(5));
    sender.try_send("ab".into()).expect("room");
    drop(sender);
    assert_eq!(next_bytes(&mut body), "ab");
    assert!(matches!(next(&mut body), Some(Err(BodyError::Aborted))));

    let (sender, body) = Body::channel(10, None);
    drop(sender);
    assert!(matches!(ready(body.collect(10)), Err(BodyError::Aborted)));
}

#[test]
fn a_sender_can_say_what_went_wrong() {
    let (mut sender, mut body) = Body::channel(10, None);
    sender.try_send("ab".into()).expect("room");
    sender.fail(ParseError::ChunkSize.into());
    assert_eq!(next_bytes(&mut body), "ab");
    let error = next(&mut body).expect("an end").expect_err("an error");
    assert!(matches!(error, BodyError::Malformed(ParseError::ChunkSize)));
}

#[test]
fn a_dropped_body_closes_its_sender() {
    let (mut sender, body) = Body::channel(1, None);
    sender.try_send("x".into()).expect("room");
    assert!(!sender.is_closed());
    let (woken, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(sender.poll_closed(&mut cx).is_pending());
    drop(body);
    assert_eq!(woken.times(), 1);
    assert!(sender.poll_closed(&mut cx).is_ready());
    assert!(sender.is_closed());
    assert_eq!(ready(sender.send("y")), Err(Closed));
    assert_eq!(ready(sender.ready()), Err(Closed));
    assert_eq!(ready(sender.wanted()), Err(Closed));
    ready(sender.closed());
    assert_eq!(
        sender.try_send("y".into()),
        Err(TrySendError::Closed("y".into()))
    );
}

#[test]
fn a_send_that_waits_fails_when_the_body_is_dropped() {
    let (mut sender, body) = Body::channel(1, None);
    sender.try_send("x".into()).expect("room");
    let mut send = Box::pin(sender.send("y"));
    assert!(poll(send.as_mut()).is_pending());
    drop(body);
    assert_eq!(poll(send.as_mut()), Poll::Ready(Err(Closed)));
}

#[test]
fn the_first_wish_of_the_reader_is_visible() {
    let (mut sender, mut body) = Body::channel(10, None);
    let (woken, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(sender.poll_wanted(&mut cx).is_pending());
    assert!(is_pending(body.chunk()));
    assert_eq!(woken.times(), 1);
    assert_eq!(sender.poll_wanted(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(ready(sender.wanted()), Ok(()));
}

#[test]
fn trailers_come_after_the_end() {
    let (mut sender, mut body) = Body::channel(10, None);
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("7"));
    sender.try_send("x".into()).expect("room");
    sender.finish_with(trailers.clone());
    assert!(body.take_trailers().is_none(), "not before the data");
    assert_eq!(next_bytes(&mut body), "x");
    assert!(next(&mut body).is_none());
    assert_eq!(body.take_trailers(), Some(trailers));
    assert!(body.take_trailers().is_none());
}

#[test]
fn a_body_inside_a_body_is_the_same_body() {
    let (mut sender, body) = Body::channel(10, Some(1));
    let mut outer = Body::stream(body);
    assert_eq!(outer.length(), Some(1));
    sender.try_send("x".into()).expect("room");
    sender.finish_with(HeaderMap::from_iter([(
        "a".parse().expect("a name"),
        HeaderValue::from_static("b"),
    )]));
    assert_eq!(next_bytes(&mut outer), "x");
    assert!(next(&mut outer).is_none());
    assert_eq!(
        outer.take_trailers().map(|trailers| trailers.len()),
        Some(1)
    );
}

/// A stream of the application: an empty piece, then an error.
struct Broken(bool);

impl BodyStream for Broken {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if std::mem::replace(&mut self.0, false) {
            return Poll::Ready(Some(Ok(Bytes::new())));
        }
        Poll::Ready(Some(Err(BodyError::other("disk full"))))
    }
}

#[test]
fn errors_of_the_application_keep_their_cause() {
    let error = ready(Body::stream(Broken(true)).collect(10)).expect_err("broken");
    assert_eq!(error.to_string(), "body stream failed");
    assert_eq!(
        error.source().map(ToString::to_string).as_deref(),
        Some("disk full")
    );
    assert_eq!(Body::stream(Broken(true)).length(), None);
}

#[test]
fn each_error_knows_its_status() {
    let rows = [
        (BodyError::Aborted, StatusCode::BAD_REQUEST),
        (BodyError::Disconnected, StatusCode::BAD_REQUEST),
        (BodyError::TimedOut, StatusCode::REQUEST_TIMEOUT),
        (
            BodyError::TooLarge { limit: 1 },
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (BodyError::other("x"), StatusCode::INTERNAL_SERVER_ERROR),
        (
            ParseError::BodyTooLarge.into(),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (ParseError::ChunkSize.into(), StatusCode::BAD_REQUEST),
        (ParseError::Truncated.into(), StatusCode::BAD_REQUEST),
    ];
    for (error, status) in rows {
        assert_eq!(error.status(), status, "{error}");
        assert!(!error.to_string().is_empty());
    }
    assert!(matches!(
        BodyError::from(ParseError::Truncated),
        BodyError::Disconnected
    ));
}

#[test]
fn debug_tells_sizes_and_no_more_than_is_there() {
    let (mut sender, body) = Body::channel(10, Some(3));
    sender.try_send("x".into()).expect("room");
    assert_eq!(format!("{body:?}"), "Stream { length: Some(3), .. }");
    assert_eq!(
        format!("{sender:?}"),
        "BodySender { queued: 1, limit: 10, closed: false, .. }"
    );
    assert_eq!(format!("{:?}", Body::from("x")), "Full(b\"x\")");
}
