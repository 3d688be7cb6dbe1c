//! One request after another: keep-alive, pipelining, and what the head of an answer says.

use std::cell::Cell;
use std::rc::Rc;

use http::{Response, StatusCode, header};
use squall_http::Body;
use squall_ioloop::{moment, promise, spawn};
use squall_net::Address;
use squall_server::{Request, serve_connection};
use tokio::io::AsyncWriteExt;

use crate::wire::Wire;
use crate::{echo, on_loop, status};

#[test]
fn one_request_one_answer() {
    on_loop(async {
        let (mut wire, served) = Wire::serving(echo);
        wire.send("GET /a?b HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .await;
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\nGET /a?b []";
        assert_eq!(wire.rest().await, answer);
        served.await?;
        Ok(())
    });
}

#[test]
fn the_connection_is_kept_for_the_next_request() {
    on_loop(async {
        let (mut wire, served) = Wire::serving(echo);
        for path in ["/1", "/2", "/3"] {
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
                .await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nGET {path} []");
            assert_eq!(wire.until("[]").await, answer);
        }
        assert!(!served.is_done());
        drop(wire);
        served.await?;
        Ok(())
    });
}

#[test]
fn a_request_in_pieces_of_one_byte_is_the_same_request() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        for byte in b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc" {
            wire.send([*byte]).await;
            squall_ioloop::moment().await;
        }
        assert!(wire.until("[abc]").await.ends_with("\r\n\r\nPOST /x [abc]"));
        Ok(())
    });
}

#[test]
fn pipelined_requests_are_answered_in_their_order_though_the_first_takes_longer() {
    on_loop(async {
        let (release, released) = promise::<()>();
        let gate = Cell::new(Some(released));
        let service = move |request: Request| {
            let wait = if request.uri() == "/slow" {
                gate.take()
            } else {
                None
            };
            async move {
                if let Some(released) = wait {
                    released.await.expect("it is released");
                }
                echo(request).await
            }
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.send("GET /fast HTTP/1.1\r\nHost: test\r\n\r\n").await;
        squall_ioloop::moment().await;
        release.resolve(());
        let answers = wire.until("/fast []").await;
        assert!(answers.contains("GET /slow []HTTP/1.1 200 OK"), "{answers}");
        Ok(())
    });
}

#[test]
fn sixteen_pipelined_requests_are_answered_together() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("GET /p HTTP/1.1\r\nHost: test\r\n\r\n".repeat(16))
            .await;
        for _ in 0..16 {
            wire.until("GET /p []").await;
        }
        Ok(())
    });
}

#[test]
fn answers_to_pipelined_requests_share_a_write() {
    on_loop(async {
        let (mut near, far) = squall_net::duplex(1 << 16);
        let requests = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16);
        near.write_all(requests.as_bytes()).await?;
        let near = Rc::new(near);
        let other = Rc::clone(&near);
        let early = Rc::new(Cell::new(0));
        let counted = Rc::clone(&early);
        let service = move |_request: Request| {
            counted.set(counted.get() + u32::from(other.has_unread()));
            async { status(StatusCode::NO_CONTENT) }
        };
        let _served = spawn(serve_connection(far, Rc::new(service), Rc::default()));
        while !near.has_unread() {
            moment().await;
        }
        assert_eq!(early.get(), 0, "nothing leaves before all are answered");
        Ok(())
    });
}

#[test]
fn more_answers_than_the_connection_holds_wait_for_the_reader() {
    on_loop(async {
        let big = || |_request: Request| async { Response::new(Body::from("x".repeat(9_000))) };
        let (mut wire, _served) = Wire::serving(big());
        let requests = "GET /p HTTP/1.1\r\nHost: test\r\n\r\n".repeat(100);
        wire.send(requests).await;
        wire.send("GET /p HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .await;
        let answers = wire.rest().await;
        assert_eq!(answers.matches("content-length: 9000").count(), 101);
        Ok(())
    });
}

#[test]
fn http_1_0_closes_unless_asked_to_stay() {
    on_loop(async {
        let (mut wire, served) = Wire::serving(echo);
        wire.send("GET /0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await;
        let answer = wire.until("[]").await;
        assert!(answer.contains("connection: keep-alive\r\n"), "{answer}");
        wire.send("GET /1 HTTP/1.0\r\n\r\n").await;
        let answer = wire.rest().await;
        assert!(answer.ends_with("GET /1 []"), "{answer}");
        served.await?;
        Ok(())
    });
}

#[test]
fn head_gets_the_length_but_not_the_body() {
    on_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("HEAD /h HTTP/1.1\r\nHost: test\r\n\r\nGET /g HTTP/1.1\r\nHost: test\r\n\r\n")
            .await;
        let answers = wire.until("GET /g []").await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";
        let get = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nGET /g []";
        assert_eq!(answers, format!("{head}{get}"));
        Ok(())
    });
}

#[test]
fn statuses_without_a_body_keep_the_connection() {
    on_loop(async {
        let service = |_request: Request| async { status(StatusCode::NO_CONTENT) };
        let (mut wire, _served) = Wire::serving(service);
        for _ in 0..2 {
            wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
            assert_eq!(
                wire.until("\r\n\r\n").await,
                "HTTP/1.1 204 No Content\r\n\r\n"
            );
        }
        Ok(())
    });
}

#[test]
fn the_service_may_close_the_connection() {
    on_loop(async {
        let service = |_request: Request| async {
            let mut response = Response::new(Body::from("bye"));
            response.headers_mut().insert(
                header::CONNECTION,
                header::HeaderValue::from_static("close"),
            );
            response
        };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert!(wire.rest().await.ends_with("\r\n\r\nbye"));
        served.await?;
        Ok(())
    });
}

#[test]
fn each_request_knows_both_ends() {
    on_loop(async {
        let seen = Rc::new(Cell::new(None));
        let saw = Rc::clone(&seen);
        let service = move |request: Request| {
            saw.set(request.connect_info().cloned());
            async { Response::new(Body::empty()) }
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("\r\n\r\n").await;
        let info = seen.take().ok_or("no information")?;
        assert_eq!((info.peer, info.local), (Address::Memory, Address::Memory));
        Ok(())
    });
}

#[test]
fn a_flood_of_requests_leaves_the_loop_to_others() {
    on_loop(async {
        let (near, far) = squall_net::duplex(1 << 20);
        let served = squall_ioloop::spawn(squall_server::serve_connection(
            far,
            Rc::new(|_request: Request| async { status(StatusCode::NO_CONTENT) }),
            Rc::default(),
        ));
        let mut wire = Wire::new(near);
        wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10_000))
            .await;
        let mut turns = 0;
        while !wire.stream.has_unread() || turns < 10 {
            squall_ioloop::moment().await;
            turns += 1;
            assert!(!served.is_done());
        }
        let mut answers = 0;
        while answers < 10_000 {
            wire.until("\r\n\r\n").await;
            answers += 1;
        }
        assert!(turns >= 10);
        Ok(())
    });
}
