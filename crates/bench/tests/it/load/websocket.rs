//! WebSocket servers that answer right, wrong, late or not at all: what is wrong is said, and never counted.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::{Compress, Compression, FlushCompress};

use super::run::{Run, TempFile, load};
use super::sockets::{
    Deliveries, Echoes, Handshakes, Manners, Right, Sockets, TEMPLATE, TEXT, frame, numbered,
};

/// Runs until some hundred messages were right, or something was wrong.
fn run(manners: impl Manners, more: &str) -> Run {
    let server = Sockets::new(manners);
    let template = TempFile::new(&format!("broadcast-{}", server.addr.port()), TEMPLATE);
    let run = load(&format!(
        "--addr {} --warmup 0 --seconds 30 --requests 400 --connections 4 --path /x \
         --expect-body-file {} --timeout 1 {more}",
        server.addr,
        template.path()
    ));
    assert_eq!(run.code, 0, "{}", run.complaint);
    run
}

#[track_caller]
fn assert_wrong(run: &Run, words: &str) {
    assert_eq!(run.number("wrong"), 1.0, "{}", run.line);
    assert!(run.text("first_wrong").contains(words), "{}", run.line);
}

#[track_caller]
fn assert_error(run: &Run, words: &str) {
    assert_eq!(run.number("wrong"), 0.0, "{}", run.line);
    assert!(run.number("errors") > 0.0, "{}", run.line);
    assert!(run.text("first_error").contains(words), "{}", run.line);
}

const ECHO: &str = "--websocket echo";
const BROADCAST: &str = "--websocket broadcast";

#[test]
fn right_echoes_are_counted() {
    for more in [
        "",
        "--pipeline 8",
        "--payload 16",
        "--payload 300",
        "--payload 70000",
    ] {
        let run = run(Right, &format!("{ECHO} {more}"));
        run.assert_clean();
        assert!(run.number("requests") >= 400.0, "{}", run.line);
        assert_eq!(run.number("connects"), 4.0, "{}", run.line);
    }
}

#[test]
fn fragments_and_pings_between_them_are_right() {
    let fragments = |_, text: &[u8]| {
        let (head, tail) = text.split_at(10);
        [
            frame(0x01, head),
            frame(0x89, b"still there?"),
            frame(0x80, tail),
        ]
        .concat()
    };
    run(Echoes(fragments), ECHO).assert_clean();
}

#[test]
fn wrong_handshakes_are_named() {
    for (from, to, words) in [
        ("Accept: ", "Accept: x", "Sec-WebSocket-Accept is `x"),
        ("101 Switching Protocols", "200 OK", "200 OK"),
        ("Upgrade: websocket", "Upgrade: h2c", "`h2c`"),
        (
            "\r\n\r\n",
            "\r\nSec-WebSocket-Protocol: a\r\n\r\n",
            "subprotocol",
        ),
        (
            "\r\n\r\n",
            "\r\nSec-WebSocket-Extensions: a\r\n\r\n",
            "extension",
        ),
    ] {
        let wrong = move |right: String| right.replace(from, to);
        assert_wrong(&run(Handshakes(wrong), ECHO), words);
    }
    assert_error(
        &run(Handshakes(|_| String::new()), ECHO),
        "no handshake and first message within",
    );
}

#[test]
fn one_byte_of_one_echo_differs() {
    let wrong = |turn, text: &[u8]| {
        let mut text = text.to_vec();
        if turn == 20 {
            text[63] ^= 1;
        }
        frame(TEXT, &text)
    };
    let run = run(Echoes(wrong), ECHO);
    assert_wrong(&run, "a text came back as");
    assert!(run.number("requests") >= 19.0, "{}", run.line);
}

#[test]
fn echoes_that_change_places_are_wrong() {
    let held = std::sync::Mutex::new(Vec::new());
    let swaps = move |turn, text: &[u8]| {
        let mut held = held.lock().unwrap();
        match turn {
            20 => {
                *held = frame(TEXT, text);
                Vec::new()
            }
            21 => [frame(TEXT, text), std::mem::take(&mut held)].concat(),
            _ => frame(TEXT, text),
        }
    };
    let run = run(
        Echoes(swaps),
        &format!("{ECHO} --pipeline 4 --connections 1"),
    );
    assert_wrong(&run, "00000014");
}

#[test]
fn an_echo_that_is_lost_or_doubled_or_of_another_kind_is_no_right_one() {
    let lost = |turn, text: &[u8]| match turn {
        20 => Vec::new(),
        _ => frame(TEXT, text),
    };
    assert_error(&run(Echoes(lost), ECHO), "did not come back within");
    assert_wrong(
        &run(Echoes(lost), &format!("{ECHO} --pipeline 4")),
        "came back",
    );
    let doubled = |turn, text: &[u8]| frame(TEXT, text).repeat(1 + usize::from(turn == 20));
    assert_wrong(&run(Echoes(doubled), ECHO), "came back");
    let binary = |turn, text: &[u8]| frame(if turn == 20 { 0x82 } else { TEXT }, text);
    assert_wrong(&run(Echoes(binary), ECHO), "binary");
    let masked = |turn, text: &[u8]| {
        let mut wire = frame(TEXT, text);
        wire[1] |= if turn == 20 { 0x80 } else { 0 };
        wire
    };
    assert_wrong(&run(Echoes(masked), ECHO), "masks");
}

#[test]
fn a_server_that_closes_is_an_error() {
    let closes = |turn, text: &[u8]| match turn {
        20 => frame(0x88, &1011_u16.to_be_bytes()),
        _ => frame(TEXT, text),
    };
    assert_error(&run(Echoes(closes), ECHO), "closes with 1011");
}

#[test]
fn right_broadcasts_are_counted() {
    for more in ["", "--publish 16", "--stalled 1"] {
        let run = run(Right, &format!("{BROADCAST} {more}"));
        run.assert_clean();
        assert!(run.number("requests") >= 400.0, "{}", run.line);
    }
}

/// What one of four connections gets instead of message 50.
fn once(instead: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> impl Manners {
    Deliveries(move |place, number, text: &[u8]| match (place, number) {
        (2, 50) => instead(text),
        _ => frame(TEXT, text),
    })
}

#[test]
fn wrong_broadcasts_are_found_out() {
    for publish in ["", "--publish 16"] {
        let more = format!("{BROADCAST} {publish}");
        let end = |text: &[u8]| frame(TEXT, &[&text[..30], b"?", &text[31..]].concat());
        assert_wrong(&run(once(end), &more), "first at byte 30");
        let longer = |text: &[u8]| frame(TEXT, &[text, b" "].concat());
        assert_wrong(&run(once(longer), &more), "a message of 36 bytes");
        let twice = |text: &[u8]| frame(TEXT, text).repeat(2);
        let run = run(once(twice), &more);
        assert_eq!(run.number("wrong"), 1.0, "{}", run.line);
    }
}

#[test]
fn a_message_that_is_lost_is_found_out() {
    let lost = || once(|_| Vec::new());
    let last = run(lost(), BROADCAST);
    assert_error(&last, "1 messages did not come within");
    assert_eq!(last.number("timeouts"), 1.0, "{}", last.line);
    let among = run(lost(), &format!("{BROADCAST} --publish 16"));
    assert_wrong(&among, "message 51 came where 50 was due");
}

#[test]
fn messages_that_change_places_are_found_out() {
    let swaps = Deliveries(|place, number, text: &[u8]| match (place, number) {
        (2, 50) => frame(TEXT, &numbered(51)),
        (2, 51) => frame(TEXT, &numbered(50)),
        _ => frame(TEXT, text),
    });
    let run = run(swaps, &format!("{BROADCAST} --publish 16"));
    assert_wrong(&run, "message 51 came where 50 was due");
}

#[test]
fn a_broadcast_that_nobody_asked_for_is_wrong() {
    let count = AtomicU64::new(0);
    let more = Deliveries(move |place, number, text: &[u8]| {
        let stray = place == 0 && count.fetch_add(1, Ordering::SeqCst) == 40;
        let stray = if stray {
            numbered(number + 1)
        } else {
            Vec::new()
        };
        match stray.is_empty() {
            true => frame(TEXT, text),
            false => [frame(TEXT, text), frame(TEXT, &stray)].concat(),
        }
    });
    assert_wrong(&run(more, BROADCAST), "nobody asked for");
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    Compress::new(Compression::default(), false)
        .compress_vec(text, &mut out, FlushCompress::Sync)
        .unwrap();
    out.truncate(out.len() - 4);
    out
}

#[test]
fn compressed_broadcasts_are_inflated_and_checked() {
    const COMPRESSED: u8 = 0xc1;
    let more = format!("{BROADCAST} --publish 4 --deflate");
    let right = |_, _, text: &[u8]| frame(COMPRESSED, &deflated(text));
    run(Deliveries(right), &more).assert_clean();
    let plain = |_, number, text: &[u8]| match number {
        50 => frame(TEXT, text),
        _ => frame(COMPRESSED, &deflated(text)),
    };
    assert_wrong(&run(Deliveries(plain), &more), "not compressed");
    let other = |place, number, text: &[u8]| match (place, number) {
        (2, 50) => frame(COMPRESSED, &deflated(&numbered(49))),
        _ => frame(COMPRESSED, &deflated(text)),
    };
    assert_wrong(
        &run(Deliveries(other), &more),
        "message 49 came where 50 was due",
    );
    let broken = |place, number, text: &[u8]| match (place, number) {
        (2, 50) => frame(COMPRESSED, b"\x07"),
        _ => frame(COMPRESSED, &deflated(text)),
    };
    assert_wrong(&run(Deliveries(broken), &more), "inflated");
    let declines = |right: String| right.replace("Sec-WebSocket-Extensions", "X");
    assert_wrong(
        &run(Handshakes(declines), &more),
        "declines permessage-deflate",
    );
}

#[test]
fn nobody_who_listens_is_no_run() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let run = load(&format!("--addr {gone} {ECHO}"));
    assert_eq!(run.code, 3, "{}", run.line);
    assert!(
        run.complaint.contains("cannot connect"),
        "{}",
        run.complaint
    );
}

#[test]
fn idle_connections_are_held_and_answer_pings() {
    // The server pings behind the first text, and sees the pong only if the connection is alive.
    let pings = |_, text: &[u8]| [frame(TEXT, text), frame(0x89, b"?")].concat();
    let server = Sockets::new(Echoes(pings));
    let mut child = Command::new(env!("CARGO_BIN_EXE_squall-load"))
        .args(["--addr", &server.addr.to_string(), "--path", "/x"])
        .args(["--websocket", "echo", "--idle-only", "70"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    // The end of its input is the sign to leave.
    drop(child.stdin.take());
    let line = lines.next().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(line.contains("\"idle\":70,\"idle_closed\":0"), "{line}");
    assert!(line.contains("\"connects\":70"), "{line}");
}
