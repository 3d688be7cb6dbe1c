//! The command line: a table of flags, one for every setting of the server.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use squall::server::{Config, Forwarding, Trusted, WhenFull};
use squall::websocket::proto::deflate::{DeflateMode, DeflateOptions};
use squall::websocket::proto::handshake::Origins;
use squall::websocket::{SlowReader, WebSocketOptions};

use super::sockets;

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// Play the client for the Autobahn suite at a URL.
    Autobahn(String, WebSocketOptions),
    /// Try our client on the WebSocket server at a URL.
    Check(String, WebSocketOptions),
    Help,
    Serve(Box<Options>),
}

/// How to serve.
#[derive(Debug)]
pub(super) struct Options {
    /// The port on 127.0.0.1; 0 picks a free one.
    pub(super) http: Option<u16>,
    /// The port for TLS, with the files that it needs.
    pub(super) tls: Option<Tls>,
    /// How many loops; one a core when nothing is said.
    pub(super) loops: Option<usize>,
    /// What `/static/` shows.
    pub(super) folder: Option<PathBuf>,
    pub(super) config: Config,
    /// The WebSockets with limits; the others have what was agreed on from here.
    pub(super) limited: WebSocketOptions,
}

/// Where to serve over TLS.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) port: u16,
    /// The chain of certificates, in PEM.
    pub(super) cert: PathBuf,
    /// The key of the first of them, in PEM.
    pub(super) key: PathBuf,
}

/// The options as they are read.
struct Draft {
    http: Option<u16>,
    tls: Option<u16>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    loops: Option<usize>,
    folder: Option<PathBuf>,
    config: Config,
    limited: WebSocketOptions,
    client: Option<String>,
    check: Option<String>,
}

impl Draft {
    fn new() -> Self {
        let mut limited = sockets::limits();
        limited.compression = Some(DeflateOptions::default());
        Self {
            http: None,
            tls: None,
            cert: None,
            key: None,
            loops: None,
            folder: None,
            config: Config::default(),
            limited,
            client: None,
            check: None,
        }
    }
}

/// A flag and what its value sets.
struct Flag {
    name: &'static str,
    /// What stands for the value in the help.
    value: &'static str,
    help: &'static str,
    set: fn(&mut Draft, &str) -> Result<(), String>,
}

/// A flag that sets a field with what a function reads out of the value.
macro_rules! flag {
    ($name:literal, $value:literal, $help:literal, $read:ident => $($field:ident).+) => {
        Flag {
            name: $name,
            value: $value,
            help: $help,
            set: |draft, text| {
                draft.$($field).+ = $read(text)?.into();
                Ok(())
            },
        }
    };
}

const FLAGS: &[Flag] = &[
    flag!("--http", "PORT", "listens on 127.0.0.1; 0 picks a free port", port => http),
    flag!("--tls", "PORT", "listens there for TLS; wants --cert and --key", port => tls),
    flag!("--cert", "FILE", "the chain of certificates, in PEM", file => cert),
    flag!("--key", "FILE", "the key of the first certificate, in PEM", file => key),
    flag!("--loops", "N", "serves on so many loops; one a core otherwise", count => loops),
    flag!("--static", "FOLDER", "what /static/ shows", file => folder),
    flag!("--head-timeout", "TIME", "a request's head, from its first byte", time => config.head_timeout),
    flag!("--keep-alive-timeout", "TIME", "waiting for the first or the next request", time => config.keep_alive_timeout),
    flag!("--body-timeout", "TIME", "waiting for a body that does not come", time => config.body_timeout),
    flag!("--write-timeout", "TIME", "waiting for a client that does not read", time => config.write_timeout),
    flag!("--linger-timeout", "TIME", "reading on after an early answer", time => config.linger_timeout),
    flag!("--stop-timeout", "TIME", "requests in flight at the end", time => config.stop_timeout),
    flag!("--min-rate", "BYTES", "a second, of a body or an answer; 0 for any", rate => config.min_rate),
    flag!("--unread-bytes", "BYTES", "of an unread body that are skipped", bytes => config.unread_bytes),
    flag!("--max-connections", "N", "open at a time on one loop", count => config.max_connections),
    flag!("--when-full", "close-idle|refuse|wait", "what newcomers beyond that get", when_full => config.when_full),
    flag!("--proxy-protocol", "NETWORKS", "proxies that send a PROXY header", networks => config.proxy_protocol),
    flag!("--forwarding", "NETWORKS", "proxies whose X-Forwarded-* are believed", forwarding => config.forwarding),
    flag!("--handshake-timeout", "TIME", "a TLS handshake", time => config.handshake_timeout),
    flag!("--max-handshakes", "N", "at a time on one loop", count => config.max_handshakes),
    flag!("--half-close", "yes|no", "whether a client may shut its side down", yes => config.half_close),
    flag!("--head-bytes", "BYTES", "of a head", size => config.limits.head_bytes),
    flag!("--target-bytes", "BYTES", "of a request target", size => config.limits.target_bytes),
    flag!("--headers", "N", "field lines of a head", count => config.limits.headers),
    flag!("--body-bytes", "BYTES", "of a body", bytes => config.limits.body_bytes),
    flag!("--chunk-extension-bytes", "BYTES", "of a body's chunk extensions", size => config.limits.chunk_extension_bytes),
    flag!("--trailer-bytes", "BYTES", "of a trailer section", size => config.limits.trailer_bytes),
    flag!("--interim-responses", "N", "before a final one; for clients only", count32 => config.limits.interim_responses),
    flag!("--ws-max-frame", "BYTES", "of a frame at /ws-limits", size => limited.max_frame),
    flag!("--ws-max-message", "BYTES", "of a message at /ws-limits", size => limited.max_message),
    flag!("--ws-max-fragments", "N", "frames of a message at /ws-limits", count => limited.max_fragments),
    flag!("--ws-message-timeout", "TIME", "in which a message has to come", time => limited.message_timeout),
    flag!("--ws-min-rate", "BYTES", "of it for each second of that; 0 for any", rate => limited.min_rate),
    flag!("--ws-max-queued", "BYTES", "that wait for a slow reader at /ws-limits", size => limited.max_queued),
    flag!("--ws-slow", "WHAT", "disconnect, drop-newest or drop-oldest", slow => limited.slow),
    flag!("--ws-ping-interval", "TIME", "of silence before a ping at /ws-limits", time => limited.ping_interval),
    flag!("--ws-ping-timeout", "TIME", "of silence after it", time => limited.ping_timeout),
    flag!("--ws-write-timeout", "TIME", "of a reader that takes nothing", time => limited.write_timeout),
    flag!("--ws-close-timeout", "TIME", "until a goodbye is answered", time => limited.close_timeout),
    flag!("--ws-drain", "TIME", "over which goodbyes are spread at a stop", time => limited.drain),
    flag!("--ws-deflate", "no|shared|BITS", "compression of all WebSockets", deflate => limited.compression),
    flag!("--ws-origins", "same|any|LIST", "pages that may open them", origins => limited.origins),
    flag!("--ws-subprotocols", "LIST", "that they speak, best first", list => limited.subprotocols),
    flag!("--ws-client", "URL", "serves nothing: the client for an Autobahn suite", text => client),
    flag!("--ws-check", "URL", "serves nothing: tries our client on a server", text => check),
];

impl Options {
    /// Reads the arguments, without the name of the program.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    pub(super) fn parse(args: &[String]) -> Result<Asked, String> {
        if args.is_empty() || args.iter().any(|arg| arg == "--help" || arg == "-h") {
            return Ok(Asked::Help);
        }
        let mut draft = Draft::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (arg.as_str(), None),
            };
            let flag = FLAGS.iter().find(|flag| flag.name == name).ok_or_else(|| {
                format!("there is no option `{name}`; `--help` lists those that are")
            })?;
            let value = value
                .or_else(|| args.next().map(String::as_str))
                .ok_or_else(|| format!("{name} wants a value: {name} {}", flag.value))?;
            (flag.set)(&mut draft, value)
                .map_err(|wanted| format!("{name} wants {wanted}, not `{value}`"))?;
        }
        if let Some(url) = draft.client {
            return Ok(Asked::Autobahn(url, sockets::generous(&draft.limited)));
        }
        if let Some(url) = draft.check {
            return Ok(Asked::Check(url, sockets::generous(&draft.limited)));
        }
        let tls = match (draft.tls, draft.cert, draft.key) {
            (Some(port), Some(cert), Some(key)) => Some(Tls { port, cert, key }),
            (None, None, None) => None,
            _ => {
                return Err(
                    "--tls, --cert and --key belong together, and one of them is missing"
                        .to_owned(),
                );
            }
        };
        if draft.http.is_none() && tls.is_none() {
            return Err(
                "expected a port to listen on, found none; `--http 8080` is one".to_owned(),
            );
        }
        Ok(Asked::Serve(Box::new(Self {
            http: draft.http,
            tls,
            loops: draft.loops,
            folder: draft.folder,
            config: draft.config,
            limited: draft.limited,
        })))
    }
}

/// What `--help` prints.
pub(super) fn help() -> String {
    let mut text = "\
A server to point test suites at.

    conformance --http PORT [OPTION VALUE...]

It prints http://127.0.0.1:PORT (and a line with https:// for TLS) once it accepts, and ends on Ctrl-C or SIGTERM.

"
    .to_owned();
    for flag in FLAGS {
        let usage = format!("{} {}", flag.name, flag.value);
        // Writing into a string cannot fail.
        let _ = writeln!(text, "    {usage:<32} {}", flag.help);
    }
    text += "
TIME is a number with a unit (250ms, 15s, 2m), BYTES a number that may have one (64K, 1M, 2G),
NETWORKS a list such as 127.0.0.1,10.0.0.0/8.

    /plaintext /json /inspect /static/FILE /slow?ms=N /stream?n=N /mirror
    /ws /ws-limits                       WebSockets that echo; the second has the limits of the flags
    /ws-talk /ws-limits-talk             WebSockets that do what they are told: close 1000 bye, ping a, send 3 10, who
    any other path, any method           the body of the request, or a line when there is none
";
    text
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "a port from 0 to 65535".to_owned())
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "a whole number".to_owned())
}

fn rate(text: &str) -> Result<u32, String> {
    let all = bytes(text)?;
    u32::try_from(all).map_err(|_| "fewer bytes".to_owned())
}

fn count32(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "a whole number below 4,294,967,296".to_owned())
}

fn size(text: &str) -> Result<usize, String> {
    let all = bytes(text)?;
    usize::try_from(all).map_err(|_| "fewer bytes".to_owned())
}

fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let unit = match unit {
        "" => Some(1),
        "K" | "k" => Some(1 << 10),
        "M" | "m" => Some(1 << 20),
        "G" | "g" => Some(1 << 30),
        _ => None,
    };
    let number = number.parse::<u64>().ok();
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| "a number of bytes such as 8192, 64K or 1M".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let unit = match unit {
        "ms" => Some(0.001),
        "s" => Some(1.0),
        "m" => Some(60.0),
        _ => None,
    };
    let number = number.parse::<f64>().ok();
    number
        .zip(unit)
        .and_then(|(number, unit)| Duration::try_from_secs_f64(number * unit).ok())
        .ok_or_else(|| "a time such as 250ms, 15s or 2m".to_owned())
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}

fn networks(text: &str) -> Result<Trusted, String> {
    text.parse()
        .map_err(|_| "addresses and networks such as 127.0.0.1,10.0.0.0/8".to_owned())
}

fn forwarding(text: &str) -> Result<Arc<Forwarding>, String> {
    networks(text).map(Forwarding::new).map(Arc::new)
}

fn when_full(text: &str) -> Result<WhenFull, String> {
    match text {
        "close-idle" => Ok(WhenFull::CloseIdle),
        "refuse" => Ok(WhenFull::Refuse),
        "wait" => Ok(WhenFull::Wait),
        _ => Err("close-idle, refuse or wait".to_owned()),
    }
}

fn slow(text: &str) -> Result<SlowReader, String> {
    match text {
        "disconnect" => Ok(SlowReader::Disconnect),
        "drop-newest" => Ok(SlowReader::DropNewest),
        "drop-oldest" => Ok(SlowReader::DropOldest),
        _ => Err("disconnect, drop-newest or drop-oldest".to_owned()),
    }
}

fn deflate(text: &str) -> Result<Option<DeflateOptions>, String> {
    let mode = match (text, text.parse()) {
        ("no", _) => return Ok(None),
        ("shared", _) => DeflateMode::Shared,
        (_, Ok(bits @ 9..=15)) => DeflateMode::Window(bits),
        _ => return Err("no, shared, or the bits of a window from 9 to 15".to_owned()),
    };
    Ok(Some(DeflateOptions {
        mode,
        ..DeflateOptions::default()
    }))
}

fn origins(text: &str) -> Result<Origins, String> {
    match text {
        "same" => Ok(Origins::Same),
        "any" => Ok(Origins::Any),
        _ => list(text).map(Origins::List),
    }
}

fn list(text: &str) -> Result<Vec<String>, String> {
    let members: Vec<String> = text.split(',').map(str::to_owned).collect();
    match members.iter().any(String::is_empty) {
        true => Err("a list such as one,two".to_owned()),
        false => Ok(members),
    }
}

fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn file(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("a path".to_owned());
    }
    Ok(text.into())
}

/// Splits a number from the letters behind it.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    text.split_at(end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Asked, String> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&args)
    }

    fn options(line: &str) -> Options {
        match parse(line).unwrap() {
            Asked::Serve(options) => *options,
            other => panic!("{line} is a call for {other:?}"),
        }
    }

    #[test]
    fn every_setting_of_the_server_has_a_flag() {
        let (server, sockets) = (Config::default(), WebSocketOptions::default());
        // How a server says goodbye is no limit, and its suites are told by the code.
        let others = ["goodbye", "compression"];
        let shown = format!("{server:#?}\n{sockets:#?}");
        let fields: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .filter(|(_, value)| !value.ends_with('{'))
            .map(|(name, _)| name)
            .collect();
        assert!(fields.len() >= 17, "{fields:?}");
        for field in fields {
            let name = field.replace('_', "-");
            let known = [format!("--{name}"), format!("--ws-{name}")];
            assert!(
                others.contains(&field)
                    || FLAGS
                        .iter()
                        .any(|flag| known.iter().any(|name| name == flag.name)),
                "no {known:?} for {field}"
            );
        }
    }

    #[test]
    fn flags_set_what_they_are_called_after() {
        for flag in FLAGS {
            if ["--ws-client", "--ws-check"].contains(&flag.name) {
                continue;
            }
            let value = match flag.value {
                "WHAT" => "drop-oldest",
                "no|shared|BITS" => "9",
                "same|any|LIST" | "LIST" => "a,b",
                "TIME" => "77s",
                "yes|no" => "yes",
                "close-idle|refuse|wait" => "close-idle",
                "NETWORKS" => "10.0.0.7",
                _ => "77",
            };
            let files = "--tls 1 --cert 1 --key 1";
            let options = options(&format!("--http=1 {files} {} {value}", flag.name));
            let shown = format!("{options:?}");
            let field = flag.name.trim_start_matches("--").replace("ws-", "");
            let field = field.replace('-', "_");
            let expected = match (flag.name, value) {
                ("--ws-slow", _) => "slow: DropOldest".to_owned(),
                ("--ws-deflate", _) => "mode: Window(9)".to_owned(),
                ("--ws-origins", _) => "origins: List([\"a\", \"b\"])".to_owned(),
                ("--ws-subprotocols", _) => "subprotocols: [\"a\", \"b\"]".to_owned(),
                ("--ws-ping-interval", _) => "ping_interval: Some(77s)".to_owned(),
                ("--static", _) => "folder: Some(\"77\")".to_owned(),
                ("--loops" | "--http", _) => format!("{field}: Some(77)"),
                ("--tls", _) => "port: 77".to_owned(),
                ("--cert" | "--key", _) => format!("{field}: \"77\""),
                (_, "10.0.0.7") => format!("{field}: Some("),
                (_, "close-idle") => "when_full: CloseIdle".to_owned(),
                (_, "yes") => format!("{field}: true"),
                _ => format!("{field}: {value}"),
            };
            assert!(shown.contains(&expected), "{expected} is not in {shown}");
        }
    }

    #[test]
    fn clients_are_asked_for() {
        let asked = parse("--ws-client ws://a --ws-deflate no").unwrap();
        assert!(
            matches!(&asked, Asked::Autobahn(url, options) if url == "ws://a" && options.compression.is_none())
        );
        assert!(matches!(parse("--ws-check ws://a"), Ok(Asked::Check(url, _)) if url == "ws://a"));
    }

    #[test]
    fn units_are_understood() {
        let options = options("--http 0 --head-bytes 64K --body-timeout 1.5s --head-timeout 250ms");
        assert_eq!(options.config.limits.head_bytes, 65_536);
        assert_eq!(options.config.body_timeout, Duration::from_millis(1500));
        assert_eq!(options.config.head_timeout, Duration::from_millis(250));
    }

    #[test]
    fn mistakes_are_told_in_words() {
        let cases = [
            (
                "--loops 2",
                "expected a port to listen on, found none; `--http 8080` is one",
            ),
            (
                "--tls 1 --cert a",
                "--tls, --cert and --key belong together, and one of them is missing",
            ),
            ("--http", "--http wants a value: --http PORT"),
            ("--http x", "--http wants a port from 0 to 65535, not `x`"),
            (
                "--http 1 --head-timeout 15",
                "--head-timeout wants a time such as 250ms, 15s or 2m, not `15`",
            ),
            (
                "--http 1 --head-timeout -1s",
                "--head-timeout wants a time such as 250ms, 15s or 2m, not `-1s`",
            ),
            (
                "--http 1 --body-bytes 1T",
                "--body-bytes wants a number of bytes such as 8192, 64K or 1M, not `1T`",
            ),
            (
                "--http 1 --half-close maybe",
                "--half-close wants yes or no, not `maybe`",
            ),
            (
                "--http 1 --ws-deflate 16",
                "--ws-deflate wants no, shared, or the bits of a window from 9 to 15, not `16`",
            ),
            (
                "--http 1 --ws-subprotocols a,,b",
                "--ws-subprotocols wants a list such as one,two, not `a,,b`",
            ),
            (
                "--htpp 1",
                "there is no option `--htpp`; `--help` lists those that are",
            ),
        ];
        for (line, message) in cases {
            assert_eq!(parse(line).unwrap_err(), message);
        }
    }

    #[test]
    fn help_has_every_flag() {
        assert!(matches!(parse(""), Ok(Asked::Help)));
        assert!(matches!(parse("--http 1 --help"), Ok(Asked::Help)));
        let help = help();
        assert!(FLAGS.iter().all(|flag| help.contains(flag.name)), "{help}");
    }
}
