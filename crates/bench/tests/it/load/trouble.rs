//! Bad arguments and servers in trouble: a clear result, in time.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::run::{TempFile, load, load_briefly, load_in_vain};
use super::server::{Reply, Server, answer};

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn bad_arguments_end_with_2_and_say_which() {
    let empty = TempFile::new("empty", b"\n\n");
    for (arguments, words) in [
        ("", "--addr"),
        ("--addr 192.0.2.1:80", "192.0.2.1 is not a loopback address"),
        ("--addr example.com:80", "found `example.com:80`"),
        ("--addr 127.0.0.1:80 --fast", "found `--fast`"),
        ("--addr 127.0.0.1:80 --connections many", "found `many`"),
        (
            "--addr 127.0.0.1:80 --paths-file /no/such",
            "cannot read /no/such",
        ),
        (
            &format!("--addr 127.0.0.1:80 --paths-file {}", empty.path()),
            "found 0",
        ),
        (
            "--addr 127.0.0.1:80 --connections 19000 --idle 19000000",
            "after --idle",
        ),
    ] {
        let run = load(arguments);
        assert_eq!(run.code, 2, "{arguments}: {}", run.complaint);
        assert!(
            run.complaint.contains(words),
            "{arguments}: {}",
            run.complaint
        );
        assert!(run.complaint.starts_with("squall-load: "));
        assert_eq!(run.line, "");
    }
    let help = load("--help");
    assert_eq!(help.code, 0);
    assert!(help.line.contains("--rate R"));
}

#[test]
fn nobody_listens() {
    for more in [
        "",
        "--close",
        "--rate 100",
        "--idle 3",
        "--idle-only 3",
        "--close --rate 100",
    ] {
        let run = load(&format!("--addr {} --seconds 30 {more}", nobody()));
        assert_eq!(run.code, 3, "{more}: {}", run.line);
        assert!(
            run.complaint.contains("cannot connect to 127.0.0.1"),
            "{}",
            run.complaint
        );
        assert!(run.complaint.contains("refused"), "{}", run.complaint);
        assert_eq!(run.line, "");
        assert!(run.took < Duration::from_secs(20), "{more}: {:?}", run.took);
    }
}

#[test]
fn a_server_that_never_answers() {
    let server = Server::new(|_| Reply::Silence);
    for more in ["", "--pipeline 3", "--rate 100", "--close", "--idle 2"] {
        let run = load_in_vain(server.addr, &format!("--timeout 0.1 {more}"));
        assert_eq!(run.number("requests"), 0.0, "{more}: {}", run.line);
        assert!(run.number("timeouts") > 0.0, "{more}: {}", run.line);
        assert!(
            run.number("errors") >= run.number("timeouts"),
            "{more}: {}",
            run.line
        );
        assert!(
            run.text("first_error").contains("within 100ms"),
            "{more}: {}",
            run.line
        );
        assert!(run.took < Duration::from_secs(20), "{more}: {:?}", run.took);
    }
}

#[test]
fn a_server_that_hangs_up_on_everybody() {
    let server = Server::new(|_| Reply::Last(Vec::new()));
    for more in [
        "",
        "--pipeline 3",
        "--rate 100",
        "--close",
        "--idle 2 --timeout 0.2",
    ] {
        let run = load_in_vain(server.addr, more);
        assert_eq!(run.number("requests"), 0.0, "{more}: {}", run.line);
        assert!(run.number("errors") > 0.0, "{more}: {}", run.line);
        assert_eq!(run.number("wrong"), 0.0, "{more}: {}", run.line);
        let why = run.text("first_error");
        assert!(
            why.contains("closed") || why.contains("reset"),
            "{more}: {why}"
        );
    }
}

#[test]
fn a_server_that_dies_in_the_middle() {
    for more in ["", "--rate 300", "--close", "--pipeline 4"] {
        // Its listener and all of its connections end with the 30th request.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let dying = std::thread::spawn(move || {
            let mut left = 30;
            let mut kept = Vec::new();
            while left > 0 {
                let (stream, _) = listener.accept().unwrap();
                left -= answer_some(&stream, left);
                kept.push(stream);
            }
        });
        let run = load(&format!(
            "--addr {addr} --connections 1 --warmup 0 --seconds 0.5 {more}"
        ));
        dying.join().unwrap();
        assert_eq!(run.code, 0, "{more}: {}", run.complaint);
        assert_eq!(run.number("wrong"), 0.0, "{more}: {}", run.line);
        assert_eq!(run.number("requests"), 30.0, "{more}: {}", run.line);
        assert!(run.number("connect_errors") > 0.0, "{more}: {}", run.line);
        assert!(run.took < Duration::from_secs(20), "{more}: {:?}", run.took);
    }
}

/// Answers up to `most` requests of a connection; how many there were.
fn answer_some(mut stream: &std::net::TcpStream, most: usize) -> usize {
    use std::io::Write;
    stream.set_nodelay(true).unwrap();
    let mut input = BufReader::new(stream);
    let mut answered = 0;
    let mut line = String::new();
    while answered < most {
        line.clear();
        match input.read_line(&mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) if line == "\r\n" => {
                stream.write_all(&answer("x")).unwrap();
                answered += 1;
            }
            Ok(_) => {}
        }
    }
    answered
}

#[test]
fn a_server_that_trickles() {
    let server = Server::new(|_| {
        // A byte at a time, in as many writes.
        Reply::Pieces(answer("slow").chunks(1).map(<[u8]>::to_vec).collect())
    });
    load_briefly(server.addr, "").assert_clean();
}

#[test]
fn idle_connections_are_held_until_input_ends() {
    let server = Server::always(answer("x"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_squall-load"))
        .args(["--addr", &server.addr.to_string(), "--idle-only", "40"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    assert_eq!((server.connections(), server.requests()), (40, 40));
    assert!(child.try_wait().unwrap().is_none(), "it holds them");
    drop(child.stdin.take());
    let mut report = String::new();
    output.read_to_string(&mut report).unwrap();
    assert!(report.contains("\"idle\":40,\"idle_closed\":0"), "{report}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn idle_connections_that_are_closed_are_counted() {
    let server = Server::new(|request| match request.path.as_str() {
        // The last one to ask leaves.
        _ if request.number == 4 => Reply::Last(answer("x")),
        _ => Reply::Bytes(answer("x")),
    });
    let run = load_briefly(server.addr, "--idle 5");
    assert_eq!(run.number("idle"), 5.0, "{}", run.line);
    assert_eq!(run.number("idle_closed"), 1.0, "{}", run.line);
}

#[test]
fn idle_connections_get_a_wrong_answer() {
    let server = Server::always(&b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"[..]);
    let run = load(&format!("--addr {} --idle-only 3", server.addr));
    assert_eq!(run.code, 3, "{}", run.line);
    assert!(
        run.complaint.contains("status 503 instead of 200"),
        "{}",
        run.complaint
    );
}
