//! The arguments of the program, and what each may be.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Loads an HTTP/1.1 server on this machine and checks every byte of every answer.

Usage: squall-load --addr ADDR:PORT [OPTIONS]

  --addr ADDR:PORT        the server; loopback addresses only
  --connections N         connections that carry the load (64; 1 to 19000)
  --seconds S             how long to measure (5; up to 3600)
  --warmup S              how long to load before measuring (1; up to 600)
  --requests N            stop after N measured answers, if that is sooner
  --pipeline N            requests in one write and under way on a connection (1; up to 1024)
  --rate R                requests a second in total, on a fixed schedule; latency counts from when
                          a request was due (without it: as many as the server answers)
  --timeout S             longest wait for a connection or an answer (10; up to 600)
  --close                 a new connection for each request
  --idle N                open N more connections that do one request each and stay (0; up to 19000)
  --idle-only N           no load: open N connections, do one request on each, print `ready`, hold
                          them until standard input ends (at most an hour)
  --announce              print `begin` and `end` when the measured time begins and ends
  --no-spin               sleep at once when there is nothing to do, instead of polling for a moment

WebSockets instead of requests:
  --websocket echo        each connection sends texts, and gets them back
  --websocket broadcast   one connection asks the server to send to all; the body expected is the
                          message; its first 16 zeros stand for the number of a message in hexadecimal
  --payload N             bytes of an echoed text (64; 16 to 1048576)
  --publish N             messages that the server sends to all each time it is asked (1; up to 1024)
  --deflate               offer permessage-deflate, and take no message that is not compressed
  --stalled N             connections of a broadcast that never read (0)

The request:
  --method M              (GET)
  --path PATH             (/)
  --paths-file FILE       one path a line, used in turn; at most 100000
  --body-file FILE        what to send; at most 64 MiB
  --content-type T        of what is sent
  --header 'NAME: VALUE'  one more field; may be repeated

The answer:
  --expect-status N       (200)
  --expect-body-file FILE the body of every answer; without it, that of the first answer to each path
  --vary NAME             a field whose value may differ between answers, besides Connection, Date
                          and Keep-Alive; may be repeated

Prints one line of JSON. Exit code: 0 after a run, also with wrong answers (see `wrong`), 2 for bad
arguments, 3 when no connection could be made at all.
";

/// The most bytes that all prepared requests may take.
pub(crate) const LARGEST_SCRIPT: usize = 256 << 20;
/// The most bytes a file named in the arguments may have.
const LARGEST_FILE: u64 = 64 << 20;
const MOST_CONNECTIONS: u64 = 19_000;
const MOST_PATHS: usize = 100_000;
const MOST_PIPELINED: u64 = 1024;
const HIGHEST_RATE: f64 = 10_000_000.0;

/// A run over WebSockets, checked.
#[derive(Clone, Debug)]
pub(crate) struct WebSockets {
    pub(crate) kind: Kind,
    /// Bytes of an echoed text.
    pub(crate) payload: usize,
    /// Messages that the server sends to all when it is asked.
    pub(crate) publish: u64,
    /// Offer compression, and insist on it.
    pub(crate) deflate: bool,
    /// Connections that never read.
    pub(crate) stalled: usize,
}

/// What goes over the WebSockets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Broadcast,
    Echo,
}

/// A run, checked.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) addr: SocketAddr,
    /// Connections that carry the load; 0 when connections are only to be held.
    pub(crate) connections: usize,
    /// Connections that do one request and then stay open.
    pub(crate) idle: usize,
    /// Only open the idle connections, and hold them.
    pub(crate) idle_only: bool,
    pub(crate) seconds: Duration,
    pub(crate) warmup: Duration,
    /// Measured answers after which the run ends.
    pub(crate) requests: Option<u64>,
    pub(crate) pipeline: usize,
    /// Requests a second over all connections.
    pub(crate) rate: Option<f64>,
    pub(crate) timeout: Duration,
    /// A connection serves one request.
    pub(crate) close: bool,
    /// Poll for a moment before sleeping.
    pub(crate) spin: bool,
    /// Print a line when the measured time begins, and one when it ends.
    pub(crate) announce: bool,
    pub(crate) method: String,
    /// At least one.
    pub(crate) paths: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) content_type: Option<String>,
    pub(crate) expect_status: u16,
    pub(crate) expect_body: Option<Vec<u8>>,
    /// Names of fields whose values may differ, in lower case.
    pub(crate) vary: Vec<String>,
    /// What is asked for over WebSockets; `kind` counts only if `over_websockets`.
    pub(crate) websockets: WebSockets,
    pub(crate) over_websockets: bool,
}

impl Options {
    fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            connections: 64,
            idle: 0,
            idle_only: false,
            seconds: Duration::from_secs(5),
            warmup: Duration::from_secs(1),
            requests: None,
            pipeline: 1,
            rate: None,
            timeout: Duration::from_secs(10),
            close: false,
            spin: true,
            announce: false,
            method: "GET".to_owned(),
            paths: vec!["/".to_owned()],
            headers: Vec::new(),
            body: None,
            content_type: None,
            expect_status: 200,
            expect_body: None,
            vary: ["connection", "date", "keep-alive"]
                .map(str::to_owned)
                .to_vec(),
            websockets: WebSockets {
                kind: Kind::Echo,
                payload: 64,
                publish: 1,
                deflate: false,
                stalled: 0,
            },
            over_websockets: false,
        }
    }
}

/// Reads the arguments, without the name of the program, and the files they name; `None` when the
/// help is asked for.
///
/// # Errors
///
/// A sentence that says which argument was expected to be what.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let words: Vec<String> = arguments.collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        return Ok(None);
    }
    let addr = words
        .iter()
        .rposition(|word| word == "--addr")
        .ok_or("expected `--addr ADDR:PORT`")?;
    let mut options = Options::new(loopback(words.get(addr + 1))?);
    let mut rest = words.iter();
    while let Some(name) = rest.next() {
        match name.as_str() {
            "--close" => options.close = true,
            "--announce" => options.announce = true,
            "--no-spin" => options.spin = false,
            "--deflate" => options.websockets.deflate = true,
            _ => options.set(name, rest.next())?,
        }
    }
    options.check()?;
    Ok(Some(options))
}

impl Options {
    fn set(&mut self, name: &str, value: Option<&String>) -> Result<(), String> {
        // The name is looked at first, so that a mistyped flag at the end is called unknown.
        let known = HELP
            .split_whitespace()
            .any(|word| word == name && name.starts_with("--"));
        if !known {
            return Err(format!("expected an option, found `{name}`"));
        }
        let value = value.ok_or_else(|| format!("expected a value after {name}"))?;
        match name {
            "--addr" => {}
            "--connections" => self.connections = whole(name, value, 1, MOST_CONNECTIONS)? as usize,
            "--seconds" => self.seconds = seconds(name, value, 0.001, 3600.0)?,
            "--warmup" => self.warmup = seconds(name, value, 0.0, 600.0)?,
            "--requests" => self.requests = Some(whole(name, value, 1, u64::MAX)?),
            "--pipeline" => self.pipeline = whole(name, value, 1, MOST_PIPELINED)? as usize,
            "--rate" => self.rate = Some(number(name, value, 0.01, HIGHEST_RATE)?),
            "--timeout" => self.timeout = seconds(name, value, 0.001, 600.0)?,
            "--idle" => self.idle = whole(name, value, 0, MOST_CONNECTIONS)? as usize,
            "--idle-only" => {
                self.idle = whole(name, value, 1, MOST_CONNECTIONS)? as usize;
                self.idle_only = true;
            }
            "--websocket" => {
                self.over_websockets = true;
                self.websockets.kind = kind(value)?;
            }
            "--payload" => self.websockets.payload = whole(name, value, 16, 1 << 20)? as usize,
            "--publish" => self.websockets.publish = whole(name, value, 1, 1024)?,
            "--stalled" => {
                self.websockets.stalled = whole(name, value, 0, MOST_CONNECTIONS)? as usize;
            }
            "--method" => self.method = token(name, value)?,
            "--path" => self.paths = vec![path(value)?],
            "--paths-file" => self.paths = paths(value)?,
            "--body-file" => self.body = Some(file(value)?),
            "--content-type" => self.content_type = Some(field_value(name, value)?),
            "--header" => self.headers.push(header(value)?),
            "--expect-status" => self.expect_status = whole(name, value, 200, 999)? as u16,
            "--expect-body-file" => self.expect_body = Some(file(value)?),
            "--vary" => self.vary.push(token(name, value)?.to_ascii_lowercase()),
            _ => return Err(format!("expected an option, found `{name}`")),
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), String> {
        if self.close && self.pipeline > 1 {
            return Err("--close sends one request a connection; it excludes --pipeline".into());
        }
        if self.method == "CONNECT" {
            return Err("CONNECT has no answer that could be checked".into());
        }
        if self.idle_only {
            self.connections = 0;
        }
        if self.over_websockets {
            return self.check_websockets();
        }
        Ok(())
    }

    fn check_websockets(&self) -> Result<(), String> {
        if self.close || self.rate.is_some() || (self.idle > 0 && !self.idle_only) {
            return Err("--websocket excludes --close, --rate and --idle".into());
        }
        let sockets = &self.websockets;
        if sockets.kind == Kind::Echo {
            return match sockets.stalled {
                0 => Ok(()),
                _ => Err("--stalled is for --websocket broadcast".into()),
            };
        }
        if sockets.stalled > 0 && sockets.stalled >= self.connections {
            return Err("--stalled leaves no connection that reads".into());
        }
        let numbered = |body: &Vec<u8>| body.windows(16).any(|digits| digits == [b'0'; 16]);
        if !self.idle_only && !self.expect_body.as_ref().is_some_and(numbered) {
            return Err("a broadcast wants --expect-body-file with 16 zeros in it".into());
        }
        Ok(())
    }
}

fn kind(value: &str) -> Result<Kind, String> {
    match value {
        "broadcast" => Ok(Kind::Broadcast),
        "echo" => Ok(Kind::Echo),
        _ => Err(format!(
            "expected `echo` or `broadcast` after --websocket, found `{value}`"
        )),
    }
}

fn loopback(value: Option<&String>) -> Result<SocketAddr, String> {
    let value = value.ok_or("expected a value after --addr")?;
    let addr: SocketAddr = value
        .parse()
        .map_err(|_| format!("expected an address like 127.0.0.1:8080, found `{value}`"))?;
    if !addr.ip().to_canonical().is_loopback() {
        return Err(format!(
            "{} is not a loopback address; this program loads servers on its own machine only",
            addr.ip()
        ));
    }
    if addr.port() == 0 {
        return Err("port 0 is no port to connect to".into());
    }
    Ok(addr)
}

fn whole(name: &str, value: &str, least: u64, most: u64) -> Result<u64, String> {
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            format!("expected a whole number from {least} to {most} after {name}, found `{value}`")
        })
}

fn number(name: &str, value: &str, least: f64, most: f64) -> Result<f64, String> {
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            format!("expected a number from {least} to {most} after {name}, found `{value}`")
        })
}

fn seconds(name: &str, value: &str, least: f64, most: f64) -> Result<Duration, String> {
    number(name, value, least, most).map(Duration::from_secs_f64)
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &[u8]) -> bool {
    let is_token_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_token_byte)
}

fn token(name: &str, value: &str) -> Result<String, String> {
    if is_token(value.as_bytes()) {
        return Ok(value.to_owned());
    }
    Err(format!(
        "expected a word of letters and digits after {name}, found `{value}`"
    ))
}

fn path(value: &str) -> Result<String, String> {
    if value.starts_with('/') && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(value.to_owned());
    }
    Err(format!(
        "expected a path that begins with / and has no spaces or letters outside ASCII, found `{value}`"
    ))
}

fn paths(file_name: &str) -> Result<Vec<String>, String> {
    let text = String::from_utf8(file(file_name)?)
        .map_err(|_| format!("expected text in {file_name}, found other bytes"))?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let paths = lines.map(path).collect::<Result<Vec<_>, _>>()?;
    if paths.is_empty() || paths.len() > MOST_PATHS {
        return Err(format!(
            "expected 1 to {MOST_PATHS} paths in {file_name}, found {}",
            paths.len()
        ));
    }
    Ok(paths)
}

fn file(name: &str) -> Result<Vec<u8>, String> {
    let cannot = |err| format!("cannot read {name}: {err}");
    let length = std::fs::metadata(Path::new(name)).map_err(cannot)?.len();
    if length > LARGEST_FILE {
        return Err(format!(
            "{name} has {length} bytes, more than {LARGEST_FILE}"
        ));
    }
    std::fs::read(name).map_err(cannot)
}

fn field_value(name: &str, value: &str) -> Result<String, String> {
    if value
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        return Ok(value.trim().to_owned());
    }
    Err(format!(
        "expected one line of ASCII after {name}, found {value:?}"
    ))
}

/// Fields that the program writes itself, because they frame the request.
const OWN_FIELDS: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

fn header(value: &str) -> Result<(String, String), String> {
    let (name, value) = value
        .split_once(':')
        .ok_or_else(|| format!("expected `NAME: VALUE` after --header, found `{value}`"))?;
    let name = token("--header", name)?;
    if OWN_FIELDS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("the field {name} is written by the program itself"));
    }
    Ok((name, field_value("--header", value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        let options = parse(line.split(' ').map(str::to_owned))?;
        options.ok_or("help".to_owned())
    }

    #[test]
    fn arguments_become_options() {
        let options = parsed(
            "--addr [::1]:80 --connections 3 --seconds 0.5 --rate 1e3 --method POST --vary Etag",
        )
        .unwrap();
        assert_eq!(options.addr, "[::1]:80".parse().unwrap());
        assert_eq!(options.connections, 3);
        assert_eq!(options.seconds, Duration::from_millis(500));
        assert_eq!(options.rate, Some(1000.0));
        assert_eq!(options.paths, ["/"]);
        assert_eq!(options.vary.last().unwrap(), "etag");
        let options = parsed("--idle-only 12 --addr 127.8.9.10:1").unwrap();
        assert_eq!((options.connections, options.idle), (0, 12));
    }

    #[test]
    fn bad_arguments_are_named() {
        for (line, words) in [
            ("--seconds 5", "--addr"),
            ("--addr", "a value after --addr"),
            ("--addr localhost:80", "found `localhost:80`"),
            ("--addr 10.0.0.1:80", "10.0.0.1 is not a loopback address"),
            (
                "--addr [2001:db8::1]:80",
                "2001:db8::1 is not a loopback address",
            ),
            ("--addr 0.0.0.0:80", "0.0.0.0 is not a loopback address"),
            ("--addr 127.0.0.1:0", "port 0"),
            (
                "--addr 127.0.0.1:1 --connections 0",
                "from 1 to 19000 after --connections, found `0`",
            ),
            (
                "--addr 127.0.0.1:1 --connections 19001",
                "from 1 to 19000 after --connections",
            ),
            ("--addr 127.0.0.1:1 --rate NaN", "after --rate, found `NaN`"),
            ("--addr 127.0.0.1:1 --rate 0", "after --rate"),
            (
                "--addr 127.0.0.1:1 --seconds -1",
                "after --seconds, found `-1`",
            ),
            ("--addr 127.0.0.1:1 --seconds inf", "after --seconds"),
            (
                "--addr 127.0.0.1:1 --pipeline",
                "expected a value after --pipeline",
            ),
            (
                "--addr 127.0.0.1:1 --pipelines 3",
                "expected an option, found `--pipelines`",
            ),
            ("--addr 127.0.0.1:1 extra", "found `extra`"),
            ("--addr 127.0.0.1:1 --path x", "begins with /"),
            ("--addr 127.0.0.1:1 --method G\u{e9}T", "after --method"),
            ("--addr 127.0.0.1:1 --header nothing", "`NAME: VALUE`"),
            ("--addr 127.0.0.1:1 --header Host:x", "written by"),
            ("--addr 127.0.0.1:1 --body-file no/such/file", "cannot read"),
            ("--addr 127.0.0.1:1 --close --pipeline 2", "--close"),
            ("--addr 127.0.0.1:1 --websocket x", "`echo` or `broadcast`"),
            ("--addr 127.0.0.1:1 --websocket echo --rate 1", "excludes"),
            (
                "--addr 127.0.0.1:1 --websocket echo --stalled 1",
                "broadcast",
            ),
            ("--addr 127.0.0.1:1 --websocket broadcast", "16 zeros"),
            (
                "--addr 127.0.0.1:1 --websocket broadcast --connections 2 --stalled 2",
                "no connection that reads",
            ),
            ("--addr 127.0.0.1:1 --expect-status 99", "--expect-status"),
        ] {
            let err = parsed(line).expect_err(line);
            assert!(err.contains(words), "`{line}` gave: {err}");
        }
    }

    #[test]
    fn every_option_of_the_help_is_known() {
        let names: Vec<&str> = HELP
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
            .collect();
        assert!(names.len() > 20);
        for name in names {
            let line = format!("--addr 127.0.0.1:1 {name} \u{e9}");
            let err = parsed(&line).map(|_| ()).expect_err(&line);
            let taken =
                ["--addr", "--announce", "--close", "--deflate", "--no-spin"].contains(&name);
            assert!(
                !err.contains(&format!("an option, found `{name}`")),
                "{err}"
            );
            assert!(
                taken || err.contains(name) || err.contains("\u{e9}"),
                "{name}: {err}"
            );
        }
    }
}
