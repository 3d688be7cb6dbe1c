//! The page and its runs, over a socket.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::tour::{Tour, read_until};

/// The events of an answer, by name and data.
fn events(answer: &str) -> Vec<(String, Value)> {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let event = |text: &str| {
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name));
        let data = serde_json::from_str(field("data: ")?).expect("data is JSON");
        Some((field("event: ")?.to_owned(), data))
    };
    body.split("\n\n").filter_map(event).collect()
}

fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).unwrap_or_default();
    code.parse().unwrap_or_else(|_| panic!("{answer}"))
}

#[test]
fn the_page_is_there_in_both_languages() {
    let tour = Tour::start();
    let page = tour.get("/");
    assert_eq!(status(&page), 200);
    assert!(page.contains("<html lang=\"en\"") && page.contains("Squall"));
    assert!(page.contains("content-security-policy: default-src 'none'"));
    for (path, tag) in [
        ("/?lang=zh", "zh-Hans"),
        ("/?lang=zh-CN", "zh-Hans"),
        ("/?lang=xx", "en"),
    ] {
        let page = tour.get(path);
        assert!(page.contains(&format!("<html lang=\"{tag}\"")), "{path}");
    }
}

#[test]
fn everything_the_page_refers_to_is_there_with_its_type() {
    let tour = Tour::start();
    let page = tour.get("/");
    let mut files: Vec<&str> = page
        .split(['"', '\''])
        .filter(|text| text.starts_with('/') && text.contains('.') && !text.contains(' '))
        .collect();
    files.extend(["/run.js", "/timeline.js", "/words.js"]);
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        let answer = tour.get(file);
        let kind = match file.rsplit_once('.') {
            Some((_, "css")) => "text/css",
            Some((_, "js")) => "text/javascript",
            Some((_, "svg")) => "image/svg+xml",
            other => panic!("{other:?}"),
        };
        assert_eq!(status(&answer), 200, "{file}");
        assert!(answer.contains(&format!("content-type: {kind}")), "{file}");
    }
}

#[test]
fn a_run_is_told_while_it_goes_on() {
    let tour = Tour::start();
    let mut stream = tour.begin("thread_pool", "[]");
    let begun = read_until(&mut stream, "\"start\"}\n\n");
    assert!(begun.contains("content-type: text/event-stream"));
    assert!(!begun.contains("event: end"));
    let rest = read_until(&mut stream, "\"omitted\"");
    let events = events(&(begun + &rest));
    let of = |name: &'static str| events.iter().filter(move |(other, _)| other == name);
    let lines: Vec<&str> = of("line")
        .filter_map(|(_, data)| data["text"].as_str())
        .collect();
    assert_eq!(
        (lines.first(), lines.last()),
        (Some(&"start"), Some(&"end"))
    );
    for kind in ["run", "wait", "pool"] {
        assert!(of("span").any(|(_, data)| data["kind"] == kind), "{kind}");
    }
    let pool = of("span").find(|(_, data)| data["kind"] == "pool");
    let (_, pool) = pool.expect("seen above");
    let took = pool["to"].as_f64().zip(pool["from"].as_f64());
    assert!(took.is_some_and(|(to, from)| to - from >= 1e6), "{pool}");
    assert!(pool["line"].as_u64().is_some(), "{pool}");
    let (name, end) = events.last().expect("there are some");
    assert_eq!((name.as_str(), &end["error"]), ("end", &Value::Null));
}

#[test]
fn every_pattern_runs_without_input() {
    let tour = Tour::start();
    for pattern in [
        "done_callback",
        "fire_and_forget",
        "callback_to_future",
        "parallel",
        "promise",
    ] {
        let events = events(&tour.run(pattern, "[]"));
        let (name, end) = events.last().expect("there are some");
        assert_eq!(
            (name.as_str(), &end["error"]),
            ("end", &Value::Null),
            "{pattern}"
        );
        assert!(
            events.iter().any(|(_, data)| data["kind"] == "run"),
            "{pattern}"
        );
    }
}

#[test]
fn a_failure_that_the_loop_logs_is_told_with_its_place() {
    let tour = Tour::start();
    let events = events(&tour.run("fire_and_forget", "[]"));
    let logs: Vec<&Value> = events
        .iter()
        .filter(|(name, _)| name == "log")
        .map(|(_, data)| data)
        .collect();
    assert_eq!(logs.len(), 2, "{logs:?}");
    for (log, text) in logs
        .iter()
        .zip(["attempt to divide by zero", "1 cannot be divided by 0"])
    {
        assert!(
            log["text"]
                .as_str()
                .is_some_and(|words| words.contains(text)),
            "{log}"
        );
        let place = log["place"].as_str().expect("the loop knows where");
        assert!(
            place.starts_with("crates/examples/examples/fire_and_forget.rs:"),
            "{place}"
        );
    }
}

#[test]
fn a_program_that_fails_says_why() {
    let tour = Tour::start();
    for (pattern, input, reason) in [
        ("done_callback", "[\"http://127.0.0.1:9/\"]", "127.0.0.1:9"),
        ("done_callback", "[\"no address\"]", "no address"),
        ("thread_pool", "[\"soon\"]", "found `soon`"),
    ] {
        let events = events(&tour.run(pattern, input));
        let (_, end) = events.last().expect("there are some");
        let error = end["error"].as_str().unwrap_or_default();
        assert!(error.contains(reason), "{input}: {end}");
    }
}

#[test]
fn a_visitor_who_leaves_makes_room_for_another() {
    let tour = Tour::start();
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = silent.local_addr().expect("it is bound");
    let input = format!("[\"http://{addr}/\"]");
    let visits: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = tour.begin("done_callback", &input);
            read_until(&mut stream, "event: line");
            stream
        })
        .collect();
    let full = tour.run("promise", "[]");
    assert_eq!(status(&full), 503, "{full}");
    assert!(full.contains("8 patterns are running"), "{full}");
    drop(visits);
    let begun = Instant::now();
    // The tour hears of it when its loop does.
    while status(&tour.run("promise", "[]")) == 503 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn strangers_are_refused() {
    let tour = Tour::start();
    let host = tour.addr;
    let run = |fields: &str| {
        let request = format!("POST /run/promise HTTP/1.0\r\n{fields}Content-Length: 2\r\n\r\n[]");
        status(&tour.ask(&request))
    };
    let json = "Content-Type: application/json\r\n";
    let here = format!("Host: {host}\r\n");
    assert_eq!(run(&format!("{here}{json}")), 200);
    assert_eq!(run(&format!("{here}{json}Origin: http://{host}\r\n")), 200);
    assert_eq!(
        run(&format!("{here}{json}Origin: http://squall.example\r\n")),
        403
    );
    assert_eq!(
        run(&format!("{here}{json}Sec-Fetch-Site: cross-site\r\n")),
        403
    );
    assert_eq!(run(&format!("Host: squall.example\r\n{json}")), 421);
    assert_eq!(run(&format!("{here}Content-Type: text/plain\r\n")), 415);
    assert_eq!(
        status(&tour.ask("GET / HTTP/1.0\r\nHost: squall.example\r\n\r\n")),
        421
    );
}

#[test]
fn what_is_not_there_is_said_so() {
    let tour = Tour::start();
    assert_eq!(status(&tour.get("/nothing")), 404);
    assert_eq!(status(&tour.get("/run/promise")), 405);
    let unknown = tour.run("nothing", "[]");
    assert_eq!(status(&unknown), 404);
    assert!(unknown.contains("no pattern `nothing`"));
    assert_eq!(status(&tour.run("promise", "[\"input\"]")), 400);
    assert_eq!(status(&tour.run("run_sync", "[\"tags.sqlite\"]")), 400);
    assert_eq!(status(&tour.run("promise", "{}")), 422);
}

#[test]
fn sigterm_ends_it_well_also_while_somebody_watches() {
    let idle = Tour::start();
    assert_eq!(idle.terminate().code(), Some(0));
    let tour = Tour::start();
    let mut stream = tour.begin("thread_pool", "[\"30\"]");
    read_until(&mut stream, "event: line");
    let begun = Instant::now();
    assert_eq!(tour.terminate().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15));
}
