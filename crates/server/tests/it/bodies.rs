//! Bodies, both ways.

use std::cell::Cell;
use std::rc::Rc;

use http::Response;
use squall_http::{Body, BodySender};
use squall_ioloop::moment;
use squall_server::Request;
use tokio::io::AsyncReadExt;

use crate::log::Log;
use crate::wire::{ROOM, Wire};
use crate::{echo, on_loop};

#[test]
fn a_chunked_upload_arrives_without_its_framing() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        for chunk in ["3\r\nabc\r\n", "2;ext\r\nde\r\n", "0\r\nX-Sum: x\r\n\r\n"] {
            moment().await;
            wire.send(chunk).await;
        }
        assert!(wire.until("]").await.ends_with("POST / [abcde]"));
        wire.send("GET /next HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("GET /next []").await;
        Ok(())
    });
}

#[test]
fn an_answer_leaves_piece_by_piece_as_it_is_made() {
    on_loop(async {
        let sender: Rc<Cell<Option<BodySender>>> = Rc::default();
        let give = Rc::clone(&sender);
        let service = move |_request: Request| {
            let (sender, body) = Body::channel(1024, None);
            give.set(Some(sender));
            async { Response::new(body) }
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(wire.until("\r\n\r\n").await, head);
        let mut sender = sender.take().ok_or("the service was not called")?;
        for (piece, framed) in [("one", "3\r\none\r\n"), ("three", "5\r\nthree\r\n")] {
            sender.send(piece).await?;
            assert_eq!(wire.until(&framed[1..]).await, framed);
        }
        sender.finish();
        assert_eq!(wire.until("0\r\n\r\n").await, "0\r\n\r\n");
        Ok(())
    });
}

#[test]
fn an_answer_of_known_length_is_streamed_without_chunks() {
    on_loop(async {
        let service = |_request: Request| async {
            let (mut sender, body) = Body::channel(64, Some(6));
            sender.try_send("abc".into()).expect("there is room");
            sender.try_send("def".into()).expect("there is room");
            sender.finish();
            Response::new(body)
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef";
        assert_eq!(wire.until("abcdef").await, answer);
        Ok(())
    });
}

#[test]
fn a_stream_to_http_1_0_ends_with_the_connection() {
    on_loop(async {
        let service = |_request: Request| async { Response::new(Body::from_chunks(["a", "b"])) };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await;
        let answer = wire.rest().await;
        assert!(answer.ends_with("\r\n\r\nab"), "{answer}");
        assert!(!answer.contains("transfer-encoding"), "{answer}");
        served.await?;
        Ok(())
    });
}

#[test]
fn a_body_may_be_answered_while_it_still_comes() {
    on_loop(async {
        let service = |request: Request| async { Response::new(request.into_body()) };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        wire.until("\r\n\r\n").await;
        for chunk in ["5\r\nhello\r\n", "5\r\nworld\r\n", "0\r\n\r\n"] {
            wire.send(chunk).await;
            assert_eq!(wire.until(&chunk[1..]).await, chunk);
        }
        Ok(())
    });
}

#[test]
fn a_slow_reader_holds_the_stream_back() {
    on_loop(async {
        const PIECE: usize = 8 * 1024;
        let made = Rc::new(Cell::new(0_usize));
        let count = Rc::clone(&made);
        let service = move |_request: Request| {
            let count = Rc::clone(&count);
            async move {
                let pieces = (0..1000).map(move |_| {
                    count.set(count.get() + 1);
                    vec![b'x'; PIECE]
                });
                Response::new(Body::from_chunks(pieces))
            }
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .await;
        for _ in 0..100 {
            moment().await;
        }
        // What the connection holds, what may wait to be written, and the piece that crossed that line.
        let most = (ROOM + 64 * 1024) / PIECE + 2;
        assert!(
            (1..=most).contains(&made.get()),
            "{} pieces made for nobody",
            made.get()
        );

        let mut all = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match wire.stream.read(&mut buffer).await? {
                0 => break,
                count => all += count,
            }
        }
        assert_eq!(made.get(), 1000);
        assert!(all > 1000 * PIECE);
        Ok(())
    });
}

#[test]
fn an_upload_nobody_reads_holds_the_client_back() {
    on_loop(async {
        let service = |request: Request| async move {
            let _held = request.into_body();
            std::future::pending::<Response<Body>>().await
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10000000\r\n\r\n")
            .await;
        let mut sent = 0;
        let piece = [b'x'; 1024];
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..10_000 {
            let stream = std::pin::Pin::new(&mut wire.stream);
            match tokio::io::AsyncWrite::poll_write(stream, &mut cx, &piece) {
                std::task::Poll::Ready(written) => sent += written?,
                std::task::Poll::Pending => moment().await,
            }
        }
        assert!(
            sent <= 2 * 64 * 1024 + ROOM,
            "{sent} bytes taken for nobody"
        );
        Ok(())
    });
}

#[test]
fn a_large_upload_is_streamed_through() {
    on_loop(async {
        let service = |request: Request| async move {
            let mut body = request.into_body();
            let mut sum = 0_u64;
            while let Some(piece) = body.chunk().await {
                sum += piece.expect("the upload is whole").len() as u64;
            }
            Response::new(Body::from(sum.to_string()))
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\n")
            .await;
        wire.send(vec![b'x'; 3_000_000]).await;
        wire.until("\r\n\r\n3000000").await;
        Ok(())
    });
}

#[test]
fn continue_is_said_when_the_body_is_first_read() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        wire.send(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        )
        .await;
        assert_eq!(
            wire.until("\r\n\r\n").await,
            "HTTP/1.1 100 Continue\r\n\r\n"
        );
        wire.send("ok").await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nPOST / [ok]";
        assert_eq!(wire.until("[ok]").await, answer);
        Ok(())
    });
}

#[test]
fn continue_is_not_said_when_the_body_is_there_already() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        wire.send(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok",
        )
        .await;
        assert!(wire.until("[ok]").await.starts_with("HTTP/1.1 200 OK\r\n"));
        Ok(())
    });
}

#[test]
fn a_service_that_does_not_want_an_expected_body_closes_the_connection() {
    on_loop(async {
        let service = |_request: Request| async { Response::new(Body::from("no")) };
        let (mut wire, served) = Wire::serving(service);
        wire.send(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        )
        .await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
        assert_eq!(wire.rest().await, answer);
        drop(wire);
        served.await?;
        Ok(())
    });
}

#[test]
fn a_small_body_left_unread_is_skipped_and_never_taken_for_a_request() {
    on_loop(async {
        let service = |request: Request| async move {
            Response::new(Body::from(request.uri().path().to_owned()))
        };
        let (mut wire, _served) = Wire::serving(service);
        let poison = "GET /poison HTTP/1.1\r\nHost: test\r\n\r\n";
        let length = poison.len() * 1000;
        wire.send(format!(
            "POST /first HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
        wire.until("/first").await;
        wire.send(poison.repeat(1000)).await;
        wire.send("GET /second HTTP/1.1\r\nHost: test\r\n\r\n")
            .await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n/second";
        assert_eq!(wire.until("/second").await, answer);
        Ok(())
    });
}

#[test]
fn a_large_body_left_unread_ends_the_connection_after_the_answer() {
    on_loop(async {
        let log = Log::catch();
        let service = |_request: Request| async { Response::new(Body::from("enough")) };
        let (mut wire, served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9000000\r\n\r\n")
            .await;
        wire.send(vec![b'x'; 100_000]).await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nenough";
        assert_eq!(wire.rest().await, answer);
        drop(wire);
        served.await?;
        let line = "INFO connection closed after POST /, whose body has 9000000 bytes that nobody reads, \
                    over the limit unread_bytes (262144) peer=memory";
        assert_eq!(log.at("INFO"), [line]);
        Ok(())
    });
}

#[test]
fn an_endless_chunked_body_left_unread_ends_the_connection() {
    on_loop(async {
        let log = Log::catch();
        let service = |_request: Request| async { Response::new(Body::from("enough")) };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        wire.until("enough").await;
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        for _ in 0..70 {
            wire.send(&chunk).await;
        }
        assert_eq!(wire.rest().await, "");
        let lines = log.at("INFO");
        let told =
            "bytes and more that nobody reads, over the limit unread_bytes (262144) peer=memory";
        assert!(
            matches!(&lines[..], [line] if line.ends_with(told)),
            "{lines:?}"
        );
        Ok(())
    });
}
