//! Time limits, and what becomes of those who break them.

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use squall_ioloop::{IoLoop, sleep, sleep_until, spawn};
use squall_net::IoStream;
use squall_websocket::proto::Role;
use squall_websocket::{
    Acceptor, Agreed, CloseCode, CloseFrame, Connection, WebSocketOptions, WebSocketStream,
    close_all, duplex,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PIPE, Quiet, all_forgotten, end, frame, on_paused_loop, open, server};
use crate::log::logged;

/// The close frame of a message that takes too long.
const TOO_LONG: &[u8] = b"\x88\x19\x03\xf0a message took too long";

/// Sends a piece every second for as long as the stream is open; answers with what came back, and after how many seconds it
/// ended.
async fn trickle(mut stream: IoStream, pieces: Vec<Vec<u8>>) -> (Vec<u8>, u64) {
    let begin = IoLoop::current().time();
    let (mut read, mut open) = (Vec::new(), true);
    for piece in pieces {
        open &= stream.write_all(&piece).await.is_ok();
        let second = sleep_until(IoLoop::current().time() + Duration::from_secs(1));
        let mut second = std::pin::pin!(second);
        while open {
            let mut buffer = [0; 256];
            let mut reading = std::pin::pin!(stream.read(&mut buffer));
            let first = poll_fn(|cx| match second.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => reading.as_mut().poll(cx).map(Some),
            });
            match first.await {
                None => break,
                Some(Ok(count)) if count > 0 => read.extend_from_slice(&buffer[..count]),
                Some(_) => open = false,
            }
        }
        if !open {
            break;
        }
    }
    let seconds = (IoLoop::current().time() - begin).as_secs();
    (read, seconds)
}

/// A piece, and silence from then on.
fn once(piece: &[u8]) -> Vec<Vec<u8>> {
    let silence = vec![Vec::new(); 300];
    [piece.to_vec()].into_iter().chain(silence).collect()
}

/// The byte `x` of a long frame whose head has come, again and again.
fn bytes() -> Vec<Vec<u8>> {
    let head = b"\x82\xff\0\0\0\0\0\x01\0\0\0\0\0\0".to_vec();
    [head].into_iter().chain(vec![b"x".to_vec(); 300]).collect()
}

/// Parts of a message that does not end, and signs of life between them.
fn parts(of: &[u8]) -> Vec<Vec<u8>> {
    let first = frame(0x02, b"");
    let more = [frame(0x00, of), frame(0x8a, b"alive")].concat();
    [first].into_iter().chain(vec![more; 300]).collect()
}

#[test]
fn a_message_that_trickles_is_refused() {
    for (what, pieces) in [
        ("a long frame", bytes()),
        ("many parts", parts(b"x")),
        ("empty parts", parts(b"")),
        ("half a head", once(b"\x81")),
        ("half a ping", once(b"\x89\x82\0\0\0\0x")),
    ] {
        on_paused_loop(async move {
            for parked in [true, false] {
                let options = Rc::new(WebSocketOptions::default());
                let (connection, stream) = server(&options, Agreed::default());
                let reading = if parked {
                    Acceptor::new().accept(connection, Quiet);
                    None
                } else {
                    let mut ws = WebSocketStream::new(connection);
                    Some(spawn(async move { end(&mut ws).await }))
                };
                let (read, seconds) = trickle(stream, pieces.clone()).await;
                assert!(
                    read.ends_with(TOO_LONG),
                    "{what}: {:?}",
                    read.escape_ascii().to_string()
                );
                assert!((30..=34).contains(&seconds), "{what}: {seconds} s");
                if let Some(reading) = reading {
                    assert_eq!(reading.await?, 1008, "{what}");
                }
                all_forgotten(options).await;
            }
            Ok(())
        });
    }
}

#[test]
fn a_message_that_comes_slowly_but_steadily_is_whole_in_the_end() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        let mut ws = WebSocketStream::new(connection);
        let reading = spawn(async move { ws.next().await });
        // 250 bytes a second, for five minutes.
        let payload = vec![b'x'; 75_000];
        stream
            .write_all(b"\x82\xff\0\0\0\0\0\x01\x24\xf8\0\0\0\0")
            .await?;
        for piece in payload.chunks(250) {
            stream.write_all(piece).await?;
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(reading.await??, Some(payload.into()));
        Ok(())
    });
}

#[test]
fn each_message_has_its_own_time() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        let ws = Acceptor::new().accept(connection, Quiet);
        // The end of each comes with the beginning of the next, so that there is never a moment without one.
        stream.write_all(&frame(0x01, b"a")).await?;
        for _ in 0..20 {
            sleep(Duration::from_secs(20)).await;
            stream
                .write_all(&[frame(0x80, b"z"), frame(0x01, b"a")].concat())
                .await?;
        }
        assert!(ws.is_open());
        Ok(())
    });
}

#[test]
fn without_a_least_rate_every_byte_counts_but_signs_of_life_do_not() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions {
            message_timeout: Duration::from_secs(10),
            min_rate: 0,
            ..WebSocketOptions::default()
        });
        let (connection, stream) = server(&options, Agreed::default());
        Acceptor::new().accept(connection, Quiet);
        let (read, seconds) = trickle(stream, bytes()).await;
        assert_eq!(read, b"", "every second brings a byte");
        assert!(seconds >= 300, "{seconds} s");

        let (connection, stream) = server(&options, Agreed::default());
        Acceptor::new().accept(connection, Quiet);
        let (read, seconds) = trickle(stream, parts(b"")).await;
        assert!(read.ends_with(TOO_LONG));
        assert!((10..=13).contains(&seconds), "{seconds} s");
        Ok(())
    });
}

#[test]
fn an_older_message_is_no_progress_of_what_is_under_way() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        Acceptor::new().accept(connection, Quiet);
        // More than starts a time limit over, and whole.
        let payload = vec![b'x'; 10_000];
        stream
            .write_all(&[b"\x82\xfe\x27\x10\0\0\0\0", &payload[..]].concat())
            .await?;
        // The head of a ping comes in two parts, and the ping itself never.
        let mut pieces = once(b"\x89");
        pieces[20] = b"\x82\0\0\0\0x".to_vec();
        let (read, seconds) = trickle(stream, pieces).await;
        assert!(read.ends_with(TOO_LONG));
        assert!((30..=34).contains(&seconds), "{seconds} s");
        Ok(())
    });
}

#[test]
fn goodbyes_over_an_endless_time_are_said_as_far_as_the_clock_goes() {
    on_paused_loop(async {
        for drain in [
            Duration::MAX,
            Duration::from_secs(u64::MAX / 2),
            Duration::from_secs(1 << 40),
        ] {
            let options = Rc::new(WebSocketOptions {
                drain,
                ping_interval: None,
                ..WebSocketOptions::default()
            });
            let (first, _first_far) = open(&options, Quiet);
            let (second, _second_far) = open(&options, Quiet);
            close_all(&options, &CloseFrame::new(CloseCode::GOING_AWAY, ""));
            sleep(Duration::from_secs(3600)).await;
            let open = [first.is_open(), second.is_open()];
            assert_eq!(open, [false, true], "over {drain:?}");
        }
        Ok(())
    });
}

#[test]
fn a_time_limit_that_is_broken_is_in_the_log_with_its_name_its_value_and_the_peer() {
    let short = WebSocketOptions {
        message_timeout: Duration::from_secs(2),
        ping_interval: Some(Duration::from_secs(8)),
        ping_timeout: Duration::from_secs(3),
        write_timeout: Duration::from_secs(4),
        close_timeout: Duration::from_secs(1),
        ..WebSocketOptions::default()
    };
    for (sent, queues, closes, expected) in [
        (
            &b"\x81"[..],
            false,
            false,
            "closed: a message was incomplete after 2s (message_timeout)",
        ),
        (
            b"",
            false,
            false,
            "cut: it did not answer a ping for 3s (ping_timeout)",
        ),
        (
            b"",
            true,
            false,
            "cut: it took nothing of what it was sent for 4s (write_timeout)",
        ),
        (
            b"",
            false,
            true,
            "cut: it did not end for 1s (close_timeout)",
        ),
    ] {
        let options = Rc::new(short.clone());
        let lines = logged(|| {
            on_paused_loop(async {
                let (connection, mut stream) = server(&options, Agreed::default());
                let ws = Acceptor::new().accept(connection, Quiet);
                stream.write_all(sent).await?;
                if queues {
                    ws.send(vec![0; 2 * PIPE])?;
                }
                if closes {
                    ws.close(CloseCode::NORMAL, "");
                }
                sleep(Duration::from_secs(20)).await;
                Ok(())
            });
        });
        let first = lines.first().map(String::as_str);
        let expected = format!("DEBUG WebSocket {expected} peer=memory");
        assert_eq!(first, Some(&*expected));
    }
}

#[test]
fn a_slow_reader_who_cannot_answer_a_ping_yet_is_not_silent() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        for answers in [true, false] {
            let (mut stream, far) = duplex(1000);
            let agreed = Agreed::default();
            let connection = Connection::new(far, Bytes::new(), Role::Server, &options, agreed);
            let ws = Acceptor::new().accept(connection, Quiet);
            // It takes 100 seconds.
            let payload = vec![b'x'; 100_000];
            ws.send(&payload)?;
            let mut left = payload.len() + 10;
            let mut buffer = [0; 1000];
            while left > 0 {
                sleep(Duration::from_secs(1)).await;
                left -= stream.read(&mut buffer[..left.min(1000)]).await?;
            }
            assert_eq!(stream.read(&mut buffer).await?, 2);
            assert_eq!(&buffer[..2], b"\x89\0", "the ping that was behind it");
            let begin = IoLoop::current().time();
            if answers {
                stream.write_all(&frame(0x8a, b"")).await?;
            }
            // Either the next ping, or the end.
            let next = stream.read(&mut buffer).await?;
            let seconds = (IoLoop::current().time() - begin).as_secs();
            assert_eq!(next, if answers { 2 } else { 0 });
            let range = if answers { 21..=26 } else { 19..=22 };
            assert!(range.contains(&seconds), "{seconds} s");
            assert_eq!(ws.is_open(), answers);
        }
        Ok(())
    });
}
