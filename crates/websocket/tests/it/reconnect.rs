//! Connections that come back, on a clock that stands still.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{IoLoop, moment, sleep, spawn, spawn_callback};
use squall_net::{IoStream, duplex};
use squall_websocket::{
    Backoff, CloseCode, DisconnectCause, ReconnectEvent, ReconnectingWebSocket, WebSocketOptions,
    websocket_connect,
};
use tokio::io::AsyncWriteExt;

use crate::client::{peer, talk};
use crate::{Outcome, on_paused_loop};

/// What the server does with one attempt to connect.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Answers this in place of a WebSocket.
    Answer(&'static str),
    /// Sends every message back, for so many seconds, then closes with this code.
    Close(u64, u16),
    /// Is not there.
    Gone,
    /// Opens, and cuts the connection after so many seconds.
    Lose(u64),
    /// Never answers.
    Sulk,
}

/// What the tests know of the server.
#[derive(Default)]
struct Server {
    script: RefCell<VecDeque<Act>>,
    attempts: Cell<u32>,
}

impl Server {
    /// Makes a client of a server that plays this script; the last act is for all attempts that follow.
    fn start(script: &[Act]) -> (Rc<Self>, ReconnectingWebSocket) {
        let server = Rc::new(Self::default());
        server.script.borrow_mut().extend(script);
        let connecting = Rc::clone(&server);
        let ws = ReconnectingWebSocket::with(move || {
            let (near, far) = duplex(64 * 1024);
            spawn_callback(play(far, connecting.next()));
            websocket_connect("ws://server/").connect_over(near)
        });
        (server, ws)
    }

    fn next(&self) -> Act {
        self.attempts.set(self.attempts.get() + 1);
        let mut script = self.script.borrow_mut();
        match script.len() {
            1 => script[0],
            _ => script.pop_front().expect("a script has an act"),
        }
    }
}

async fn play(mut stream: IoStream, act: Act) -> std::io::Result<()> {
    match act {
        Act::Gone => {}
        Act::Sulk => std::future::pending().await,
        Act::Answer(text) => {
            peer::head(&mut stream).await?;
            stream.write_all(text.as_bytes()).await?;
        }
        Act::Lose(seconds) => {
            peer::accept(&mut stream).await?;
            sleep(Duration::from_secs(seconds)).await;
        }
        Act::Close(seconds, code) => {
            let ws = talk::accept(stream, WebSocketOptions::default()).await?;
            let closing = (*ws).clone();
            let code = CloseCode::new(code).expect("a code");
            IoLoop::current().call_later(Duration::from_secs(seconds), move || {
                closing.close(code, "that is all");
            });
            // How it ends is for the client to see.
            let _ = talk::echo(ws).await;
        }
    }
    Ok(())
}

/// An event in a word, and how long it waits then.
fn word(event: Option<ReconnectEvent>) -> (String, Option<Duration>) {
    match event {
        None => ("end".into(), None),
        Some(ReconnectEvent::Connected { attempts }) => (format!("connected {attempts}"), None),
        Some(ReconnectEvent::Message(message)) => (format!("{message:?}"), None),
        Some(ReconnectEvent::Disconnected { cause, retry_in }) => {
            let again = if retry_in.is_some() { "" } else { ", over" };
            (format!("{cause}{again}"), retry_in)
        }
        Some(other) => (format!("{other:?}"), None),
    }
}

/// Asks for so many events.
async fn words(ws: &mut ReconnectingWebSocket, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(word(ws.next().await).0);
    }
    words
}

fn seconds_since(begun: std::time::Instant) -> f64 {
    (IoLoop::current().time() - begun).as_secs_f64()
}

#[test]
fn a_connection_that_is_lost_comes_back_and_takes_messages_again() {
    on_paused_loop(async {
        let (server, mut ws) = Server::start(&[Act::Lose(1), Act::Gone, Act::Close(5, 1001)]);
        let handle = ws.handle();
        assert!(handle.send("nobody is there").is_err() && !handle.is_connected());
        assert_eq!(words(&mut ws, 1).await, ["connected 1"]);
        assert!(handle.is_connected() && ws.socket().is_some());
        assert_eq!(
            words(&mut ws, 1).await,
            ["the WebSocket ended with code 1006"]
        );
        assert!(handle.send("lost").is_err() && !handle.is_connected() && ws.socket().is_none());
        assert_eq!(
            words(&mut ws, 2).await,
            ["ws://server/: closed without an answer", "connected 2"]
        );
        handle.send("hello")?;
        assert_eq!(
            words(&mut ws, 3).await,
            [
                "Text(\"hello\")",
                "closed with code 1001 (that is all)",
                "connected 1",
            ]
        );
        assert_eq!(server.attempts.get(), 4);
        Ok(())
    });
}

#[test]
fn it_waits_as_long_as_it_says_and_longer_with_each_failure() {
    on_paused_loop(async {
        let mut longest = [0.0_f64; 7];
        for _ in 0..20 {
            let (_server, mut ws) = Server::start(&[Act::Gone]);
            let mut due = IoLoop::current().time();
            for longest in &mut longest {
                let (_, wait) = word(ws.next().await);
                // A failure takes no time itself.
                assert_eq!(IoLoop::current().time(), due);
                let wait = wait.ok_or("it gave up")?;
                due += wait;
                *longest = longest.max(wait.as_secs_f64());
            }
        }
        for (longest, bound) in longest.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
            // That all twenty are in the lower third has a chance of one to three thousand millions.
            assert!(
                *longest <= bound && *longest > bound / 3.0,
                "{longest} of {bound}"
            );
        }
        Ok(())
    });
}

#[test]
fn a_connection_that_lasted_makes_the_next_wait_a_first_one() {
    on_paused_loop(async {
        for (lasts, first) in [(31, true), (1, false)] {
            let script = [
                Act::Gone,
                Act::Gone,
                Act::Gone,
                Act::Gone,
                Act::Gone,
                Act::Lose(lasts),
            ];
            let mut longest = 0.0_f64;
            for _ in 0..20 {
                let (_server, mut ws) = Server::start(&script);
                words(&mut ws, 6).await;
                let (text, wait) = word(ws.next().await);
                assert_eq!(text, "the WebSocket ended with code 1006");
                longest = longest.max(wait.ok_or("it gave up")?.as_secs_f64());
            }
            assert_eq!(longest <= 1.0, first, "{longest}");
        }
        Ok(())
    });
}

#[test]
fn what_cannot_get_better_is_the_end() {
    on_paused_loop(async {
        for (act, text) in [
            (
                Act::Answer("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
                "answered 401 Unauthorized, over",
            ),
            (
                Act::Answer("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
                "answered 404 Not Found, over",
            ),
            (
                Act::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                "answered 200 OK, over",
            ),
            (
                Act::Answer("what?\r\n\r\n"),
                "unusable answer: invalid status line, over",
            ),
            (
                Act::Close(1, 1000),
                "closed with code 1000 (that is all), over",
            ),
            (
                Act::Close(1, 1008),
                "closed with code 1008 (that is all), over",
            ),
        ] {
            let (server, mut ws) = Server::start(&[act]);
            if matches!(act, Act::Close(..)) {
                assert_eq!(words(&mut ws, 1).await, ["connected 1"]);
            }
            let said = words(&mut ws, 3).await;
            assert!(said[0].ends_with(text), "{said:?}");
            assert_eq!(said[1..], ["end", "end"]);
            assert!(ws.is_closed() && ws.send("x").is_err());
            assert_eq!(server.attempts.get(), 1);
        }
        Ok(())
    });
}

#[test]
fn the_application_may_know_better_what_is_the_end() {
    on_paused_loop(async {
        let (_server, ws) = Server::start(&[Act::Close(1, 4401)]);
        let mut ws = ws.give_up_when(
            |cause| matches!(cause, DisconnectCause::Closed(frame) if frame.code.get() == 4401),
        );
        assert_eq!(
            words(&mut ws, 3).await,
            [
                "connected 1",
                "closed with code 4401 (that is all), over",
                "end"
            ]
        );
        let (_server, ws) = Server::start(&[Act::Close(1, 1000), Act::Close(1, 4401)]);
        let mut ws = ws.give_up_when(|_| false);
        assert_eq!(words(&mut ws, 3).await[2], "connected 1");
        Ok(())
    });
}

#[test]
fn it_gives_up_after_as_many_failures_in_a_row_as_it_may_have() {
    on_paused_loop(async {
        let script = [Act::Gone, Act::Gone, Act::Lose(1), Act::Gone];
        let (server, ws) = Server::start(&script);
        let mut ws = ws.backoff(Backoff {
            attempts: Some(3),
            ..Backoff::default()
        });
        let said = words(&mut ws, 8).await;
        assert_eq!(said[2], "connected 3");
        assert!(
            said[4..6].iter().all(|text| !text.ends_with("over")),
            "{said:?}"
        );
        assert!(said[6].ends_with("without an answer, over"), "{said:?}");
        assert_eq!(said[7], "end");
        assert_eq!(server.attempts.get(), 6);
        Ok(())
    });
}

#[test]
fn a_server_that_says_when_to_come_back_is_obeyed_within_reason() {
    const HOUR: &str = "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    const MINUTES: &str = "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    on_paused_loop(async {
        for (answer, seconds) in [(HOUR, 600), (MINUTES, 120)] {
            let (_server, mut ws) = Server::start(&[Act::Answer(answer), Act::Close(99, 1000)]);
            let (text, wait) = word(ws.next().await);
            assert!(text.contains("answered "), "{text}");
            let wait = wait.ok_or("it gave up")?;
            let least = Duration::from_secs(seconds);
            assert!(
                wait >= least && wait <= least + Duration::from_secs(1),
                "{wait:?}"
            );
            let begun = IoLoop::current().time();
            assert_eq!(words(&mut ws, 1).await, ["connected 2"]);
            assert_eq!(IoLoop::current().time() - begun, wait);
        }
        Ok(())
    });
}

#[test]
fn a_server_that_is_silent_is_tried_again_after_the_time_limit() {
    on_paused_loop(async {
        let (server, mut ws) = Server::start(&[Act::Sulk, Act::Close(99, 1000)]);
        let begun = IoLoop::current().time();
        let (text, wait) = word(ws.next().await);
        assert_eq!(text, "ws://server/: no WebSocket within 20s");
        assert!((seconds_since(begun) - 20.0).abs() < 0.001 && wait.is_some());
        assert_eq!(words(&mut ws, 1).await, ["connected 2"]);
        assert_eq!(server.attempts.get(), 2);
        Ok(())
    });
}

#[test]
fn closing_ends_it_in_whatever_state_it_is() {
    on_paused_loop(async {
        // Before anything was done.
        let (server, mut ws) = Server::start(&[Act::Gone]);
        ws.close(CloseCode::NORMAL, "");
        assert_eq!(words(&mut ws, 1).await, ["end"]);
        assert_eq!(server.attempts.get(), 0);

        // While it waits, while it connects, and while it is connected.
        for (act, events, last) in [
            (
                Act::Answer("HTTP/1.1 503 \r\nRetry-After: 500\r\nContent-Length: 0\r\n\r\n"),
                1,
                &["end"][..],
            ),
            (Act::Sulk, 0, &["end"]),
            (
                Act::Close(500, 1000),
                1,
                &["closed with code 1000, over", "end"],
            ),
        ] {
            let (_server, mut ws) = Server::start(&[act]);
            let handle = ws.handle();
            words(&mut ws, events).await;
            let waiting = spawn(async move {
                let begun = IoLoop::current().time();
                let words = words(&mut ws, last.len()).await;
                (words, seconds_since(begun))
            });
            for _ in 0..5 {
                moment().await;
            }
            assert!(!waiting.is_done());
            handle.close(CloseCode::NORMAL, "enough");
            let (words, seconds) = waiting.await?;
            assert_eq!(words, last, "{act:?}");
            assert!(seconds < 1.0, "{act:?}: {seconds}");
            assert!(handle.is_closed() && handle.send("x").is_err());
        }
        Ok(())
    });
}

#[test]
fn closing_ends_it_by_whatever_code() {
    on_paused_loop(async {
        let (_server, mut ws) = Server::start(&[Act::Close(500, 1000)]);
        words(&mut ws, 1).await;
        ws.close(CloseCode::GOING_AWAY, "");
        assert_eq!(
            words(&mut ws, 2).await,
            ["closed with code 1001, over", "end"]
        );

        // Closing the connection alone is a loss like others.
        let (_server, mut ws) = Server::start(&[Act::Close(500, 1000)]);
        words(&mut ws, 1).await;
        let socket = ws.socket().ok_or("it is connected")?;
        socket.close(CloseCode::GOING_AWAY, "");
        assert_eq!(
            words(&mut ws, 2).await,
            ["closed with code 1001", "connected 1"]
        );
        Ok(())
    });
}

#[test]
fn dropping_it_closes_the_connection_and_its_handles() {
    on_paused_loop(async {
        let (near, far) = duplex(1024);
        let serving = spawn(async move {
            let ws = talk::accept(far, WebSocketOptions::default()).await?;
            talk::echo(ws).await
        });
        let near = Cell::new(Some(near));
        let mut ws = ReconnectingWebSocket::with(move || {
            let stream = near.take().expect("it connects once");
            websocket_connect("ws://server/").connect_over(stream)
        });
        assert_eq!(words(&mut ws, 1).await, ["connected 1"]);
        let handle = ws.handle();
        drop(ws);
        assert!(handle.is_closed() && handle.socket().is_none());
        let frame = serving.await??.close_frame().ok_or("no frame")?;
        assert_eq!(frame.code, CloseCode::NORMAL);
        Ok(())
    });
}

#[test]
fn a_call_that_was_dropped_goes_on_with_the_next_one() {
    on_paused_loop(async { dropped().await });
}

async fn dropped() -> Outcome {
    let (server, mut ws) = Server::start(&[Act::Gone, Act::Close(500, 1000)]);
    words(&mut ws, 1).await;
    let begun = IoLoop::current().time();
    let mut looks = 0;
    let event = loop {
        let looked = squall_ioloop::with_timeout(Duration::from_millis(1), ws.next()).await;
        looks += 1;
        if let Ok(event) = looked {
            break event;
        }
    };
    assert_eq!(word(event).0, "connected 2");
    assert!(seconds_since(begun) <= 1.1, "{looks}");
    assert_eq!(server.attempts.get(), 2);
    Ok(())
}
