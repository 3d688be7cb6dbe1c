//! Time limits, on a clock that jumps.

use std::time::Duration;

use squall_client::{ClientConfig, HttpClient, HttpRequest};
use squall_ioloop::{IoLoop, sleep, spawn};

use crate::Outcome;
use crate::peer::{Act, Peer};

/// Runs a test on a loop whose clock jumps over waiting.
fn on_paused_loop(test: impl Future<Output = Outcome>) {
    let io_loop = IoLoop::with_paused_clock().expect("a loop");
    IoLoop::run_sync(test).expect("the test's future succeeds");
    io_loop.close();
}

#[test]
fn an_answer_that_does_not_come_is_a_timeout_after_twenty_seconds() {
    on_paused_loop(async {
        let peer = Peer::start(&[&[Act::Sulk]])?;
        let start = IoLoop::current().time();
        let err = HttpClient::new()
            .fetch(&peer.url)
            .await
            .expect_err("it says nothing");
        assert_eq!(IoLoop::current().time() - start, Duration::from_secs(20));
        assert!(err.is_timeout() && !err.is_connect() && !err.may_retry());
        assert_eq!(
            err.to_string(),
            format!("GET {}: no complete answer within 20s", peer.url)
        );
        Ok(())
    });
}

#[test]
fn an_answer_that_stops_midway_is_one_too() {
    on_paused_loop(async {
        let peer = Peer::start(&[&[
            Act::Say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
            Act::Sulk,
        ]])?;
        let request = HttpRequest::get(&peer.url).request_timeout(Duration::from_secs(3));
        let start = IoLoop::current().time();
        let err = HttpClient::new()
            .fetch(request)
            .await
            .expect_err("it never ends");
        assert_eq!(IoLoop::current().time() - start, Duration::from_secs(3));
        assert!(err.is_timeout());
        Ok(())
    });
}

#[test]
fn zero_is_no_limit() {
    on_paused_loop(async {
        let peer = Peer::start(&[&[Act::Sulk]])?;
        let client = HttpClient::with_config(ClientConfig {
            request_timeout: Duration::ZERO,
            connect_timeout: Duration::ZERO,
            ..ClientConfig::default()
        });
        let fetch = spawn(client.fetch(&peer.url));
        sleep(Duration::from_secs(1_000_000)).await;
        assert!(!fetch.is_done());
        Ok(())
    });
}

#[test]
fn a_connection_that_is_not_made_in_time_is_a_connect_timeout() {
    on_paused_loop(async {
        // Addresses of RFC 5737 answer nobody; where the system knows at once that it cannot reach them, that is another
        // error of connecting.
        let request = HttpRequest::get("http://192.0.2.1/").connect_timeout(Duration::from_secs(2));
        let err = HttpClient::new()
            .fetch(request)
            .await
            .expect_err("nobody is there");
        assert!(err.is_connect() && err.may_retry(), "{err}");
        if err.is_timeout() {
            assert_eq!(
                err.to_string(),
                "GET http://192.0.2.1/: no connection within 2s"
            );
        }
        Ok(())
    });
}

#[test]
fn the_time_of_an_answer_is_told_by_the_loops_clock() {
    on_paused_loop(async {
        use http::Response;
        use squall_http::Body;
        let slow = |_request: squall_server::Request| async {
            sleep(Duration::from_secs(7)).await;
            Response::new(Body::from("at last"))
        };
        let serving = squall_server::HttpServer::new(move || slow)
            .listen("127.0.0.1:0")?
            .serve()?;
        let response = HttpClient::new()
            .fetch(format!("http://{}/", serving.local_addr()))
            .await?;
        assert_eq!(response.request_time.as_secs(), 7);
        Ok(())
    });
}
