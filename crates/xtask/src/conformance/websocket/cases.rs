//! Cases of our own, which are rows of text: the opening handshake, and frames that kosoku does not look at closely enough.
//!
//! Each is played twice: with its bytes in one piece, and byte by byte.

use std::fs;

use squall_corpus::Row;

use super::wire::{Frame, KEY, Peer};
use crate::conformance::server::Server;
use crate::conformance::tally::Tally;
use crate::conformance::{Scene, Step, Trouble};

pub(super) const STEP: Step = Step {
    name: "websocket",
    what: "the opening handshake and frames of our own",
    // Two for each row, and the server.
    floor: 2 * 208 + 1,
    run,
};

const FILES: [&str; 2] = ["websocket/handshake.txt", "websocket/frames.txt"];
/// What the server is told, for the rows about subprotocols.
const FLAGS: [&str; 2] = ["--ws-subprotocols", "squall.echo,squall.chat"];

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let server = Server::start(scene, "websocket", &FLAGS)?;
    let mut tally = Tally::default();
    for file in FILES {
        for row in rows(scene, file)? {
            for cut in [Cut::Whole, Cut::Bytes] {
                let name = format!("{} {} ({cut:?})", row.place, row.name);
                tally.count(&name, play(&server.address, &row, cut));
            }
        }
    }
    server.end(&mut tally);
    Ok(tally)
}

/// Reads the rows of a file.
///
/// # Errors
///
/// When it cannot be read, or a row is not written as rows are.
pub(super) fn rows(scene: &Scene, file: &str) -> Result<Vec<Row>, String> {
    let path = scene.file(file);
    let text = fs::read_to_string(&path)
        .map_err(|err| format!("cannot read {}: {err}", path.display()))?;
    squall_corpus::parse(file, &text)
}

/// In how many pieces the bytes of a row leave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    Whole,
    Bytes,
}

/// Plays a row.
///
/// # Errors
///
/// What is not as the row says.
pub(super) fn play(address: &str, row: &Row, cut: Cut) -> Result<(), String> {
    let mut peer = Peer::connect(address)?;
    let send = |peer: &mut Peer, bytes: &[u8]| match cut {
        Cut::Whole => peer.send(bytes),
        Cut::Bytes => bytes.chunks(1).try_for_each(|byte| peer.send(byte)),
    };
    let mut first = head_of(row)?;
    let with_head = match row.one("together") {
        Some("yes") => row.bytes.len(),
        Some("half") => row.bytes.len() / 2,
        _ => 0,
    };
    let (together, later) = row.bytes.split_at(with_head);
    first.extend(together);
    send(&mut peer, &first)?;
    let head = peer.head()?;
    judge_head(&head, row)?;
    // Nobody may listen any more when the frames before were wrong, which is told by what comes.
    let sent = send(&mut peer, later);
    for wanted in row.all("gets") {
        match wanted {
            "the same" => peer.expect(&echo_of(&row.bytes)?)?,
            wanted => peer.expect(&shown(wanted)?)?,
        }
    }
    match row.one("then") {
        Some("open") => sent.and_then(|()| peer.check_open()),
        // A reset is an end too: the server may have gone while we were still sending.
        Some("closed") => match peer.drain()? {
            0 => Ok(()),
            count => Err(format!("{count} bytes came behind the close frame")),
        },
        Some(other) => Err(format!("there is no `then: {other}`")),
        None => Ok(()),
    }
}

/// The request of a row.
fn head_of(row: &Row) -> Result<Vec<u8>, String> {
    let mut lines: Vec<(String, String)> = [
        ("Host", "localhost"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for (key, value) in &row.fields {
        let is_named = |name: &str, line: &(String, String)| line.0.eq_ignore_ascii_case(name);
        match key.as_str() {
            "drop" => lines.retain(|line| !is_named(value, line)),
            "set" | "add" => {
                let (name, value) = value
                    .split_once(':')
                    .ok_or_else(|| format!("no field line: `{value}`"))?;
                if key == "set" {
                    lines.retain(|line| !is_named(name, line));
                }
                lines.push((name.to_owned(), value.trim().to_owned()));
            }
            _ => {}
        }
    }
    let mut head = format!("{}\r\n", row.one("line").unwrap_or("GET /ws HTTP/1.1"));
    for (name, value) in lines {
        head += &format!("{name}: {value}\r\n");
    }
    Ok((head + "\r\n").into_bytes())
}

fn judge_head(head: &str, row: &Row) -> Result<(), String> {
    let status = row.one("answers").unwrap_or("101");
    let found = head.split(' ').nth(1).unwrap_or_default();
    if found != status {
        let line = head.lines().next().unwrap_or_default();
        return Err(format!("expected the status {status}, found `{line}`"));
    }
    let fields: Vec<(String, &str)> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    for wanted in row.all("field") {
        let (name, value) = wanted.split_once(": ").unwrap_or((wanted, ""));
        // The names of protocols and of the connection's options are the same in any case.
        let same = |(known, found): &(String, &str)| {
            known == name
                && (*found == value
                    || (name != "sec-websocket-accept" && found.eq_ignore_ascii_case(value)))
        };
        if !fields.iter().any(same) {
            return Err(format!("expected `{wanted}` in `{}`", head.escape_debug()));
        }
    }
    let has = |name: &str| fields.iter().any(|(known, _)| known == name);
    if let Some(name) = row.all("has").find(|name| !has(name)) {
        return Err(format!(
            "expected a field {name} in `{}`",
            head.escape_debug()
        ));
    }
    match row.all("lacks").find(|name| has(name)) {
        Some(name) => Err(format!("expected no {name} in `{}`", head.escape_debug())),
        None => Ok(()),
    }
}

/// A frame that a row expects, as it is described: escapes of the row's kind become those of a description.
fn shown(wanted: &str) -> Result<String, String> {
    Ok(squall_corpus::unescape(wanted)?.escape_ascii().to_string())
}

/// The only frame of a row, as it comes back.
fn echo_of(bytes: &[u8]) -> Result<String, String> {
    match bytes {
        [first, _, _, _, _, _, payload @ ..] => {
            let frame = Frame {
                first: *first,
                payload: payload.to_vec(),
            };
            Ok(frame.describe())
        }
        _ => Err("the row has no frame to compare with".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        let text = format!("--- a\nfrom: b\n{text}");
        squall_corpus::parse("x.txt", &text).unwrap().remove(0)
    }

    #[test]
    fn heads_are_changed_as_a_row_says() {
        let row = row("line: GET / HTTP/1.0\ndrop: Upgrade\nset: host: a\nadd: Origin: null\n");
        let head = String::from_utf8(head_of(&row).unwrap()).unwrap();
        assert_eq!(
            head,
            format!(
                "GET / HTTP/1.0\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n\
                 Sec-WebSocket-Version: 13\r\nhost: a\r\nOrigin: null\r\n\r\n"
            )
        );
    }

    #[test]
    fn heads_are_judged() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: Ab=\r\n\r\n";
        let judged = |text| judge_head(head, &row(text));
        assert_eq!(
            judged("field: upgrade: websocket\nhas: upgrade\nlacks: date\n"),
            Ok(())
        );
        assert_eq!(judged("field: sec-websocket-accept: Ab=\n"), Ok(()));
        assert!(judged("field: sec-websocket-accept: AB=\n").is_err());
        assert!(judged("answers: 400\n").is_err());
        assert!(judged("has: date\n").is_err());
        assert!(judged("lacks: upgrade\n").is_err());
    }
}
