//! The attacks that the crate's own tests run through the decoder, sent to a server over a socket.
//!
//! The keys of the rows are described in `crates/websocket/tests/it/proto/corpus.rs`.

use std::collections::BTreeMap;

use squall_corpus::{Row, unescape};

use crate::conformance::Scene;
use crate::conformance::server::Server;
use crate::conformance::tally::Tally;
use crate::conformance::websocket::wire::{Frame, Peer, frame};

/// The rows for a server.
pub(super) const LEAST: usize = 200;
/// Frame, message and frames of a message, for rows that say nothing else.
const LIMITS: &str = "1048576 1048576 4096";

/// Plays all rows, each on a connection of its own.
///
/// # Errors
///
/// When there are no rows, or a server does not start.
pub(super) fn play_all(scene: &Scene, tally: &mut Tally) -> Result<(), String> {
    let rows = squall_corpus::read(&scene.root.join("crates/websocket/tests/corpus"))?;
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        if row.one("end") != Some("client") {
            let limits = row.one("limits").unwrap_or(LIMITS);
            groups.entry(limits).or_default().push(row);
        }
    }
    for (limits, rows) in groups {
        let mut flags = Vec::new();
        let names = ["--ws-max-frame", "--ws-max-message", "--ws-max-fragments"];
        for (name, value) in names.into_iter().zip(limits.split(' ')) {
            flags.extend([name, value]);
        }
        let server = Server::start(scene, "websocket-corpus", &flags)?;
        for row in rows {
            let name = format!("{} {}", row.place, row.name);
            tally.count(&name, play(&server.address, row));
        }
        server.end(tally);
    }
    Ok(())
}

fn play(address: &str, row: &Row) -> Result<(), String> {
    let deflate = row.one("deflate") == Some("agreed");
    let offer = ["Sec-WebSocket-Extensions: permessage-deflate"];
    let offer = if deflate { &offer[..] } else { &[] };
    let mut peer = Peer::upgrade(address, "/ws-limits", offer)?;
    let raw = row.one("end") == Some("server");
    let bytes = if raw {
        row.bytes.clone()
    } else {
        masked(&row.bytes)
    };
    // Who is attacked may stop listening in the middle.
    let _ = peer.send(&bytes);
    let idle = row.one("then") == Some("idle");
    if idle {
        peer.send(&frame(0x89, MARK))?;
    }
    let mut heard = Heard::default();
    if row.one("then") != Some("waits") {
        heard.listen(&mut peer)?;
    } else if row.all("saw").next().is_some() {
        heard.listen_for(&mut peer, row.all("saw").count())?;
    }
    heard.judge(row)
}

/// The payload of the ping that follows the bytes of a row that leaves the connection open.
const MARK: &[u8] = b"behind the attack";

/// What came back.
#[derive(Debug, Default)]
struct Heard {
    /// Messages, as they are described.
    messages: Vec<String>,
    /// Payloads.
    pongs: Vec<Vec<u8>>,
    /// The pong to [`MARK`], a close frame, or `end`.
    ending: String,
}

impl Heard {
    /// Listens to the pong of the mark, or to the end.
    fn listen(&mut self, peer: &mut Peer) -> Result<(), String> {
        while self.ending.is_empty() {
            self.take(peer.frame()?);
        }
        Ok(())
    }

    fn listen_for(&mut self, peer: &mut Peer, count: usize) -> Result<(), String> {
        while self.ending.is_empty() && self.messages.len() + self.pongs.len() < count {
            self.take(peer.frame()?);
        }
        Ok(())
    }

    fn take(&mut self, frame: Option<Frame>) {
        match frame {
            None => self.ending = "end".to_owned(),
            Some(frame) if frame.first == 0x8a && frame.payload == MARK => {
                self.ending = "idle".to_owned();
            }
            Some(frame) if frame.first == 0x8a => self.pongs.push(frame.payload),
            Some(frame) if frame.first & 0x0f == 8 => self.ending = frame.describe(),
            Some(frame) => self.messages.push(frame.describe()),
        }
    }

    fn judge(&self, row: &Row) -> Result<(), String> {
        let mut messages = Vec::new();
        let mut pings = Vec::new();
        let mut ending = match row.one("close") {
            Some(code) => format!("close {code}"),
            None => "idle".to_owned(),
        };
        for saw in row.all("saw") {
            let (count, saw) = match saw.split_once(" * ") {
                Some((count, saw)) => (count.parse().unwrap_or(1), saw),
                None => (1, saw),
            };
            let (kind, payload) = saw.split_once(' ').unwrap_or((saw, ""));
            let payload = unescape(payload)?;
            let message = |first| {
                let payload = payload.clone();
                Frame { first, payload }.describe()
            };
            match kind {
                "text" => messages.extend(vec![message(0x81); count]),
                "binary" => messages.extend(vec![message(0x82); count]),
                // A block of the sort that is reserved (RFC 1951 section 3.2.3), which no decoder of frames looks at.
                "deflated" if payload.first().is_some_and(|first| first & 6 == 6) => {
                    ending = "close 1007".to_owned();
                    break;
                }
                // What it inflates to is not in the row.
                "deflated" => messages.extend(vec!["*".to_owned(); count]),
                "ping" => pings.extend(vec![payload; count]),
                "close" => {
                    let code = saw.split(' ').nth(1).map(|code| format!(" {code}"));
                    ending = format!("close{}", code.unwrap_or_default());
                }
                _ => {}
            }
        }
        let same = |(wanted, found): (&String, &String)| wanted == "*" || wanted == found;
        if messages.len() != self.messages.len() || !messages.iter().zip(&self.messages).all(same) {
            return Err(format!(
                "expected the messages {messages:.300?}, found {:.300?}",
                self.messages
            ));
        }
        // The newest of several pings may be answered alone (RFC 6455 section 5.5.3), in order all the same.
        let mut asked = pings.iter();
        let answered = self.pongs.iter().all(|pong| asked.any(|ping| ping == pong));
        if !answered || (self.pongs.is_empty() && !pings.is_empty()) {
            return Err(format!(
                "{} pongs for {} pings",
                self.pongs.len(),
                pings.len()
            ));
        }
        let waits = row.one("then") == Some("waits") && self.ending.is_empty();
        match self.ending == ending || self.ending.starts_with(&format!("{ending} ")) || waits {
            true => Ok(()),
            false => Err(format!("expected `{ending}`, found `{}`", self.ending)),
        }
    }
}

/// Frames of a server as a client has to send them, with a mask of zeros; what is broken stays broken.
fn masked(mut bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let width = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let width = width.min(rest.len());
        let (length, rest) = rest.split_at(width);
        masked.extend([*first, second | 0x80]);
        masked.extend(length);
        masked.extend([0; 4]);
        let announced = match width {
            0 => u64::from(second & 0x7f),
            _ => length
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let count = usize::try_from(announced).map_or(rest.len(), |count| count.min(rest.len()));
        masked.extend(&rest[..count]);
        bytes = &rest[count..];
    }
    masked.extend(bytes);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_masked_frame_by_frame() {
        assert_eq!(
            masked(b"\x81\x01a\x89\x00"),
            b"\x81\x81\0\0\0\0a\x89\x80\0\0\0\0"
        );
        assert_eq!(
            masked(b"\x82\x7e\0\x02ab\x81"),
            b"\x82\xfe\0\x02\0\0\0\0ab\x81"
        );
        assert_eq!(masked(b"\x81\x05ab"), b"\x81\x85\0\0\0\0ab");
    }

    fn judged(row: &str, frames: &[(u8, &[u8])]) -> Result<(), String> {
        let rows = squall_corpus::parse("x.txt", &format!("--- a\nfrom: b\n{row}")).unwrap();
        let mut heard = Heard::default();
        for (first, payload) in frames {
            heard.take(Some(Frame {
                first: *first,
                payload: payload.to_vec(),
            }));
        }
        if heard.ending.is_empty() {
            heard.take(None);
        }
        heard.judge(&rows[0])
    }

    #[test]
    fn answers_are_held_against_the_row() {
        let row = "saw: 3 * ping a\nsaw: text b\nclose: 1002\n";
        let good: [(u8, &[u8]); 3] = [(0x8a, b"a"), (0x81, b"b"), (0x88, b"\x03\xeano")];
        assert_eq!(judged(row, &good), Ok(()));
        assert!(judged(row, &good[1..]).is_err(), "no ping was answered");
        assert!(judged(row, &good[..2]).is_err(), "it was not closed");
        let unasked = [&good[..1], &[(0x8a, b"c")], &good[1..]].concat();
        assert!(judged(row, &unasked).is_err(), "a pong for no ping");
        let other = [good[0], (0x82, b"b"), good[2]];
        assert!(judged(row, &other).is_err(), "another kind of message");
        assert_eq!(judged("then: idle\n", &[(0x8a, MARK)]), Ok(()));
        assert!(judged("then: idle\n", &[(0x88, b"\x03\xea")]).is_err());
    }
}
