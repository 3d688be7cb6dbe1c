//! Real sockets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_ioloop::{Promise, ThreadPoolExecutor, moment, promise, sleep, spawn};
use squall_net::{Address, IoStream};
use squall_server::{Config, HttpServer, Request, Serving, WhenFull};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::log::Log;
use crate::wire::Wire;
use crate::{echo, on_loop, on_paused_loop};

fn serve(config: Config) -> std::io::Result<Serving> {
    HttpServer::new(|| echo)
        .config(config)
        .listen("127.0.0.1:0")?
        .serve()
}

async fn connect(serving: &Serving) -> std::io::Result<Wire> {
    IoStream::connect_addr(serving.local_addr())
        .await
        .map(Wire::new)
}

#[test]
fn a_real_client_is_served_and_counted() {
    on_loop(async {
        let serving = serve(Config::default())?;
        let mut wire = connect(&serving).await?;
        for _ in 0..2 {
            wire.send("GET /real HTTP/1.1\r\nHost: test\r\n\r\n").await;
            wire.until("GET /real []").await;
        }
        let counts = serving.counts();
        assert_eq!((counts.accepted, counts.open, counts.requests), (1, 1, 2));
        drop(wire);
        while serving.counts().open > 0 {
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn the_service_sees_the_real_addresses() {
    on_loop(async {
        let service = |request: Request| async move {
            let info = request.connect_info().expect("the server's");
            Response::new(Body::from(format!("{} to {}.", info.peer, info.local)))
        };
        let serving = HttpServer::new(move || service)
            .listen("127.0.0.1:0")?
            .serve()?;
        let mut wire = connect(&serving).await?;
        let here = wire.stream.local_addr()?;
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let answer = wire.until(".").await;
        let text = format!("{here} to {}.", Address::from(serving.local_addr()));
        assert!(
            answer.ends_with(&text) || answer.contains("HTTP"),
            "{answer}"
        );
        Ok(())
    });
}

#[test]
fn a_large_answer_reaches_a_slow_reader_whole_before_the_close() {
    const BYTES: usize = 5 * 1024 * 1024;
    on_loop(async {
        let service = |_request: Request| async { Response::new(Body::from(vec![b'x'; BYTES])) };
        let serving = HttpServer::new(move || service)
            .listen("127.0.0.1:0")?
            .serve()?;
        let mut wire = connect(&serving).await?;
        wire.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .await;
        let mut taken = 0;
        let mut buffer = vec![0; 10_000];
        loop {
            match wire.stream.read(&mut buffer).await? {
                0 => break,
                count => taken += count,
            }
            moment().await;
        }
        assert!(taken > BYTES, "{taken}");
        Ok(())
    });
}

#[test]
fn a_refused_upload_does_not_cost_the_client_its_answer() {
    on_loop(async {
        let serving = serve(Config::default())?;
        let mut wire = connect(&serving).await?;
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n")
            .await;
        wire.send(vec![b'x'; 3_000_000]).await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 413 "));
        Ok(())
    });
}

#[test]
fn what_a_client_sends_too_much_does_not_cost_it_the_last_answer() {
    const BYTES: usize = 200_000;
    on_loop(async {
        let client: Rc<RefCell<Option<std::net::TcpStream>>> = Rc::default();
        let talker = Rc::clone(&client);
        let asked = Rc::new(Cell::new(false));
        let has_asked = Rc::clone(&asked);
        let served = {
            let service = move |_request: Request| {
                has_asked.set(true);
                // Too late for the server to have read it together with the request.
                let mut stream = talker.borrow_mut();
                let stream = stream.as_mut().expect("it is connected");
                std::io::Write::write_all(stream, b"GET /more HTTP/1.1\r\n").expect("sent");
                let mut response = Response::new(Body::from(vec![b'x'; BYTES]));
                let close = http::HeaderValue::from_static("close");
                response
                    .headers_mut()
                    .insert(http::header::CONNECTION, close);
                async { response }
            };
            let listener = squall_net::TcpListener::bind("127.0.0.1:0")?;
            let mut stream = std::net::TcpStream::connect(listener.local_addr()?)?;
            std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")?;
            client.replace(Some(stream));
            let (stream, _peer) = listener.accept().await?;
            spawn(squall_server::serve_connection(
                stream,
                Rc::new(service),
                Rc::default(),
            ))
        };
        while !asked.get() {
            moment().await;
        }
        let mut stream = client.take().expect("the service has put it back");
        let mut answer = Vec::new();
        let reader = ThreadPoolExecutor::new(1);
        let answer = reader
            .submit(move || std::io::Read::read_to_end(&mut stream, &mut answer).map(|_| answer))
            .await??;
        assert!(answer.len() > BYTES, "{}", answer.len());
        served.await?;
        Ok(())
    });
}

#[test]
fn a_reset_leaves_the_server_alive() {
    on_loop(async {
        let serving = serve(Config::default())?;
        let mut wire = connect(&serving).await?;
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        // Unread bytes at the close make it a reset.
        while serving.counts().requests == 0 {
            moment().await;
        }
        moment().await;
        drop(wire);
        let mut wire = connect(&serving).await?;
        wire.send("GET /next HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("GET /next []").await;
        Ok(())
    });
}

#[test]
fn beyond_the_most_connections_newcomers_wait_for_one_to_leave() {
    on_loop(async {
        let serving = serve(Config {
            max_connections: 2,
            ..Config::default()
        })?;
        let mut first = connect(&serving).await?;
        let mut second = connect(&serving).await?;
        for wire in [&mut first, &mut second] {
            wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
            wire.until("[]").await;
        }
        let mut third = connect(&serving).await?;
        third
            .send("GET /third HTTP/1.1\r\nHost: test\r\n\r\n")
            .await;
        let third = spawn(async move { third.until("GET /third []").await });
        for _ in 0..20 {
            moment().await;
        }
        assert!(!third.is_done());
        assert_eq!(serving.counts().accepted, 2);
        drop(first);
        third.await?;
        Ok(())
    });
}

#[test]
fn newcomers_take_the_place_of_whoever_has_been_idle_for_longest() {
    on_paused_loop(async {
        let log = Log::catch();
        let serving = serve(Config {
            max_connections: 3,
            when_full: WhenFull::CloseIdle,
            ..Config::default()
        })?;
        let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
        let mut wires = Vec::new();
        for _ in 0..3 {
            wires.push(connect(&serving).await?);
            sleep(Duration::from_secs(3)).await;
        }
        if !wires[0].stream.can_park() {
            // Nor are the server's ends parked, of which alone this is said.
            return Ok(());
        }
        // The first one is no longer the oldest.
        wires[0].send(get).await;
        wires[0].until("[]").await;
        for (place, closed) in [(3, 1), (4, 2), (5, 0)] {
            wires.push(connect(&serving).await?);
            wires[place].send(get).await;
            wires[place].until("[]").await;
            assert_eq!(wires[closed].rest().await, "", "{closed}");
            sleep(Duration::from_secs(3)).await;
        }
        let counts = serving.counts();
        assert_eq!((counts.open, counts.accepted), (3, 6));
        let closed = log.at("DEBUG idle connection closed for a newcomer, there are 3 already (max_connections) peer=127.0.0.1:");
        assert_eq!(closed.len(), 3, "{closed:?}");
        let told = log.at("WARN 3 connections are open (max_connections), newcomers take the places of idle ones peer=");
        assert_eq!(told.len(), 1, "{told:?}");
        Ok(())
    });
}

#[test]
fn newcomers_wait_while_nobody_is_idle() {
    on_loop(async {
        thread_local! {
            static GATE: Cell<Option<Promise<()>>> = const { Cell::new(None) };
        }
        let (resolver, promise) = promise();
        GATE.set(Some(promise));
        let service = |request: Request| {
            let waits = (request.path() == "/wait").then(|| GATE.take()).flatten();
            async move {
                if let Some(waits) = waits {
                    waits.await.expect("it is resolved");
                }
                Response::new(Body::from("done"))
            }
        };
        let serving = HttpServer::new(move || service)
            .config(Config {
                max_connections: 1,
                when_full: WhenFull::CloseIdle,
                ..Config::default()
            })
            .listen("127.0.0.1:0")?
            .serve()?;
        let mut first = connect(&serving).await?;
        if !first.stream.can_park() {
            return Ok(());
        }
        first.send("GET /wait HTTP/1.1\r\nHost: test\r\n\r\n").await;
        while serving.counts().requests == 0 {
            moment().await;
        }
        let mut second = connect(&serving).await?;
        second.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let second = spawn(async move { second.until("done").await });
        for _ in 0..20 {
            moment().await;
        }
        assert_eq!(serving.counts().accepted, 1, "the first is at work");
        resolver.resolve(());
        first.until("done").await;
        second.await?;
        assert_eq!(first.rest().await, "", "its place was taken");
        Ok(())
    });
}

#[test]
fn several_addresses_are_served() {
    on_loop(async {
        let server = HttpServer::new(|| echo)
            .listen("127.0.0.1:0")?
            .listen("127.0.0.2:0")?;
        let first = server.local_addr()?;
        let serving = server.serve()?;
        assert_eq!(serving.local_addr(), first);
        assert_eq!(serving.local_addrs().len(), 2);
        for addr in serving.local_addrs() {
            let mut wire = Wire::new(IoStream::connect_addr(*addr).await?);
            wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
            wire.until("[]").await;
        }
        Ok(())
    });
}

#[test]
fn a_server_that_listens_nowhere_says_so() {
    on_loop(async {
        let server = HttpServer::new(|| echo);
        assert!(server.local_addr().is_err());
        let err = server.serve().expect_err("listen was not called");
        assert!(err.to_string().contains("listen"), "{err}");
        Ok(())
    });
}

#[test]
fn a_taken_port_is_refused_with_a_remedy() {
    on_loop(async {
        let serving = serve(Config::default())?;
        let addr = serving.local_addr();
        let err = HttpServer::new(|| echo)
            .listen(addr)
            .expect_err("the port is taken");
        assert!(
            err.to_string()
                .starts_with(&format!("cannot listen on {addr}: the port is in use"))
        );
        Ok(())
    });
}

#[test]
fn the_service_may_hold_what_is_not_send() {
    on_loop(async {
        let factory = || {
            let shared = Rc::new(std::cell::Cell::new(0));
            move |_request: Request| {
                let shared = Rc::clone(&shared);
                async move {
                    shared.set(shared.get() + 1);
                    squall_ioloop::sleep(Duration::from_millis(1)).await;
                    Response::new(Body::from(format!("call {}.", shared.get())))
                }
            }
        };
        let serving = HttpServer::new(factory).listen("127.0.0.1:0")?.serve()?;
        let mut wire = connect(&serving).await?;
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert!(wire.until(".1 200 OK").await.starts_with("HTTP/1"));
        wire.until("call 1.").await;
        wire.stream.shutdown().await?;
        Ok(())
    });
}

#[test]
fn a_flood_of_requests_does_not_hold_up_new_connections() {
    on_loop(async {
        let answered = Rc::new(Cell::new(0));
        let counted = Rc::clone(&answered);
        let service = move |_request: Request| {
            counted.set(counted.get() + 1);
            async { Response::new(Body::empty()) }
        };
        let (near, far) = squall_net::duplex(64 * 1024);
        let _flooded = spawn(squall_server::serve_connection(
            far,
            Rc::new(service),
            Rc::default(),
        ));
        let (mut reading, mut writing) = tokio::io::split(near);
        let _writer = spawn(async move {
            let requests = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
            while writing.write_all(requests.as_bytes()).await.is_ok() {}
        });
        let _reader = spawn(async move {
            let mut answers = vec![0; 64 * 1024];
            while reading
                .read(&mut answers)
                .await
                .is_ok_and(|count| count > 0)
            {}
        });
        let serving = serve(Config::default())?;
        while answered.get() < 1000 {
            moment().await;
        }
        let before = answered.get();
        let mut wire = connect(&serving).await?;
        wire.send("GET /patient HTTP/1.1\r\nHost: test\r\n\r\n")
            .await;
        wire.until("GET /patient []").await;
        let meanwhile = answered.get() - before;
        // A few looks at the sockets are needed, and some hundreds of requests are answered between two.
        assert!(meanwhile < 10_000, "{meanwhile}");
        Ok(())
    });
}
