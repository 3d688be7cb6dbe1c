//! Peers that are slow, silent, greedy or gone.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{IoLoop, sleep, with_timeout};
use squall_web::Application;
use squall_web::testing::TestClient;
use squall_websocket::proto::deflate::DeflateOptions;
use squall_websocket::{
    CloseCode, Message, Result, SlowReader, WebSocket, WebSocketError, WebSocketHandler,
    WebSocketOptions, WebSocketStream,
};
use tracing::Level;

use super::{Diary, Outcome, echo, open};
use crate::logs::Logs;

#[test]
fn what_inflates_to_much_gives_others_a_turn() -> Outcome {
    struct Length;

    impl WebSocketHandler for Length {
        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            ws.send(message.len().to_string())?;
            Ok(())
        }
    }

    IoLoop::run_sync(async {
        let options = WebSocketOptions {
            compression: Some(DeflateOptions::default()),
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options.clone(), |_| Length);
        let client = TestClient::new(app);
        let mut ws = client.websocket("/").options(options).await.expect("open");
        // About 100 bytes each on the wire, so that one read brings hundreds.
        let lengths: Vec<usize> = (0..300).map(|number| 99_000 + number).collect();
        for length in &lengths {
            ws.send("a".repeat(*length))?;
        }
        for length in lengths {
            assert_eq!(ws.next().await?, Some(length.to_string().into()));
        }
        Ok(())
    })
}

#[test]
fn the_silent_are_pinged_and_then_cut() -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let diary = Diary::default();
    let app = echo(&diary);
    let (done, noted) = (Rc::new(Cell::new(false)), diary.clone());
    let finished = Rc::clone(&done);
    io_loop.spawn_callback(async move {
        // Nobody reads at the client's end, so that no pong comes.
        let ws = open(app, "/echo").await;
        let begin = IoLoop::current().time();
        while noted.read().len() < 2 {
            sleep(Duration::from_millis(100)).await;
        }
        let took = IoLoop::current().time() - begin;
        assert!(
            (41.0..=47.0).contains(&took.as_secs_f64()),
            "cut after {took:?}"
        );
        drop(ws);
        finished.set(true);
        IoLoop::current().stop();
    });
    io_loop.start();
    assert!(done.get());
    assert_eq!(diary.read(), ["open", "close 1006"]);
    Ok(())
}

#[test]
fn a_slow_reader_is_dealt_with_as_the_options_say() -> Outcome {
    struct Flood;

    impl WebSocketHandler for Flood {
        async fn message(&mut self, ws: &WebSocket, _message: Message<'_>) -> Result {
            for number in 0..100 {
                let text = format!("{number:03}{}", "x".repeat(10_000));
                if ws.send(text).is_err() && !ws.is_open() {
                    break;
                }
            }
            Ok(())
        }
    }

    async fn numbers(slow: SlowReader) -> std::result::Result<Vec<u32>, WebSocketError> {
        let options = WebSocketOptions {
            max_queued: 100_000,
            slow,
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options, |_| Flood);
        let mut ws = open(app, "/").await;
        let _ = ws.send("go");
        // Long enough for everything to be sent before anything is read.
        sleep(Duration::from_millis(50)).await;
        let mut numbers = Vec::new();
        while let Ok(next) = with_timeout(Duration::from_millis(50), ws.next()).await {
            let message = next?.expect("nobody says goodbye");
            let text = message.as_text().unwrap_or_default();
            numbers.push(text[..3].parse().expect("a number"));
        }
        Ok(numbers)
    }

    IoLoop::run_sync(async {
        let newest = numbers(SlowReader::DropNewest).await?;
        assert!(
            newest.is_sorted() && newest.starts_with(&[0, 1, 2, 3]),
            "{newest:?}"
        );
        assert!(newest.len() < 30, "{newest:?}");
        let oldest = numbers(SlowReader::DropOldest).await?;
        assert!(
            oldest.is_sorted() && oldest.ends_with(&[98, 99]),
            "{oldest:?}"
        );
        assert!(oldest.len() < 30, "{oldest:?}");
        assert!(numbers(SlowReader::Disconnect).await.is_err());
        Ok(())
    })
}

#[test]
fn nobody_is_woken_because_a_peer_is_slow_or_gone() -> Outcome {
    /// Sends more than may wait, and then to somebody who has been told goodbye.
    struct Talker;

    impl WebSocketHandler for Talker {
        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            if message.as_text() == Some("bye") {
                ws.close(CloseCode::NORMAL, "");
            }
            for _ in 0..100 {
                ws.send(vec![0; 10_000])?;
            }
            Ok(())
        }
    }

    for slow in [SlowReader::DropNewest, SlowReader::Disconnect] {
        for word in ["flood", "bye"] {
            let logs = Logs::capture();
            let code = IoLoop::run_sync(async {
                let options = WebSocketOptions {
                    max_queued: 100_000,
                    slow,
                    ..WebSocketOptions::default()
                };
                let app = Application::new().websocket_with("/", options, |_| Talker);
                let mut ws = open(app, "/").await;
                ws.send(word)?;
                // What was queued before comes first, and may be cut off.
                while let Ok(Some(_)) = ws.next().await {}
                let frame = ws.close_frame();
                Ok::<_, Box<dyn std::error::Error>>(frame.map(|frame| frame.code.get()))
            })?;
            let expected = match (word, slow) {
                ("bye", _) => 1000,
                (_, SlowReader::DropNewest) => 1008,
                // It is cut without another word, for there is no room for one.
                _ => 1006,
            };
            assert_eq!(code, Some(expected), "{word} {slow:?}");
            assert_eq!(logs.take(Level::ERROR), [""; 0], "{word} {slow:?}");
        }
    }
    Ok(())
}

#[test]
fn a_loop_that_passes_on_that_its_peer_is_gone_has_not_failed() -> Outcome {
    async fn listen(mut ws: WebSocketStream) -> Result {
        while let Some(message) = ws.next().await? {
            match message.as_text() {
                Some("fail") => return Err("told to".into()),
                _ => drop(ws.send(message)?),
            }
        }
        Ok(())
    }

    let logs = Logs::capture();
    IoLoop::run_sync(async {
        let client = TestClient::new(Application::new().websocket_stream("/", listen));
        let gone = client.websocket("/").await.expect("open");
        drop(gone);
        let mut told = client.websocket("/").await.expect("open");
        told.send("fail")?;
        while let Ok(Some(_)) = told.next().await {}
        sleep(Duration::from_millis(10)).await;
        Outcome::Ok(())
    })?;
    assert_eq!(logs.take(Level::ERROR), ["WebSocket ended: told to"]);
    Ok(())
}
