//! The graceful stop.

use std::cell::Cell;
use std::io::Write as _;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use socket2::SockRef;
use squall_http::{Body, BodyError, BodyStream};
use squall_ioloop::{IoLoop, Promise, moment, promise, spawn};
use squall_net::IoStream;
use squall_server::{HttpServer, Request, Serving};
use tokio::io::AsyncReadExt;

use crate::log::Log;
use crate::wire::Wire;
use crate::{on_loop, on_paused_loop};

const LONG: Duration = Duration::from_secs(3600);

thread_local! {
    static GATE: Cell<Option<Promise<()>>> = const { Cell::new(None) };
}

/// Answers at once, but `/slow` only when the gate opens.
async fn gated(request: Request) -> Response<Body> {
    if request.uri() == "/slow" {
        let gate = GATE.take().expect("one slow request a test");
        gate.await.expect("it is opened");
    }
    Response::new(Body::from("done."))
}

async fn connect(serving: &Serving) -> std::io::Result<Wire> {
    IoStream::connect_addr(serving.local_addr())
        .await
        .map(Wire::new)
}

/// Has one connection idle after an answer and one with a slow request in flight.
async fn idle_and_busy(serving: &Serving) -> std::io::Result<(Wire, Wire)> {
    let mut idle = connect(serving).await?;
    idle.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    idle.until("done.").await;
    let mut busy = connect(serving).await?;
    busy.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    while serving.counts().requests < 2 {
        moment().await;
    }
    Ok((idle, busy))
}

#[test]
fn in_flight_answers_finish_idle_connections_close_and_newcomers_are_refused() {
    on_loop(async {
        let (open, gate) = promise();
        GATE.set(Some(gate));
        let serving = HttpServer::new(|| gated).listen("127.0.0.1:0")?.serve()?;
        let (mut idle, mut busy) = idle_and_busy(&serving).await?;
        let addr = serving.local_addr();

        let stopping = spawn(serving.stop(LONG));
        assert_eq!(idle.rest().await, "");
        let refused = IoStream::connect_addr(addr)
            .await
            .expect_err("nobody listens any more");
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert!(!stopping.is_done());

        open.resolve(());
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\ndone.";
        assert_eq!(busy.rest().await, answer);
        let report = stopping.await?;
        assert_eq!((report.idle, report.finished, report.cut), (1, 1, 0));
        assert_eq!(serving.counts().open, 0);
        Ok(())
    });
}

#[test]
fn what_is_not_done_at_the_deadline_is_cut() {
    on_loop(async {
        let (_open, gate) = promise();
        GATE.set(Some(gate));
        let serving = HttpServer::new(|| gated).listen("127.0.0.1:0")?.serve()?;
        let (_idle, mut busy) = idle_and_busy(&serving).await?;
        let log = Log::catch();
        let report = serving.stop(Duration::from_millis(20)).await;
        assert_eq!((report.idle, report.finished, report.cut), (1, 0, 1));
        let here = busy.stream.local_addr()?;
        let line = format!(
            "INFO connection cut, it was still open 20ms after the stop began (stop_timeout) peer={here}"
        );
        assert_eq!(log.at("INFO"), [line]);
        let err = busy.stream.read_u8().await.expect_err("there is no answer");
        assert_eq!(err.kind(), std::io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

/// The system shows nothing of what is behind urgent data until what is before it was read, and tells of it no more.
#[test]
fn a_parked_connection_whose_bytes_are_hidden_is_cut_at_the_deadline() {
    on_paused_loop(async {
        let serving = HttpServer::new(|| gated).listen("127.0.0.1:0")?.serve()?;
        let mut client = std::net::TcpStream::connect(serving.local_addr())?;
        // All of it is there before the server reads for the first time.
        client.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")?;
        SockRef::from(&client).send_out_of_band(b"!")?;
        client.write_all(b"GET /hidden HTTP/1.1\r\nHost: test\r\n\r\n")?;
        let here = client.local_addr()?;
        let mut wire = Wire::new(IoStream::from_std(client)?);
        wire.until("done.").await;
        for _ in 0..100 {
            moment().await;
        }
        assert_eq!(serving.counts().requests, 1, "the second one is hidden");
        let (log, begun) = (Log::catch(), IoLoop::current().time());
        let report = serving.stop(Duration::from_secs(5)).await;
        assert_eq!(IoLoop::current().time() - begun, Duration::from_secs(5));
        assert_eq!((report.idle, report.finished, report.cut), (1, 0, 0));
        let line = format!(
            "INFO connection cut, it was still open 5s after the stop began (stop_timeout) peer={here}"
        );
        assert_eq!(log.at("INFO"), [line]);
        let err = wire.stream.read_u8().await.expect_err("there is no answer");
        assert_eq!(err.kind(), std::io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn a_second_stop_may_shorten_the_deadline() {
    on_loop(async {
        let (_open, gate) = promise();
        GATE.set(Some(gate));
        let serving = HttpServer::new(|| gated).listen("127.0.0.1:0")?.serve()?;
        let (_idle, _busy) = idle_and_busy(&serving).await?;
        let patient = spawn(serving.stop(LONG));
        moment().await;
        let report = serving.stop(Duration::ZERO).await;
        assert_eq!(report.cut, 1);
        assert_eq!(patient.await?, report);
        Ok(())
    });
}

#[test]
fn clients_that_the_kernel_had_queued_are_still_answered() {
    on_loop(async {
        let serving = HttpServer::new(|| gated).listen("127.0.0.1:0")?.serve()?;
        // Connected and sent while the loop did something else: the server has not seen it yet.
        let mut queued = std::net::TcpStream::connect(serving.local_addr())?;
        std::io::Write::write_all(&mut queued, b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")?;
        let report = serving.stop(LONG).await;
        assert_eq!((report.idle, report.finished, report.cut), (0, 1, 0));
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut queued, &mut answer)?;
        assert!(answer.ends_with("done."), "{answer}");
        Ok(())
    });
}

#[test]
fn a_stop_without_connections_is_over_at_once() {
    on_loop(async {
        let serving = HttpServer::new(|| gated).listen("127.0.0.1:0")?.serve()?;
        let report = serving.clone().stop(LONG).await;
        assert_eq!((report.idle, report.finished, report.cut), (0, 0, 0));
        let same_port = HttpServer::new(|| gated).listen(serving.local_addr());
        assert!(same_port.is_ok(), "the port is free again");
        Ok(())
    });
}

#[test]
fn the_body_of_an_answer_in_flight_is_finished_too() {
    on_loop(async {
        let senders = Rc::new(Cell::new(None));
        let given = Rc::clone(&senders);
        let service = Rc::new(move |_request: Request| {
            let (sender, body) = Body::channel(64, None);
            given.set(Some(sender));
            async { Response::new(body) }
        });
        let (mut wire, served) = {
            let service = Rc::clone(&service);
            Wire::serving(move |request: Request| service(request))
        };
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("\r\n\r\n").await;
        let mut sender = senders.take().ok_or("the service was not called")?;
        sender.send("part").await?;
        assert_eq!(wire.until("part\r\n").await, "4\r\npart\r\n");
        sender.finish();
        assert_eq!(wire.until("0\r\n\r\n").await, "0\r\n\r\n");
        assert!(!served.is_done());
        Ok(())
    });
}

/// Says "tick" once, and "bye" when it is asked to stop.
#[derive(Default)]
struct Endless {
    ticked: bool,
    stopping: bool,
    said_bye: bool,
}

impl BodyStream for Endless {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if !std::mem::replace(&mut self.ticked, true) {
            return Poll::Ready(Some(Ok("tick".into())));
        }
        if !self.stopping {
            return Poll::Pending;
        }
        let said_bye = std::mem::replace(&mut self.said_bye, true);
        Poll::Ready((!said_bye).then(|| Ok("bye".into())))
    }

    fn stop(mut self: Pin<&mut Self>) {
        assert!(!self.stopping, "told once");
        self.stopping = true;
    }
}

#[test]
fn an_endless_body_is_asked_to_end() {
    on_loop(async {
        let service = |_request: Request| async {
            // Wrapped, as a layer around a handler may have it.
            Response::new(Body::stream(Body::stream(Endless::default())))
        };
        let serving = HttpServer::new(move || service)
            .listen("127.0.0.1:0")?
            .serve()?;
        let mut wire = connect(&serving).await?;
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("tick\r\n").await;
        let report = serving.stop(LONG).await;
        assert_eq!(wire.rest().await, "3\r\nbye\r\n0\r\n\r\n");
        assert_eq!((report.idle, report.finished, report.cut), (0, 1, 0));
        Ok(())
    });
}
