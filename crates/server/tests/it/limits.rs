//! Time limits, on a clock that jumps.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_ioloop::{IoLoop, sleep};
use squall_server::{Config, Request};
use tokio::io::AsyncReadExt;

use crate::log::Log;
use crate::wire::Wire;
use crate::{echo, on_paused_loop};

/// Returns how long `wait` took by the loop's clock, in whole seconds.
async fn seconds(wait: impl Future<Output = ()>) -> u64 {
    let start = IoLoop::current().time();
    wait.await;
    (IoLoop::current().time() - start).as_secs()
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    on_paused_loop(async {
        let log = Log::catch();
        let (mut wire, served) = Wire::serving(echo);
        assert_eq!(
            seconds(async { assert_eq!(wire.rest().await, "") }).await,
            75
        );
        served.await?;
        assert_eq!(log.at("INFO"), [""; 0]);
        Ok(())
    });
}

#[test]
fn the_idle_time_begins_anew_with_each_request() {
    on_paused_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        for _ in 0..3 {
            sleep(Duration::from_secs(60)).await;
            wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
            wire.until("[]").await;
        }
        assert_eq!(
            seconds(async { assert_eq!(wire.rest().await, "") }).await,
            75
        );
        Ok(())
    });
}

#[test]
fn a_slow_head_gets_a_408_however_busily_it_trickles() {
    on_paused_loop(async {
        let log = Log::catch();
        let (mut wire, _served) = Wire::serving(echo);
        let start = IoLoop::current().time();
        for byte in b"GET / HTTP/1.1" {
            wire.send([*byte]).await;
            sleep(Duration::from_secs(1)).await;
        }
        let answer = wire.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{answer}"
        );
        // Lingering lasts on, but the answer's end has been sent.
        assert_eq!((IoLoop::current().time() - start).as_secs(), 15);
        assert_eq!(
            log.at("INFO"),
            ["INFO request head incomplete after 15s (head_timeout) peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn a_body_that_stops_times_out_in_the_service_that_waits_for_it() {
    on_paused_loop(async {
        let log = Log::catch();
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc")
            .await;
        let waited = seconds(async {
            let answer = wire.rest().await;
            assert!(
                answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
                "{answer}"
            );
        });
        assert_eq!(waited.await, 30);
        assert_eq!(
            log.at("INFO"),
            ["INFO request body brought 3 bytes in 30s (body_timeout) peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn a_body_that_trickles_times_out_as_if_it_had_stopped() {
    on_paused_loop(async {
        let log = Log::catch();
        let (mut wire, _served) = Wire::serving(echo);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n")
            .await;
        let waited = seconds(async {
            sleep(Duration::from_secs(29)).await;
            wire.send("a").await;
            let answer = wire.rest().await;
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        });
        assert_eq!(waited.await, 30);
        assert_eq!(
            log.at("INFO"),
            ["INFO request body brought 1 bytes in 30s (body_timeout) peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn a_body_that_is_just_fast_enough_is_waited_for() {
    on_paused_loop(async {
        let (mut wire, _served) = Wire::serving(echo);
        let length = 100 * 240;
        wire.send(format!(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
        for _ in 0..100 {
            sleep(Duration::from_millis(999)).await;
            wire.send([b'x'; 240]).await;
        }
        wire.until("x]").await;
        Ok(())
    });
}

#[test]
fn without_a_rate_a_byte_in_time_is_enough() {
    on_paused_loop(async {
        let config = Config {
            min_rate: 0,
            ..Config::default()
        };
        let (mut wire, _served) = Wire::serving_with(echo, config);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n")
            .await;
        for byte in b"abcde" {
            sleep(Duration::from_secs(29)).await;
            wire.send([*byte]).await;
        }
        wire.until("[abcde]").await;
        Ok(())
    });
}

#[test]
fn a_client_that_takes_its_answer_byte_by_byte_is_cut_off() {
    on_paused_loop(async {
        let log = Log::catch();
        let service = |_request: Request| async { Response::new(Body::from(vec![b'x'; 1 << 20])) };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let waited = seconds(async {
            while !served.is_done() {
                sleep(Duration::from_secs(7)).await;
                let taken = wire.stream.read_u8().await;
                assert!(taken.is_ok() || served.is_done());
            }
        });
        // It is noticed with the next byte that is taken.
        assert_eq!(waited.await, 35);
        assert_eq!(
            log.at("INFO"),
            ["INFO client took 4 bytes of its answer in 30s (write_timeout) peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn the_time_that_the_service_takes_is_not_counted_against_the_client() {
    on_paused_loop(async {
        let service = |request: Request| async {
            sleep(Duration::from_secs(3600)).await;
            echo(request).await
        };
        let (mut wire, _served) = Wire::serving(service);
        wire.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            .await;
        sleep(Duration::from_secs(3601)).await;
        wire.send("0\r\n\r\n").await;
        wire.until("[a]").await;
        Ok(())
    });
}

#[test]
fn a_client_that_takes_nothing_is_cut_off() {
    on_paused_loop(async {
        let log = Log::catch();
        let dropped = Rc::new(Cell::new(false));
        let flag = Rc::clone(&dropped);
        let service = move |_request: Request| {
            let flag = Flag(Rc::clone(&flag));
            async move {
                let pieces = std::iter::repeat_with(move || {
                    let _flag = &flag;
                    vec![b'x'; 4096]
                });
                Response::new(Body::from_chunks(pieces))
            }
        };
        let (mut wire, served) = Wire::serving(service);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert_eq!(seconds(async { served.await.expect("no panic") }).await, 30);
        assert!(dropped.get());
        assert_eq!(
            log.at("INFO"),
            ["INFO client took 0 bytes of its answer in 30s (write_timeout) peer=memory"]
        );
        Ok(())
    });
}

#[test]
fn lingering_after_a_refusal_has_an_end() {
    on_paused_loop(async {
        let log = Log::catch();
        let (mut wire, served) = Wire::serving(echo);
        wire.send("BAD\r\n\r\n").await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 400 "));
        assert_eq!(seconds(async { served.await.expect("no panic") }).await, 2);
        let line = "INFO connection closed, the client has not for 2s after its last answer (linger_timeout) peer=memory";
        assert_eq!(log.at("INFO").last().map(String::as_str), Some(line));
        Ok(())
    });
}

#[test]
fn a_limit_of_ages_is_none() {
    on_paused_loop(async {
        let config = Config {
            keep_alive_timeout: Duration::MAX,
            ..Config::default()
        };
        let (mut wire, served) = Wire::serving_with(echo, config);
        sleep(Duration::from_secs(1_000_000)).await;
        assert!(!served.is_done());
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("[]").await;
        Ok(())
    });
}

/// Sets a flag when it is dropped.
struct Flag(Rc<Cell<bool>>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.set(true);
    }
}
