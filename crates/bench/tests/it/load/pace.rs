//! Fixed rates, and the latencies that a stalled server really causes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::run::load;
use super::server::{Reply, Server, answer};

/// Serves all connections one after the other, and stalls once, after request `after`.
fn stalling(after: usize, stall: Duration) -> Server {
    let (turn, stalled) = (Mutex::new(()), AtomicBool::new(false));
    Server::new(move |request| {
        let _turn = turn.lock().unwrap();
        if request.number >= after && !stalled.swap(true, Ordering::SeqCst) {
            std::thread::sleep(stall);
        }
        Reply::Bytes(answer("x"))
    })
}

#[test]
fn a_stall_is_charged_with_every_request_that_was_due_in_it() {
    let stall = Duration::from_millis(500);
    let server = stalling(200, stall);
    let run = load(&format!(
        "--addr {} --connections 8 --warmup 0 --seconds 2 --rate 500",
        server.addr
    ));
    run.assert_clean();
    assert_eq!(run.number("requests"), 1000.0, "{}", run.line);
    // A quarter of all requests were due during the stall and waited up to half a second, evenly
    // spread: the slowest tenth waited at least 300 ms.
    assert!(run.number("p90") > 250_000.0, "{}", run.line);
    assert!(run.number("p99") > 450_000.0, "{}", run.line);
    assert!(run.number("max") >= 490_000.0, "{}", run.line);
}

#[test]
fn without_a_rate_a_stall_hides_in_the_maximum() {
    // The same stall as a closed loop sees it: of thousands of requests it delays eight.
    let server = stalling(200, Duration::from_millis(500));
    let run = load(&format!(
        "--addr {} --connections 8 --warmup 0 --seconds 2",
        server.addr
    ));
    run.assert_clean();
    assert!(run.number("max") >= 490_000.0, "{}", run.line);
    assert!(run.number("requests") > 1000.0, "{}", run.line);
    assert!(run.number("p90") < 250_000.0, "{}", run.line);
}

#[test]
fn the_rate_is_kept_exactly() {
    let server = Server::always(answer("x"));
    for (rate, pipeline) in [(50.0, 1), (1000.0, 1), (2000.0, 4)] {
        let run = load(&format!(
            "--addr {} --connections 3 --warmup 0.1 --seconds 0.5 --rate {rate} --pipeline {pipeline}",
            server.addr
        ));
        run.assert_clean();
        let expected: f64 = rate * 0.5;
        let off = (run.number("requests") - expected).abs();
        assert!(off <= 1.0, "{rate}/s gave {}", run.line);
        assert_eq!(run.number("unsent"), 0.0);
    }
}

#[test]
fn a_server_that_is_too_slow_shows_what_waits() {
    let server = Server::new(|_| {
        std::thread::sleep(Duration::from_millis(20));
        Reply::Bytes(answer("x"))
    });
    // It can do 100 a second on two connections and is asked for ten times as many.
    let run = load(&format!(
        "--addr {} --connections 2 --warmup 0 --seconds 1 --rate 1000 --timeout 0.5",
        server.addr
    ));
    assert_eq!(run.number("wrong"), 0.0, "{}", run.line);
    assert!(run.number("requests") < 200.0, "{}", run.line);
    assert!(run.number("unsent") > 700.0, "{}", run.line);
    // Most of what was due has waited since then.
    assert!(run.number("p50") > 300_000.0, "{}", run.line);
    let accounted = run.number("requests") + run.number("unsent") + run.number("errors");
    assert_eq!(accounted, 1000.0, "{}", run.line);
}

#[test]
fn a_connection_for_each_request_at_a_rate() {
    let server = Server::always(answer("x"));
    let run = load(&format!(
        "--addr {} --connections 4 --warmup 0 --seconds 0.5 --rate 200 --close",
        server.addr
    ));
    run.assert_clean();
    assert_eq!(run.number("requests"), 100.0, "{}", run.line);
    assert_eq!(run.number("connects"), 100.0, "{}", run.line);
}

#[test]
fn the_measured_time_is_announced() {
    let server = Server::always(answer("x"));
    for how in ["--seconds 0.2", "--seconds 30 --requests 20 --rate 1000"] {
        let run = load(&format!(
            "--addr {} --connections 2 --warmup 0.1 --announce {how}",
            server.addr
        ));
        let lines: Vec<&str> = run.line.lines().collect();
        assert_eq!(lines[..2], ["begin", "end"], "{}", run.line);
        assert_eq!(lines.len(), 3, "{}", run.line);
        assert!(run.number("requests") >= 20.0, "{}", run.line);
    }
}
