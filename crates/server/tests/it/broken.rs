//! Requests that break a rule, services that break, and what the log says of them.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use squall_http::h1::Limits;
use squall_http::{Body, BodyError, BodyStream};
use squall_server::{Config, Request};
use tokio::io::AsyncReadExt;

use crate::log::Log;
use crate::wire::{ROOM, Wire};
use crate::{echo, on_loop, on_paused_loop, status};

/// What a refused request is answered with.
fn refusal(line: &str) -> String {
    let body = format!("{line}\n");
    let length = body.len();
    let head = format!("HTTP/1.1 {line}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    format!("{head}content-type: text/plain; charset=utf-8\r\n\r\n{body}")
}

fn same_fields(answer: &str, expected: &str) {
    let sorted = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
        lines[1..].sort();
        (lines, body.to_owned())
    };
    assert_eq!(sorted(answer), sorted(expected));
}

#[test]
fn a_broken_rule_gets_its_status_and_the_end() {
    let cases = [
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (
            "GET / HTTP/2.0\r\nHost: test\r\n\r\n",
            "505 HTTP Version Not Supported",
        ),
        ("!\r\n\r\n", "400 Bad Request"),
        (
            "GET / HTTP/1.1\r\nHost: test\r\n folded: x\r\n\r\n",
            "400 Bad Request",
        ),
        (
            "GET / HTTP/1.1\r\nHost: test\nX: y\r\n\r\n",
            "400 Bad Request",
        ),
        (
            "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip\r\n\r\n",
            "400 Bad Request",
        ),
        (
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: +1\r\n\r\n",
            "400 Bad Request",
        ),
        (
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 999999999999\r\n\r\n",
            "413 Payload Too Large",
        ),
        (
            "GET / HTTP/1.1\r\nHost: test\r\nExpect: miracle\r\n\r\n",
            "417 Expectation Failed",
        ),
    ];
    for (request, line) in cases {
        on_loop(async {
            let log = Log::catch();
            let (mut wire, served) = Wire::serving(echo);
            wire.send(request).await;
            let answer = wire.rest().await;
            if !answer.starts_with("HTTP/1.1 501") {
                same_fields(&answer, &refusal(line));
            }
            drop(wire);
            served.await?;
            let lines = log.at("INFO");
            assert_eq!(lines.len(), 1, "{request:?}: {lines:?}");
            assert!(
                lines[0].starts_with("INFO request refused with "),
                "{lines:?}"
            );
            assert!(lines[0].ends_with(" peer=memory"), "{lines:?}");
            Ok(())
        });
    }
}

#[test]
fn limits_of_the_head_get_their_status() {
    let limits = Limits {
        head_bytes: 1024,
        target_bytes: 100,
        headers: 5,
        ..Limits::default()
    };
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n", "x".repeat(200));
    let long_head = format!(
        "GET / HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n",
        "x".repeat(2000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nHost: test\r\n{}\r\n",
        "X: y\r\n".repeat(10)
    );
    for (request, code) in [(long_target, 414), (long_head, 431), (many, 431)] {
        on_loop(async {
            let (mut wire, _served) = Wire::serving_with(
                echo,
                Config {
                    limits,
                    ..Config::default()
                },
            );
            wire.send(request).await;
            let answer = wire.rest().await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {code} ")), "{answer}");
            Ok(())
        });
    }
}

#[test]
fn good_requests_before_a_bad_one_are_answered_first() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("GET /good HTTP/1.1\r\nHost: test\r\n\r\nBAD\r\n\r\n")
            .await;
        let answers = wire.rest().await;
        let good = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nGET /good []";
        let bad = answers.strip_prefix(good).ok_or(answers.clone())?;
        assert!(bad.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{bad}");
        Ok(())
    });
}

#[test]
fn a_refused_body_leaves_the_client_time_to_read_the_answer() {
    on_loop(async {
        let limits = Limits {
            body_bytes: 10,
            ..Limits::default()
        };
        let (mut wire, _served) = Wire::serving_with(
            echo,
            Config {
                limits,
                ..Config::default()
            },
        );
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 500000\r\n\r\n")
            .await;
        wire.send(vec![b'x'; 500_000]).await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 413 "));
        Ok(())
    });
}

#[test]
fn a_chunked_body_over_the_limit_fails_in_the_service_that_reads_it() {
    on_loop(async {
        let limits = Limits {
            body_bytes: 4,
            ..Limits::default()
        };
        let (mut wire, _served) = Wire::serving_with(
            echo,
            Config {
                limits,
                ..Config::default()
            },
        );
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        wire.send("5\r\nabcde\r\n0\r\n\r\n").await;
        let answer = wire.rest().await;
        assert!(
            answer.starts_with(
                "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\nconnection: close\r\n"
            ),
            "{answer}"
        );
        Ok(())
    });
}

#[test]
fn a_malformed_chunk_fails_in_the_service_that_reads_it() {
    on_loop(async {
        let log = Log::catch();
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        wire.send("xyz\r\n").await;
        let answer = wire.rest().await;
        assert!(
            answer.starts_with(
                "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n"
            ),
            "{answer}"
        );
        let lines = log.at("INFO");
        assert!(
            lines[0].starts_with("INFO request body refused: "),
            "{lines:?}"
        );
        Ok(())
    });
}

#[test]
fn a_panic_before_the_future_and_one_inside_are_a_500_each() {
    on_loop(async {
        let log = Log::catch();
        let service = |request: Request| {
            assert!(request.uri() != "/early", "no early birds");
            async move {
                assert!(request.uri() != "/late", "no night owls");
                echo(request).await
            }
        };
        let (mut wire, _served) = Wire::serving(service);
        for path in ["/early", "/late"] {
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
                .await;
            let answer = wire.until("500 Internal Server Error\n").await;
            assert!(
                answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n"),
                "{answer}"
            );
        }
        wire.send("GET /day HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("GET /day []").await;
        let lines = log.at("ERROR");
        assert_eq!(
            lines,
            [
                "ERROR the service panicked on GET /early: no early birds peer=memory",
                "ERROR the service panicked on GET /late: no night owls peer=memory",
            ]
        );
        Ok(())
    });
}

/// Gives one piece, then does what the test wants.
struct Flawed {
    given: bool,
    flaw: fn() -> Poll<Option<Result<Bytes, BodyError>>>,
}

impl BodyStream for Flawed {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if !std::mem::replace(&mut self.given, true) {
            return Poll::Ready(Some(Ok("part".into())));
        }
        (self.flaw)()
    }
}

#[test]
fn an_answer_whose_body_fails_is_cut_off_where_the_client_can_see_it() {
    let flaws: [(fn() -> _, &str); 2] = [
        (
            || Poll::Ready(Some(Err(BodyError::other("the disk is gone")))),
            "ERROR the answer to GET / is cut off: body stream failed: the disk is gone peer=memory",
        ),
        (
            || panic!("out of thought"),
            "ERROR the answer's body panicked on GET /: out of thought peer=memory",
        ),
    ];
    for (flaw, line) in flaws {
        on_loop(async {
            let log = Log::catch();
            let service = move |_request: Request| async move {
                Response::new(Body::stream(Flawed { given: false, flaw }))
            };
            let (mut wire, served) = Wire::serving(service);
            wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
            let answer = wire.rest().await;
            assert!(answer.ends_with("4\r\npart\r\n"), "no last chunk: {answer}");
            served.await?;
            assert_eq!(log.at("ERROR"), [line]);
            Ok(())
        });
    }
}

#[test]
fn an_answer_that_ends_with_the_connection_is_reset_when_it_fails() {
    on_loop(async {
        let flaw = || Poll::Ready(Some(Err(BodyError::other("the disk is gone"))));
        let service = move |_request: Request| async move {
            Response::new(Body::stream(Flawed { given: false, flaw }))
        };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.0\r\n\r\n").await;
        served.await?;
        let mut answer = Vec::new();
        let err = wire
            .stream
            .read_to_end(&mut answer)
            .await
            .expect_err("it must not look whole");
        assert_eq!(err.kind(), std::io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn an_answer_that_ends_with_the_connection_is_reset_when_the_client_does_not_take_its_end() {
    on_paused_loop(async {
        let service =
            |_request: Request| async { Response::new(Body::from_chunks([vec![b'x'; 3 * ROOM]])) };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.0\r\n\r\n").await;
        served.await?;
        let mut answer = Vec::new();
        let err = wire.stream.read_to_end(&mut answer).await;
        let err = err.expect_err("it must not look whole");
        assert_eq!(err.kind(), std::io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn what_a_panic_says_stays_on_its_line_of_the_log() {
    on_loop(async {
        let log = Log::catch();
        let service = |request: Request| async {
            let body = request.into_body().collect(100).await.expect("it comes");
            let text = String::from_utf8_lossy(&body).into_owned();
            assert!(text.is_empty(), "what is {text}?");
            status(StatusCode::NO_CONTENT)
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\na\r\nb\x1b[0m")
            .await;
        wire.until("Error\n").await;
        assert_eq!(
            log.at("ERROR"),
            ["ERROR the service panicked on POST /: what is a\\r\\nb\\u{1b}[0m? peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn an_answer_that_must_not_be_sent_is_a_500() {
    on_loop(async {
        let log = Log::catch();
        let service = |_request: Request| async {
            let mut response = Response::new(Body::from("abc"));
            response.headers_mut().insert(
                header::CONTENT_LENGTH,
                header::HeaderValue::from_static("7"),
            );
            response
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let answer = wire.until("500 Internal Server Error\n").await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert_eq!(log.at("ERROR").len(), 1);
        Ok(())
    });
}

#[test]
fn a_protocol_switch_nobody_asked_for_is_a_500() {
    on_loop(async {
        let service = |_request: Request| async { status(StatusCode::SWITCHING_PROTOCOLS) };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert!(wire.until("Error\n").await.starts_with("HTTP/1.1 500 "));
        Ok(())
    });
}
