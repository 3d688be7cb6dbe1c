//! Clients that leave, and what becomes of the work for them.

use std::cell::Cell;
use std::rc::Rc;

use http::Response;
use squall_http::Body;
use squall_ioloop::{moment, promise};
use squall_server::{Config, Request};
use tokio::io::AsyncWriteExt;

use crate::on_loop;
use crate::wire::Wire;

/// Sets a flag when it is dropped.
struct Flag(Rc<Cell<bool>>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn the_future_is_dropped_when_the_client_leaves() {
    on_loop(async {
        let dropped = Rc::new(Cell::new(false));
        let flag = Rc::clone(&dropped);
        let service = move |_request: Request| {
            let flag = Flag(Rc::clone(&flag));
            async move {
                let _flag = flag;
                std::future::pending::<Response<Body>>().await
            }
        };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        moment().await;
        assert!(!dropped.get());
        drop(wire);
        served.await?;
        assert!(dropped.get());
        Ok(())
    });
}

#[test]
fn the_future_is_dropped_also_when_the_client_leaves_amid_its_upload() {
    on_loop(async {
        let failed = Rc::new(Cell::new(false));
        let flag = Rc::clone(&failed);
        let service = move |request: Request| {
            let flag = Flag(Rc::clone(&flag));
            async move {
                let _flag = flag;
                let _ = request.into_body().collect(1000).await;
                std::future::pending::<Response<Body>>().await
            }
        };
        let (mut wire, served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc")
            .await;
        moment().await;
        drop(wire);
        served.await?;
        assert!(failed.get());
        Ok(())
    });
}

#[test]
fn a_stream_that_is_silent_is_dropped_when_the_client_leaves() {
    on_loop(async {
        let senders = Rc::new(Cell::new(None));
        let give = Rc::clone(&senders);
        let service = move |_request: Request| {
            let (sender, body) = Body::channel(16, None);
            give.set(Some(sender));
            async { Response::new(body) }
        };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET /events HTTP/1.1\r\nHost: test\r\n\r\n")
            .await;
        wire.until("\r\n\r\n").await;
        let mut sender = senders.take().ok_or("the service was not called")?;
        drop(wire);
        sender.closed().await;
        served.await?;
        Ok(())
    });
}

#[test]
fn an_answer_that_is_ready_reaches_a_client_that_sends_no_more() {
    on_loop(async {
        let service = |_request: Request| async { Response::new(Body::from("x".repeat(100_000))) };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.stream.shutdown().await?;
        let answer = wire.rest().await;
        assert!(answer.ends_with(&"x".repeat(100_000)));
        Ok(())
    });
}

#[test]
fn with_half_close_also_an_answer_that_takes_time() {
    on_loop(async {
        let (release, released) = promise::<()>();
        let gate = Cell::new(Some(released));
        let service = move |_request: Request| {
            let gate = gate.take();
            async move {
                gate.expect("there is one request")
                    .await
                    .expect("it is released");
                Response::new(Body::from("late"))
            }
        };
        let config = Config {
            half_close: true,
            ..Config::default()
        };
        let (mut wire, served) = Wire::serving_with(service, config);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.stream.shutdown().await?;
        for _ in 0..5 {
            moment().await;
        }
        release.resolve(());
        assert!(wire.rest().await.ends_with("late"));
        served.await?;
        Ok(())
    });
}

#[test]
fn a_body_kept_by_a_task_of_its_own_fails_when_the_answer_is_done() {
    on_loop(async {
        let outcome = Rc::new(Cell::new(None));
        let told = Rc::clone(&outcome);
        let service = move |request: Request| {
            let told = Rc::clone(&told);
            squall_ioloop::spawn_callback(async move {
                told.set(Some(request.into_body().collect(1000).await.is_err()));
            });
            async { Response::new(Body::from("done")) }
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n")
            .await;
        wire.until("done").await;
        for _ in 0..5 {
            moment().await;
        }
        assert_eq!(outcome.get(), Some(true));
        Ok(())
    });
}

#[test]
fn an_answer_is_not_lost_when_the_client_stops_amid_its_next_request() {
    for rest in ["G", "GET /next HT", "GET /next HTTP/1.1\r\nHost: te"] {
        on_loop(async {
            let (mut wire, served) = Wire::serving(crate::echo);
            wire.send(format!("GET / HTTP/1.1\r\nHost: test\r\n\r\n{rest}"))
                .await;
            wire.stream.shutdown().await?;
            let answer = wire.rest().await;
            assert!(answer.ends_with("GET / []"), "{rest:?}: {answer:?}");
            served.await?;
            Ok(())
        });
    }
}

#[test]
fn with_half_close_all_of_several_answers_that_take_time() {
    on_loop(async {
        let service = |request: Request| async {
            moment().await;
            moment().await;
            crate::echo(request).await
        };
        let config = Config {
            half_close: true,
            ..Config::default()
        };
        let (mut wire, _served) = Wire::serving_with(service, config);
        for path in ["/a", "/b", "/c"] {
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
                .await;
        }
        wire.stream.shutdown().await?;
        let answers = wire.rest().await;
        for path in ["/a", "/b", "/c"] {
            assert!(answers.contains(&format!("GET {path} []")), "{answers}");
        }
        assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
        Ok(())
    });
}

#[test]
fn an_early_answer_survives_a_client_that_stops_amid_its_upload() {
    on_loop(async {
        let service = |_request: Request| async { Response::new(Body::from("x".repeat(100_000))) };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc")
            .await;
        wire.until("\r\n\r\n").await;
        wire.stream.shutdown().await?;
        assert_eq!(wire.rest().await.len(), 100_000);
        Ok(())
    });
}
