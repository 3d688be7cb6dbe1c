//! Servers that answer wrong: each must be found out, and said to be.

use super::run::{Run, TempFile, load, load_briefly, load_in_vain};
use super::server::{Reply, Server, answer, answer_with};

/// The 20th answer is `bad`; the others are right.
fn once_wrong(bad: Reply, more: &str) -> Run {
    let bad = std::sync::Mutex::new(Some(bad));
    let server = Server::new(move |request| {
        let wrong = match request.number {
            20.. => bad.lock().unwrap().take(),
            _ => None,
        };
        wrong.unwrap_or_else(|| Reply::Bytes(answer("Hello, World!")))
    });
    load_briefly(server.addr, more)
}

#[track_caller]
fn assert_found_once(run: &Run, words: &str) {
    assert_eq!(run.number("wrong"), 1.0, "{}", run.line);
    assert!(run.text("first_wrong").contains(words), "{}", run.line);
    assert!(run.number("requests") > 20.0, "{}", run.line);
}

#[test]
fn one_byte_of_one_body_differs() {
    for more in ["", "--pipeline 8", "--rate 1000", "--close"] {
        let run = once_wrong(Reply::Bytes(answer("Hello, World?")), more);
        assert_found_once(&run, "body differs at byte 12 of 13");
        assert!(run.text("first_wrong").starts_with("GET /, answer "));
        assert_eq!(run.number("errors"), 0.0, "{}", run.line);
    }
}

#[test]
fn one_byte_of_a_head_differs() {
    let wire = String::from_utf8(answer("Hello, World!")).unwrap();
    for (from, to, words) in [
        ("OK", "OJ", "status line"),
        ("200", "500", "status 500 instead of 200"),
        ("Content-Length", "Content-Lengti", ""),
        ("HTTP/1.1", "HTTP/2.1", "status line is malformed"),
        ("\r\n\r\n", "\r\n\r\r\n", "cut off"),
    ] {
        // Closing tells an answer that has become longer from one that is late.
        let bad = Reply::Last(wire.replace(from, to).into_bytes());
        assert_found_once(&once_wrong(bad, ""), words);
    }
}

#[test]
fn an_answer_is_cut_off() {
    let wire = answer("Hello, World!");
    for length in [1, 17, wire.len() - 13, wire.len() - 1] {
        let run = once_wrong(Reply::Last(wire[..length].to_vec()), "");
        assert_found_once(&run, &format!("cut off after {length} bytes"));
    }
}

#[test]
fn bytes_follow_an_answer() {
    let wire = [answer("Hello, World!"), b"more".to_vec()].concat();
    let run = once_wrong(Reply::Bytes(wire), "");
    assert_found_once(&run, "nobody asked for");
    assert!(
        run.text("first_wrong").ends_with("\\\"more\\\""),
        "{}",
        run.line
    );
}

#[test]
fn an_answer_comes_twice() {
    let wire = [answer("Hello, World!"), answer("Hello, World!")].concat();
    assert_found_once(&once_wrong(Reply::Bytes(wire), ""), "nobody asked for");
}

#[test]
fn answers_to_pipelined_requests_change_places() {
    let server = Server::new(|request| {
        let path = match (request.number, request.path.as_str()) {
            (20.., "/a") => "/b",
            (20.., "/b") => "/a",
            (_, path) => path,
        };
        Reply::Bytes(answer(path))
    });
    let file = TempFile::new("places", b"/a\n/b\n");
    let more = format!("--pipeline 2 --connections 1 --paths-file {}", file.path());
    let run = load_in_vain(server.addr, &more);
    assert!(run.number("wrong") > 0.0, "{}", run.line);
    let why = run.text("first_wrong");
    assert!(why.contains("body differs at byte 1 of 2"), "{why}");
}

#[test]
fn every_answer_is_wrong() {
    let file = TempFile::new("expected", b"Hello");
    let server = Server::always(answer("Hella"));
    let run = load_in_vain(server.addr, &format!("--expect-body-file {}", file.path()));
    assert_eq!(run.number("requests"), 0.0, "{}", run.line);
    assert!(run.number("wrong") > 4.0, "{}", run.line);
    let why = run.text("first_wrong");
    assert!(
        why.contains("byte 4 of 5: \\\"a\\\" instead of \\\"o\\\""),
        "{why}"
    );
}

#[test]
fn something_that_is_no_http() {
    let server = Server::always(&b"SSH-2.0-server\r\n"[..]);
    let run = load_in_vain(server.addr, "");
    assert_eq!(run.number("requests"), 0.0);
    assert!(run.text("first_wrong").contains("SSH-2.0"), "{}", run.line);
}

#[test]
fn a_date_that_is_none() {
    let bad = answer_with("Date: yesterday\r\n", "Hello, World!");
    let run = once_wrong(Reply::Bytes(bad), "");
    assert_found_once(&run, "the date is malformed: \\\"yesterday\\\"");
}

#[test]
fn a_field_that_changes_unless_it_may() {
    let server = || {
        Server::new(|request| {
            let field = format!("X-Request-Id: {}\r\n", request.number);
            Reply::Bytes(answer_with(&field, "x"))
        })
    };
    let run = load_in_vain(server().addr, "");
    assert!(run.number("wrong") > 0.0);
    assert!(
        run.text("first_wrong").contains("x-request-id"),
        "{}",
        run.line
    );
    load_briefly(server().addr, "--vary X-Request-Id").assert_clean();
}

#[test]
fn a_length_that_promises_too_much() {
    let server = Server::always(&b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHello"[..]);
    let run = load_in_vain(server.addr, "--timeout 0.2");
    assert_eq!(run.number("requests"), 0.0);
    assert!(run.number("timeouts") > 0.0, "{}", run.line);
    // The limit may also be the end of the run.
    let run = load(&format!(
        "--addr {} --warmup 0 --seconds 0.1 --connections 3",
        server.addr
    ));
    assert_eq!(run.number("errors"), 3.0, "{}", run.line);
    assert!(
        run.text("first_error").contains("but 43 bytes"),
        "{}",
        run.line
    );
}

#[test]
fn a_server_that_speaks_first() {
    let server = Server::greeting(answer("early"), |_| Reply::Bytes(answer("late")));
    let run = load_in_vain(server.addr, "");
    // Bytes before the first request are found at once; when they come later they pass for its
    // answer, and then it is the next one that is not the same.
    let why = run.text("first_wrong");
    assert!(
        why.contains("before any") || why.contains("body"),
        "{}",
        run.line
    );
}
