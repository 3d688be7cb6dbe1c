//! Instructions of the hot paths, for `cargo xtask cost`: the loop, the parser and the writer in processes of
//! their own, and the server under test with each kind of request.
//!
//! What is told here must not depend on time or chance, so nothing runs beside what is counted, and no start of
//! a program is in it: a figure is the difference between a long and a short run, or callgrind is switched on
//! for the requests alone.

use std::cell::Cell;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use serde_json::{Map, json};
use squall::http::DateLine;
use squall::http::h1::{Event, Exchange, Limits, RequestDecoder, ResponseEncoder, ResponseStart};

use crate::arguments::ONE;
use crate::bench::{Bench, Pace};
use crate::count::Counter;
use crate::machine;
use crate::pin::Cores;
use crate::process;
use crate::progress::Progress;
use crate::scaling;
use crate::servers::{Places, ROSTER, SQUALL};
use crate::suite::{Case, Route};
use crate::suites::ioloop;

/// The rows of the loop suite that are held to their figures: those that every program makes.
const LOOP_ROWS: [&str; 6] = [
    "add_callback",
    "spawn_callback",
    "promise, done callback, resolve, run",
    "spawn and await",
    "multi of 100 tasks, each",
    "call_later and cancel",
];

/// What runs without a loop: its name, and what does it so often.
struct Pure(&'static str, fn(u64));

const PURE_ROWS: [Pure; 4] = [
    Pure("http: decode a short request", decode_short),
    Pure("http: decode the same request again", decode_again),
    Pure("http: decode a browser's request", decode_long),
    Pure("http: encode a response", encode),
];
const PURE_TIMES: u64 = 100_000;

/// Requests to the server, on one connection, so that each wakes the loop, is one turn of it, and lets it sleep again,
/// whatever the machine does beside. The sleep costs more than a short request: under load there is none.
const VOLLEYS: usize = 500;

const SHORT: &[u8] = b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n";
const LONG: &[u8] = b"GET /channels/41/messages?since=1730000000&limit=50 HTTP/1.1\r\n\
Host: chat.example.org\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
Accept-Language: de-DE,de;q=0.8,en-US;q=0.5,en;q=0.3\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Referer: https://chat.example.org/channels\r\n\
Cookie: session=7f3c2a9d8e1b4c60; theme=dark; seen=2026-11-23\r\n\
Connection: keep-alive\r\n\
Sec-Fetch-Dest: empty\r\n\
Sec-Fetch-Mode: cors\r\n\
Sec-Fetch-Site: same-origin\r\n\
\r\n";

/// Counts all rows and prints one object of JSON: the counter, the compiler, and the figures.
///
/// # Errors
///
/// A sentence when the server cannot be built or does not answer.
pub(crate) fn run() -> Result<bool, String> {
    let Some(counter) = Counter::find() else {
        println!(
            "{}",
            json!({ "counter": null, "compiler": machine::compiler() })
        );
        return Ok(true);
    };
    let mut figures = Map::new();
    for name in LOOP_ROWS {
        let row = ioloop::rows().into_iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| format!("the loop suite has no row `{name}`"))?;
        let count = child(counter, name, row.times)?;
        figures.insert(format!("loop: {name}"), json!(count));
    }
    for Pure(name, _) in PURE_ROWS {
        figures.insert(name.to_owned(), json!(child(counter, name, PURE_TIMES)?));
    }
    let bench = squall_alone(counter)?;
    for (name, case) in server_rows() {
        let count = bench.per_request(counter, &bench.ready[0], &case, VOLLEYS)?;
        figures.insert(name.to_owned(), json!(count));
    }
    let compiler = machine::compiler();
    println!(
        "{}",
        json!({ "counter": counter.name(), "compiler": compiler, "figures": figures })
    );
    Ok(true)
}

fn child(counter: Counter, name: &str, times: u64) -> Result<f64, String> {
    difference(counter, name, "ours", times)
        .ok_or_else(|| format!("{} did not count `{name}`", counter.name()))
}

/// Instructions for doing a row once: the difference between a long and a short run, so that the start of
/// the program does not count.
pub(crate) fn difference(counter: Counter, name: &str, side: &str, times: u64) -> Option<f64> {
    let (short, long) = (times / 40, times / 10);
    let run = |times: u64| {
        let mut command = Command::new(std::env::current_exe().ok()?);
        command.args([ONE, name, side, &times.to_string()]);
        counter.instructions(command)
    };
    Some((run(long)? - run(short)?) / (long - short) as f64)
}

/// Runs one contender: `NAME ours|theirs TIMES`.
pub(crate) fn run_one(words: &[String]) -> ExitCode {
    let [name, side, times] = words else {
        return ExitCode::from(2);
    };
    let Ok(times) = times.parse() else {
        return ExitCode::from(2);
    };
    match PURE_ROWS.iter().find(|Pure(row, _)| row == name) {
        Some(Pure(_, run)) => {
            run(times);
            ExitCode::SUCCESS
        }
        None => match scaling::run_one(name, usize::try_from(times).unwrap_or(usize::MAX)) {
            Some(code) => code,
            None => ioloop::run_one(name, side, times),
        },
    }
}

/// What is asked of the server under test, an `Application` with every default on.
fn server_rows() -> [(&'static str, Case); 8] {
    let case = |route| Case {
        connections: 1,
        ..Case::rate("cost", route)
    };
    [
        ("server: plaintext request", case(Route::Plaintext)),
        (
            "server: plaintext request, 16 pipelined",
            Case {
                pipeline: 16,
                ..case(Route::Plaintext)
            },
        ),
        (
            "server: request for one of 1,000 routes",
            case(Route::Routing),
        ),
        ("server: JSON request", case(Route::Json)),
        ("server: POST of 1 KiB of JSON", case(Route::PostJson)),
        (
            "server: POST of a message of 1 KiB",
            case(Route::PostMessage),
        ),
        ("server: POST of a note of 1 KiB", case(Route::PostNote)),
        ("server: websocket echo of 64 bytes", case(Route::Echo)),
    ]
}

/// A bench of Squall's server and nobody else.
fn squall_alone(counter: Counter) -> Result<Bench, String> {
    let places = Places::find()?;
    process::watch(&places.work).map_err(|err| format!("cannot watch for signals: {err}"))?;
    places.build_own()?;
    let squall = ROSTER
        .iter()
        .find(|server| server.name == SQUALL)
        .ok_or("there is no Squall on the list")?;
    let ready = vec![places.prepare(squall)?];
    Ok(Bench {
        pace: Pace::new(true),
        cores: Cores::find(),
        counter: Some(counter),
        places,
        ready,
        progress: Progress::new(1.0),
        taken: Cell::new(0),
    })
}

fn decode_short(times: u64) {
    decode([SHORT, &other(SHORT)], times);
}

fn decode_again(times: u64) {
    decode([SHORT, SHORT], times);
}

fn decode_long(times: u64) {
    decode([LONG, &other(LONG)], times);
}

/// A request that is as long, and another one.
fn other(request: &[u8]) -> Vec<u8> {
    let mut other = request.to_vec();
    other[b"GET /".len()] ^= b'a' ^ b'A';
    other
}

/// Decodes so many requests on one connection, these two in turn: a head like the last one is not decoded again.
fn decode(requests: [&[u8]; 2], times: u64) {
    let mut decoder = RequestDecoder::new(Limits::default());
    for request in requests.iter().cycle().take(times as usize) {
        let mut rest = black_box(*request);
        loop {
            let (consumed, event) = decoder.decode(rest).expect("the request is well formed");
            rest = &rest[consumed..];
            if let Some(Event::End(_)) = black_box(event) {
                break;
            }
        }
        assert!(rest.is_empty(), "nothing comes behind the request");
    }
}

/// Encodes a response with two fields, a date and a body so often on one connection.
fn encode(times: u64) {
    let exchange = exchange();
    let mut response =
        squall::server::Response::with_type("text/plain; charset=utf-8", "Hello, World!");
    // As one with a field of its own, so that its map of fields is written too.
    response.headers_mut();
    let date = DateLine::new("Mon, 23 Nov 2026 12:00:00 GMT").expect("a date");
    let mut encoder = ResponseEncoder::new();
    let mut out = Vec::with_capacity(1024);
    for _ in 0..times {
        out.clear();
        let start = ResponseStart {
            date: Some(&date),
            ..ResponseStart::of(black_box(&response))
        };
        encoder
            .head(&mut out, exchange, &start)
            .and_then(|()| encoder.data(&mut out, b"Hello, World!"))
            .and_then(|()| encoder.end(&mut out))
            .expect("the response is well formed");
        black_box(&out);
    }
}

/// That of a kept connection.
fn exchange() -> Exchange {
    let mut decoder = RequestDecoder::new(Limits::default());
    match decoder.decode(SHORT) {
        Ok((_, Some(Event::Head(head)))) => head.exchange(),
        other => unreachable!("a request begins with its head, not with {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_do_what_they_say() {
        for Pure(_, run) in PURE_ROWS {
            run(3);
        }
        for name in LOOP_ROWS {
            assert!(ioloop::rows().iter().any(|row| row.name == name));
        }
    }
}
