//! Connections on sockets between two requests: parked by a server, waiting in a task where nobody parks them.

use std::rc::Rc;
use std::time::Duration;

use http::Response;
use squall_http::{Body, BodyError, BodyStream};
use squall_ioloop::{moment, sleep, spawn};
use squall_net::{IoStream, TcpListener};
use squall_server::{Config, HttpServer, Request, serve_connection};

use crate::wire::Wire;
use crate::{echo, on_loop, on_paused_loop};

const ASK: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

async fn connect(port: u16) -> std::io::Result<Wire> {
    IoStream::connect("127.0.0.1", port).await.map(Wire::new)
}

#[test]
fn a_connection_that_nobody_parks_stays_as_long_as_requests_come() {
    on_paused_loop(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut wire = connect(listener.local_addr()?.port()).await?;
        let (stream, _) = listener.accept().await?;
        let service = |request: Request| echo(request);
        let served = spawn(serve_connection(
            stream,
            Rc::new(service),
            Rc::new(Config::default()),
        ));
        for _ in 0..5 {
            wire.send(ASK).await;
            wire.until("GET / []").await;
            // Twice of it is more than `keep_alive_timeout`.
            sleep(Duration::from_secs(50)).await;
        }
        drop(wire);
        served.await?;
        Ok(())
    });
}

#[test]
fn a_parked_connection_is_closed_at_its_limit_and_not_before() {
    on_paused_loop(async {
        let serving = HttpServer::new(|| echo).listen("127.0.0.1:0")?.serve()?;
        let mut wire = connect(serving.local_addr().port()).await?;
        for _ in 0..3 {
            wire.send(ASK).await;
            wire.until("GET / []").await;
            sleep(Duration::from_secs(70)).await;
        }
        assert_eq!(serving.counts().open, 1);
        // Empty lines are not requests.
        for _ in 0..2 {
            wire.send("\r\n").await;
            sleep(Duration::from_secs(2)).await;
        }
        assert_eq!(serving.counts().open, 1);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(serving.counts().open, 0);
        Ok(())
    });
}

#[test]
fn empty_lines_of_one_connection_are_not_counted_for_another() {
    on_loop(async {
        let serving = HttpServer::new(|| echo).listen("127.0.0.1:0")?.serve()?;
        for _ in 0..5 {
            let mut wire = connect(serving.local_addr().port()).await?;
            wire.send("\r\n\r\n\r\n").await;
            let mut other = connect(serving.local_addr().port()).await?;
            other.send(format!("\r\n\r\n{ASK}")).await;
            let answer = other.until("GET / []").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            wire.send(ASK).await;
            wire.until("GET / []").await;
        }
        Ok(())
    });
}

struct Hostile;

impl BodyStream for Hostile {
    fn poll_chunk(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<bytes::Bytes, BodyError>>> {
        std::task::Poll::Ready(None)
    }

    fn take_trailers(self: std::pin::Pin<&mut Self>) -> Option<http::HeaderMap> {
        panic!("trailers are beyond me")
    }
}

#[test]
fn a_panic_that_nothing_catches_costs_its_connection_alone() {
    on_loop(async {
        let service = |request: Request| async move {
            let body = match request.path() {
                "/hostile" => Body::stream(Hostile),
                _ => Body::from("fine"),
            };
            Response::new(body)
        };
        let serving = HttpServer::new(move || service)
            .listen("127.0.0.1:0")?
            .serve()?;
        for _ in 0..3 {
            let mut wire = connect(serving.local_addr().port()).await?;
            wire.send("GET /hostile HTTP/1.1\r\nHost: test\r\n\r\n")
                .await;
            wire.until_end().await;
            let mut wire = connect(serving.local_addr().port()).await?;
            wire.send(ASK).await;
            wire.until("fine").await;
            drop(wire);
        }
        while serving.counts().open > 0 {
            moment().await;
        }
        let report = serving.stop(Duration::from_secs(5)).await;
        assert_eq!((report.cut, report.finished), (0, 0));
        Ok(())
    });
}
