//! curl, feature by feature.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::outside::program;
use super::server::Server;
use super::tally::Tally;
use super::wire::exchange;
use super::{Scene, Step, Trouble, shown};
use crate::bounded;

pub(super) const STEP: Step = Step {
    name: "curl",
    what: "what curl can do with HTTP/1",
    floor: CASES.len() + 2,
    run,
};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call of curl and what it has to print.
struct Case {
    name: &'static str,
    /// Separated by spaces; `URL`, `HOST` and `FILE` stand for the server and for a file of 1 MiB.
    arguments: &'static str,
    /// Each has to be in the output, in this order.
    prints: &'static [&'static str],
    /// None of these may be in the output.
    prints_not: &'static [&'static str],
    code: i32,
}

const fn case(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Case {
    Case {
        name,
        arguments,
        prints,
        prints_not: &[],
        code: 0,
    }
}

impl Case {
    const fn but_not(mut self, prints_not: &'static [&'static str]) -> Self {
        self.prints_not = prints_not;
        self
    }

    const fn ends_with(mut self, code: i32) -> Self {
        self.code = code;
        self
    }
}

const CASES: &[Case] = &[
    case(
        "one connection for all",
        "-w |%{num_connects}| URL/plaintext URL/json URL/nothing",
        &["|1|", "|0|", "|0|"],
    ),
    case(
        "HEAD",
        "-I URL/plaintext",
        &["HTTP/1.1 200 OK", "content-length: 13"],
    )
    .but_not(&["Hello"]),
    case(
        "connection closed when asked",
        "-i -H Connection:close URL/plaintext",
        &["connection: close", "Hello, World!"],
    ),
    case("a body", "-d hello URL/any", &["hello"]),
    case(
        "a chunked body",
        "-H Transfer-Encoding:chunked -d abc URL/inspect",
        &["\"YWJj\"", "[\"transfer-encoding\",\"chunked\"]"],
    ),
    case(
        "a body that is waited with",
        "-v -H Expect:100-continue -d hello URL/",
        &["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK", "hello"],
    ),
    case(
        "a large body",
        "--data-binary @FILE -o /dev/null -w %{http_code}|%{size_upload}|%{size_download} URL/",
        &["200|1048576|1048576"],
    ),
    case(
        "a large chunked body",
        "-T FILE -H Transfer-Encoding:chunked -o /dev/null -w %{http_code}|%{size_download} URL/",
        &["200|1048576"],
    ),
    case(
        "a large body mirrored",
        "-T FILE -o /dev/null -w %{http_code}|%{size_download} URL/mirror",
        &["200|1048576"],
    ),
    case(
        "a form",
        "-F name=value -F file=@FILE -o /dev/null -w %{http_code} URL/",
        &["200"],
    ),
    case(
        "other methods",
        "-X BREW -d tea URL/inspect",
        &["\"dGVh\"", "\"method\":\"BREW\""],
    ),
    case(
        "HTTP/1.0",
        "-0 -i URL/stream?n=2",
        &["HTTP/1.", "200 OK", "piece 1 of 2\npiece 2 of 2\n"],
    )
    .but_not(&["transfer-encoding"]),
    case(
        "HTTP/1.0 kept alive",
        "-0 -H Connection:keep-alive -w |%{num_connects}| URL/plaintext URL/plaintext",
        &["|1|", "|0|"],
    ),
    case(
        "a range",
        "-r 256-511 -o /dev/null -w %{http_code}|%{size_download} URL/static/large.bin",
        &["206|256"],
    ),
    case(
        "the end of a file",
        "-r -5 -o /dev/null -w %{http_code}|%{size_download} URL/static/large.bin",
        &["206|5"],
    ),
    case(
        "a range that is not there",
        "-i -r 9999999- URL/static/large.bin",
        &["HTTP/1.1 416", "content-range: bytes */1048576"],
    ),
    case(
        "a download at a slow pace",
        "--limit-rate 2M -o /dev/null -w %{http_code}|%{size_download} URL/static/large.bin",
        &["200|1048576"],
    ),
    case(
        "a file that has not changed",
        "-i -H If-None-Match:* URL/static/page.html",
        &["HTTP/1.1 304 Not Modified", "etag: "],
    )
    .but_not(&["content-length"]),
    case(
        "a file that has not changed since",
        "-i -z 20360101 URL/static/page.html",
        &["HTTP/1.1 304 Not Modified", "last-modified: "],
    ),
    case(
        "a way out of the folder",
        "-i --path-as-is URL/static/../../Cargo.toml",
        &["HTTP/1.1 404"],
    ),
    case(
        "many at once",
        "-Z --parallel-max 50 -o /dev/null -w |%{http_code}| URL/slow?ms=20&n=[1-200]",
        &["|200||200||200|"],
    )
    .but_not(&["|000|"]),
    case(
        "OPTIONS *",
        "-i -X OPTIONS --request-target * URL",
        &["HTTP/1.1 200 OK"],
    ),
    case(
        "a whole address as the target",
        "-x http://HOST http://example.org/inspect",
        &[
            "[\"host\",\"example.org\"]",
            "\"target\":\"http://example.org/inspect\"",
        ],
    ),
    case(
        "a tunnel is refused",
        "-v -p -x http://HOST http://example.org/",
        &["HTTP/1.1 405"],
    )
    .ends_with(56),
    case(
        "an upgrade to HTTP/2 is passed over",
        "--http2 -w |%{http_version} URL/plaintext",
        &["Hello, World!|1.1"],
    ),
    case(
        "a fragment stays at home",
        "URL/inspect?a#b",
        &["\"target\":\"/inspect?a\""],
    ),
    case(
        "an answer after a while",
        "URL/slow?ms=300",
        &["this took 300 ms"],
    ),
    case(
        "an answer nobody waits for",
        "-m 0.2 URL/slow?ms=60000",
        &[],
    )
    .ends_with(28),
    case(
        "an answer in pieces",
        "-N URL/stream?n=1000",
        &["piece 1 of 1000\n", "piece 1000 of 1000\n"],
    ),
    case(
        "an answer left early",
        "-r 0-9 --max-filesize 10 -o /dev/null URL/static/page.html",
        &[],
    ),
];

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let curl = program("curl", "curl")?;
    let folder = shown(scene)?;
    let server = Server::start(scene, "curl", &["--static", &folder.to_string_lossy()])?;
    let file = folder.join("large.bin");
    let mut tally = Tally::default();
    for case in CASES {
        tally.count(case.name, attempt(&curl, case, &server.address, &file));
    }
    tally.count("requests in a row", pipelined(&server.address));
    server.end(&mut tally);
    refusals(scene, &curl, &file, &mut tally)?;
    Ok(tally)
}

/// Refused bodies and heads on a server with small limits: the client must get to read the answer.
fn refusals(scene: &Scene, curl: &Path, file: &Path, tally: &mut Tally) -> Result<(), Trouble> {
    let small = [
        "--body-bytes",
        "1000",
        "--head-bytes",
        "4K",
        "--target-bytes",
        "1000",
        "--headers",
        "20",
    ];
    let server = Server::start(scene, "curl-small", &small)?;
    let long: &'static str = "-o /dev/null -w %{http_code} URL/?";
    let cases = [
        case(
            "a body over the limit",
            "-H Expect: --data-binary @FILE -o /dev/null -w %{http_code} URL/",
            &["413"],
        ),
        case(
            "a body over the limit that is waited with",
            "-H Expect:100-continue --data-binary @FILE -o /dev/null -w %{http_code} URL/",
            &["413"],
        ),
        case(
            "a chunked body over the limit",
            "-H Expect: -H Transfer-Encoding:chunked -T FILE -o /dev/null -w %{http_code} URL/",
            &["413"],
        ),
    ];
    for case in cases {
        tally.count(case.name, attempt(curl, &case, &server.address, file));
    }
    for (name, arguments, code) in [
        (
            "a target over the limit",
            format!("{long}{}", "x".repeat(2000)),
            "414",
        ),
        (
            "a head over the limit",
            format!("-H A:{} {long}", "x".repeat(8000)),
            "431",
        ),
        (
            "too many fields",
            format!("{} {long}", "-H A:1 ".repeat(30).trim()),
            "431",
        ),
    ] {
        let outcome = call(curl, &arguments, &server.address, file);
        tally.count(name, outcome.and_then(|(output, _)| found(&output, code)));
    }
    server.end(tally);
    Ok(())
}

/// Curl sends one request after the other, so this does it by hand.
fn pipelined(address: &str) -> Result<(), String> {
    let mut requests: String = (1..50)
        .map(|n| format!("GET /inspect?{n} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .collect();
    requests += "GET /inspect?50 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(address, requests.as_bytes())?;
    let answers = String::from_utf8_lossy(&answers);
    let mut rest = &*answers;
    for n in 1..=50 {
        let target = format!("\"target\":\"/inspect?{n}\"");
        rest = rest
            .split_once(&target)
            .ok_or(format!("no answer with {target} in its place"))?
            .1;
    }
    match answers.matches("HTTP/1.1 200 OK").count() {
        50 => Ok(()),
        count => Err(format!("expected 50 answers, found {count}")),
    }
}

fn attempt(curl: &Path, case: &Case, address: &str, file: &Path) -> Result<(), String> {
    let (output, code) = call(curl, case.arguments, address, file)?;
    if code != case.code {
        return Err(format!(
            "expected exit code {}, found {code}; it printed:\n{output}",
            case.code
        ));
    }
    let mut rest = output.as_str();
    for wanted in case.prints {
        found(rest, wanted)?;
        rest = rest.split_once(wanted).map_or("", |(_, rest)| rest);
    }
    match case
        .prints_not
        .iter()
        .find(|unwanted| output.contains(**unwanted))
    {
        Some(unwanted) => Err(format!("expected no `{unwanted}` in:\n{output}")),
        None => Ok(()),
    }
}

fn found(output: &str, wanted: &str) -> Result<(), String> {
    if output.contains(wanted) {
        return Ok(());
    }
    Err(format!("expected `{wanted}` in:\n{output}"))
}

/// Calls curl; what it printed on both outputs, and its exit code.
fn call(curl: &Path, arguments: &str, address: &str, file: &Path) -> Result<(String, i32), String> {
    let mut command = Command::new(curl);
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--noproxy",
        "none",
    ]);
    for argument in arguments.split(' ') {
        let argument = argument
            .replace("URL", &format!("http://{address}"))
            .replace("HOST", address)
            .replace("FILE", &file.to_string_lossy());
        command.arg(argument);
    }
    let run = bounded::run_command(command, PATIENCE)
        .map_err(|err| format!("cannot start curl: {err}"))?;
    let code = run.status.and_then(|status| status.code());
    let code =
        code.ok_or_else(|| format!("curl did not end by itself; it printed:\n{}", run.output))?;
    // Lines end as they do in the files of the system, so that the table is easy to read.
    Ok((run.output.replace("\r\n", "\n"), code))
}
