//! Event streams.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{IoLoop, sleep, spawn_callback};
use squall_web::sse::{Event, EventSender, EventStream, LastEventId, SendError};
use squall_web::testing::{TestClient, TestStream};
use squall_web::{Application, IntoResponse};
use tracing::Level;

use crate::logs::Logs;
use crate::run;

async fn ask(stream: impl Fn() -> EventStream + 'static) -> TestStream {
    let handler = move || {
        let stream = stream();
        async { stream }
    };
    let client = TestClient::new(Application::new().get("/", handler));
    client.get("/").stream().await
}

async fn chunk(stream: &mut TestStream) -> String {
    let chunk = stream.chunk().await.expect("the stream goes on");
    let chunk = chunk.expect("no error");
    String::from_utf8(chunk.to_vec()).expect("UTF-8")
}

/// The stream of one sender, which the test holds.
async fn channel(buffer: usize) -> (EventSender, TestStream) {
    let slot = Rc::new(RefCell::new(None));
    let inner = Rc::clone(&slot);
    let stream = ask(move || {
        let (sender, stream) = EventStream::channel();
        inner.replace(Some(sender));
        stream.buffer(buffer)
    });
    let stream = stream.await;
    let sender = slot.borrow_mut().take().expect("asked once");
    (sender, stream)
}

/// What a page makes of a stream: WHATWG HTML section 9.2.6, without reconnecting.
fn interpret(stream: &str) -> Vec<(String, String, String)> {
    let mut events = Vec::new();
    let (mut kind, mut data, mut id) = (String::new(), String::new(), String::new());
    for line in stream.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
        if line.is_empty() {
            if let Some(data) = data.strip_suffix('\n') {
                let kind = if kind.is_empty() { "message" } else { &kind };
                events.push((kind.to_owned(), data.to_owned(), id.clone()));
            }
            kind.clear();
            data.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => kind = value.to_owned(),
            "data" => data = format!("{data}{value}\n"),
            "id" if !value.contains('\0') => id = value.to_owned(),
            _ => {}
        }
    }
    events
}

#[test]
fn the_head_of_a_stream() {
    run(async {
        let (_sender, stream) = channel(1024).await;
        assert_eq!(stream.status(), 200);
        assert_eq!(stream.header("content-type"), "text/event-stream");
        assert_eq!(stream.header("cache-control"), "no-store");
        assert_eq!(stream.header("x-accel-buffering"), "no");
        assert_eq!(stream.header("content-length"), "");
    });
}

#[test]
fn a_page_gets_what_was_sent() {
    run(async {
        let stream = ask(|| {
            EventStream::new(async |events| {
                for data in [
                    "", "a", " a ", "a\nb", "a\r\nb\r", "\n\n", "data: x", ":", "\u{feff}",
                ] {
                    events.send(data).await?;
                }
                let event = Event::new().comment("c").event("line").id("7");
                events
                    .send(event.retry(Duration::from_secs(1)).data("x"))
                    .await?;
                events.send(Event::new().id("8")).await?;
                events.send("last").await?;
                Ok(())
            })
        });
        let response = stream.await.collect().await;
        let events = interpret(response.text());
        let data: Vec<&str> = events.iter().map(|event| &*event.1).collect();
        let sent = [
            "", "a", " a ", "a\nb", "a\nb\n", "\n\n", "data: x", ":", "\u{feff}",
        ];
        assert_eq!(data[..9], sent);
        assert_eq!(events[9], ("line".into(), "x".into(), "7".into()));
        assert_eq!(events[10], ("message".into(), "last".into(), "8".into()));
        assert_eq!(events.len(), 11);
    });
}

#[test]
fn events_arrive_as_they_happen() {
    run(async {
        let mut stream = ask(|| {
            EventStream::new(async |events| {
                for tick in 0..3 {
                    events.send(tick.to_string()).await?;
                    sleep(Duration::from_secs(10)).await;
                }
                Ok(())
            })
        })
        .await;
        let start = IoLoop::current().time();
        for tick in 0..3 {
            assert_eq!(chunk(&mut stream).await, format!("data: {tick}\n\n"));
            let passed = IoLoop::current().time() - start;
            assert_eq!(passed.as_secs(), tick * 10);
        }
        assert!(stream.chunk().await.is_none());
    });
}

#[test]
fn a_sender_waits_for_a_slow_peer() {
    run(async {
        let (sender, mut stream) = channel(16).await;
        let sent = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&sent);
        spawn_callback(async move {
            for n in 0..4 {
                sender.send(n.to_string()).await.expect("the peer is there");
                log.borrow_mut().push(n);
            }
        });
        sleep(Duration::from_secs(1)).await;
        assert_eq!(*sent.borrow(), [0], "the second would cross the limit");
        for n in 0..4 {
            assert_eq!(chunk(&mut stream).await, format!("data: {n}\n\n"));
        }
        assert!(stream.chunk().await.is_none());
        assert_eq!(*sent.borrow(), [0, 1, 2, 3]);
    });
}

#[test]
fn a_sender_learns_that_the_peer_has_gone() {
    run(async {
        let (sender, stream) = channel(1024).await;
        sender.send("a").await.expect("the peer is there");
        let waits = sender.clone();
        spawn_callback(async move {
            sleep(Duration::from_secs(1)).await;
            drop(stream);
        });
        waits.closed().await;
        assert!(sender.is_closed());
        assert_eq!(sender.send("b").await, Err(SendError::Closed));
    });
}

#[test]
fn what_fills_a_stream_is_dropped_with_it() {
    run(async {
        let alive = Rc::new(());
        let inner = Rc::clone(&alive);
        let mut stream = ask(move || {
            let alive = Rc::clone(&inner);
            EventStream::new(async move |events| {
                let _alive = alive;
                loop {
                    events.send("x").await?;
                    sleep(Duration::from_secs(1)).await;
                }
            })
        })
        .await;
        chunk(&mut stream).await;
        assert_eq!(Rc::strong_count(&alive), 2);
        drop(stream);
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

#[test]
fn a_silent_stream_shows_that_it_lives() {
    run(async {
        let (sender, mut stream) = channel(1024).await;
        let start = IoLoop::current().time();
        let passed = move || (IoLoop::current().time() - start).as_secs();
        spawn_callback(async move {
            sleep(Duration::from_secs(20)).await;
            sender.send("x").await.expect("the peer is there");
            sleep(Duration::from_secs(16)).await;
        });
        for (second, text) in [(15, ":\n\n"), (20, "data: x\n\n"), (35, ":\n\n")] {
            assert_eq!(chunk(&mut stream).await, text);
            assert_eq!(passed(), second);
        }
        assert!(stream.chunk().await.is_none());
        assert_eq!(passed(), 36);
    });
}

#[test]
fn a_stream_may_stay_silent() {
    run(async {
        for silent in [None, Some(Duration::ZERO)] {
            let mut stream = ask(move || {
                let stream = EventStream::new(async |events| {
                    sleep(Duration::from_secs(3600)).await;
                    Ok(events.send("x").await?)
                });
                stream.keep_alive(silent)
            })
            .await;
            assert_eq!(chunk(&mut stream).await, "data: x\n\n");
        }
    });
}

#[test]
fn an_error_ends_the_stream_and_is_logged() {
    run(async {
        let logs = Logs::capture();
        let stream = ask(|| {
            EventStream::new(async |events| {
                events.send("x").await?;
                events.send(Event::new().event("a\nb")).await?;
                Ok(())
            })
        });
        let response = stream.await.collect().await;
        assert_eq!(response.text(), "data: x\n\n");
        let [line] = &logs.take(Level::ERROR)[..] else {
            panic!("one line");
        };
        assert!(
            line.ends_with("the name of an event holds a line end"),
            "{line}"
        );
    });
}

#[test]
fn where_a_page_stopped() {
    async fn seen(LastEventId(id): LastEventId) -> String {
        format!("{id:?}")
    }
    run(async {
        let client = TestClient::new(Application::new().get("/", seen));
        assert_eq!(client.get("/").await.text(), "None");
        for (value, text) in [
            (&b"7"[..], "Some(\"7\")"),
            (b"caf\xc3\xa9", "Some(\"caf\u{e9}\")"),
            (b"", "None"),
            (b"\xff", "None"),
        ] {
            let request = client.get("/").header("last-event-id", value);
            assert_eq!(request.await.text(), text);
        }
    });
}

#[test]
fn a_finite_stream_goes_on_when_the_server_stops() {
    run(async {
        for finite in [false, true] {
            let (sender, stream) = EventStream::channel();
            let stream = if finite { stream.finite() } else { stream };
            let mut body = stream.into_response().into_body();
            sender.send("before").await.expect("there is room");
            body.stop();
            assert_eq!(sender.send("after").await.is_ok(), finite);
            drop(sender);
            let text = body.collect(1000).await.expect("it ends");
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(text.starts_with("data: before\n\n"), "{text}");
            assert_eq!(text.contains("after"), finite, "{text}");
        }
    });
}
