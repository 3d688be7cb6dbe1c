//! Clients that cost time instead of bytes, alone and in crowds, on a clock that jumps: each limit answers with its
//! status, ends the connection, and tells the log its name, its value and the client.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_http::h1::Limits;
use squall_ioloop::{IoLoop, Task, sleep, spawn, spawn_callback, with_timeout};
use squall_net::{IoStream, duplex};
use squall_server::{Config, HttpServer, Request, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::log::Log;
use crate::wire::{ROOM, Wire};
use crate::{echo, on_paused_loop};

/// Clients of a crowd.
const CROWD: usize = 200;

const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Connects a crowd to an echo.
fn crowd() -> Vec<(Wire, Task<()>)> {
    (0..CROWD).map(|_| Wire::serving(echo)).collect()
}

/// Lets `each` client of a crowd do what it does, all at the same time, and waits until the server is rid of them.
async fn all_together<F: Future<Output = ()> + 'static>(each: impl Fn(Wire) -> F) {
    let (clients, served): (Vec<_>, Vec<_>) = crowd()
        .into_iter()
        .map(|(wire, served)| (spawn(each(wire)), served))
        .unzip();
    for client in clients {
        client.await.expect("the client's expectations hold");
    }
    for served in served {
        served.await.expect("no panic");
    }
    assert_eq!(IoLoop::current().timer_count(), 0, "timers are left");
}

#[test]
fn a_crowd_of_slow_heads_is_answered_and_gone() {
    on_paused_loop(async {
        let log = Log::catch();
        let begun = IoLoop::current().time();
        all_together(|mut wire| async move {
            for byte in GET.bytes().take(15) {
                wire.send([byte]).await;
                sleep(seconds(1)).await;
            }
            let answer = wire.rest().await;
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        })
        .await;
        assert!(IoLoop::current().time() - begun <= seconds(18));
        let lines = log.at("INFO");
        assert_eq!(lines.len(), CROWD);
        for line in lines {
            assert_eq!(
                line,
                "INFO request head incomplete after 15s (head_timeout) peer=memory"
            );
        }
        Ok(())
    });
}

#[test]
fn a_crowd_of_slow_bodies_is_answered_and_gone() {
    on_paused_loop(async {
        let log = Log::catch();
        let begun = IoLoop::current().time();
        all_together(|mut wire| async move {
            wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n")
                .await;
            for _ in 0..29 {
                wire.send("x").await;
                sleep(seconds(1)).await;
            }
            let answer = wire.rest().await;
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        })
        .await;
        assert!(IoLoop::current().time() - begun <= seconds(33));
        let lines = log.at("INFO");
        assert_eq!(lines.len(), CROWD);
        for line in lines {
            assert_eq!(
                line,
                "INFO request body brought 29 bytes in 30s (body_timeout) peer=memory"
            );
        }
        Ok(())
    });
}

#[test]
fn a_crowd_of_slow_readers_is_cut_off() {
    on_paused_loop(async {
        let log = Log::catch();
        let begun = IoLoop::current().time();
        let service = |_request: Request| async { Response::new(Body::from(vec![b'x'; 4 * ROOM])) };
        let mut clients = Vec::new();
        for _ in 0..CROWD {
            let (mut wire, served) = Wire::serving(service);
            clients.push((
                spawn(async move {
                    wire.send(GET).await;
                    // One byte now and then, until the server has had enough.
                    while wire.stream.read_u8().await.is_ok() {
                        sleep(seconds(5)).await;
                    }
                }),
                served,
            ));
        }
        for (client, served) in clients {
            served.await?;
            client.await?;
        }
        assert!(IoLoop::current().time() - begun <= seconds(40));
        let lines = log.at("INFO");
        assert_eq!(lines.len(), CROWD);
        for line in lines {
            assert!(line.starts_with("INFO client took "), "{line}");
            assert!(
                line.ends_with(" bytes of its answer in 30s (write_timeout) peer=memory"),
                "{line}"
            );
        }
        assert_eq!(IoLoop::current().timer_count(), 0, "timers are left");
        Ok(())
    });
}

#[test]
fn a_client_that_pipelines_and_never_reads_is_held_back_and_cut_off() {
    on_paused_loop(async {
        let asked = Rc::new(Cell::new(0usize));
        let count = Rc::clone(&asked);
        let service = move |_request: Request| {
            count.set(count.get() + 1);
            async { Response::new(Body::from(vec![b'x'; 1000])) }
        };
        let (mut wire, served) = Wire::serving(service);
        let begun = IoLoop::current().time();
        let mut sent = 0;
        while wire.stream.write_all(GET.as_bytes()).await.is_ok() {
            sent += GET.len();
        }
        served.await?;
        assert_eq!(IoLoop::current().time() - begun, seconds(30));
        // The duplex, what is read ahead, and what waits to be written: each has its size.
        assert!(sent <= 4 * ROOM + 128 * 1024, "{sent} bytes were taken");
        assert!(asked.get() <= 200, "{} requests were answered", asked.get());
        Ok(())
    });
}

#[test]
fn a_client_that_goes_on_sending_after_a_refusal_is_not_listened_to_for_long() {
    on_paused_loop(async {
        let config = Config {
            limits: Limits {
                body_bytes: 10,
                ..Limits::default()
            },
            ..Config::default()
        };
        let (mut wire, served) = Wire::serving_with(echo, config);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
            .await;
        let answer = wire.until("\n").await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        let begun = IoLoop::current().time();
        while wire.stream.write_all(&[b'x'; 1000]).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
        served.await?;
        let lasted = IoLoop::current().time() - begun;
        assert!(
            lasted >= Duration::from_millis(1900) && lasted <= Duration::from_millis(2100),
            "{lasted:?}"
        );
        Ok(())
    });
}

#[test]
fn a_client_that_vanishes_is_noticed_in_each_state() {
    let cases: [(&str, u64, &str); 4] = [
        (
            "",
            75,
            "DEBUG idle connection closed after 75s (keep_alive_timeout) peer=memory",
        ),
        (
            GET,
            75,
            "DEBUG idle connection closed after 75s (keep_alive_timeout) peer=memory",
        ),
        (
            "GET / HT",
            15,
            "INFO request head incomplete after 15s (head_timeout) peer=memory",
        ),
        (
            "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            30,
            "INFO request body brought 2 bytes in 30s (body_timeout) peer=memory",
        ),
    ];
    for (sent, after, line) in cases {
        on_paused_loop(async {
            let log = Log::catch();
            let (mut wire, served) = Wire::serving(echo);
            let begun = IoLoop::current().time();
            wire.send(sent).await;
            // Neither reads nor closes: nobody is there any more.
            served.await?;
            let lasted = IoLoop::current().time() - begun;
            // Lingering comes on top, for who was in the middle of something.
            let lingering = seconds(3);
            assert!(
                lasted >= seconds(after) && lasted <= seconds(after) + lingering,
                "{sent:?}: {lasted:?}"
            );
            let level = line.split(' ').next().unwrap_or_default();
            assert_eq!(log.at(level).first().map(String::as_str), Some(line));
            drop(wire);
            Ok(())
        });
    }
}

#[test]
fn a_client_that_has_shut_down_its_side_and_reads_nothing_is_cut_off() {
    on_paused_loop(async {
        let log = Log::catch();
        let service = |_request: Request| async { Response::new(Body::from(vec![b'x'; 4 * ROOM])) };
        let (mut wire, served) = Wire::serving(service);
        wire.send(GET).await;
        wire.stream.shutdown().await?;
        let begun = IoLoop::current().time();
        served.await?;
        assert_eq!(IoLoop::current().time() - begun, seconds(30));
        assert_eq!(
            log.at("INFO"),
            ["INFO client took 0 bytes of its answer in 30s (write_timeout) peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn each_limit_of_the_parser_answers_with_its_status_and_tells_the_log_its_value() {
    let limits = Limits {
        head_bytes: 150,
        target_bytes: 20,
        headers: 3,
        body_bytes: 10,
        chunk_extension_bytes: 8,
        trailer_bytes: 30,
        ..Limits::default()
    };
    let head = "HTTP/1.1\r\nHost: test\r\n";
    let chunked = format!("POST / {head}Transfer-Encoding: chunked\r\n\r\n");
    let cases = [
        (
            format!("GET / {head}X: {}\r\n\r\n", "x".repeat(150)),
            431,
            "request refused with 431 Request Header Fields Too Large: head over the limit head_bytes (150)",
        ),
        (
            format!("GET / {head}{}\r\n", "X: y\r\n".repeat(3)),
            431,
            "request refused with 431 Request Header Fields Too Large: field lines over the limit headers (3)",
        ),
        (
            format!("GET /{} {head}\r\n", "x".repeat(20)),
            414,
            "request refused with 414 URI Too Long: request target over the limit target_bytes (20)",
        ),
        (
            format!("POST / {head}Content-Length: 11\r\n\r\n"),
            413,
            "request refused with 413 Payload Too Large: body over the limit body_bytes (10)",
        ),
        (
            format!("{chunked}b\r\n"),
            413,
            "request body refused: body over the limit body_bytes (10)",
        ),
        (
            format!("{chunked}1;{}\r\n", "x".repeat(8)),
            400,
            "request body refused: chunk extensions over the limit chunk_extension_bytes (8)",
        ),
        (
            format!("{chunked}0\r\nX: {}\r\n\r\n", "x".repeat(30)),
            431,
            "request body refused: trailer section over the limit trailer_bytes (30)",
        ),
        (
            format!("{chunked}0\r\n{}\r\n", "X: y\r\n".repeat(4)),
            431,
            "request body refused: field lines over the limit headers (3)",
        ),
    ];
    for (sent, status, line) in cases {
        on_paused_loop(async {
            let log = Log::catch();
            let config = Config {
                limits,
                ..Config::default()
            };
            let (mut wire, served) = Wire::serving_with(echo, config);
            wire.send(&sent).await;
            let answer = wire.rest().await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{sent}: {answer}"
            );
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert_eq!(log.at("INFO"), [format!("INFO {line} peer=memory")]);
            drop(wire);
            served.await?;
            Ok(())
        });
    }
}

#[test]
fn a_flood_of_connections_is_served_a_few_at_a_time() {
    on_paused_loop(async {
        const MOST: usize = 10;
        let log = Log::catch();
        let config = Config {
            max_connections: MOST,
            ..Config::default()
        };
        let serving = HttpServer::new(|| echo)
            .config(config)
            .listen("127.0.0.1:0")?
            .serve()?;
        let most_open = Rc::new(Cell::new(0));
        let answered = Rc::new(RefCell::new(Vec::new()));
        for number in 0..CROWD {
            let mut stream = IoStream::connect_addr(serving.local_addr()).await?;
            let (serving, most_open) = (serving.clone(), Rc::clone(&most_open));
            let answered = Rc::clone(&answered);
            spawn_callback(async move {
                stream.write_all(GET.as_bytes()).await?;
                // Read to the end, which is the idle limit: these clients keep what they have got.
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await?;
                most_open.set(most_open.get().max(serving.counts().open));
                answered.borrow_mut().push((number, answer));
                Ok::<_, std::io::Error>(())
            });
        }
        let begun = IoLoop::current().time();
        while answered.borrow().len() < CROWD {
            sleep(seconds(1)).await;
            assert!(serving.counts().open <= MOST as u64);
            assert!(
                IoLoop::current().time() - begun < seconds(2000),
                "somebody waits for ever"
            );
        }
        for (number, answer) in answered.borrow().iter() {
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{number}");
        }
        assert_eq!(serving.counts().accepted, CROWD as u64);
        assert!(most_open.get() <= MOST as u64);
        let warnings = log.at("WARN");
        assert!(
            !warnings.is_empty() && warnings.len() <= CROWD / MOST,
            "{warnings:?}"
        );
        for line in warnings {
            assert!(
                line.starts_with("WARN 10 connections are open (max_connections), newcomers wait until one leaves peer=127.0.0.1:"),
                "{line}"
            );
        }
        serving.stop(seconds(1)).await;
        Ok(())
    });
}

#[test]
fn slow_clients_on_every_connection_keep_a_good_one_waiting_no_longer_than_the_limit() {
    on_paused_loop(async {
        const MOST: usize = 10;
        let config = Config {
            max_connections: MOST,
            ..Config::default()
        };
        let serving = HttpServer::new(|| echo)
            .config(config)
            .listen("127.0.0.1:0")?
            .serve()?;
        let mut slow = Vec::new();
        for _ in 0..MOST {
            let mut stream = IoStream::connect_addr(serving.local_addr()).await?;
            stream.write_all(b"GET / HTTP").await?;
            slow.push(stream);
        }
        let begun = IoLoop::current().time();
        let mut wire = Wire::new(IoStream::connect_addr(serving.local_addr()).await?);
        wire.send(GET).await;
        // The head's limit, and the lingering for those who do not close.
        with_timeout(seconds(20), wire.until("GET / []")).await?;
        assert!(IoLoop::current().time() - begun >= seconds(14));
        drop(slow);
        serving.stop(seconds(1)).await;
        Ok(())
    });
}

#[test]
fn the_log_names_the_client_of_a_socket() {
    on_paused_loop(async {
        let log = Log::catch();
        let serving = HttpServer::new(|| echo).listen("127.0.0.1:0")?.serve()?;
        let mut wire = Wire::new(IoStream::connect_addr(serving.local_addr()).await?);
        let here = wire.stream.local_addr()?;
        wire.send("GET / HTTP/1.1").await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 408 "));
        assert_eq!(
            log.at("INFO"),
            [format!(
                "INFO request head incomplete after 15s (head_timeout) peer={here}"
            )]
        );
        drop(wire);
        serving.stop(seconds(5)).await;
        Ok(())
    });
}

#[test]
fn limits_of_time_that_are_short_hold_as_well() {
    on_paused_loop(async {
        let short = Duration::from_millis(50);
        let config = Rc::new(Config {
            head_timeout: short,
            keep_alive_timeout: short,
            body_timeout: short,
            write_timeout: short,
            linger_timeout: short,
            ..Config::default()
        });
        let sent = [
            "",
            "G",
            GET,
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
            "BAD\r\n\r\n",
        ];
        for sent in sent {
            let (mut near, far) = duplex(ROOM);
            let served = spawn(serve_connection(far, Rc::new(echo), Rc::clone(&config)));
            near.write_all(sent.as_bytes()).await?;
            let begun = IoLoop::current().time();
            served.await?;
            let lasted = IoLoop::current().time() - begun;
            assert!(lasted <= 3 * short, "{sent:?}: {lasted:?}");
        }
        Ok(())
    });
}
