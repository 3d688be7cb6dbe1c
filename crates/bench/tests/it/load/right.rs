//! Servers that answer right, each in its own way: no answer may be called wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use super::run::{TempFile, load, load_briefly};
use super::server::{Reply, Server, answer, answer_with};

#[test]
fn answers_with_a_length() {
    let server = Server::always(answer("Hello, World!"));
    let run = load_briefly(server.addr, "");
    run.assert_clean();
    let requests = run.number("requests");
    assert!(requests <= server.requests() as f64);
    let rate = requests / run.number("seconds");
    assert!(
        (run.number("rate") / rate - 1.0).abs() < 0.5,
        "{}",
        run.line
    );
    assert_eq!(run.number("connects"), 4.0);
    assert_eq!(server.connections(), 4);
    let wire = answer("Hello, World!").len() as f64;
    assert!(run.number("bytes_read") >= requests * wire);
    let quantiles = ["p50", "p90", "p99", "p999", "max"].map(|name| run.number(name));
    assert!(quantiles.is_sorted() && quantiles[0] > 0.0, "{quantiles:?}");
}

#[test]
fn answers_whose_date_goes_on() {
    let server = Server::new(|request| {
        let date = format!(
            "Date: Sun, 06 Nov 1994 08:49:{:02} GMT\r\n",
            request.number / 7 % 60
        );
        Reply::Bytes(answer_with(&date, "Hello"))
    });
    load_briefly(server.addr, "--pipeline 3").assert_clean();
}

#[test]
fn chunks_of_changing_sizes() {
    let server = Server::new(|request| {
        let body = "0123456789abcdef";
        let (first, second) = body.split_at(request.number % 15 + 1);
        let wire = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X};x=y\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        );
        Reply::Bytes(wire.into_bytes())
    });
    load_briefly(server.addr, "").assert_clean();
}

#[test]
fn pieces_of_every_size() {
    let server = Server::new(|request| {
        let wire = answer_with("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Hello, World!");
        let size = request.number % wire.len() + 1;
        Reply::Pieces(wire.chunks(size).map(<[u8]>::to_vec).collect())
    });
    load_briefly(server.addr, "").assert_clean();
}

#[test]
fn bodies_larger_than_a_read() {
    let body: Vec<u8> = (0..1_500_000u32).map(|byte| (byte % 251) as u8).collect();
    let file = TempFile::new("large", &body);
    let server = Server::always(answer(&body));
    let more = format!("--expect-body-file {}", file.path());
    load_briefly(server.addr, &more).assert_clean();
}

#[test]
fn pipelined_requests_are_answered_in_turn() {
    let server = Server::new(|request| {
        Reply::Bytes(answer(format!("{} of {}", request.path, request.turn % 4)))
    });
    let file = TempFile::new("turns", b"/a\n/b\n/c\n/d\n");
    // Each connection begins at another path, and goes through them in order.
    let more = format!("--connections 1 --pipeline 16 --paths-file {}", file.path());
    let run = load_briefly(server.addr, &more);
    run.assert_clean();
    assert_eq!(run.number("requests") % 1.0, 0.0);
}

#[test]
fn paths_are_used_in_turn_and_answered_apart() {
    static SEEN: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);
    let server = Server::new(|request| {
        let mut seen = SEEN.lock().unwrap();
        *seen
            .get_or_insert_default()
            .entry(request.path.clone())
            .or_default() += 1;
        Reply::Bytes(answer(&request.path))
    });
    let paths: String = (0..50).map(|path| format!("/item/{path}\n")).collect();
    let file = TempFile::new("paths", paths.as_bytes());
    load_briefly(server.addr, &format!("--paths-file {}", file.path())).assert_clean();
    let seen = SEEN.lock().unwrap();
    let counts: Vec<usize> = seen.as_ref().unwrap().values().copied().collect();
    assert_eq!(counts.len(), 50);
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(most - least <= 4, "one turn of each connection: {counts:?}");
}

#[test]
fn bodies_are_posted() {
    let server = Server::new(|request| {
        assert_eq!(request.method, "POST");
        assert!(
            request
                .fields
                .contains("content-type: application/json\r\n")
        );
        assert!(request.fields.contains("x-a: b\r\n"));
        Reply::Bytes(answer(&request.body))
    });
    let file = TempFile::new("json", br#"{"message":"Hello, World!"}"#);
    let more = format!(
        "--method POST --body-file {0} --content-type application/json --expect-body-file {0} --header x-a:b",
        file.path()
    );
    load_briefly(server.addr, &more).assert_clean();
}

#[test]
fn bodies_larger_than_the_socket_are_posted() {
    let body = vec![b'x'; 3_000_000];
    let file = TempFile::new("upload", &body);
    let server = Server::new(|request| Reply::Bytes(answer(request.body.len().to_string())));
    let more = format!("--method PUT --pipeline 2 --body-file {}", file.path());
    load_briefly(server.addr, &more).assert_clean();
}

#[test]
fn answers_without_a_body() {
    let server = Server::always(&b"HTTP/1.1 204 No Content\r\n\r\n"[..]);
    load_briefly(server.addr, "--expect-status 204 --method POST").assert_clean();
    let server = Server::always(&b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"[..]);
    load_briefly(server.addr, "--method HEAD").assert_clean();
}

#[test]
fn interim_answers_come_first() {
    let wire = [
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".to_vec(),
        answer("x"),
    ];
    load_briefly(Server::always(wire.concat()).addr, "--pipeline 2").assert_clean();
}

#[test]
fn a_connection_for_each_request() {
    let announced = Server::new(|request| {
        assert!(request.fields.contains("connection: close\r\n"));
        Reply::Last(answer_with("Connection: close\r\n", "bye"))
    });
    let run = load_briefly(announced.addr, "--close");
    run.assert_clean();
    assert!(announced.connections() as f64 >= run.number("requests"));
    // Until the end of the connection, without a length.
    let open_end = Server::new(|_| Reply::Last(b"HTTP/1.1 200 OK\r\n\r\nbye".to_vec()));
    load_briefly(open_end.addr, "--close").assert_clean();
    // A server that does not know the field keeps the connection; then it is ours to close.
    let stubborn = Server::always(answer("bye"));
    load_briefly(stubborn.addr, "--close").assert_clean();
}

#[test]
fn a_server_that_ends_a_connection_now_and_then() {
    let server = Server::new(|request| match request.turn % 10 {
        9 => Reply::Last(answer_with("Connection: close\r\n", "x")),
        _ => Reply::Bytes(answer("x")),
    });
    for more in ["", "--pipeline 4", "--rate 500"] {
        let run = load_briefly(server.addr, more);
        run.assert_clean();
        assert!(run.number("connects") > 4.0, "{}", run.line);
    }
}

#[test]
fn idle_connections_ask_once_and_stay() {
    let server = Server::always(answer("x"));
    let run = load_briefly(server.addr, "--idle 50");
    run.assert_clean();
    assert_eq!(run.number("idle"), 50.0);
    assert_eq!(run.number("idle_closed"), 0.0);
    assert_eq!(server.connections(), 54);
}

#[test]
fn a_number_of_requests_ends_the_run() {
    let server = Server::always(answer("x"));
    let run = load(&format!(
        "--addr {} --connections 2 --warmup 0 --seconds 50 --requests 100",
        server.addr
    ));
    run.assert_clean();
    assert!(run.number("requests") < 200.0, "{}", run.line);
    assert!(run.number("seconds") < 40.0, "{}", run.line);
}
